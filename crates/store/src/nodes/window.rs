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

#[cfg(test)]
mod tests {
    use super::*;
    use coc_disk::{Disk, LENT_ALIGNMENT_BYTES, MemDisk, OpenMode, RealDisk};
    use std::path::Path;
    use std::sync::Arc;

    /// A file in which each of these records stands at its offset.
    fn file_with(disk: &dyn Disk, dir: &Path, records: &[(u64, &[u8])]) -> Arc<dyn DiskFile> {
        let file = disk.open(&dir.join("nodes"), OpenMode::New).unwrap();
        for (offset, record) in records {
            let length = (record.len() as u32).to_le_bytes();
            file.write_at(*offset, &[&length, *record].concat()).unwrap();
        }
        file.sync().unwrap();
        file
    }

    #[test]
    fn a_record_is_lent_if_all_of_it_is_synced_and_otherwise_not() {
        let dir = tempfile::tempdir().unwrap();
        let file = file_with(&RealDisk::new(), dir.path(), &[(64, b"one"), (71, b"two")]);
        let whole = Window::of(file.as_ref(), 78);
        assert_eq!(Some(&b"one"[..]), whole.record(64));
        assert_eq!(Some(&b"two"[..]), whole.record(71));
        assert_eq!(None, whole.record(78), "there is nothing at the end");
        assert_eq!(None, whole.record(1 << 40));
        for synced in [71, 74, 77] {
            let window = Window::of(file.as_ref(), synced);
            assert_eq!(Some(&b"one"[..]), window.record(64));
            assert_eq!(None, window.record(71), "{synced} bytes are synced");
        }
    }

    #[test]
    fn a_window_grows_by_its_last_segment_and_lends_no_record_across_two() {
        let dir = tempfile::tempdir().unwrap();
        let end = LENT_ALIGNMENT_BYTES;
        let records: [(u64, &[u8]); 4] =
            [(0, b"first"), (end - 6, b"across"), (end + 4, b"second"), (end + 14, b"last")];
        let file = file_with(&RealDisk::new(), dir.path(), &records);
        let mut window = Window::in_segments(end);
        for synced in [20, end - 6, end + 4, end + 14, end + 22] {
            window = window.grown(file.as_ref(), synced);
        }
        assert_eq!(2, window.segments.len());
        for (offset, record) in records {
            let expected = (offset != end - 6).then_some(record);
            assert_eq!(expected, window.record(offset), "{offset}");
        }
    }

    #[test]
    fn a_length_that_no_record_has_is_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        let long = vec![0; MAX_RECORD_BYTES + 1];
        let file = file_with(&RealDisk::new(), dir.path(), &[(0, &long), (long.len() as u64 + 4, b"ok")]);
        let window = Window::of(file.as_ref(), file.len().unwrap());
        assert_eq!(None, window.record(0));
        assert_eq!(Some(&b"ok"[..]), window.record(long.len() as u64 + 4));
    }

    #[test]
    fn on_a_disk_that_does_not_lend_every_window_is_empty() {
        let disk = MemDisk::new();
        disk.create_dir(Path::new("d")).unwrap();
        let file = file_with(&disk, Path::new("d"), &[(0, b"one")]);
        assert_eq!(None, Window::of(file.as_ref(), 7).record(0));
    }
}
