//! Opening a chain: the folder's parts are brought to one state, and what the store lacks is executed again from the log.

use crate::chain::Chain;
use crate::error::ChainError;
use crate::record::StoredBlock;
use crate::rows::{BlockRow, MARKER, Marker};
use crate::shared::{ByBytes, Codes, Lineage, Shared};
use crate::tree::{Executed, Place, Tree};
use alloy_primitives::{B256, Bytes};
use coc_disk::{Disk, MemDisk, RealDisk};
use coc_evm::block::{EngineCalls, execute_block};
use coc_evm::genesis::Genesis;
use coc_evm::state::WorldState;
use coc_evm::types::{Block, Body, Header};
use coc_log::{BlockLog, LogOptions, Position};
use coc_store::{Batch, Index, LmdbIndex, LmdbOptions, MemIndex, MemOptions, NodeFiles, NodeFilesOptions, Table};
use coc_trie::{MemoryNodes, Trie};
use parking_lot::{Mutex, RwLock};
use quick_cache::sync::Cache;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Name of the genesis file in a data folder.
pub const GENESIS_FILE: &str = "genesis.json";
/// Blocks that the cache of decoded blocks is sized for; its bound is in bytes.
const CACHE_ITEMS: usize = 4_096;

/// How to open a chain.
#[derive(Clone, Debug)]
pub struct ChainOptions {
    /// Bytes of decoded trie nodes kept in memory.
    pub node_cache_bytes: u64,
    /// Bytes of decoded blocks kept in memory.
    pub block_cache_bytes: u64,
    /// Bytes the index may grow to on disk.
    pub index_budget_bytes: u64,
    /// Space kept aside so that a full disk can be left in order.
    pub reserve_bytes: u64,
}

impl Default for ChainOptions {
    fn default() -> Self {
        ChainOptions {
            node_cache_bytes: 64 << 20,
            block_cache_bytes: 32 << 20,
            index_budget_bytes: 64 << 30,
            reserve_bytes: coc_log::RESERVE_BYTES_DEFAULT,
        }
    }
}

/// What opening found and put in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Whether the folder was empty.
    pub created: bool,
    /// Bytes of a torn record cut from the log.
    pub cut_bytes: u64,
    /// Blocks executed again because the store lacked them.
    pub replayed_blocks: u64,
    /// Whether the store was lost and made anew from the log.
    pub rebuilt: bool,
}

/// The files of a chain, before anything is read from them.
struct Parts {
    disk: Arc<dyn Disk>,
    root: PathBuf,
    index: Arc<dyn Index>,
    lock: Option<coc_disk::DirLock>,
    dir: Option<PathBuf>,
}

/// The text of the genesis file in a data folder, where there is one.
pub fn genesis_of(dir: &Path) -> Result<Option<Vec<u8>>, ChainError> {
    match std::fs::read(dir.join(GENESIS_FILE)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ChainError::Genesis(format!("{} cannot be read: {error}", dir.join(GENESIS_FILE).display()))),
    }
}

impl Chain {
    /// Opens the chain of `genesis` (the text of a genesis file) in the folder `dir`, or in memory.
    pub fn open(genesis: &[u8], dir: Option<&Path>, options: &ChainOptions) -> Result<(Chain, Recovered), ChainError> {
        let parsed = Genesis::parse(genesis).map_err(|error| ChainError::Genesis(error.to_string()))?;
        let (header, hash) = genesis_block(&parsed)?;
        let parts = match dir {
            None => Parts {
                disk: Arc::new(MemDisk::new()),
                root: PathBuf::from("/"),
                index: Arc::new(MemIndex::new(MemOptions::default())),
                lock: None,
                dir: None,
            },
            Some(dir) => {
                let disk = RealDisk::new();
                disk.create_dir(dir)?;
                let lock = disk.lock_dir(dir)?;
                refuse_other_genesis(dir, hash)?;
                let mut lmdb = LmdbOptions::new(hash);
                lmdb.budget_bytes = options.index_budget_bytes;
                let index = LmdbIndex::open(&dir.join("index"), lmdb)?;
                if genesis_of(dir)?.is_none() {
                    coc_disk::replace_file(&disk, &dir.join(GENESIS_FILE), genesis)?;
                }
                Parts { disk: Arc::new(disk), root: dir.into(), index: Arc::new(index), lock: Some(lock), dir: Some(dir.into()) }
            }
        };
        Self::assemble(parsed, header, hash, parts, options)
    }

    /// Opens the chain of `genesis` on a disk and an index of the caller's: the simulator's way in.
    pub fn open_on(
        genesis: &[u8],
        disk: Arc<dyn Disk>,
        index: Arc<dyn Index>,
        options: &ChainOptions,
    ) -> Result<(Chain, Recovered), ChainError> {
        let parsed = Genesis::parse(genesis).map_err(|error| ChainError::Genesis(error.to_string()))?;
        let (header, hash) = genesis_block(&parsed)?;
        let parts = Parts { disk, root: PathBuf::from("/"), index, lock: None, dir: None };
        Self::assemble(parsed, header, hash, parts, options)
    }

    fn assemble(
        genesis: Genesis,
        header: Header,
        hash: B256,
        parts: Parts,
        options: &ChainOptions,
    ) -> Result<(Chain, Recovered), ChainError> {
        let marker_bytes = parts.index.get(Table::Meta, MARKER)?;
        let marker = marker_bytes.as_deref().and_then(Marker::decode);
        let mut log_options = LogOptions::new(hash.0);
        log_options.reserve_bytes = if parts.dir.is_some() { options.reserve_bytes } else { 0 };
        log_options.known_durable = Position(marker.as_ref().map_or(0, |marker| marker.next_position));
        let (log, opened) = BlockLog::open(parts.disk.clone(), &parts.root.join("log"), log_options)?;
        let lengths = marker.as_ref().map(|marker| marker.lengths.clone()).unwrap_or_default();
        let node_options = NodeFilesOptions { genesis_hash: hash, cache_bytes: options.node_cache_bytes };
        let (nodes, _) = NodeFiles::open(parts.disk.clone(), &parts.root.join("state"), node_options, &lengths)?;
        let nodes = Arc::new(nodes);
        let codes = Arc::new(Codes { index: parts.index.clone(), recent: RwLock::default() });
        let mut recovered = Recovered { created: opened.created, cut_bytes: opened.cut_bytes, ..Recovered::default() };
        recovered.rebuilt = marker.is_none() && !opened.created;
        if marker.is_none() {
            flush_genesis(&genesis, &header, hash, &log, &nodes, &*parts.index)?;
        }
        let cache = Cache::with_weighter(CACHE_ITEMS, options.block_cache_bytes, ByBytes);
        let is_coc = genesis.coc.is_some();
        let start = genesis_executed(header, hash, WorldState { accounts: Trie::empty(), nodes: nodes.clone(), codes: codes.clone() });
        let shared = Shared {
            schedule: genesis.schedule,
            is_coc,
            genesis_hash: hash,
            log,
            nodes,
            index: parts.index,
            codes,
            tree: RwLock::new(Tree::new(start)),
            cache,
            flushing: Mutex::new(()),
            deciding: Mutex::new(()),
            lock: parts.lock,
            dir: parts.dir,
        };
        let chain = Chain { shared: Arc::new(shared) };
        chain.recover(&mut recovered)?;
        Ok((chain, recovered))
    }

    /// Stands on the marker's head and executes what the log has beyond it.
    fn recover(&self, recovered: &mut Recovered) -> Result<(), ChainError> {
        let shared = &self.shared;
        let marker = self.marker()?.ok_or_else(|| ChainError::Genesis("the store has no marker".into()))?;
        let row = shared.row(&marker.head)?.ok_or(ChainError::UnknownBlock(marker.head))?;
        let stored = shared.record(row.position)?;
        let state = row.state.map_or_else(Trie::empty, |loc| Trie::stored(stored.block.header.state_root, loc));
        let head =
            Executed { stored, state: shared.world(state), codes: Arc::default(), changed: Arc::default(), place: Some(Place { position: row.position, end: marker.next_position }), flushed: true };
        *shared.tree.write() = Tree::new(head);
        let mut records = shared.log.iter_from(Position(marker.next_position)).peekable();
        while let Some(record) = records.next() {
            let record = record?;
            let end = match records.peek() {
                Some(Ok(next)) => next.position,
                _ => shared.log.next_position(),
            };
            let place = Place { position: record.position.0, end: end.0 };
            recovered.replayed_blocks += u64::from(self.replay(place, &record.bytes)?);
            if self.flush_is_due() {
                self.flush()?;
            }
        }
        if recovered.replayed_blocks > 0 {
            self.flush()?;
        }
        Ok(())
    }

    /// Executes a block that the log has and the store lacks.
    fn replay(&self, place: Place, bytes: &[u8]) -> Result<bool, ChainError> {
        let position = place.position;
        let stored = StoredBlock::decode(bytes).map_err(|reason| ChainError::Record { position, reason })?;
        if self.shared.row(&stored.hash)?.is_some() {
            return Ok(false);
        }
        let parent = self.shared.parent(&stored.block.header.parent_hash)?;
        let lineage = Lineage { shared: self.shared.clone(), from: parent.hash };
        let calls = EngineCalls::default();
        let validated = execute_block(
            &self.shared.schedule,
            &parent,
            &stored.block,
            stored.rlp_length,
            Some(stored.senders.clone()),
            (Arc::new(lineage.clone()), &lineage),
            &calls,
        )?;
        let (hash, heavier) = (stored.hash, stored.total_difficulty > self.shared.head().stored.total_difficulty);
        let longer = stored.block.header.difficulty.is_zero() && stored.block.header.number > self.shared.head().number();
        self.shared.codes.recent.write().extend(validated.executed.codes.iter().map(|(hash, code)| (*hash, code.clone())));
        let block = Executed {
            stored: Arc::new(stored),
            state: validated.executed.state,
            codes: Arc::new(validated.executed.codes),
            changed: Arc::default(),
            place: Some(place),
            flushed: false,
        };
        self.shared.tree.write().push_tail(block, bytes.len() as u64);
        if heavier || longer {
            self.set_head(&hash)?;
            self.set_finalized(&hash, &hash)?;
        }
        Ok(true)
    }

    /// Flushes what is left, so that the next start has nothing to execute again.
    pub fn close(&self) -> Result<(), ChainError> {
        self.flush()
    }
}

/// The header of block 0 with its state root, and its hash.
fn genesis_block(genesis: &Genesis) -> Result<(Header, B256), ChainError> {
    let scratch = MemoryNodes::new();
    let codes = Arc::new(Codes { index: Arc::new(MemIndex::new(MemOptions::default())), recent: RwLock::default() });
    let empty = WorldState { accounts: Trie::empty(), nodes: Arc::new(scratch), codes };
    let (header, _) = genesis.seal(empty)?;
    let hash = header.hash_slow();
    Ok((header, hash))
}

fn refuse_other_genesis(dir: &Path, hash: B256) -> Result<(), ChainError> {
    let Some(text) = genesis_of(dir)? else { return Ok(()) };
    let there = Genesis::parse(&text).map_err(|error| ChainError::Genesis(format!("{}: {error}", dir.join(GENESIS_FILE).display())))?;
    let (_, found) = genesis_block(&there)?;
    if found != hash {
        return Err(ChainError::Genesis(format!(
            "{} holds the chain with genesis {found}, not {hash}; use another `--data` folder, or start it without `--genesis`",
            dir.display()
        )));
    }
    Ok(())
}

fn genesis_stored(header: Header, hash: B256) -> StoredBlock {
    let withdrawals = header.withdrawals_root.map(|_| alloy_eips::eip4895::Withdrawals::default());
    let total_difficulty = header.difficulty;
    let block = Block { header, body: Body { transactions: Vec::new(), ommers: Vec::new(), withdrawals } };
    StoredBlock {
        hash,
        rlp_length: alloy_rlp::encode(&block).len(),
        block,
        consensus_data: Bytes::new(),
        seal: Bytes::new(),
        senders: Vec::new(),
        receipts: Vec::new(),
        total_difficulty,
    }
}

fn genesis_executed(header: Header, hash: B256, state: WorldState) -> Executed {
    Executed {
        stored: Arc::new(genesis_stored(header, hash)),
        state,
        codes: Arc::default(),
        changed: Arc::default(),
        place: Some(Place { position: 0, end: 0 }),
        flushed: true,
    }
}

/// Makes block 0 the first record of the log and the store's first state.
fn flush_genesis(
    genesis: &Genesis,
    header: &Header,
    hash: B256,
    log: &BlockLog,
    nodes: &Arc<NodeFiles>,
    index: &dyn Index,
) -> Result<(), ChainError> {
    let stored = genesis_stored(header.clone(), hash);
    let (position, next_position) = if log.first_position() == log.next_position() {
        (log.append_durable(&stored.encode())?, log.next_position())
    } else {
        let mut records = log.iter_from(log.first_position());
        let first = records.next().transpose()?.map_or(log.first_position(), |record| record.position);
        (first, records.next().transpose()?.map_or(log.next_position(), |record| record.position))
    };
    let codes = Arc::new(Codes { index: Arc::new(MemIndex::new(MemOptions::default())), recent: RwLock::default() });
    let empty = WorldState { accounts: Trie::empty(), nodes: nodes.clone(), codes };
    let (_, sealed) = genesis.seal(empty)?;
    let (state, lengths) = {
        let mut appender = nodes.appender();
        let state = sealed.state.accounts.flush(&mut appender)?;
        (state, appender.sync()?)
    };
    let mut batch = Batch::new();
    let row = BlockRow {
        number: header.number,
        position: position.0,
        state: state.loc(),
        total_difficulty: stored.total_difficulty,
    };
    batch.put(Table::Blocks, hash.as_slice(), &row.encode());
    batch.put(Table::Canonical, &header.number.to_be_bytes(), hash.as_slice());
    for (hash, code) in &sealed.codes {
        batch.put(Table::Code, hash.as_slice(), code);
    }
    let marker = Marker { head: hash, next_position: next_position.0, lengths };
    batch.put(Table::Meta, MARKER, &marker.encode());
    Ok(index.write(batch)?)
}
