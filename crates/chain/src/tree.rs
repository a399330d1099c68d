//! The executed blocks that are held in memory: undecided candidates, decided blocks not yet flushed, and the newest flushed ones.
//!
//! Python names a block by its hash and holds none of this. Everything here is immutable once inserted and replaced as a whole, so that
//! readers keep what they have taken.

use crate::record::StoredBlock;
use alloy_primitives::map::{AddressSet, B256Map};
use alloy_primitives::{B256, Bytes};
use coc_evm::state::WorldState;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Flushed blocks that stay in memory behind the head: parents of new candidates, and what clients ask for most.
const RECENT_KEPT: u64 = 16;

/// Where a record lies in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its position.
    pub position: u64,
    /// The position after it.
    pub end: u64,
}

/// An executed block.
#[derive(Clone)]
pub struct Executed {
    /// The block and what is known about it.
    pub stored: Arc<StoredBlock>,
    /// The state after it.
    pub state: WorldState,
    /// Code it deployed.
    pub codes: Arc<B256Map<Bytes>>,
    /// Accounts it changed; unknown, hence empty, for blocks read from the log.
    pub changed: Arc<AddressSet>,
    /// Its record in the log; `None` until it is decided.
    pub place: Option<Place>,
    /// Whether the store holds it.
    pub flushed: bool,
}

impl Executed {
    /// Its height.
    pub fn number(&self) -> u64 {
        self.stored.block.header.number
    }
}

/// Blocks in memory and what is head, safe and finalized.
pub struct Tree {
    /// Every executed block in memory.
    pub blocks: B256Map<Executed>,
    /// Decided and unflushed blocks in the order of the log.
    pub tail: Vec<B256>,
    /// Gas of the tail.
    pub tail_gas: u64,
    /// Log bytes of the tail.
    pub tail_bytes: u64,
    /// Canonical hashes that differ from the index, or are above it; `None` where the index has a height that is gone.
    pub canonical: BTreeMap<u64, Option<B256>>,
    /// The newest canonical block.
    pub head: Executed,
    /// The newest block that a client may rely on.
    pub safe: B256,
    /// The newest block that is never reverted.
    pub finalized: B256,
}

impl Tree {
    /// A tree whose only block is `head`.
    pub fn new(head: Executed) -> Tree {
        let hash = head.stored.hash;
        Tree {
            blocks: B256Map::from_iter([(hash, head.clone())]),
            tail: Vec::new(),
            tail_gas: 0,
            tail_bytes: 0,
            canonical: BTreeMap::new(),
            head,
            safe: hash,
            finalized: hash,
        }
    }

    /// Adds a decided block to the tail.
    pub fn push_tail(&mut self, block: Executed, record_bytes: u64) {
        self.tail.push(block.stored.hash);
        self.tail_gas += block.stored.block.header.gas_used;
        self.tail_bytes += record_bytes;
        self.blocks.insert(block.stored.hash, block);
    }

    /// Adds an executed block, unless it is here already, perhaps decided.
    pub fn add_candidate(&mut self, block: Executed) {
        self.blocks.entry(block.stored.hash).or_insert(block);
    }

    /// Takes out what memory need not hold: candidates that lost, and flushed blocks well behind the head.
    pub fn prune(&mut self) -> Vec<Executed> {
        let floor = self.head.number().saturating_sub(RECENT_KEPT);
        let (head, safe, finalized) = (self.head.stored.hash, self.safe, self.finalized);
        let is_needed = |hash: &B256, block: &Executed| {
            let unflushed = block.place.is_some() && !block.flushed;
            unflushed || block.number() >= floor || [head, safe, finalized].contains(hash)
        };
        let gone: Vec<B256> = self
            .blocks
            .iter()
            .filter(|(hash, block)| !is_needed(hash, block))
            .map(|(hash, _)| *hash)
            .collect();
        gone.iter().filter_map(|hash| self.blocks.remove(hash)).collect()
    }
}
