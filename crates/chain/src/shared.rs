//! What every part of the chain reaches: log, node files, index, tree, and how a block is found by its hash.

use crate::base::Base;
use crate::copier::Copier;
use crate::engine::EngineRules;
use crate::eras::Eras;
use crate::error::ChainError;
use crate::folder::place_name;
use crate::record::StoredBlock;
use crate::rows::BlockRow;
use crate::tree::{Executed, Tree};
use alloy_primitives::map::B256Map;
use alloy_primitives::{Address, B256, Bytes};
use coc_evm::block::{Ancestors, Parent};
use coc_evm::error::StateError;
use coc_evm::fork::ForkSchedule;
use coc_evm::overlay::BlockHashes;
use coc_evm::state::{CodeReader, WorldState};
use coc_evm::types::Header;
use coc_log::{BlockLog, Position};
use coc_store::{Index, NodeFiles, Table};
use coc_trie::Trie;
use parking_lot::{Mutex, RwLock};
use quick_cache::sync::Cache;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Contract code: the index, and what is deployed but not yet flushed.
pub struct Codes {
    pub(crate) index: Arc<dyn Index>,
    pub(crate) recent: RwLock<B256Map<Bytes>>,
}

impl CodeReader for Codes {
    fn code(&self, hash: &B256) -> Result<Option<Bytes>, StateError> {
        if let Some(code) = self.recent.read().get(hash) {
            return Ok(Some(code.clone()));
        }
        let found =
            self.index.get(Table::Code, hash.as_slice()).map_err(|error| StateError(error.to_string()))?;
        Ok(found.map(Bytes::from))
    }
}

/// Weighs a cached block by its bytes in memory.
#[derive(Clone)]
pub struct ByBytes;

impl quick_cache::Weighter<B256, Arc<StoredBlock>> for ByBytes {
    fn weight(&self, _hash: &B256, block: &Arc<StoredBlock>) -> u64 {
        block.memory_bytes() as u64
    }
}

/// The beginning of a chain that came as a snapshot: of the blocks before it block 0 is known, and a few headers.
pub struct Beginning {
    /// The block that the log begins with.
    pub base: Base,
    /// Block 0, made from the genesis file.
    pub block_0: Arc<StoredBlock>,
}

/// The parts of an open chain.
pub struct Shared {
    /// The fork schedule.
    pub schedule: ForkSchedule,
    /// Whether the chain is one of ours.
    pub is_coc: bool,
    /// What the engine of our chains calls in a block.
    pub engine: EngineRules,
    /// Hash of block 0.
    pub genesis_hash: B256,
    /// Height of block 0, which a genesis file may set otherwise.
    pub genesis_number: u64,
    /// How the chain begins, where that is not with block 0.
    pub base: Option<Beginning>,
    /// The truth.
    pub log: BlockLog,
    /// Trie nodes.
    pub nodes: Arc<NodeFiles>,
    /// Which states stand on node files that are to go.
    pub eras: Eras,
    /// What gives old states up; locked after `flushing`.
    pub copier: Mutex<Copier>,
    /// States that are kept at least, the newest; all without it.
    pub states_kept: Option<u64>,
    /// Bytes of node files below which none are given up.
    pub copy_from_bytes: u64,
    /// Bytes that log, node files and index may take together.
    pub disk_budget_bytes: Option<u64>,
    /// Rows.
    pub index: Arc<dyn Index>,
    /// Code.
    pub codes: Arc<Codes>,
    /// Blocks in memory.
    pub tree: RwLock<Tree>,
    /// Decoded blocks.
    pub cache: Cache<B256, Arc<StoredBlock>, ByBytes>,
    /// Senders of transactions that came in before their block.
    pub senders: Cache<B256, Address>,
    /// Ancestors that could not be read while a block was executed.
    pub failed_reads: FailedReads,
    /// Held by the one flush that runs.
    pub flushing: Mutex<()>,
    /// Held while the log grows and the head moves.
    pub deciding: Mutex<()>,
    /// Keeps other processes out of the folder.
    pub lock: Option<coc_disk::DirLock>,
    /// The folder, where there is one.
    pub dir: Option<PathBuf>,
}

impl Shared {
    /// The state of flushed accounts; nothing where it is no longer kept.
    pub fn world(&self, accounts: Trie) -> Option<WorldState> {
        let nodes = self.eras.of(accounts.loc())?;
        Some(WorldState { accounts, nodes, codes: self.codes.clone() })
    }

    /// The state of accounts that stand wholly on places of this era.
    pub(crate) fn young_world(&self, accounts: Trie) -> WorldState {
        WorldState { accounts, nodes: self.eras.current(), codes: self.codes.clone() }
    }

    /// The index row of a flushed block.
    pub fn row(&self, hash: &B256) -> Result<Option<BlockRow>, ChainError> {
        let Some(bytes) = self.index.get(Table::Blocks, hash.as_slice())? else { return Ok(None) };
        match BlockRow::decode(&bytes) {
            Some(row) => Ok(Some(row)),
            None => Err(self.damaged(format!("the row of block {hash} is no row"))),
        }
    }

    fn damaged(&self, what: String) -> ChainError {
        ChainError::StoreDamaged { place: place_name(self.dir.as_ref()), what }
    }

    /// The record at a log position, decoded.
    pub fn record(&self, position: u64) -> Result<Arc<StoredBlock>, ChainError> {
        let bytes = self.log.read(Position(position))?;
        let block = StoredBlock::decode(&bytes).map_err(|reason| ChainError::Record { position, reason })?;
        Ok(Arc::new(block))
    }

    /// A known block: in memory, cached, or read from the log.
    pub fn stored(&self, hash: &B256) -> Result<Option<Arc<StoredBlock>>, ChainError> {
        if let Some(block) = self.tree.read().blocks.get(hash) {
            return Ok(Some(block.stored.clone()));
        }
        if let Some(block) = self.cache.get(hash) {
            return Ok(Some(block));
        }
        let Some(row) = self.row(hash)? else {
            let block_0 = self.base.as_ref().map(|base| &base.block_0);
            return Ok(block_0.filter(|block_0| block_0.hash == *hash).cloned());
        };
        let block = self.record(row.position)?;
        if block.hash != *hash {
            return Err(
                self.damaged(format!("the row of block {hash} names the record of block {}", block.hash))
            );
        }
        self.cache.insert(*hash, block.clone());
        Ok(Some(block))
    }

    /// The state after a known block.
    pub fn state(&self, hash: &B256) -> Result<WorldState, ChainError> {
        if let Some(block) = self.tree.read().blocks.get(hash) {
            return Ok(block.state.clone());
        }
        let Some(row) = self.row(hash)? else {
            let is_before =
                |begin: &Beginning| begin.block_0.hash == *hash || begin.base.ancestor(hash).is_some();
            let is_pruned = self.base.as_ref().is_some_and(is_before);
            return Err(if is_pruned { ChainError::Pruned(*hash) } else { ChainError::UnknownBlock(*hash) });
        };
        let header = &self.stored(hash)?.ok_or(ChainError::UnknownBlock(*hash))?.block.header;
        let trie = row.state.map_or_else(Trie::empty, |loc| Trie::stored(header.state_root, loc));
        if trie.root_hash() != header.state_root {
            return Err(self.damaged(format!("the row of block {hash} names no state")));
        }
        self.world(trie).ok_or(ChainError::Pruned(*hash))
    }

    /// A known block as the parent of a new one.
    pub fn parent(&self, hash: &B256) -> Result<Parent, ChainError> {
        let stored = self.stored(hash)?.ok_or(ChainError::UnknownParent(*hash))?;
        Ok(Parent {
            header: stored.block.header.clone(),
            hash: *hash,
            total_difficulty: stored.total_difficulty,
            state: self.state(hash)?,
        })
    }

    /// The canonical block at a height.
    pub fn canonical(&self, number: u64) -> Result<Option<B256>, ChainError> {
        {
            let tree = self.tree.read();
            if let Some(entry) = tree.canonical.get(&number) {
                return Ok(*entry);
            }
            if number > tree.head.number() {
                return Ok(None);
            }
        }
        let Some(bytes) = self.index.get(Table::Canonical, &number.to_be_bytes())? else {
            if let Some(begin) = self.base.as_ref().filter(|begin| number < begin.base.number) {
                let is_0 = number == self.genesis_number;
                return Ok(if is_0 { Some(self.genesis_hash) } else { begin.base.ancestor_at(number) });
            }
            // A reorganisation to a lower head may have come in between.
            if number < self.genesis_number || number > self.tree.read().head.number() {
                return Ok(None);
            }
            return Err(self.damaged(format!("it has no block at height {number}")));
        };
        match B256::try_from(bytes.as_slice()) {
            Ok(hash) => Ok(Some(hash)),
            Err(_) => Err(self.damaged(format!("the row of height {number} is no hash"))),
        }
    }

    /// The newest canonical block.
    pub fn head(&self) -> Executed {
        self.tree.read().head.clone()
    }
}

/// Remembers that an ancestor could not be read.
///
/// Execution asks for ancestors through traits that know "there is none" and no errors, and a block executed on a missing answer
/// would be judged wrongly. Whoever executes compares [`FailedReads::count`] before and after.
#[derive(Default)]
pub struct FailedReads {
    count: AtomicU64,
    newest: Mutex<String>,
}

impl FailedReads {
    /// How many there were.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    /// The newest failure, if there was one since the count was `before`. One of another thread counts as well: the disk is failing.
    pub fn refuse_since(&self, before: u64) -> Result<(), ChainError> {
        if self.count() == before {
            return Ok(());
        }
        Err(ChainError::State(StateError(self.newest.lock().clone())))
    }

    fn noted<T>(&self, read: Result<T, ChainError>) -> Option<T> {
        read.map_err(|error| {
            *self.newest.lock() = error.to_string();
            self.count.fetch_add(1, Ordering::Release);
        })
        .ok()
    }
}

/// The ancestors of one block.
#[derive(Clone)]
pub struct Lineage {
    /// The chain.
    pub shared: Arc<Shared>,
    /// The block whose ancestors (itself included) are meant.
    pub from: B256,
}

impl Lineage {
    fn hash_at(&self, number: u64) -> Result<Option<B256>, ChainError> {
        let mut at = self.from;
        loop {
            let Some(block) = self.shared.stored(&at)? else { return Ok(None) };
            let header = &block.block.header;
            if header.number == number {
                return Ok(Some(at));
            }
            if header.number < number {
                return Ok(None);
            }
            if self.shared.canonical(header.number)? == Some(at) {
                return self.shared.canonical(number);
            }
            at = header.parent_hash;
        }
    }
}

impl BlockHashes for Lineage {
    fn block_hash(&self, number: u64) -> Option<B256> {
        self.shared.failed_reads.noted(self.hash_at(number))?
    }
}

impl Ancestors for Lineage {
    fn ancestor(&self, hash: &B256) -> Option<(Header, Vec<B256>)> {
        let block = self.shared.failed_reads.noted(self.shared.stored(hash))??;
        Some((block.block.header.clone(), block.block.body.ommers.iter().map(Header::hash_slow).collect()))
    }
}
