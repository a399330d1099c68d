//! Figures of a data folder: what takes how many bytes, and how far log and store reach. Nothing is changed, and a node may have
//! the folder open meanwhile.

use crate::base::Base;
use crate::error::ChainError;
use crate::folder::{self, INDEX_DIR, LOG_DIR, STATE_DIR, genesis_in};
use crate::genesis::Origin;
use crate::open::{ChainOptions, marker_in, pruning_in};
use crate::pruning::Pruning;
use crate::record::StoredBlock;
use crate::scratch::ScratchDisk;
use alloy_primitives::B256;
use coc_disk::{Disk, RealDisk};
use coc_log::{BlockLog, Position};
use coc_store::{GenerationLength, Index, IndexStats, LmdbIndex, LmdbOptions, Table};
use std::path::Path;
use std::sync::Arc;

/// The file that space is kept aside in.
const RESERVE_FILE: &str = "reserve";
/// The file that an index is.
const INDEX_FILE: &str = "data.mdb";

/// Figures of a data folder.
#[derive(Clone, Debug)]
pub struct Stats {
    /// Hash of block 0.
    pub genesis_hash: B256,
    /// The chain's id.
    pub chain_id: u64,
    /// Whether it is one of ours.
    pub is_coc: bool,
    /// Bytes of the log's segments.
    pub log_bytes: u64,
    /// Bytes kept aside so that a full disk can be left in order.
    pub reserve_bytes: u64,
    /// Blocks that the store has: canonical ones and others.
    pub blocks: u64,
    /// Blocks that the log has and the store lacks.
    pub unflushed_blocks: u64,
    /// Height and hash of the store's head.
    pub flushed: Option<(u64, B256)>,
    /// Height and hash of the highest block of the log.
    pub highest: Option<(u64, B256)>,
    /// Each generation of node files with its bytes.
    pub generations: Vec<GenerationLength>,
    /// What is known of pruning.
    pub pruning: Pruning,
    /// The index, table by table, and its budget.
    pub index: Option<IndexStats>,
    /// Bytes that this user may still write on the device.
    pub free_bytes: u64,
}

/// Gathers the figures of a folder.
///
/// # Errors
/// [`ChainError::NoChain`] and whatever keeps a start from opening log or index, with the cure.
pub fn stats(dir: &Path) -> Result<Stats, ChainError> {
    let real = RealDisk::new();
    let origin = Origin::of(&real, dir, &genesis_in(dir)?)?;
    let disk = Arc::new(ScratchDisk::over(Arc::new(real)));
    let place = dir.display().to_string();
    let index_dir = dir.join(INDEX_DIR);
    let index = match index_dir.join(INDEX_FILE).exists() {
        true => Some(LmdbIndex::open(&index_dir, LmdbOptions::new(origin.hash))?),
        false => None,
    };
    let marker = index.as_ref().map(|index| marker_in(index, &place)).transpose()?.flatten();
    let log_dir = dir.join(LOG_DIR);
    if folder::has_no_log(&*disk, &log_dir)? {
        return Err(ChainError::LogLost { place });
    }
    let flushed_to = marker.as_ref().map_or(0, |marker| marker.next_position);
    let options = ChainOptions { reserve_bytes: 0, ..ChainOptions::default() }.log(&origin, flushed_to);
    let (log, _) = BlockLog::open(disk.clone(), &log_dir, options)?;
    let mut figures = Stats {
        genesis_hash: origin.hash,
        chain_id: origin.genesis.schedule.chain_id,
        is_coc: origin.genesis.coc.is_some(),
        log_bytes: log.bytes(),
        reserve_bytes: file_bytes(&log_dir.join(RESERVE_FILE)),
        blocks: 0,
        unflushed_blocks: 0,
        flushed: None,
        highest: None,
        generations: marker.as_ref().map(|marker| marker.lengths.clone()).unwrap_or_default(),
        pruning: index.as_ref().map(|index| pruning_in(index, &place)).transpose()?.unwrap_or_default(),
        index: index.as_ref().map(Index::stats).transpose()?,
        free_bytes: real.free_bytes(dir)?,
    };
    if let (Some(marker), Some(index)) = (&marker, &index) {
        let row = crate::check_rows::row_of(index, &marker.head)?;
        figures.flushed = row.map(|row| (row.number, marker.head));
        figures.highest = figures.flushed;
    }
    figures.blocks = figures.index.as_ref().map_or(0, |index| rows(index, Table::Blocks));
    for record in log.iter_from(Position(flushed_to.max(log.first_position().0))) {
        let record = record?;
        if Base::is_in(&record.bytes) {
            continue;
        }
        let odd = |reason| ChainError::Record { position: record.position.0, reason };
        let block = StoredBlock::decode(&record.bytes).map_err(odd)?;
        figures.unflushed_blocks += 1;
        let number = block.block.header.number;
        if figures.highest.is_none_or(|(highest, _)| number > highest) {
            figures.highest = Some((number, block.hash));
        }
    }
    Ok(figures)
}

/// Bytes of the node files of a folder, listed by a marker or not.
pub fn state_bytes(dir: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(dir.join(STATE_DIR)) else { return 0 };
    entries.flatten().map(|entry| entry.metadata().map_or(0, |metadata| metadata.len())).sum()
}

fn rows(index: &IndexStats, table: Table) -> u64 {
    index.tables.iter().find(|each| each.table == table).map_or(0, |each| each.rows)
}

fn file_bytes(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}
