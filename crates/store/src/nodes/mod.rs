//! The files that flushed trie nodes live in: append-only, in generations, read by location, trusted by hash.
//!
//! ```text
//! gen-000001.nodes   header ‖ record ‖ record ‖ …      oldest: waits to be dropped
//! gen-000002.nodes   header ‖ record ‖ …               youngest: every new node goes here
//!
//! header  64 bytes: magic, format version, generation, genesis hash (header.rs)
//! record  u32 length (little-endian) ‖ node record of the trie
//! Loc     generation (16 bits) ‖ byte offset of the record's length in that file (48 bits)
//! ```
//!
//! **Valid length.** A file says nothing about how much of it is valid: the marker does. A flush appends through
//! [`NodeAppender`], calls [`NodeAppender::sync`], and writes the lengths that it returns into the marker, in one batch
//! of the index. What lies beyond a marked length was never promised, and [`NodeFiles::open`] cuts it off; a file
//! that is shorter is damaged. No record has a checksum: the Merkle hash, checked at every read that misses the cache,
//! is the checksum, and the one thing no hash covers, the length, is bounded by [`MAX_RECORD_BYTES`].
//!
//! **A given location stays good.** The trie remembers the location of a node from the moment it is accepted, so
//! an accepted record must stay readable for as long as the process lives, also when the disk fills up before the
//! sync. Records not yet synced are therefore held in memory as well (`tail.rs`), are read from there, and are
//! written again from there after the file had to be cut back.
//!
//! **Pruning.** Locations of old generations occur in young records, so a generation can go only when nothing that
//! is still needed lies in it. A copier walks the trie of a finalized root child before parent, appends every node
//! that lies in an old generation, or has a child that was moved, to the youngest through the same appender as the
//! flush, and ends with a root whose whole tree is young. Then the marker is written without the old generations, and only then is
//! [`NodeFiles::drop_before`] called: an unlink that needs no free space. A crash in between leaves a file that no
//! marker lists; `open` removes it.

mod appender;
mod cache;
mod generation;
mod header;
mod reader;
mod tail;
mod window;

pub use appender::NodeAppender;
pub use generation::{GenerationLength, first_loc, generation_of};
pub use header::NODE_FORMAT_VERSION;
pub use reader::Apart;

use crate::StoreError;
use alloy_primitives::B256;
use appender::Writing;
use cache::NodeCache;
use coc_disk::{Disk, DiskErrorKind, DiskFile, OpenMode};
use header::HEADER_BYTES;
use parking_lot::{Mutex, RwLock};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tail::Tail;
use window::Window;

/// Longest node record in bytes. A branch of a state trie takes at most 668 with its locations; the rest is margin
/// for tries with longer values.
pub const MAX_RECORD_BYTES: usize = 64 << 10;

/// Default bytes of decoded nodes kept in memory: the upper levels and the hot accounts of a state of 10⁶ accounts.
pub const DEFAULT_CACHE_BYTES: u64 = 64 << 20;

/// How to open [`NodeFiles`].
#[derive(Clone, Copy, Debug)]
pub struct NodeFilesOptions {
    /// Which chain the files belong to.
    pub genesis_hash: B256,
    /// Bytes of memory for decoded nodes.
    pub cache_bytes: u64,
}

impl NodeFilesOptions {
    /// The default cache for the chain with that genesis.
    pub fn new(genesis_hash: B256) -> NodeFilesOptions {
        NodeFilesOptions { genesis_hash, cache_bytes: DEFAULT_CACHE_BYTES }
    }
}

/// What [`NodeFiles::open`] had to put in order; all zero after a graceful stop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeFilesOpened {
    /// Bytes beyond the marked lengths that were cut off.
    pub cut_bytes: u64,
    /// Generations that no marker listed, and that were removed.
    pub removed_generations: Vec<u16>,
}

/// The generations of node files in one folder. Reads are concurrent; one appender writes at a time.
pub struct NodeFiles {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    genesis_hash: B256,
    generations: RwLock<BTreeMap<u16, Generation>>,
    tail: RwLock<Tail>,
    writing: Mutex<Writing>,
    cache: NodeCache,
}

/// One file, how many bytes of it are synced, and those that the disk lends as memory.
#[derive(Clone)]
struct Generation {
    file: Arc<dyn DiskFile>,
    synced_bytes: u64,
    window: Arc<Window>,
}

impl Generation {
    fn of(file: Arc<dyn DiskFile>, synced_bytes: u64) -> Generation {
        let window = Arc::new(Window::of(file.as_ref(), synced_bytes));
        Generation { file, synced_bytes, window }
    }

    /// Takes note that more of the file is synced.
    fn grow(&mut self, synced_bytes: u64) {
        self.synced_bytes = synced_bytes;
        self.window = Arc::new(self.window.grown(self.file.as_ref(), synced_bytes));
    }
}

impl NodeFiles {
    /// Opens the files in folder `dir` as far as `marked`, the lengths in the marker, says that they are valid. With an
    /// empty list, whatever is there is removed and the first generation begun.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when a listed file is missing, short, or has a bad header; [`StoreError::WrongChain`]
    /// and [`StoreError::NewerFormat`] before anything is changed; [`StoreError::NoSpace`], [`StoreError::Disk`].
    pub fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        options: NodeFilesOptions,
        marked: &[GenerationLength],
    ) -> Result<(NodeFiles, NodeFilesOpened), StoreError> {
        disk.create_dir(dir)?;
        let marked: BTreeMap<u16, u64> =
            marked.iter().map(|length| (length.generation, length.bytes)).collect();
        let present = numbers_present(disk.as_ref(), dir)?;
        for number in &present {
            header::refuse_strange(disk.as_ref(), &generation::path(dir, *number), options.genesis_hash)?;
        }
        let mut opened = NodeFilesOpened::default();
        let mut generations = BTreeMap::new();
        for (number, bytes) in &marked {
            let path = generation::path(dir, *number);
            let file = open_marked(disk.as_ref(), &path, *number, *bytes, options.genesis_hash)?;
            let length = file.len()?;
            if length > *bytes {
                file.set_len(*bytes)?;
                opened.cut_bytes += length - bytes;
            }
            generations.insert(*number, Generation::of(file, *bytes));
        }
        for number in present.into_iter().filter(|number| !marked.contains_key(number)) {
            disk.remove(&generation::path(dir, number))?;
            opened.removed_generations.push(number);
        }
        if generations.is_empty() {
            let file = header::create(disk.as_ref(), dir, generation::FIRST, options.genesis_hash)?;
            generations.insert(generation::FIRST, Generation::of(file, HEADER_BYTES));
        }
        let tail = generations.last_key_value().map(|(number, kept)| Tail::new(*number, kept.synced_bytes));
        let files = NodeFiles {
            disk,
            dir: dir.to_path_buf(),
            genesis_hash: options.genesis_hash,
            generations: RwLock::new(generations),
            tail: RwLock::new(tail.unwrap_or_else(|| Tail::new(generation::FIRST, HEADER_BYTES))),
            writing: Mutex::new(Writing::default()),
            cache: NodeCache::new(options.cache_bytes),
        };
        Ok((files, opened))
    }

    /// The one writer. Waits until an earlier one is dropped.
    pub fn appender(&self) -> NodeAppender<'_> {
        NodeAppender::new(self, self.writing.lock())
    }

    /// Every generation kept, oldest first, with the bytes of it that are synced: what the marker is to say.
    pub fn lengths(&self) -> Vec<GenerationLength> {
        let generations = self.generations.read();
        generations
            .iter()
            .map(|(number, kept)| GenerationLength { generation: *number, bytes: kept.synced_bytes })
            .collect()
    }

    /// Bytes of all generations on disk.
    pub fn bytes(&self) -> u64 {
        self.generations.read().values().map(|kept| kept.synced_bytes).sum()
    }

    /// Removes the oldest generation and says how many bytes that freed; `None` if there is only one. The marker must
    /// not list it any more, or the next open finds the files damaged.
    ///
    /// # Errors
    /// [`StoreError::Disk`] when the file cannot be removed.
    pub fn drop_oldest(&self) -> Result<Option<GenerationLength>, StoreError> {
        let oldest = {
            let mut generations = self.generations.write();
            if generations.len() < 2 {
                return Ok(None);
            }
            generations.pop_first()
        };
        let Some((number, kept)) = oldest else { return Ok(None) };
        self.cache.forget_generation(number);
        self.disk.remove(&generation::path(&self.dir, number))?;
        self.disk.sync_dir(&self.dir)?;
        Ok(Some(GenerationLength { generation: number, bytes: kept.synced_bytes }))
    }

    /// Removes every generation before this one, as [`drop_oldest`](Self::drop_oldest) does; the youngest stays.
    ///
    /// # Errors
    /// [`StoreError::Disk`] when a file cannot be removed.
    pub fn drop_before(&self, generation: u16) -> Result<(), StoreError> {
        let is_older = || self.generations.read().keys().next().is_some_and(|oldest| *oldest < generation);
        while is_older() && self.drop_oldest()?.is_some() {}
        Ok(())
    }

    /// Bytes of decoded nodes in the cache.
    pub fn cached_bytes(&self) -> u64 {
        self.cache.bytes()
    }
}

fn numbers_present(disk: &dyn Disk, dir: &Path) -> Result<Vec<u16>, StoreError> {
    Ok(disk.list(dir)?.iter().filter_map(|name| generation::number_in(name)).collect())
}

fn open_marked(
    disk: &dyn Disk,
    path: &Path,
    number: u16,
    bytes: u64,
    genesis_hash: B256,
) -> Result<Arc<dyn DiskFile>, StoreError> {
    let file = disk.open(path, OpenMode::Existing).map_err(|error| match error.kind {
        DiskErrorKind::NotFound => StoreError::damaged(path, "the file is missing".into()),
        _ => StoreError::from(error),
    })?;
    header::check(file.as_ref(), number, genesis_hash)?;
    let length = file.len()?;
    if length < bytes || bytes < HEADER_BYTES {
        let detail = format!("it has {length} bytes, {bytes} were synced by the last flush");
        return Err(StoreError::damaged(path, detail));
    }
    Ok(file)
}
