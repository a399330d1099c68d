//! Decoded branches by location, bounded in bytes of memory, sharded, evicted by a CLOCK-like policy (`quick_cache`).
//!
//! Small nodes are not kept. Each stands below one key or a few, so it is seldom read twice, and reading it again, with a hash
//! of one block, costs no more than keeping it and letting it go.

use super::generation_of;
use coc_trie::{Loc, Node, NodeKind};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use std::sync::Arc;

/// Memory of a typical branch with its cache entry, in bytes: only the first guess of how many entries will fit.
const TYPICAL_NODE_BYTES: u64 = 600;

/// What the cache itself takes for an entry beside the node: key, pointer, hash table slot, list links.
const ENTRY_BYTES: u64 = 64;

/// Children from which on a branch is kept: its encoding is longer than one block of keccak-256.
const CHILDREN_MIN: usize = 4;

pub(super) struct NodeCache {
    nodes: Cache<Loc, Kept, NodeWeight>,
}

/// A node and the bytes that it takes, which are not to be counted again when it goes.
#[derive(Clone)]
struct Kept {
    node: Arc<Node>,
    bytes: u64,
}

#[derive(Clone)]
struct NodeWeight;

impl Weighter<Loc, Kept> for NodeWeight {
    fn weight(&self, _loc: &Loc, kept: &Kept) -> u64 {
        kept.bytes
    }
}

impl NodeCache {
    pub(super) fn new(bytes: u64) -> NodeCache {
        let entries = usize::try_from(bytes / TYPICAL_NODE_BYTES).unwrap_or(usize::MAX);
        NodeCache { nodes: Cache::with_weighter(entries, bytes, NodeWeight) }
    }

    pub(super) fn get(&self, loc: Loc) -> Option<Arc<Node>> {
        self.nodes.get(&loc).map(|kept| kept.node)
    }

    /// Keeps a node if that is worth it.
    pub(super) fn offer(&self, loc: Loc, node: &Arc<Node>) {
        let NodeKind::Branch { children, .. } = node.kind() else { return };
        if children.count() >= CHILDREN_MIN {
            let bytes = node.memory_bytes() as u64 + ENTRY_BYTES;
            self.nodes.insert(loc, Kept { node: Arc::clone(node), bytes });
        }
    }

    pub(super) fn forget_generation(&self, generation: u16) {
        self.nodes.retain(|loc, _| generation_of(*loc) != generation);
    }

    pub(super) fn bytes(&self) -> u64 {
        self.nodes.weight()
    }
}
