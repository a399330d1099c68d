//! Opening a chain: the folder's parts are brought to one state; [`crate::recover`] then executes again what the store lacks.
//!
//! What cannot be put in order without losing something is refused, with the command that cures it: a folder of another chain,
//! program or release, a store without a log, a log without a store, a log shorter than the store's marker says.

use crate::base::Base;
use crate::chain::Chain;
use crate::copier::{COPY_FROM_BYTES_DEFAULT, Copier, STATES_KEPT_DEFAULT};
use crate::engine::EngineRules;
use crate::eras::Eras;
use crate::error::ChainError;
use crate::folder::{self, INDEX_DIR, LOG_DIR, REBUILD_MARK, SNAPSHOT_FILE, STATE_DIR};
use crate::genesis::Origin;
use crate::pruning::{PRUNING, Pruning};
use crate::rows::{MARKER, Marker};
use crate::shared::{Beginning, ByBytes, Codes, FailedReads, Shared};
use crate::tree::Tree;
use coc_disk::{Disk, MemDisk, RealDisk};
use coc_evm::state::WorldState;
use coc_log::{BlockLog, LogOptions, Position};
use coc_store::{Index, LmdbIndex, LmdbOptions, MemIndex, MemOptions, NodeFiles, NodeFilesOptions, Table};
use coc_trie::{Loc, Trie};
use parking_lot::{Mutex, RwLock};
use quick_cache::sync::Cache;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use crate::folder::{GENESIS_FILE, genesis_of};

/// Blocks that the cache of decoded blocks is sized for; its bound is in bytes.
const CACHE_ITEMS: usize = 4_096;
/// Senders remembered between a transaction's arrival and its block: as many as the pool holds, some 8 MiB.
const SENDERS_KEPT: usize = 65_536;

/// How to open a chain.
#[derive(Clone, Debug)]
pub struct ChainOptions {
    /// Bytes of decoded trie nodes kept in memory.
    pub node_cache_bytes: u64,
    /// Bytes of decoded blocks kept in memory.
    pub block_cache_bytes: u64,
    /// Bytes the index may grow to on disk.
    pub index_budget_bytes: u64,
    /// Bytes that log, node files and index may take together; no bound without it.
    pub disk_budget_bytes: Option<u64>,
    /// States that are kept at least, the newest; all without it.
    pub states_kept: Option<u64>,
    /// Bytes of node files below which none are given up.
    pub copy_from_bytes: u64,
    /// Space kept aside so that a full disk can be left in order.
    pub reserve_bytes: u64,
    /// Bytes at which a log segment is closed and the next begun.
    pub log_segment_bytes: u64,
    /// Where checksums of new log segments start; random without it. For simulated runs that are equal byte for byte.
    pub log_salt: Option<u32>,
}

impl Default for ChainOptions {
    fn default() -> Self {
        ChainOptions {
            node_cache_bytes: 64 << 20,
            block_cache_bytes: 32 << 20,
            index_budget_bytes: 64 << 30,
            disk_budget_bytes: None,
            states_kept: Some(STATES_KEPT_DEFAULT),
            copy_from_bytes: COPY_FROM_BYTES_DEFAULT,
            reserve_bytes: coc_log::RESERVE_BYTES_DEFAULT,
            log_segment_bytes: coc_log::SEGMENT_BYTES_DEFAULT,
            log_salt: None,
        }
    }
}

impl ChainOptions {
    /// How the log of the chain with this genesis is opened.
    pub(crate) fn log(&self, origin: &Origin, known_durable: u64) -> LogOptions {
        let mut log = LogOptions::new(origin.hash.0);
        log.segment_bytes = self.log_segment_bytes;
        log.reserve_bytes = self.reserve_bytes;
        log.known_durable = Position(known_durable);
        log.salt = self.log_salt.unwrap_or(log.salt);
        log
    }
}

/// What opening found and put in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Whether the folder was empty.
    pub created: bool,
    /// Bytes of a torn record cut from the log.
    pub cut_bytes: u64,
    /// Bytes behind the last flush cut from the node files.
    pub cut_node_bytes: u64,
    /// Generations of node files that no flush knew of, and that were removed.
    pub removed_generations: Vec<u16>,
    /// Blocks executed again because the store lacked them.
    pub replayed_blocks: u64,
    /// Whether the space kept aside is held; not where the disk is too full for it.
    pub reserve_held: bool,
    /// Whether the disk is too full for what was executed again: it stays in memory until a flush succeeds.
    pub store_is_full: bool,
}

/// The files of a chain, before anything is read from them.
pub(crate) struct Parts {
    pub disk: Arc<dyn Disk>,
    pub root: PathBuf,
    pub index: Arc<dyn Index>,
    pub lock: Option<coc_disk::DirLock>,
    pub dir: Option<PathBuf>,
}

impl Parts {
    /// Everything in memory.
    fn in_memory() -> Parts {
        let index = Arc::new(MemIndex::new(MemOptions::default()));
        Parts { disk: Arc::new(MemDisk::new()), root: PathBuf::from("/"), index, lock: None, dir: None }
    }

    /// The caller's disk and index.
    pub fn given(disk: Arc<dyn Disk>, index: Arc<dyn Index>) -> Parts {
        Parts { disk, root: PathBuf::from("/"), index, lock: None, dir: None }
    }

    /// The parts in a folder that this process has locked.
    pub fn in_folder(
        dir: &Path,
        lock: coc_disk::DirLock,
        origin: &Origin,
        options: &ChainOptions,
    ) -> Result<Parts, ChainError> {
        let mut lmdb = LmdbOptions::new(origin.hash);
        lmdb.budget_bytes = options.index_budget_bytes;
        let index = Arc::new(LmdbIndex::open(&dir.join(INDEX_DIR), lmdb)?);
        Ok(Parts {
            disk: Arc::new(RealDisk::new()),
            root: dir.into(),
            index,
            lock: Some(lock),
            dir: Some(dir.into()),
        })
    }

    pub fn log_dir(&self) -> PathBuf {
        self.root.join(LOG_DIR)
    }

    pub fn state_dir(&self) -> PathBuf {
        self.root.join(STATE_DIR)
    }

    /// How errors name where these parts are.
    pub fn place(&self) -> String {
        folder::place_name(self.dir.as_ref())
    }
}

/// The open files of a chain.
pub(crate) struct Files {
    pub log: BlockLog,
    pub nodes: Arc<NodeFiles>,
    /// What the log begins with, where that is not block 0.
    pub base: Option<Base>,
}

/// The marker in an index.
///
/// # Errors
/// [`ChainError::StoreDamaged`] for a row that is no marker: taken for none, it would cost all node files.
pub fn marker_in(index: &dyn Index, place: &str) -> Result<Option<Marker>, ChainError> {
    let Some(bytes) = index.get(Table::Meta, MARKER)? else { return Ok(None) };
    match Marker::decode(&bytes).filter(|marker| !marker.lengths.is_empty()) {
        Some(marker) => Ok(Some(marker)),
        None => Err(ChainError::StoreDamaged { place: place.into(), what: "its marker is no marker".into() }),
    }
}

/// What an index says of pruning.
///
/// # Errors
/// [`ChainError::StoreDamaged`] for a row that is none.
pub fn pruning_in(index: &dyn Index, place: &str) -> Result<Pruning, ChainError> {
    let Some(bytes) = index.get(Table::Meta, PRUNING)? else { return Ok(Pruning::default()) };
    let what = "its row of pruning is no such row".into();
    Pruning::decode(&bytes).ok_or(ChainError::StoreDamaged { place: place.into(), what })
}

impl Chain {
    /// Opens the chain of `genesis` (the text of a genesis file) in the folder `dir`, or in memory.
    ///
    /// # Errors
    /// Every refusal says in its sentence what helps; nothing of the folder's chain is changed by one.
    pub fn open(
        genesis: &[u8],
        dir: Option<&Path>,
        options: &ChainOptions,
    ) -> Result<(Chain, Recovered), ChainError> {
        let Some(dir) = dir else {
            let options = ChainOptions { reserve_bytes: 0, ..options.clone() };
            return Self::assemble(Origin::read(genesis)?, Parts::in_memory(), &options);
        };
        let disk = RealDisk::new();
        let origin = Origin::of(&disk, dir, genesis)?;
        let lock = folder::claim(&disk, dir)?;
        let is_kept = origin.refuse_other(dir, genesis)?;
        refuse_half_made(&disk, dir, &dir.display().to_string())?;
        let parts = Parts::in_folder(dir, lock, &origin, options)?;
        if genesis_of(dir)?.is_none() {
            coc_disk::replace_file(&disk, &dir.join(GENESIS_FILE), genesis)?;
        }
        let note = origin.note(genesis)?.filter(|_| is_kept);
        let opened = Self::assemble(origin, parts, options)?;
        if let Some(note) = note {
            note.save(&disk, dir, genesis);
        }
        Ok(opened)
    }

    /// Opens the chain of `genesis` on a disk and an index of the caller's: the simulator's way in.
    pub fn open_on(
        genesis: &[u8],
        disk: Arc<dyn Disk>,
        index: Arc<dyn Index>,
        options: &ChainOptions,
    ) -> Result<(Chain, Recovered), ChainError> {
        let parts = Parts::given(disk, index);
        refuse_half_made(&*parts.disk, &parts.root, &parts.place())?;
        Self::assemble(Origin::read(genesis)?, parts, options)
    }

    fn assemble(
        origin: Origin,
        parts: Parts,
        options: &ChainOptions,
    ) -> Result<(Chain, Recovered), ChainError> {
        let marker = marker_in(&*parts.index, &parts.place())?;
        if marker.is_some() && folder::has_no_log(&*parts.disk, &parts.log_dir())? {
            return Err(ChainError::LogLost { place: parts.place() });
        }
        let known_durable = marker.as_ref().map_or(0, |marker| marker.next_position);
        let (log, opened) =
            BlockLog::open(parts.disk.clone(), &parts.log_dir(), options.log(&origin, known_durable))?;
        let start = origin.write_log(&log)?;
        match &start.base {
            Some(base) if marker.is_none() => return Err(base.store_lost(&parts.place())),
            None if marker.is_none() && log.next_position().0 > start.place.end => {
                return Err(ChainError::StoreLost { place: parts.place() });
            }
            _ => {}
        }
        let lengths = marker.as_ref().map(|marker| marker.lengths.clone()).unwrap_or_default();
        let node_options =
            NodeFilesOptions { genesis_hash: origin.hash, cache_bytes: options.node_cache_bytes };
        let (nodes, found) = NodeFiles::open(parts.disk.clone(), &parts.state_dir(), node_options, &lengths)?;
        let nodes = Arc::new(nodes);
        if marker.is_none() {
            origin.write_store(start.place, &nodes, &*parts.index)?;
        }
        let mut recovered = Recovered {
            created: opened.created,
            cut_bytes: opened.cut_bytes,
            cut_node_bytes: found.cut_bytes,
            removed_generations: found.removed_generations,
            reserve_held: opened.reserve_held,
            ..Recovered::default()
        };
        let chain = Self::compose(origin, parts, Files { log, nodes, base: start.base }, options)?;
        chain.stand_on_marker()?;
        chain.replay_tail(&mut recovered)?;
        Ok((chain, recovered))
    }

    /// A chain of parts that are open, whose tree knows block 0 and nothing else.
    pub(crate) fn compose(
        origin: Origin,
        parts: Parts,
        files: Files,
        options: &ChainOptions,
    ) -> Result<Chain, ChainError> {
        let Files { log, nodes, base } = files;
        let codes = Arc::new(Codes { index: parts.index.clone(), recent: RwLock::default() });
        let pruning = pruning_in(&*parts.index, &parts.place())?;
        let carried = pruning.copied().map_or_else(Trie::empty, |root| root.trie());
        let eras = Eras::new(nodes.clone(), Loc(pruning.floor), Loc(pruning.begins()), carried);
        let state = WorldState { accounts: Trie::empty(), nodes: eras.current(), codes: codes.clone() };
        let start = origin.executed(state);
        let base = base.map(|base| Beginning { base, block_0: start.stored.clone() });
        let shared = Shared {
            is_coc: origin.genesis.coc.is_some(),
            engine: EngineRules::of(origin.genesis.coc.as_ref()),
            genesis_hash: origin.hash,
            genesis_number: origin.header.number,
            base,
            schedule: origin.genesis.schedule,
            log,
            nodes,
            index: parts.index,
            codes,
            tree: RwLock::new(Tree::new(start)),
            cache: Cache::with_weighter(CACHE_ITEMS, options.block_cache_bytes, ByBytes),
            senders: Cache::new(SENDERS_KEPT),
            failed_reads: FailedReads::default(),
            flushing: Mutex::new(()),
            deciding: Mutex::new(()),
            eras,
            copier: Mutex::new(Copier::new(pruning)),
            states_kept: options.states_kept,
            copy_from_bytes: options.copy_from_bytes,
            disk_budget_bytes: options.disk_budget_bytes,
            lock: parts.lock,
            dir: parts.dir,
        };
        Ok(Chain { shared: Arc::new(shared) })
    }

    /// Flushes what is left, so that the next start has nothing to execute again. On a full disk the space kept aside is given up
    /// for it.
    ///
    /// # Errors
    /// [`ChainError::is_out_of_space`] where even that is not enough: nothing is lost, the next start executes the rest again.
    pub fn close(&self) -> Result<(), ChainError> {
        match self.flush() {
            Err(error) if error.is_out_of_space() && self.shared.log.has_reserve() => {
                self.shared.log.release_reserve()?;
                self.flush()
            }
            done => done,
        }
    }
}

fn refuse_half_made(disk: &dyn Disk, root: &Path, place: &str) -> Result<(), ChainError> {
    if disk.exists(&root.join(REBUILD_MARK))? {
        return Err(ChainError::RebuildUnfinished { place: place.into() });
    }
    if disk.exists(&root.join(SNAPSHOT_FILE))? {
        return Err(ChainError::SnapshotUnfinished { place: place.into() });
    }
    Ok(())
}
