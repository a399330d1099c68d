//! The measured import: blocks as bytes in, everything durable at the end.

use crate::folder::{Failure, load_blocks};
use crate::usage::{self, MemoryWatch};
use coc_chain::chain::Chain;
use coc_chain::open::{ChainOptions, genesis_of};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Instant;

/// Imports the prepared blocks into the chain in `data`, a copy of the prepared one.
///
/// # Errors
/// What the disk or the chain says; a refused block.
pub fn import(folder: &Path, data: &Path) -> Result<Value, Failure> {
    let blocks = load_blocks(folder)?;
    let text = genesis_of(data)?.ok_or("the prepared chain has no genesis file")?;
    let began = Instant::now();
    let (chain, _) = Chain::open(&text, Some(data), &ChainOptions::default())?;
    let open_seconds = began.elapsed().as_secs_f64();
    let before = Sizes::of(&chain)?;
    let memory = MemoryWatch::begin();
    let (written, processor, began) = (usage::written_bytes(), usage::processor_seconds(), Instant::now());
    if let Some(refused) = chain.import_many(&blocks)?.refused {
        return Err(refused.into());
    }
    chain.flush()?;
    let seconds = began.elapsed().as_secs_f64();
    let processor_seconds = usage::processor_seconds() - processor;
    let written = usage::written_bytes() - written;
    let after = Sizes::of(&chain)?;
    let (log, nodes) = (after.log - before.log, after.nodes - before.nodes);
    Ok(json!({
        "seconds": seconds,
        "processor_seconds": processor_seconds,
        "open_seconds": open_seconds,
        "log_bytes": log,
        "node_bytes": nodes,
        "index_growth_bytes": after.index.saturating_sub(before.index),
        "index_written_bytes": written.saturating_sub(log + nodes),
        "peak_memory_bytes": memory.most_bytes(),
        "state_root": chain.shared.head().stored.block.header.state_root,
    }))
}

/// Bytes of the parts of a data folder.
struct Sizes {
    log: u64,
    nodes: u64,
    index: u64,
}

impl Sizes {
    fn of(chain: &Chain) -> Result<Sizes, Failure> {
        Ok(Sizes {
            log: chain.shared.log.bytes(),
            nodes: chain.shared.nodes.bytes(),
            index: chain.shared.index.stats()?.used_bytes,
        })
    }
}
