//! A small chain of ours to test with: its genesis, how its blocks are made, and reading all of its state.

use crate::ledger::{BOOK, BOOK_CODE, FUNDS, Ledger, Planned, SENDERS, sender};
use alloy_primitives::{Address, B256, Bytes};
use coc_chain::build::Attributes;
use coc_chain::chain::Chain;
use coc_chain::check::{Check, Report};
use coc_chain::error::ChainError;
use coc_chain::open::ChainOptions;
use coc_disk::FaultyDisk;
use coc_store::Index;
use std::sync::Arc;

/// Salt of log checksums in tests, so that equal seeds give equal bytes.
pub const SALT: u32 = 77;

/// The genesis file of the test chain; `extra` makes another chain of it.
pub fn genesis(extra: &str) -> Vec<u8> {
    let blocks = [
        "homesteadBlock",
        "eip150Block",
        "eip155Block",
        "eip158Block",
        "byzantiumBlock",
        "constantinopleBlock",
        "petersburgBlock",
        "istanbulBlock",
        "berlinBlock",
        "londonBlock",
        "terminalTotalDifficulty",
        "shanghaiTime",
        "cancunTime",
    ];
    let mut config: serde_json::Map<String, serde_json::Value> =
        blocks.iter().map(|name| ((*name).to_owned(), serde_json::json!(0))).collect();
    config.insert("chainId".into(), serde_json::json!(1337));
    config.insert("coc".into(), serde_json::json!({}));
    let mut alloc = serde_json::Map::new();
    for index in 0..SENDERS {
        alloc.insert(sender(index).to_string(), serde_json::json!({ "balance": format!("{FUNDS:#x}") }));
    }
    let code = Bytes::copy_from_slice(&BOOK_CODE);
    alloc.insert(BOOK.to_string(), serde_json::json!({ "balance": "0x0", "code": code }));
    let file = serde_json::json!({
        "config": config, "alloc": alloc, "gasLimit": "0x1c9c380", "difficulty": "0x0", "extraData": extra,
    });
    file.to_string().into_bytes()
}

/// Small caches and segments, no reserve, checksums that do not depend on chance.
pub fn options() -> ChainOptions {
    ChainOptions {
        node_cache_bytes: 1 << 20,
        block_cache_bytes: 1 << 20,
        reserve_bytes: 0,
        log_segment_bytes: 4_000,
        log_salt: Some(SALT),
        ..ChainOptions::default()
    }
}

/// A candidate: its hash and the state it must lead to.
pub fn build(
    chain: &Chain,
    parent: &B256,
    planned: &[Planned],
    before: &Ledger,
    mark: u64,
) -> Result<(B256, Ledger), ChainError> {
    let timestamp = chain.shared.parent(parent)?.header.timestamp + 1;
    let attributes = Attributes {
        timestamp,
        beneficiary: Address::with_last_byte(0xfe),
        extra_data: Bytes::copy_from_slice(&mark.to_be_bytes()),
        gas_limit_target: 30_000_000,
        consensus_data: Bytes::from_static(&[0xc8, 0x80, 0x80, 0x80, 0x80, 0x80, 0xc0, 0x80, 0x80]),
    };
    let transactions = planned.iter().map(|plan| (plan.transaction.clone(), plan.sender));
    let built = chain.build(parent, &attributes, transactions, || false)?;
    let block = chain.shared.stored(&built.hash)?.expect("a candidate is known");
    Ok((built.hash, before.after(planned, &block.receipts)))
}

/// A check of everything.
pub fn check(genesis: &[u8], disk: &FaultyDisk, index: Arc<dyn Index>) -> Result<Report, ChainError> {
    let mut check = Check::begin_on(genesis, Arc::new(disk.clone()), index)?;
    while check.step(|| true).is_some() {}
    Ok(check.report().clone())
}

/// Reads every node of the head's state, storage tries included: how many values there are.
pub fn read_all(chain: &Chain) -> Result<u64, String> {
    let head = chain.shared.head();
    let nodes = &*chain.shared.nodes;
    let mut values = 0;
    for entry in head.state.accounts.iter(nodes, &[]) {
        let (_, value) = entry.map_err(|error| error.to_string())?;
        values += 1;
        if let Some(storage) = value.storage() {
            for slot in storage.iter(nodes, &[]) {
                slot.map_err(|error| error.to_string())?;
                values += 1;
            }
        }
    }
    Ok(values)
}
