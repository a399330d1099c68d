//! Preparing a benchmark: a chain whose state has the wanted number of accounts, and signed blocks that come next.

use crate::accounts::Account;
use crate::folder::{Failure, copy, save_accounts, save_blocks};
use crate::workload::{Kind, Signer, genesis};
use alloy_primitives::{Address, B256, Bytes};
use coc_chain::build::{Attributes, Built};
use coc_chain::chain::Chain;
use coc_chain::open::ChainOptions;
use coc_evm::types::Transaction;
use std::path::Path;
use std::sync::Arc;

/// The gas limit of every block: the measured ones stay at any fill below it.
const GAS_LIMIT: u64 = 200_000_000;

/// Makes the folder of a benchmark.
///
/// # Errors
/// What the disk or the chain says, and a block that took fewer transactions than it was given.
pub fn prepare(folder: &Path, kind: Kind, accounts: usize, blocks: usize, gas: u64) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)?;
    let mut signer = Signer::new(Account::many(accounts));
    let addresses = signer.addresses();
    save_accounts(folder, &addresses)?;
    let base = folder.join("base");
    let text = genesis(addresses[0])?;
    let (chain, _) = Chain::open(text.as_bytes(), Some(&base), &ChainOptions::default())?;
    let mut parent = chain.shared.genesis_hash;
    let mut grants = signer.grants(&addresses);
    if kind == Kind::Erc20 {
        grants.extend(signer.token_grants(&addresses));
    }
    for grant in grants {
        parent = append(&chain, &parent, vec![grant])?.hash;
    }
    chain.close()?;
    drop(chain);
    let ahead = folder.join("ahead");
    copy(&base, &ahead)?;
    let (chain, _) = Chain::open(text.as_bytes(), Some(&ahead), &ChainOptions::default())?;
    let mut made = Vec::with_capacity(blocks);
    for _ in 0..blocks {
        let built = append(&chain, &parent, signer.draw(kind, (gas / kind.gas()) as usize))?;
        parent = built.hash;
        made.push(built.rlp);
    }
    drop(chain);
    std::fs::remove_dir_all(ahead)?;
    save_blocks(folder, &made)
}

/// Builds a block of exactly these transactions and makes it the head.
fn append(
    chain: &Chain,
    parent: &B256,
    transactions: Vec<(Arc<Transaction>, Address)>,
) -> Result<Built, Failure> {
    let timestamp = chain.shared.head().stored.block.header.timestamp + 1;
    let attributes = Attributes {
        timestamp,
        beneficiary: Address::with_last_byte(0xfe),
        extra_data: Bytes::new(),
        gas_limit_target: GAS_LIMIT,
        consensus_data: Bytes::new(),
    };
    let wanted = transactions.len();
    let built = chain.build(parent, &attributes, transactions, || false)?;
    if built.included.len() != wanted {
        return Err(format!(
            "a block took {} of {wanted} transactions: {:?}",
            built.included.len(),
            built.refused.first()
        )
        .into());
    }
    let failed = chain.shared.tree.read().blocks.get(&built.hash).map(|block| {
        block.stored.receipts.iter().any(|receipt| receipt.outcome == coc_evm::types::Outcome::Status(false))
    });
    if failed != Some(false) {
        return Err("a transaction of a prepared block failed".into());
    }
    chain.decide(&built.hash, Bytes::new(), false)?;
    chain.set_head(&built.hash)?;
    if chain.flush_is_due() {
        chain.flush()?;
    }
    Ok(built)
}
