//! The log itself: one writer appends and syncs, any number of readers read.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use coc_disk::planted::is_planted;
use coc_disk::{Disk, DiskError, DiskErrorKind, DiskFile};
use parking_lot::{Mutex, RwLock};

use crate::error::LogError;
use crate::format::{
    Position, RECORD_BYTES_MAX, RECORD_HEADER_BYTES, RecordHeader, SEGMENT_HEADER_BYTES, SegmentHeader,
};
use crate::options::LogOptions;
use crate::reserve::Reserve;
use crate::segments::{Segment, Segments, create_segment};

/// Memory the writer keeps for its next record (bytes, 4 MiB): most blocks fit, and one huge block
/// does not hold memory for ever.
const BUFFER_KEPT_BYTES: usize = 4 << 20;

/// An open block log. Shared by reference; every method may be called from any thread.
#[derive(Debug)]
pub struct BlockLog {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dir: PathBuf,
    pub(crate) options: LogOptions,
    /// Readers hold it shared while they read, so that no file is removed or reused under them.
    pub(crate) segments: RwLock<Segments>,
    pub(crate) writer: Mutex<Writer>,
    /// Position of the next record. Rises only after the bytes below it are in the file.
    pub(crate) end: AtomicU64,
    /// Everything below has been synced.
    pub(crate) durable: AtomicU64,
    poison: OnceLock<String>,
    pub(crate) reserve: Mutex<Reserve>,
}

/// What opening found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Where the log begins: 0, or later once segments were dropped.
    pub first: Position,
    /// The last record, if there is any.
    pub last: Option<Position>,
    /// Where the next record will be.
    pub next: Position,
    /// Bytes of a torn tail that were cut: never acknowledged by a sync, except where the device flipped
    /// bits in the very last record. 0 after a graceful stop.
    pub cut_bytes: u64,
    /// Whether there was no log and one has been created.
    pub created: bool,
    /// Whether the reserve is held; false if the disk is too full for it.
    pub reserve_held: bool,
}

/// The segment that grows.
#[derive(Debug)]
pub(crate) struct Writer {
    pub segment: Segment,
    pub file: Arc<dyn DiskFile>,
    buffer: Vec<u8>,
}

impl Writer {
    pub fn new(segment: Segment, file: Arc<dyn DiskFile>) -> Self {
        Self { segment, file, buffer: Vec::new() }
    }
}

/// The parts of a log that opening has found or made.
pub(crate) struct Parts {
    pub disk: Arc<dyn Disk>,
    pub dir: PathBuf,
    pub options: LogOptions,
    pub segments: Segments,
    pub writer: Writer,
    pub end: u64,
    pub reserve: Reserve,
}

impl BlockLog {
    /// Opens the log in a folder, or creates it; see [`Opened`] for what it reports and the top of this
    /// crate for what it repairs.
    ///
    /// # Errors
    /// [`LogError::Corrupt`], [`LogError::WrongGenesis`], [`LogError::NewerFormat`] with the cure;
    /// [`LogError::NoSpace`] only when the log is to be created; what the disk refuses.
    pub fn open(disk: Arc<dyn Disk>, dir: &Path, options: LogOptions) -> Result<(Self, Opened), LogError> {
        crate::opening::open(disk, dir, options)
    }

    /// A log whose every record is durable.
    pub(crate) fn assemble(parts: Parts) -> Self {
        Self {
            disk: parts.disk,
            dir: parts.dir,
            options: parts.options,
            segments: RwLock::new(parts.segments),
            writer: Mutex::new(parts.writer),
            end: AtomicU64::new(parts.end),
            durable: AtomicU64::new(parts.end),
            poison: OnceLock::new(),
            reserve: Mutex::new(parts.reserve),
        }
    }

    /// Writes one record and returns its position. It can be read at once, and is durable after the
    /// next [`sync`](Self::sync).
    ///
    /// # Errors
    /// [`LogError::NoSpace`]: the log is as before, and the call may be repeated when there is space.
    /// [`LogError::RecordTooLarge`] over [`RECORD_BYTES_MAX`]; [`LogError::Poisoned`] after a failed sync.
    pub fn append(&self, payload: &[u8]) -> Result<Position, LogError> {
        let mut writer = self.writer.lock();
        self.append_locked(&mut writer, payload)
    }

    /// Makes every record appended so far durable.
    ///
    /// # Errors
    /// [`LogError::Poisoned`]: records since the last good sync may be lost, whatever a later one says.
    pub fn sync(&self) -> Result<(), LogError> {
        let writer = self.writer.lock();
        self.sync_locked(&writer)
    }

    /// Writes one record and makes it durable, and all before it.
    ///
    /// # Errors
    /// As [`append`](Self::append) and [`sync`](Self::sync).
    pub fn append_durable(&self, payload: &[u8]) -> Result<Position, LogError> {
        let mut writer = self.writer.lock();
        let position = self.append_locked(&mut writer, payload)?;
        self.sync_locked(&writer)?;
        Ok(position)
    }

    /// Where the log begins.
    pub fn first_position(&self) -> Position {
        Position(self.segments.read().first())
    }

    /// Where the next record will be: the end of the log.
    pub fn next_position(&self) -> Position {
        Position(self.end.load(Ordering::Acquire))
    }

    /// Everything below this position is durable.
    pub fn durable_position(&self) -> Position {
        Position(self.durable.load(Ordering::Acquire))
    }

    /// Bytes of all segments on disk, without the reserve.
    pub fn bytes(&self) -> u64 {
        let segments = self.segments.read();
        let headers = segments.all().len() as u64 * SEGMENT_HEADER_BYTES;
        self.next_position().0 - segments.first() + headers
    }

    fn append_locked(&self, writer: &mut Writer, payload: &[u8]) -> Result<Position, LogError> {
        self.check_sound()?;
        if payload.len() > RECORD_BYTES_MAX {
            return Err(LogError::RecordTooLarge { bytes: payload.len() });
        }
        let position = self.end.load(Ordering::Acquire);
        let record_bytes = (RECORD_HEADER_BYTES + payload.len()) as u64;
        let holds_records = position > writer.segment.base;
        if holds_records && writer.segment.offset_of(position) + record_bytes > self.options.segment_bytes {
            self.begin_segment(writer, position)?;
        }
        let Segment { salt, .. } = writer.segment;
        let header = RecordHeader::of(payload, position, self.durable.load(Ordering::Acquire), salt);
        writer.buffer.clear();
        writer.buffer.extend_from_slice(&header.encode(salt));
        writer.buffer.extend_from_slice(payload);
        let offset = writer.segment.offset_of(position);
        let written = writer.file.write_at(offset, &writer.buffer);
        writer.buffer.shrink_to(BUFFER_KEPT_BYTES);
        if let Err(error) = written {
            return Err(self.take_back(writer, offset, error));
        }
        self.end.store(header.next(), Ordering::Release);
        Ok(Position(position))
    }

    /// Removes what a failed write left, so that the log is as it was before.
    fn take_back(&self, writer: &Writer, offset: u64, error: DiskError) -> LogError {
        if let Err(second) = writer.file.set_len(offset) {
            self.poison(format!("{error}; and what was written could not be taken back: {second}"));
        }
        error.into()
    }

    pub(crate) fn sync_locked(&self, writer: &Writer) -> Result<(), LogError> {
        self.check_sound()?;
        let end = self.end.load(Ordering::Acquire);
        if self.durable.load(Ordering::Acquire) < end {
            self.sync_file(writer)?;
            self.durable.store(end, Ordering::Release);
        }
        Ok(())
    }

    pub(crate) fn sync_file(&self, writer: &Writer) -> Result<(), LogError> {
        if is_planted("no-fsync") {
            return Ok(());
        }
        writer.file.sync().map_err(|error| self.failed(error))
    }

    fn begin_segment(&self, writer: &mut Writer, base: u64) -> Result<(), LogError> {
        // Always, even if every record is durable: a cut after a failed write may not be, and a segment
        // that is not the last must have its exact length.
        self.sync_file(writer)?;
        self.durable.store(base, Ordering::Release);
        let segment = Segment { base, salt: writer.segment.salt };
        let header = SegmentHeader { base, genesis_hash: self.options.genesis_hash, salt: segment.salt };
        let file = create_segment(&*self.disk, &self.dir, &header).map_err(|error| self.failed(error))?;
        self.segments.write().push(segment);
        (writer.segment, writer.file) = (segment, file);
        Ok(())
    }

    /// Refuses work after a failed sync.
    pub(crate) fn check_sound(&self) -> Result<(), LogError> {
        match self.poison.get() {
            Some(_) if is_planted("append-after-failed-sync") => Ok(()),
            Some(reason) => Err(LogError::Poisoned { reason: reason.clone() }),
            None => Ok(()),
        }
    }

    /// Turns a disk's error into the log's; a failed sync poisons the log.
    pub(crate) fn failed(&self, error: DiskError) -> LogError {
        if error.kind == DiskErrorKind::SyncFailed {
            self.poison(error.to_string());
        }
        error.into()
    }

    pub(crate) fn poison(&self, reason: String) {
        // The first reason stays: later ones follow from it.
        let _ = self.poison.set(reason);
    }
}
