//! Reading records by position and in order.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use coc_disk::DiskFile;
use parking_lot::RwLockReadGuard;

use crate::error::LogError;
use crate::format::{Position, RECORD_HEADER_BYTES, RecordHeader};
use crate::log::BlockLog;
use crate::segments::{Segment, Segments, segment_path};

/// A record and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its name.
    pub position: Position,
    /// What was appended.
    pub bytes: Vec<u8>,
}

/// The records of a log in order, from a position to the end as it is when that is reached; see
/// [`BlockLog::iter_from`].
#[derive(Debug)]
pub struct Records<'a> {
    log: &'a BlockLog,
    next: Position,
    failed: bool,
}

/// A record's header and where its payload is; no segment goes away while this lives.
struct Found<'a> {
    header: RecordHeader,
    segment: Segment,
    payload_offset: u64,
    file: Arc<dyn DiskFile>,
    _segments: RwLockReadGuard<'a, Segments>,
}

impl BlockLog {
    /// The record at a position, verified.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] if it is not what was appended, or no record begins there;
    /// [`LogError::Dropped`] below the first position, [`LogError::Beyond`] at the end or after it.
    pub fn read(&self, position: Position) -> Result<Vec<u8>, LogError> {
        self.read_with_next(position).map(|(bytes, _)| bytes)
    }

    /// `wanted` bytes of the record at a position, from `offset` in its payload. Only the record's header is
    /// verified, not these bytes: for hot reads of what hashes to a known value, or was verified before.
    ///
    /// # Errors
    /// [`LogError::PartOutside`]; else as [`read`](Self::read).
    pub fn read_part(&self, position: Position, offset: u64, wanted: usize) -> Result<Vec<u8>, LogError> {
        let found = self.find(position)?;
        let length = found.header.length;
        if offset.checked_add(wanted as u64).is_none_or(|end| end > u64::from(length)) {
            return Err(LogError::PartOutside { position, offset, wanted, length });
        }
        let mut bytes = vec![0; wanted];
        found.file.read_exact_at(found.payload_offset + offset, &mut bytes)?;
        Ok(bytes)
    }

    /// Bytes of the record at a position.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn record_length(&self, position: Position) -> Result<usize, LogError> {
        Ok(self.find(position)?.header.length as usize)
    }

    /// All records from one on, in order. It ends after the first error.
    pub fn iter_from(&self, position: Position) -> Records<'_> {
        Records { log: self, next: position, failed: false }
    }

    /// Checks that a record begins at a position.
    pub(crate) fn check_boundary(&self, position: Position) -> Result<(), LogError> {
        self.find(position).map(|_| ())
    }

    fn read_with_next(&self, position: Position) -> Result<(Vec<u8>, Position), LogError> {
        let found = self.find(position)?;
        let mut bytes = vec![0; found.header.length as usize];
        found.file.read_exact_at(found.payload_offset, &mut bytes)?;
        if !found.header.verifies(&bytes, found.segment.salt) {
            let what = "the content of a record does not match its checksum";
            return Err(self.damage(found.segment, position, what));
        }
        Ok((bytes, Position(found.header.next())))
    }

    fn find(&self, position: Position) -> Result<Found<'_>, LogError> {
        let segments = self.segments.read();
        let end = self.end.load(Ordering::Acquire);
        if position.0 >= end {
            return Err(LogError::Beyond { position, next: Position(end) });
        }
        let Some(segment) = segments.holding(position.0) else {
            return Err(LogError::Dropped { position, first: Position(segments.first()) });
        };
        let file = segments.file(&*self.disk, &self.dir, segment.base)?;
        let offset = segment.offset_of(position.0);
        let mut bytes = [0; RECORD_HEADER_BYTES];
        let read = file.read_at(offset, &mut bytes)?;
        let header = RecordHeader::decode(&bytes, position.0, segment.salt)
            .filter(|header| read == bytes.len() && header.next() <= end);
        let Some(header) = header else {
            return Err(self.damage(
                segment,
                position,
                "no record begins there, or its header does not check,",
            ));
        };
        let payload_offset = offset + RECORD_HEADER_BYTES as u64;
        Ok(Found { header, segment, payload_offset, file, _segments: segments })
    }

    fn damage(&self, segment: Segment, position: Position, what: &str) -> LogError {
        LogError::corrupt(&segment_path(&self.dir, segment.base), segment.offset_of(position.0), what)
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.next >= self.log.next_position() {
            return None;
        }
        let position = self.next;
        let read = self.log.read_with_next(position);
        self.failed = read.is_err();
        Some(read.map(|(bytes, next)| {
            self.next = next;
            Record { position, bytes }
        }))
    }
}
