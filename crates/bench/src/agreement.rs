//! Tests on small prepared chains: what is measured is right, and importing many blocks at once changes nothing but the time.

use crate::folder::{Failure, copy, load_blocks};
use crate::prepare::prepare;
use crate::workload::Kind;
use crate::{bare, import};
use coc_chain::chain::Chain;
use coc_chain::error::ChainError;
use coc_chain::open::{ChainOptions, genesis_of};
use coc_chain::record::StoredBlock;
use std::path::Path;
use tempfile::TempDir;

const ACCOUNTS: usize = 40;
const BLOCKS: usize = 4;
const BLOCK_GAS: u64 = 1_000_000;

fn prepared(kind: Kind) -> Result<TempDir, Failure> {
    let folder = TempDir::new()?;
    prepare(folder.path(), kind, ACCOUNTS, BLOCKS, BLOCK_GAS)?;
    Ok(folder)
}

fn open(data: &Path) -> Result<Chain, Failure> {
    let text = genesis_of(data)?.ok_or("no genesis file")?;
    Ok(Chain::open(&text, Some(data), &ChainOptions::default())?.0)
}

/// The canonical blocks from the head down to the first imported one.
fn newest(chain: &Chain) -> Result<Vec<StoredBlock>, Failure> {
    let mut hash = chain.shared.head().stored.hash;
    let mut blocks = Vec::new();
    for _ in 0..BLOCKS {
        let block = chain.shared.stored(&hash)?.ok_or("a block is missing")?;
        hash = block.block.header.parent_hash;
        blocks.push(StoredBlock::clone(&block));
    }
    Ok(blocks)
}

#[test]
fn many_blocks_at_once_leave_the_chain_that_one_by_one_leaves_also_after_a_restart() -> Result<(), Failure> {
    let folder = prepared(Kind::Erc20)?;
    let blocks = load_blocks(folder.path())?;
    let (together, alone) = (folder.path().join("together"), folder.path().join("alone"));
    copy(&folder.path().join("base"), &together)?;
    copy(&folder.path().join("base"), &alone)?;
    let one = open(&alone)?;
    for block in &blocks {
        one.import(block)?;
    }
    let many = open(&together)?;
    assert_eq!(many.import_many(&blocks)?.done, BLOCKS);
    let expected = newest(&one)?;
    assert!(expected.iter().all(|block| !block.receipts[0].logs.is_empty()), "the blocks hold no logs");
    let shows = |chain: &Chain| -> Result<(), Failure> {
        for (found, wanted) in newest(chain)?.iter().zip(&expected) {
            assert_eq!(found.hash, wanted.hash);
            assert_eq!(found.receipts, wanted.receipts);
            assert_eq!(found.senders, wanted.senders);
        }
        Ok(())
    };
    shows(&many)?;
    many.close()?;
    drop(many);
    shows(&open(&together)?)
}

#[test]
fn a_refused_block_ends_the_import_and_those_before_it_stay() -> Result<(), Failure> {
    let folder = prepared(Kind::Transfers)?;
    let mut blocks = load_blocks(folder.path())?;
    let broken = &mut blocks[1];
    let last = broken.len() - 40;
    broken[last] ^= 1; // inside the last signature
    let chain = open(&folder.path().join("base"))?;
    let height = chain.shared.head().number();
    let imported = chain.import_many(&blocks)?;
    assert_eq!(imported.done, 1);
    assert!(matches!(imported.refused, Some(ChainError::Invalid(_))), "{:?}", imported.refused);
    assert_eq!(chain.shared.head().number(), height + 1);
    Ok(())
}

#[test]
fn a_block_whose_parent_is_unknown_is_refused_as_such() -> Result<(), Failure> {
    let folder = prepared(Kind::Transfers)?;
    let blocks = load_blocks(folder.path())?;
    let chain = open(&folder.path().join("base"))?;
    let imported = chain.import_many(&blocks[2..])?;
    assert_eq!(imported.done, 0);
    assert!(matches!(imported.refused, Some(ChainError::UnknownParent(_))), "{:?}", imported.refused);
    Ok(())
}

#[test]
fn the_yardstick_executes_the_same_transactions() -> Result<(), Failure> {
    for kind in [Kind::Transfers, Kind::Erc20] {
        let folder = prepared(kind)?;
        let yardstick = bare::bare(folder.path())?;
        assert_eq!(yardstick["transactions"], (BLOCK_GAS / kind.gas()) * BLOCKS as u64);
        let ours = import::import(folder.path(), &folder.path().join("base"))?;
        assert!(ours["log_bytes"].as_u64() > Some(0));
    }
    Ok(())
}
