//! Making the store anew from the block log: what a lost or damaged index, or damaged node files, cost is only time.
//!
//! 1. **Read** the whole log, before anything is removed: a store is worth more than a log that is damaged as well.
//! 2. **Clear**: the mark `rebuilding` is written durably, then index and node files are removed.
//! 3. **Build**: every block is executed again and flushed as a node does it, so that an interrupted rebuild goes on from its last
//!    flush. Then the mark is removed; as long as it is there, no chain opens on the folder.
//!
//! Work is done in slices, between which a caller shows progress or stops.

use crate::chain::Chain;
use crate::error::ChainError;
use crate::folder::{self, INDEX_DIR, REBUILD_MARK, SNAPSHOT_FILE, genesis_in};
use crate::genesis::Origin;
use crate::open::{ChainOptions, Files, Parts, marker_in};
use crate::recover::place_of;
use coc_disk::{DirLock, Disk, OpenMode, RealDisk, replace_file};
use coc_log::{BlockLog, LogError, Position, Salvaged};
use coc_store::{Index, NodeFiles, NodeFilesOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Content of the mark while the old store is removed.
const CLEARING: &[u8] = b"clearing";
/// Content of the mark while the new one grows.
const BUILDING: &[u8] = b"building";
/// Longest mark that is read, in bytes.
const MARK_BYTES_MAX: u64 = 64;
/// Endings of the files that node files are made of.
const NODES_SUFFIX: &str = ".nodes";
/// The files of the index.
const INDEX_FILES: [&str; 2] = ["data.mdb", "lock.mdb"];

/// How far a rebuild is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// `reading`, `building` or `done`.
    pub phase: &'static str,
    /// Bytes of the log that this phase is through with.
    pub done_bytes: u64,
    /// Bytes of the log.
    pub total_bytes: u64,
    /// Height of the newest block that was executed again.
    pub height: u64,
    /// Blocks executed again by this process.
    pub blocks: u64,
}

/// Where index and files are.
enum Place {
    Folder { dir: PathBuf, lock: Option<DirLock> },
    Given { disk: Arc<dyn Disk>, index: Arc<dyn Index> },
}

enum Stage {
    Reading { log: Box<BlockLog>, next: Position },
    Building { chain: Chain, next: Position },
    Done,
}

/// A rebuild under way. Dropping it leaves one that can be gone on with.
pub struct Rebuild {
    origin: Option<Origin>,
    place: Place,
    disk: Arc<dyn Disk>,
    root: PathBuf,
    options: ChainOptions,
    stage: Stage,
    /// What was cut off a damaged log, if that was asked for.
    pub cut: Option<Salvaged>,
    total_bytes: u64,
    height: u64,
    blocks: u64,
}

impl Rebuild {
    /// Begins, or goes on with, the rebuild of a folder. With `cut_log` a damaged log is first cut behind its last whole record.
    ///
    /// # Errors
    /// [`ChainError::NoChain`], [`ChainError::InUse`], [`ChainError::Rebuild`] for a log that is not enough.
    pub fn begin(dir: &Path, options: &ChainOptions, cut_log: bool) -> Result<Rebuild, ChainError> {
        let text = genesis_in(dir)?;
        let disk = RealDisk::new();
        let lock = Some(folder::lock(&disk, dir)?);
        let place = Place::Folder { dir: dir.into(), lock };
        Self::start(Origin::read(&text)?, place, Arc::new(disk), dir.into(), options, cut_log)
    }

    /// The same on a disk and an empty index of the caller's, or one that an earlier rebuild has begun to fill.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub fn begin_on(
        genesis: &[u8],
        disk: Arc<dyn Disk>,
        index: Arc<dyn Index>,
        options: &ChainOptions,
        cut_log: bool,
    ) -> Result<Rebuild, ChainError> {
        let place = Place::Given { disk: disk.clone(), index };
        Self::start(Origin::read(genesis)?, place, disk, PathBuf::from("/"), options, cut_log)
    }

    fn start(
        origin: Origin,
        place: Place,
        disk: Arc<dyn Disk>,
        root: PathBuf,
        options: &ChainOptions,
        cut_log: bool,
    ) -> Result<Rebuild, ChainError> {
        let log_dir = root.join(folder::LOG_DIR);
        let name = root.display().to_string();
        if disk.exists(&root.join(SNAPSHOT_FILE))? {
            return Err(ChainError::SnapshotUnfinished { place: name });
        }
        if folder::has_no_log(&*disk, &log_dir)? {
            return Err(ChainError::LogLost { place: name });
        }
        let log_options = options.log(&origin, 0);
        let mut cut = None;
        if cut_log {
            let found = BlockLog::salvage(&*disk, &log_dir, &log_options)?;
            cut = found.damage.is_some().then_some(found);
        }
        let (log, _) =
            BlockLog::open(disk.clone(), &log_dir, log_options).map_err(|error| told(error, &name))?;
        if log.first_position().0 > 0 {
            return Err(ChainError::Rebuild(format!(
                "the block log in {name} begins at position {}, its older part was dropped; a store cannot be made from it alone: \
                 take both from a copy of the folder",
                log.first_position()
            )));
        }
        if let Some(base) = origin.write_log(&log)?.base {
            return Err(base.store_lost(&name));
        }
        let (next, total_bytes) = (log.first_position(), log.next_position().0);
        let goes_on = read_mark(&*disk, &root)?.as_deref() == Some(BUILDING);
        let stage = Stage::Reading { log: Box::new(log), next };
        let options = options.clone();
        let origin = Some(origin);
        let mut rebuild =
            Rebuild { origin, place, disk, root, options, stage, cut, total_bytes, height: 0, blocks: 0 };
        if goes_on {
            rebuild.clear_and_build(true)?;
        }
        Ok(rebuild)
    }

    /// What was wrong with the log where it was cut.
    pub fn cut_reason(&self) -> Option<String> {
        match self.cut.as_ref()?.damage.as_ref()? {
            LogError::Corrupt { file, offset, what } => {
                Some(format!("{what} in {} at byte {offset}", file.display()))
            }
            other => Some(other.to_string()),
        }
    }

    /// Works until `enough` says so, or all is done.
    ///
    /// # Errors
    /// [`ChainError::is_out_of_space`]: begin again when there is room, it goes on from here. [`ChainError::Rebuild`] for a damaged
    /// log, before anything was removed if it was found while reading.
    pub fn step(&mut self, mut enough: impl FnMut() -> bool) -> Result<Progress, ChainError> {
        let name = self.root.display().to_string();
        let done_bytes = match &mut self.stage {
            Stage::Done => self.total_bytes,
            Stage::Reading { log, next } => {
                for record in log.iter_from(*next) {
                    *next = Position(place_of(&record.map_err(|error| told(error, &name))?).end);
                    if enough() {
                        break;
                    }
                }
                let (read, end) = (*next, log.next_position());
                if read >= end {
                    self.clear_and_build(false)?;
                    return Ok(self.progress(0));
                }
                read.0
            }
            Stage::Building { chain, next } => {
                for record in chain.shared.log.iter_from(*next) {
                    let record = record.map_err(|error| told(error, &name))?;
                    self.blocks += u64::from(chain.replay(&record)?);
                    *next = Position(place_of(&record).end);
                    if chain.flush_is_due() {
                        chain.flush()?;
                    }
                    if enough() {
                        break;
                    }
                }
                self.height = chain.shared.head().number();
                let (built, end) = (*next, chain.shared.log.next_position());
                if built >= end {
                    self.finish()?;
                }
                built.0
            }
        };
        Ok(self.progress(done_bytes))
    }

    fn progress(&self, done_bytes: u64) -> Progress {
        let phase = match self.stage {
            Stage::Reading { .. } => "reading",
            Stage::Building { .. } => "building",
            Stage::Done => "done",
        };
        Progress {
            phase,
            done_bytes,
            total_bytes: self.total_bytes,
            height: self.height,
            blocks: self.blocks,
        }
    }

    /// Removes the old store, unless an earlier rebuild has begun a new one that is sound, and stands on what there is.
    fn clear_and_build(&mut self, goes_on: bool) -> Result<(), ChainError> {
        if goes_on {
            if let Ok(stage) = self.stand() {
                self.stage = stage;
                return Ok(());
            }
            if self.origin.is_none() {
                return Err(ChainError::RebuildUnfinished { place: self.root.display().to_string() });
            }
        }
        self.stage = Stage::Done;
        let mark = self.root.join(REBUILD_MARK);
        replace_file(&*self.disk, &mark, CLEARING)?;
        self.clear_nodes()?;
        if let Place::Folder { dir, .. } = &self.place {
            clear_index(&dir.join(INDEX_DIR))?;
        }
        replace_file(&*self.disk, &mark, BUILDING)?;
        self.stage = self.stand()?;
        Ok(())
    }

    fn clear_nodes(&self) -> Result<(), ChainError> {
        let dir = self.root.join(folder::STATE_DIR);
        if !self.disk.exists(&dir)? {
            return Ok(());
        }
        for name in self.disk.list(&dir)?.iter().filter(|name| name.ends_with(NODES_SUFFIX)) {
            self.disk.remove(&dir.join(name))?;
        }
        Ok(self.disk.sync_dir(&dir)?)
    }

    /// Opens the new store: empty, or as far as an earlier rebuild came.
    fn stand(&mut self) -> Result<Stage, ChainError> {
        let text = ChainError::Rebuild("the rebuild has failed already; begin it again".into());
        let origin = self.origin.as_ref().ok_or(text)?;
        let parts = match &mut self.place {
            Place::Given { disk, index } => Parts::given(disk.clone(), index.clone()),
            Place::Folder { dir, lock } => {
                let unlocked = || ChainError::InUse { folder: dir.clone(), by: String::new() };
                let taken = lock.take().ok_or_else(unlocked)?;
                match Parts::in_folder(dir, taken, origin, &self.options) {
                    Ok(parts) => parts,
                    Err(error) => {
                        *lock = Some(folder::lock(&RealDisk::new(), dir)?);
                        return Err(error);
                    }
                }
            }
        };
        let marker = marker_in(&*parts.index, &parts.place())?;
        let known_durable = marker.as_ref().map_or(0, |marker| marker.next_position);
        let log_options = self.options.log(origin, known_durable);
        let (log, _) = BlockLog::open(parts.disk.clone(), &parts.log_dir(), log_options)?;
        let lengths = marker.as_ref().map(|marker| marker.lengths.clone()).unwrap_or_default();
        let node_options =
            NodeFilesOptions { genesis_hash: origin.hash, cache_bytes: self.options.node_cache_bytes };
        let (nodes, _) = NodeFiles::open(parts.disk.clone(), &parts.state_dir(), node_options, &lengths)?;
        let nodes = Arc::new(nodes);
        if marker.is_none() {
            origin.write_store(origin.write_log(&log)?.place, &nodes, &*parts.index)?;
        }
        let origin = self.origin.take().ok_or(ChainError::RebuildUnfinished { place: parts.place() })?;
        let chain = Chain::compose(origin, parts, Files { log, nodes, base: None }, &self.options)?;
        let next = chain.stand_on_marker()?;
        self.height = chain.shared.head().number();
        Ok(Stage::Building { chain, next })
    }

    fn finish(&mut self) -> Result<(), ChainError> {
        let Stage::Building { chain, .. } = &self.stage else { return Ok(()) };
        chain.flush()?;
        self.disk.remove(&self.root.join(REBUILD_MARK))?;
        self.disk.sync_dir(&self.root)?;
        self.stage = Stage::Done;
        Ok(())
    }
}

fn read_mark(disk: &dyn Disk, root: &Path) -> Result<Option<Vec<u8>>, ChainError> {
    let path = root.join(REBUILD_MARK);
    if !disk.exists(&path)? {
        return Ok(None);
    }
    Ok(Some(disk.open(&path, OpenMode::Read)?.read_all(MARK_BYTES_MAX)?))
}

fn clear_index(dir: &Path) -> Result<(), ChainError> {
    let disk = RealDisk::new();
    for name in INDEX_FILES {
        let path = dir.join(name);
        if disk.exists(&path)? {
            disk.remove(&path)?;
        }
    }
    if disk.exists(dir)? {
        disk.sync_dir(dir)?;
    }
    Ok(())
}

/// A damaged log, with the cure that fits a rebuild.
fn told(error: LogError, name: &str) -> ChainError {
    match error {
        LogError::Corrupt { file, offset, what } => ChainError::Rebuild(format!(
            "the block log is damaged: {what} in {} at byte {offset}. Restore the folder `log` from a copy, or keep the blocks in \
             front of the damage and lose those behind it with `coc db rebuild --cut-log --data {name}`",
            file.display()
        )),
        other => ChainError::Log(other),
    }
}
