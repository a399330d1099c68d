//! Which segments there are, and their open files.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coc_disk::planted::is_planted;
use coc_disk::{Disk, DiskError, DiskFile, OpenMode};
use parking_lot::Mutex;

use crate::format::{SEGMENT_HEADER_BYTES, SegmentHeader};

/// Segment files held open for reading: far below the usual limit of 1,024 files a process, and more
/// than the recent blocks that peers and RPC ask for ever span.
const OPEN_FILES_MAX: usize = 64;

const SEGMENT_SUFFIX: &str = ".seg";
const NEW_SUFFIX: &str = ".new";

/// One segment, closed or active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Position of its first record.
    pub base: u64,
    /// Where its checksums start.
    pub salt: u32,
}

impl Segment {
    /// Where in the segment's file a position lies; the position is not below the base.
    pub fn offset_of(&self, position: u64) -> u64 {
        SEGMENT_HEADER_BYTES + (position - self.base)
    }

    /// The position that lies at a file offset behind the segment's header.
    pub fn position_at(&self, offset: u64) -> u64 {
        self.base + (offset - SEGMENT_HEADER_BYTES)
    }
}

/// The file of the segment with this base.
pub(crate) fn segment_path(dir: &Path, base: u64) -> PathBuf {
    dir.join(format!("{base:016x}{SEGMENT_SUFFIX}"))
}

/// The bases of the segments among the names of a folder, rising.
pub(crate) fn segment_bases(names: &[String]) -> Vec<u64> {
    let base_of = |name: &String| {
        let digits = name.strip_suffix(SEGMENT_SUFFIX).filter(|digits| digits.len() == 16)?;
        let base = u64::from_str_radix(digits, 16).ok()?;
        (format!("{base:016x}") == digits).then_some(base)
    };
    let mut bases: Vec<u64> = names.iter().filter_map(base_of).collect();
    bases.sort_unstable();
    bases
}

/// The names that a crash during [`create_segment`] left behind.
pub(crate) fn unfinished(names: &[String]) -> impl Iterator<Item = &String> {
    names
        .iter()
        .filter(|name| name.strip_suffix(NEW_SUFFIX).is_some_and(|rest| rest.ends_with(SEGMENT_SUFFIX)))
}

/// Creates a durable, empty segment: whole under its name, or not at all.
pub(crate) fn create_segment(
    disk: &dyn Disk,
    dir: &Path,
    header: &SegmentHeader,
) -> Result<Arc<dyn DiskFile>, DiskError> {
    let path = segment_path(dir, header.base);
    let unfinished = path.with_extension("seg.new");
    let written = write_header(disk, &unfinished, header).and_then(|()| disk.rename(&unfinished, &path));
    if let Err(error) = written {
        // The file is not part of the log; opening removes it if this cannot.
        let _ = disk.remove(&unfinished);
        return Err(error);
    }
    if !is_planted("no-dir-sync") {
        disk.sync_dir(dir)?;
    }
    disk.open(&path, OpenMode::Existing)
}

fn write_header(disk: &dyn Disk, path: &Path, header: &SegmentHeader) -> Result<(), DiskError> {
    let file = disk.open(path, OpenMode::OrCreate)?;
    file.set_len(0)?;
    file.write_at(0, &header.encode())?;
    file.sync()
}

/// The segments in order, and the files of those read lately.
#[derive(Debug)]
pub(crate) struct Segments {
    list: Vec<Segment>,
    open: Mutex<VecDeque<(u64, Arc<dyn DiskFile>)>>,
}

impl Segments {
    pub fn new(list: Vec<Segment>) -> Self {
        Self { list, open: Mutex::default() }
    }

    pub fn all(&self) -> &[Segment] {
        &self.list
    }

    /// Position of the first record of the log.
    pub fn first(&self) -> u64 {
        self.list.first().map_or(0, |segment| segment.base)
    }

    /// The segment that holds a position, unless it is below the first.
    pub fn holding(&self, position: u64) -> Option<Segment> {
        let after = self.list.partition_point(|segment| segment.base <= position);
        Some(self.list[after.checked_sub(1)?])
    }

    pub fn push(&mut self, segment: Segment) {
        self.list.push(segment);
    }

    /// Forgets the last segment, whose file has been removed.
    pub fn pop(&mut self) {
        if let Some(segment) = self.list.pop() {
            self.close(segment.base);
        }
    }

    /// Forgets the first segment, whose file has been removed.
    pub fn drop_first(&mut self) {
        let segment = self.list.remove(0);
        self.close(segment.base);
    }

    /// The segment's file, opened if need be; the one read longest ago makes room.
    pub fn file(&self, disk: &dyn Disk, dir: &Path, base: u64) -> Result<Arc<dyn DiskFile>, DiskError> {
        let mut open = self.open.lock();
        if let Some(index) = open.iter().position(|(of, _)| *of == base) {
            if index > 0
                && let Some(entry) = open.remove(index)
            {
                open.push_front(entry);
            }
            return Ok(open[0].1.clone());
        }
        let file = disk.open(&segment_path(dir, base), OpenMode::Read)?;
        open.truncate(OPEN_FILES_MAX - 1);
        open.push_front((base, file.clone()));
        Ok(file)
    }

    fn close(&self, base: u64) {
        self.open.lock().retain(|(of, _)| *of != base);
    }
}
