//! `coc-load`: signs transactions ahead of time and drives any Ethereum node over HTTP at full speed.
//!
//! ```text
//! coc-load sign --count 30000 --accounts 100 [--chain-id 31337] [--receivers 1000] [--token ADDRESS] > FILE
//! coc-load kvstore --count 30000 --accounts 100 [--bytes 250] > FILE
//! coc-load send --url URL[,URL…] --file FILE [--connections 16] [--batch 1] [--rate N] [--dialect D] [--node-pid PID]
//! coc-load feed --url URL[,URL…] --file FILE --acknowledged FILE [--connections 16] [--batch 1] [--rate N] [--dialect D]
//! coc-load find --url URL --acknowledged FILE [--dialect D]
//! coc-load read --url URL --body JSON --count 100000 [--connections 16] [--node-pid PID]
//! ```
//!
//! `sign` and `kvstore` write `account transaction` lines, so that one file serves many runs; the others print one JSON
//! object. With a rate, `send` reports how long each transaction took. `feed` outlives the nodes that it feeds, and
//! `find` says which of the transactions that they acknowledged are in blocks after their restart. D is `ethereum`,
//! `ethereum-final` (a block counts when it is final) or `comet`.

mod blocks;
mod dialect;
mod http;
mod keys;
mod kvstore;
mod lanes;
mod process;
mod reading;
mod sending;
mod signing;

use std::collections::HashMap;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::str::FromStr;

use dialect::Dialect;
use http::host_of;
use lanes::{Manner, Signed};
use reading::Reads;
use sending::Plan;
use signing::{Load, Payload};

const DEV_CHAIN_ID: u64 = 31_337;
const CONNECTIONS: usize = 16;
const RECEIVERS: usize = 1_000;
const COMMANDS: &str = "sign, kvstore, send, feed, find, read";

/// Options of the command line: `--name value` pairs and nothing else.
struct Options(HashMap<String, String>);

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = HashMap::new();
        for pair in arguments.chunks(2) {
            match pair {
                [name, value] if name.starts_with("--") => {
                    options.insert(name[2..].to_owned(), value.clone())
                }
                _ => return Err(format!("{pair:?} is not a pair of --name and value")),
            };
        }
        Ok(Self(options))
    }

    fn text(&self, name: &str) -> Result<&str, String> {
        self.0.get(name).map(String::as_str).ok_or_else(|| format!("--{name} is missing"))
    }

    fn number<T: FromStr>(&self, name: &str) -> Result<T, String> {
        let text = self.text(name)?;
        text.parse().map_err(|_| format!("--{name} {text} is not a number"))
    }

    fn number_or<T: FromStr>(&self, name: &str, default: T) -> Result<T, String> {
        if self.0.contains_key(name) { self.number(name) } else { Ok(default) }
    }

    fn pid(&self) -> Result<Option<u32>, String> {
        self.0.contains_key("node-pid").then(|| self.number("node-pid")).transpose()
    }
}

fn address(text: &str) -> Result<[u8; 20], String> {
    let wrong = || format!("--token {text} is not an address");
    let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 40).ok_or_else(wrong)?;
    let mut bytes = [0; 20];
    for (at, byte) in bytes.iter_mut().enumerate() {
        let pair = digits.get(2 * at..2 * at + 2).ok_or_else(wrong)?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
    }
    Ok(bytes)
}

fn sign(options: &Options) -> Result<(), String> {
    let payload = match options.text("token") {
        Ok(text) => Payload::Token(address(text)?),
        Err(_) => Payload::Transfer,
    };
    let load = Load {
        chain_id: options.number_or("chain-id", DEV_CHAIN_ID)?,
        payload,
        count: options.number("count")?,
        receivers: options.number_or("receivers", RECEIVERS)?,
    };
    let secrets = keys::account_secrets(keys::DEV_MNEMONIC, options.number("accounts")?);
    if secrets.is_empty() {
        return Err("--accounts 0: somebody has to sign".to_owned());
    }
    let mut out = BufWriter::new(io::stdout().lock());
    for (index, raw) in signing::sign_all(load, &secrets).iter().enumerate() {
        writeln!(out, "{} {}", index % secrets.len(), signing::to_hex(raw))
            .map_err(|error| error.to_string())?;
    }
    out.flush().map_err(|error| error.to_string())
}

fn kvstore(options: &Options) -> Result<(), String> {
    let (accounts, bytes): (usize, usize) = (options.number("accounts")?, options.number_or("bytes", 250)?);
    let mut out = BufWriter::new(io::stdout().lock());
    for index in 0..options.number("count")? {
        let transaction = kvstore::transaction(index, bytes);
        writeln!(out, "{} {transaction}", index % accounts.max(1)).map_err(|error| error.to_string())?;
    }
    out.flush().map_err(|error| error.to_string())
}

fn plan(options: &Options) -> Result<Plan, String> {
    let dialect = options.text("dialect").map_or(Ok(Dialect::Ethereum), Dialect::named)?;
    let rate = options.0.contains_key("rate").then(|| options.number("rate")).transpose()?;
    if rate.is_some_and(|rate: f64| rate.is_nan() || rate <= 0.0) {
        return Err("--rate is transactions a second, above 0".to_owned());
    }
    Ok(Plan {
        hosts: options.text("url")?.split(',').map(host_of).collect::<Result<_, _>>()?,
        connections: options.number_or("connections", CONNECTIONS)?.max(1),
        manner: Manner { dialect, batch: options.number_or("batch", 1)?.max(1), rate },
        node_pid: options.pid()?,
    })
}

fn load(options: &Options) -> Result<Vec<Signed>, String> {
    let path = options.text("file")?;
    let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let load = text.lines().map(signed_line).collect::<Option<Vec<Signed>>>();
    load.ok_or_else(|| {
        format!("{path} holds a line that is not `account transaction`; write it with sign or kvstore")
    })
}

fn send(options: &Options) -> Result<(), String> {
    println!("{}", sending::run(&plan(options)?, &load(options)?)?);
    Ok(())
}

fn feed(options: &Options) -> Result<(), String> {
    let out = Path::new(options.text("acknowledged")?);
    println!("{}", sending::feed(&plan(options)?, &load(options)?, out)?);
    Ok(())
}

fn find(options: &Options) -> Result<(), String> {
    let acknowledged = Path::new(options.text("acknowledged")?);
    println!("{}", sending::find_again(&plan(options)?, acknowledged)?);
    Ok(())
}

fn signed_line(line: &str) -> Option<Signed> {
    let (account, raw) = line.split_once(' ')?;
    Some(Signed { account: account.parse().ok()?, raw: raw.to_owned() })
}

fn read(options: &Options) -> Result<(), String> {
    let reads = Reads {
        url: options.text("url")?.to_owned(),
        body: options.text("body")?.to_owned(),
        count: options.number("count")?,
        connections: options.number_or("connections", CONNECTIONS)?.max(1),
        node_pid: options.pid()?,
    };
    println!("{}", reading::run(&reads)?);
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((command, rest)) => Options::parse(rest).and_then(|options| match command.as_str() {
            "sign" => sign(&options),
            "kvstore" => kvstore(&options),
            "send" => send(&options),
            "feed" => feed(&options),
            "find" => find(&options),
            "read" => read(&options),
            other => Err(format!("{other} is not one of {COMMANDS}")),
        }),
        None => Err(format!("one of {COMMANDS} is expected")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("coc-load: {sentence}");
            ExitCode::FAILURE
        }
    }
}
