//! Appending node records: gathered in memory, written in large pieces, durable after a sync.
//!
//! A failed write leaves the file as long as it was after the last sync, so that a full disk gets its space back, and
//! the records stay in the tail: the next [`NodeAppender::sync`] writes them again. A failed sync poisons the files:
//! what the disk holds is then unknown until they are opened again.

use super::header::{self, HEADER_BYTES};
use super::tail::Tail;
use super::{Generation, MAX_RECORD_BYTES, NodeFiles};
use crate::StoreError;
use crate::nodes::GenerationLength;
use coc_disk::{DiskError, DiskFile};
use coc_trie::{Loc, NodeWriter, TrieError};
use parking_lot::MutexGuard;
use std::sync::Arc;

/// Bytes gathered before they are handed to the operating system: large enough that the cost of a call vanishes.
const PIECE_BYTES: usize = 1 << 20;

/// Unsynced bytes at which the appender syncs by itself, which bounds the memory of a flush of any size.
const UNSYNCED_BYTES_MAX: usize = 16 << 20;

/// What the writer must remember between flushes.
#[derive(Default)]
pub(super) struct Writing {
    /// How many bytes of the tail were handed to the operating system since the last sync or cut.
    handed_over: usize,
    /// Why nothing more is written.
    poison: Option<String>,
}

/// The one writer of [`NodeFiles`], for as long as it lives. Dropping it loses nothing: the next one goes on.
pub struct NodeAppender<'a> {
    files: &'a NodeFiles,
    writing: MutexGuard<'a, Writing>,
}

impl<'a> NodeAppender<'a> {
    pub(super) fn new(files: &'a NodeFiles, writing: MutexGuard<'a, Writing>) -> NodeAppender<'a> {
        NodeAppender { files, writing }
    }

    /// Takes one record and says where it will lie. The record is readable at once and for as long as the process
    /// lives; it is durable after [`sync`](Self::sync).
    ///
    /// # Errors
    /// [`StoreError::NoSpace`] or [`StoreError::Disk`] when earlier records could not be written: this one is not
    /// accepted, the earlier ones stay readable, and a later call may succeed. [`StoreError::RecordLength`],
    /// [`StoreError::Poisoned`].
    pub fn append(&mut self, record: &[u8]) -> Result<Loc, StoreError> {
        if record.len() > MAX_RECORD_BYTES {
            return Err(StoreError::RecordLength { length: record.len(), limit: MAX_RECORD_BYTES });
        }
        let unsynced = self.files.tail.read().bytes().len();
        if unsynced >= UNSYNCED_BYTES_MAX {
            self.sync()?;
        } else if unsynced - self.writing.handed_over >= PIECE_BYTES {
            self.hand_over()?;
        }
        let loc = self.files.tail.write().push(record);
        loc.ok_or_else(|| self.no_space("the generation has as many bytes as a location can name"))
    }

    /// Where the next record will lie: behind every one before it.
    pub fn next_loc(&self) -> Loc {
        self.files.tail.read().end()
    }

    /// Makes everything accepted so far durable. Returns the lengths that the marker is to say.
    ///
    /// # Errors
    /// [`StoreError::NoSpace`] or [`StoreError::Disk`] when the records could not be written: the file is as long as
    /// after the last sync, the records stay readable, and a later call may succeed. [`StoreError::Poisoned`] when the
    /// disk did not make them durable.
    pub fn sync(&mut self) -> Result<Vec<GenerationLength>, StoreError> {
        self.hand_over()?;
        if self.writing.handed_over > 0 {
            if let Err(error) = self.file().sync() {
                return Err(self.after_failed_sync(error));
            }
            self.writing.handed_over = 0;
            let mut tail = self.files.tail.write();
            tail.advance();
            if let Some(youngest) = self.files.generations.write().get_mut(&tail.generation()) {
                youngest.grow(tail.start());
            }
        }
        Ok(self.files.lengths())
    }

    /// Syncs what was appended and begins a new youngest generation, durable when this returns its number. It is
    /// removed by the next open unless the marker lists it by then.
    ///
    /// # Errors
    /// Those of [`sync`](Self::sync), and [`StoreError::GenerationsExhausted`]. The youngest stays what it was.
    pub fn start_generation(&mut self) -> Result<u16, StoreError> {
        self.sync()?;
        let files = self.files;
        let youngest = files.tail.read().generation();
        let number = youngest.checked_add(1).ok_or(StoreError::GenerationsExhausted { limit: u16::MAX })?;
        let file = header::create(files.disk.as_ref(), &files.dir, number, files.genesis_hash)?;
        files.generations.write().insert(number, Generation::of(file, HEADER_BYTES));
        *files.tail.write() = Tail::new(number, HEADER_BYTES);
        Ok(number)
    }

    /// Writes the part of the tail that the operating system does not have yet.
    fn hand_over(&mut self) -> Result<(), StoreError> {
        if let Some(reason) = &self.writing.poison {
            let file = self.files.dir.display().to_string();
            return Err(StoreError::Poisoned { file, reason: reason.clone() });
        }
        let file = self.file();
        let tail = self.files.tail.read();
        for piece in tail.bytes()[self.writing.handed_over..].chunks(PIECE_BYTES) {
            let offset = tail.start() + self.writing.handed_over as u64;
            if let Err(error) = file.write_at(offset, piece) {
                let start = tail.start();
                drop(tail);
                return Err(self.after_failed_write(file.as_ref(), start, error));
            }
            self.writing.handed_over += piece.len();
        }
        Ok(())
    }

    fn after_failed_write(&mut self, file: &dyn DiskFile, synced_bytes: u64, error: DiskError) -> StoreError {
        self.writing.handed_over = 0;
        if let Err(worse) = file.set_len(synced_bytes) {
            self.writing.poison = Some(worse.to_string());
        }
        error.into()
    }

    fn after_failed_sync(&mut self, error: DiskError) -> StoreError {
        self.writing.poison = Some(error.to_string());
        error.into()
    }

    fn file(&self) -> Arc<dyn DiskFile> {
        let youngest = self.files.tail.read().generation();
        let generations = self.files.generations.read();
        Arc::clone(&generations.get(&youngest).expect("the youngest generation is kept").file)
    }

    fn no_space(&self, detail: &str) -> StoreError {
        StoreError::NoSpace { file: self.files.dir.display().to_string(), detail: detail.into() }
    }
}

impl NodeWriter for NodeAppender<'_> {
    fn write(&mut self, record: &[u8]) -> Result<Loc, TrieError> {
        self.append(record).map_err(|error| TrieError::Storage(Box::new(error)))
    }
}
