//! Answers about blocks, transactions and logs.

use crate::chain::Chain;
use crate::error::ChainError;
use crate::logs::{LogQuery, SECTION};
use crate::record::StoredBlock;
use crate::rows::{transaction_place, transaction_range};
use alloy_primitives::B256;
use coc_store::Table;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Rows of one index prefix read at a time.
const LOG_ROWS_MAX: usize = 4_096;
/// Transactions that may share the beginning of their hash before a lookup gives up on finding more.
const TRANSACTION_ROWS_MAX: usize = 64;

/// A log and where it stands in its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogPlace {
    /// Index of its transaction.
    pub transaction: usize,
    /// Index among the logs of its transaction.
    pub within: usize,
    /// Index among the logs of its block.
    pub index: usize,
}

/// A block and its matching logs.
pub type BlockLogs = (Arc<StoredBlock>, Vec<LogPlace>);

impl Chain {
    /// The canonical block that holds a transaction, and the transaction's index in it.
    pub fn find_transaction(&self, hash: &B256) -> Result<Option<(Arc<StoredBlock>, usize)>, ChainError> {
        let tail: Vec<Arc<StoredBlock>> = {
            let tree = self.shared.tree.read();
            tree.tail
                .iter()
                .rev()
                .filter_map(|hash| tree.blocks.get(hash))
                .map(|block| block.stored.clone())
                .collect()
        };
        for block in tail {
            let index =
                block.block.body.transactions.iter().position(|transaction| transaction.tx_hash() == hash);
            if let Some(index) = index
                && self.is_canonical(&block)?
            {
                return Ok(Some((block, index)));
            }
        }
        let (from, to) = transaction_range(hash);
        for (key, _) in
            self.shared.index.range(Table::Transactions, &from, Some(&to), TRANSACTION_ROWS_MAX, true)?
        {
            let Some((position, index)) = transaction_place(&key) else { continue };
            let block = self.block_at(position)?;
            let index = index as usize;
            let matches = block
                .block
                .body
                .transactions
                .get(index)
                .is_some_and(|transaction| transaction.tx_hash() == hash);
            if matches && self.is_canonical(&block)? {
                return Ok(Some((block, index)));
            }
        }
        Ok(None)
    }

    fn block_at(&self, position: u64) -> Result<Arc<StoredBlock>, ChainError> {
        let block = self.shared.record(position)?;
        Ok(match self.shared.cache.get(&block.hash) {
            Some(cached) => cached,
            None => {
                self.shared.cache.insert(block.hash, block.clone());
                block
            }
        })
    }

    /// Whether a block is on the canonical chain.
    pub fn is_canonical(&self, block: &StoredBlock) -> Result<bool, ChainError> {
        Ok(self.shared.canonical(block.block.header.number)? == Some(block.hash))
    }

    /// The logs of one block that match.
    pub fn block_logs(block: &StoredBlock, query: &LogQuery) -> Vec<LogPlace> {
        let mut places = Vec::new();
        let mut index = 0;
        for (transaction, receipt) in block.receipts.iter().enumerate() {
            for (within, log) in receipt.logs.iter().enumerate() {
                if query.matches(log) {
                    places.push(LogPlace { transaction, within, index });
                }
                index += 1;
            }
        }
        places
    }

    /// The matching logs of the canonical blocks `first..=last`, block by block, at most `rows_max` in all.
    pub fn logs(
        &self,
        first: u64,
        last: u64,
        query: &LogQuery,
        rows_max: usize,
    ) -> Result<Vec<BlockLogs>, ChainError> {
        if let Some(begin) = self.shared.base.as_ref().filter(|begin| first < begin.base.number) {
            return Err(ChainError::BeforeSnapshot { first: begin.base.number });
        }
        let mut found = Vec::new();
        let mut rows = 0;
        let last = last.min(self.shared.head().number());
        for number in self.candidate_heights(first, last, query)? {
            let Some(hash) = self.shared.canonical(number)? else { continue };
            let Some(block) = self.shared.stored(&hash)? else { continue };
            let places = Self::block_logs(&block, query);
            rows += places.len();
            if rows > rows_max {
                return Err(ChainError::Limit(format!(
                    "more than {rows_max} logs match blocks {first} to {last}; ask for fewer blocks, from block {first} to {}",
                    number.saturating_sub(1).max(first)
                )));
            }
            if !places.is_empty() {
                found.push((block, places));
            }
        }
        Ok(found)
    }

    /// Heights that may have matching logs, ascending: from the index where it reaches, all where it does not.
    fn candidate_heights(&self, first: u64, last: u64, query: &LogQuery) -> Result<Vec<u64>, ChainError> {
        if query.is_open() || last < first {
            return Ok((first..=last).collect());
        }
        let unflushed: BTreeSet<u64> = {
            let tree = self.shared.tree.read();
            tree.tail.iter().filter_map(|hash| tree.blocks.get(hash)).map(|block| block.number()).collect()
        };
        let mut heights: BTreeSet<u64> = unflushed.range(first..=last).copied().collect();
        for section in first / SECTION..=last / SECTION {
            let mut in_section: Option<BTreeSet<u16>> = None;
            for criterion in query.criteria(section) {
                let mut any = BTreeSet::new();
                for prefix in criterion {
                    self.add_indexed(prefix.to_vec(), &mut any)?;
                }
                in_section = Some(match in_section {
                    None => any,
                    Some(before) => before.intersection(&any).copied().collect(),
                });
                if in_section.as_ref().is_some_and(BTreeSet::is_empty) {
                    break;
                }
            }
            let base = section * SECTION;
            heights.extend(
                in_section
                    .into_iter()
                    .flatten()
                    .map(|height| base + u64::from(height))
                    .filter(|number| (first..=last).contains(number)),
            );
        }
        Ok(heights.into_iter().collect())
    }

    /// Heights within their section that the rows with this prefix name.
    fn add_indexed(&self, prefix: Vec<u8>, heights: &mut BTreeSet<u16>) -> Result<(), ChainError> {
        let end = [&prefix[..], &[0xff; 3]].concat();
        let mut from = prefix;
        loop {
            let rows = self.shared.index.range(Table::LogIndex, &from, Some(&end), LOG_ROWS_MAX, false)?;
            for (_, value) in &rows {
                heights.extend(value.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])));
            }
            match rows.into_iter().nth(LOG_ROWS_MAX - 1) {
                Some((last, _)) => from = [&last[..], &[0]].concat(),
                None => return Ok(()),
            }
        }
    }
}
