//! Whether the index knows of every block in the log what it must: its row, its height, its transactions, its logs.

use crate::check::{Part, Report};
use crate::error::ChainError;
use crate::logs::{LogQuery, SECTION};
use crate::record::StoredBlock;
use crate::rows::{BlockRow, Marker, transaction_key};
use crate::tree::Place;
use alloy_primitives::B256;
use coc_store::{Index, Table};
use std::collections::BTreeSet;

/// The check of the rows, record by record.
pub(crate) struct RowCheck {
    marker: Option<Marker>,
    /// Records below the marker.
    flushed: u64,
    /// Those of them that are canonical.
    canonical: u64,
    /// Hashes of the records above it.
    unflushed: BTreeSet<B256>,
    has_head: bool,
}

impl RowCheck {
    pub fn new(marker: Option<Marker>) -> RowCheck {
        RowCheck { marker, flushed: 0, canonical: 0, unflushed: BTreeSet::new(), has_head: false }
    }

    /// Compares one record with its rows.
    pub fn check(
        &mut self,
        index: Option<&dyn Index>,
        block: &StoredBlock,
        place: Place,
        report: &mut Report,
    ) {
        let (Some(index), Some(marker)) = (index, &self.marker) else { return };
        if place.end > marker.next_position {
            let parent = block.block.header.parent_hash;
            let is_known = self.unflushed.contains(&parent)
                || report.seen(Part::Index, row_of(index, &parent)).flatten().is_some();
            if !is_known {
                report.find(Part::Log, format!("block {} has no parent in front of it", block.hash));
            }
            self.unflushed.insert(block.hash);
            report.unflushed_blocks += 1;
            return;
        }
        self.flushed += 1;
        if block.hash == marker.head {
            self.has_head = true;
            report.height = Some(block.block.header.number);
        }
        let compared = self.compare(index, block, place);
        if let Some(flaws) = report.seen(Part::Index, compared) {
            flaws.into_iter().for_each(|flaw| report.find(Part::Index, flaw));
        }
    }

    fn compare(
        &mut self,
        index: &dyn Index,
        block: &StoredBlock,
        place: Place,
    ) -> Result<Vec<String>, ChainError> {
        let (number, hash) = (block.block.header.number, block.hash);
        let mut flaws = Vec::new();
        match row_of(index, &hash)? {
            None => flaws.push(format!("it has no row of block {hash}")),
            Some(row) => {
                let expected = (number, place.position, block.total_difficulty);
                if (row.number, row.position, row.total_difficulty) != expected {
                    flaws.push(format!("its row of block {hash} says other than the log"));
                }
            }
        }
        for (at, transaction) in (0u32..).zip(&block.block.body.transactions) {
            let hash = transaction.tx_hash();
            if index.get(Table::Transactions, &transaction_key(hash, place.position, at))?.is_none() {
                flaws.push(format!("it has no row of transaction {hash}"));
            }
        }
        if has_unindexed_logs(index, block)? {
            flaws.push(format!("it does not name block {hash} for each of its logs"));
        }
        if canonical(index, number)? == Some(hash) {
            self.canonical += 1;
            let parent = block.block.header.parent_hash;
            let is_first = self.canonical == 1;
            if !is_first && canonical(index, number - 1)? != Some(parent) {
                flaws
                    .push(format!("height {} is not the parent of the block at height {number}", number - 1));
            }
        }
        Ok(flaws)
    }

    /// What can be said once every record was seen.
    pub fn finish(&mut self, index: Option<&dyn Index>, first: u64, report: &mut Report) {
        let (Some(index), Some(marker)) = (index, &self.marker) else { return };
        if !self.has_head {
            report.find(Part::Index, format!("its head {} is not in the log", marker.head));
        }
        let Some(stats) = report.seen(Part::Index, index.stats()) else { return };
        let rows =
            |table: Table| stats.tables.iter().find(|each| each.table == table).map_or(0, |each| each.rows);
        if rows(Table::Blocks) != self.flushed {
            let (rows, flushed) = (rows(Table::Blocks), self.flushed);
            report.find(Part::Index, format!("it has rows of {rows} blocks, the log has {flushed} of them"));
        }
        let heights = report.height.map_or(0, |height| height + 1 - first);
        if rows(Table::Canonical) != heights || self.canonical != heights {
            let (rows, found) = (rows(Table::Canonical), self.canonical);
            report.find(
                Part::Index,
                format!("it has {rows} heights, of which {found} are blocks of the log; the head makes it {heights}"),
            );
        }
    }
}

/// The row of a block.
pub(crate) fn row_of(index: &dyn Index, hash: &B256) -> Result<Option<BlockRow>, ChainError> {
    let Some(bytes) = index.get(Table::Blocks, hash.as_slice())? else { return Ok(None) };
    Ok(BlockRow::decode(&bytes))
}

/// The canonical block of a height.
pub(crate) fn canonical(index: &dyn Index, number: u64) -> Result<Option<B256>, ChainError> {
    let bytes = index.get(Table::Canonical, &number.to_be_bytes())?;
    Ok(bytes.and_then(|bytes| B256::try_from(bytes.as_slice()).ok()))
}

/// Whether some address or topic of the block's logs does not lead to it.
fn has_unindexed_logs(index: &dyn Index, block: &StoredBlock) -> Result<bool, ChainError> {
    let number = block.block.header.number;
    let height = u16::try_from(number % SECTION).unwrap_or(u16::MAX).to_be_bytes();
    let mut addresses = BTreeSet::new();
    let mut topics: Vec<BTreeSet<B256>> = vec![BTreeSet::new(); 4];
    for log in block.receipts.iter().flat_map(|receipt| &receipt.logs) {
        addresses.insert(log.address);
        for (topic, seen) in log.topics().iter().zip(&mut topics) {
            seen.insert(*topic);
        }
    }
    let query = LogQuery {
        addresses: addresses.into_iter().collect(),
        topics: topics.into_iter().map(|seen| seen.into_iter().collect()).collect(),
    };
    for prefix in query.criteria(number / SECTION).into_iter().flatten() {
        let end = [&prefix[..], &[0xff; 3]].concat();
        let rows = index.range(Table::LogIndex, &prefix, Some(&end), usize::MAX, false)?;
        if !rows.iter().any(|(_, heights)| heights.chunks_exact(2).any(|each| each == height)) {
            return Ok(true);
        }
    }
    Ok(false)
}
