//! The synced bytes of a node file as memory, on disks that lend it: a read is then no call to the operating system.
//!
//! A file is lent in segments. Those that are full stay for as long as the file is open; the last one is lent anew when the
//! file has grown, so that growth costs the pages of one segment and not of the whole file. A record that lies in two
//! segments, or beyond the synced bytes, is not here and is read from the file.

use super::MAX_RECORD_BYTES;
use super::tail::LENGTH_BYTES;
use coc_disk::{DiskFile, Lent};

/// Bytes of a segment: so many that a state of a terabyte takes a small part of the mappings that Linux allows a
/// process (65,530), and so few that lending the last one anew costs nothing to speak of.
const SEGMENT_BYTES: u64 = 256 << 20;

/// What one file lends, up to `bytes`.
#[derive(Clone)]
pub(super) struct Window {
    segment_bytes: u64,
    segments: Vec<Lent>,
    bytes: u64,
}

impl Window {
    /// The first `synced_bytes` of a file, or none of them where the disk does not lend.
    pub fn of(file: &dyn DiskFile, synced_bytes: u64) -> Window {
        Window::in_segments(SEGMENT_BYTES).grown(file, synced_bytes)
    }

    fn in_segments(segment_bytes: u64) -> Window {
        Window { segment_bytes, segments: Vec::new(), bytes: 0 }
    }

    /// The same window on a file that has grown. Where the disk refuses, it stays as it is.
    pub fn grown(&self, file: &dyn DiskFile, synced_bytes: u64) -> Window {
        let mut grown = self.clone();
        while grown.bytes < synced_bytes {
            let full = grown.bytes / grown.segment_bytes;
            let from = full * grown.segment_bytes;
            let to = synced_bytes.min(from + grown.segment_bytes);
            let Some(segment) = file.lend(from, to) else { return grown };
            grown.segments.truncate(full as usize);
            grown.segments.push(segment);
            grown.bytes = to;
        }
        grown
    }

    /// The byte at `offset`, if it is here.
    pub fn byte(&self, offset: u64) -> Option<u8> {
        self.from(offset)?.first().copied()
    }

    /// The segment that holds `offset`, from there on.
    fn from(&self, offset: u64) -> Option<&[u8]> {
        let segment: &[u8] = (**self.segments.get((offset / self.segment_bytes) as usize)?).as_ref();
        segment.get((offset % self.segment_bytes) as usize..)
    }

    /// The record at `offset`, if all of it is here.
    pub fn record(&self, offset: u64) -> Option<&[u8]> {
        let (length, rest) = self.from(offset)?.split_first_chunk::<LENGTH_BYTES>()?;
        let length = u32::from_le_bytes(*length) as usize;
        if length > MAX_RECORD_BYTES {
            return None; // to be refused where it is read from the file
        }
        rest.get(..length)
    }
}
