//! Finding logs without reading every block: for each address and topic the heights that have it, by sections of heights.
//!
//! Key: section (4 bytes, height / [`SECTION`]) ‖ place (1: 0 the address, 1–4 the topic) ‖ folded value (8) ‖ first height of the flush
//! within the section (2) ‖ the flush (4). Value: heights within the section (2 bytes each, ascending). The section comes first so that
//! new rows go to one end of the tree however many there are; equal values of one flush share a row. The flush is named by where its
//! blocks begin in the log, so that a later flush with a block of an equal height (another branch) has rows of its own instead
//! of writing over these. Folding may name a block in vain, never leave one out: whoever asks reads the block's receipts in any case.

use crate::record::StoredBlock;
use alloy_primitives::{Address, B256, Log};
use coc_log::format::RECORD_HEADER_BYTES;
use coc_store::{Batch, Table};
use std::collections::{BTreeMap, BTreeSet};

/// Heights that share the beginning of their keys.
pub const SECTION: u64 = 1 << 12;

/// Bytes of a key before the height.
const PREFIX: usize = 13;

fn fold(value: &[u8]) -> u64 {
    // FNV-1a over 8-byte words: spreads addresses, small integers and hashes alike.
    value.chunks(8).fold(0xcbf2_9ce4_8422_2325, |state, chunk| {
        let mut word = [0u8; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        (state ^ u64::from_le_bytes(word)).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23)
    })
}

fn prefix(section: u64, place: u8, value: &[u8]) -> [u8; PREFIX] {
    let mut key = [0u8; PREFIX];
    key[..4].copy_from_slice(&u32::try_from(section).unwrap_or(u32::MAX).to_be_bytes());
    key[4] = place;
    key[5..].copy_from_slice(&fold(value).to_be_bytes());
    key
}

/// Rows of the blocks of one flush.
#[derive(Default)]
pub struct LogRows {
    heights: BTreeMap<[u8; PREFIX], BTreeSet<u16>>,
}

impl LogRows {
    /// Adds the logs of a block.
    pub fn add(&mut self, block: &StoredBlock) {
        let number = block.block.header.number;
        let (section, height) = (number / SECTION, u16::try_from(number % SECTION).unwrap_or(u16::MAX));
        for log in block.receipts.iter().flat_map(|receipt| &receipt.logs) {
            self.heights.entry(prefix(section, 0, log.address.as_slice())).or_default().insert(height);
            for (place, topic) in (1u8..).zip(log.topics()) {
                self.heights.entry(prefix(section, place, topic.as_slice())).or_default().insert(height);
            }
        }
    }

    /// Puts the rows of a flush into a batch; its first block lies at `position` in the log.
    pub fn write(self, position: u64, batch: &mut Batch) {
        // A record has 32 bytes at least, and 4 bytes name all of 128 GiB: more than the blocks of one section.
        let flush = ((position / RECORD_HEADER_BYTES as u64) as u32).to_be_bytes();
        for (prefix, heights) in self.heights {
            let Some(first) = heights.first() else { continue };
            let key = [&prefix[..], &first.to_be_bytes(), &flush].concat();
            let value: Vec<u8> = heights.iter().flat_map(|height| height.to_be_bytes()).collect();
            batch.put(Table::LogIndex, &key, &value);
        }
    }
}

/// What is asked for: any of the addresses (none: any), and at each place any of the topics (none: any).
#[derive(Clone, Debug, Default)]
pub struct LogQuery {
    /// Alternatives for the address.
    pub addresses: Vec<Address>,
    /// Alternatives for each topic.
    pub topics: Vec<Vec<B256>>,
}

impl LogQuery {
    /// Whether a log is asked for.
    pub fn matches(&self, log: &Log) -> bool {
        let address = self.addresses.is_empty() || self.addresses.contains(&log.address);
        let topics = self.topics.iter().enumerate().all(|(place, wanted)| {
            log.topics().get(place).is_some_and(|topic| wanted.is_empty() || wanted.contains(topic))
        });
        address && topics
    }

    /// Whether everything is asked for, so that the index cannot help.
    pub fn is_open(&self) -> bool {
        self.addresses.is_empty() && self.topics.iter().all(Vec::is_empty)
    }

    /// The index prefixes of each criterion in one section; a height must occur under each criterion.
    pub fn criteria(&self, section: u64) -> Vec<Vec<[u8; PREFIX]>> {
        let mut criteria = Vec::new();
        if !self.addresses.is_empty() {
            criteria
                .push(self.addresses.iter().map(|address| prefix(section, 0, address.as_slice())).collect());
        }
        for (place, wanted) in (1u8..).zip(&self.topics) {
            if !wanted.is_empty() {
                criteria.push(wanted.iter().map(|topic| prefix(section, place, topic.as_slice())).collect());
            }
        }
        criteria
    }
}
