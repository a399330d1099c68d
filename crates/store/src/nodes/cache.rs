//! Decoded nodes by location, bounded in bytes of memory, sharded, evicted by a CLOCK-like policy (`quick_cache`).

use super::generation_of;
use coc_trie::{Loc, Node};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use std::sync::Arc;

/// Memory of a typical node with its cache entry, in bytes: only the first guess of how many entries will fit.
const TYPICAL_NODE_BYTES: u64 = 400;

/// What the cache itself takes for an entry beside the node: key, pointer, hash table slot, list links.
const ENTRY_BYTES: u64 = 64;

pub(super) struct NodeCache {
    nodes: Cache<Loc, Arc<Node>, NodeWeight>,
}

#[derive(Clone)]
struct NodeWeight;

impl Weighter<Loc, Arc<Node>> for NodeWeight {
    fn weight(&self, _loc: &Loc, node: &Arc<Node>) -> u64 {
        node.memory_bytes() as u64 + ENTRY_BYTES
    }
}

impl NodeCache {
    pub(super) fn new(bytes: u64) -> NodeCache {
        let entries = usize::try_from(bytes / TYPICAL_NODE_BYTES).unwrap_or(usize::MAX);
        NodeCache { nodes: Cache::with_weighter(entries, bytes, NodeWeight) }
    }

    pub(super) fn get(&self, loc: Loc) -> Option<Arc<Node>> {
        self.nodes.get(&loc)
    }

    pub(super) fn insert(&self, loc: Loc, node: Arc<Node>) {
        self.nodes.insert(loc, node);
    }

    pub(super) fn forget_generation(&self, generation: u16) {
        self.nodes.retain(|loc, _| generation_of(*loc) != generation);
    }

    pub(super) fn bytes(&self) -> u64 {
        self.nodes.weight()
    }
}
