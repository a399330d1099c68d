//! Block import against bare revm: one measurement a process, figures as one JSON object on stdout.
//!
//! ```text
//! coc-bench prepare KIND ACCOUNTS BLOCKS GAS FOLDER    KIND: transfers, erc20, compute
//! coc-bench bare FOLDER                                the same transactions in bare revm
//! coc-bench import FOLDER DATA                         the blocks into DATA, a copy of FOLDER/base
//! ```
//!
//! `bench/import_blocks.py` runs these in turn and prints the table.

mod accounts;
#[cfg(test)]
mod agreement;
mod bare;
mod folder;
mod import;
mod prepare;
mod usage;
mod workload;

use folder::Failure;
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str =
    "usage: coc-bench prepare KIND ACCOUNTS BLOCKS GAS FOLDER | bare FOLDER | import FOLDER DATA";

fn run(arguments: &[&str]) -> Result<(), Failure> {
    match arguments {
        ["prepare", kind, accounts, blocks, gas, folder] => {
            let kind = workload::Kind::named(kind).ok_or(USAGE)?;
            prepare::prepare(Path::new(folder), kind, accounts.parse()?, blocks.parse()?, gas.parse()?)
        }
        ["bare", folder] => print(&bare::bare(Path::new(folder))?),
        ["import", folder, data] => print(&import::import(Path::new(folder), Path::new(data))?),
        _ => Err(USAGE.into()),
    }
}

fn print(figures: &serde_json::Value) -> Result<(), Failure> {
    println!("{figures}");
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("coc-bench: {failure}");
            ExitCode::FAILURE
        }
    }
}
