//! The records of the youngest generation that are not yet synced, kept in memory so that no location given out can
//! dangle: reads find them here, and a file that had to be cut back is written again from here.

use super::generation;
use coc_trie::Loc;

/// Bytes before a record that say how long it is.
pub(super) const LENGTH_BYTES: usize = 4;

/// Everything at and after `start` of the youngest generation.
pub(super) struct Tail {
    generation: u16,
    start: u64,
    bytes: Vec<u8>,
}

impl Tail {
    pub(super) fn new(generation: u16, start: u64) -> Tail {
        Tail { generation, start, bytes: Vec::new() }
    }

    pub(super) fn generation(&self) -> u16 {
        self.generation
    }

    /// The offset in the file at which the tail begins: everything before it is synced.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where the next record will lie.
    pub(super) fn end(&self) -> Loc {
        generation::loc(self.generation, self.start + self.bytes.len() as u64)
    }

    /// Appends a record with its length before it; `None` if its offset does not fit a location.
    pub(super) fn push(&mut self, record: &[u8]) -> Option<Loc> {
        let offset = self.start + self.bytes.len() as u64;
        let length = u32::try_from(record.len()).ok()?;
        if offset >= generation::OFFSET_END {
            return None;
        }
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(record);
        Some(generation::loc(self.generation, offset))
    }

    /// The record at that place, if it is here.
    pub(super) fn record(&self, generation: u16, offset: u64) -> Option<&[u8]> {
        if generation != self.generation {
            return None;
        }
        let from = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        let (length, rest) = self.bytes.get(from..)?.split_first_chunk::<LENGTH_BYTES>()?;
        rest.get(..u32::from_le_bytes(*length) as usize)
    }

    /// Lets go of everything: it is synced now. The memory stays for what comes next.
    pub(super) fn advance(&mut self) {
        self.start += self.bytes.len() as u64;
        self.bytes.clear();
    }
}
