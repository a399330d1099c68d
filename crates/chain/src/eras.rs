//! Which states stand on places that will be given up, and who still reads them.
//!
//! When the copier has carried the head ([`crate::copier`]), every state in memory stands wholly at young places, and so does each one
//! that is made of it. But a reader that took a state before goes on with what it has. So every [`WorldState`] reads through an
//! [`Era`], a new one begins with each such turn, and old files go when nobody holds an earlier one.
//!
//! [`WorldState`]: coc_evm::state::WorldState

use alloy_primitives::B256;
use coc_store::NodeFiles;
use coc_trie::{Loc, Node, NodeReader, Trie, TrieError};
use parking_lot::RwLock;
use std::sync::Arc;

/// The node files, as the states of one era hold them.
pub struct Era {
    nodes: Arc<NodeFiles>,
}

impl NodeReader for Era {
    fn read(&self, loc: Loc, hash: &B256) -> Result<Arc<Node>, TrieError> {
        self.nodes.read(loc, hash)
    }

    fn read_many(&self, wanted: &[(Loc, B256)]) -> Result<Vec<Arc<Node>>, TrieError> {
        self.nodes.read_many(wanted)
    }
}

/// The eras of an open chain.
pub struct Eras {
    nodes: Arc<NodeFiles>,
    known: RwLock<Known>,
}

struct Known {
    current: Arc<Era>,
    /// Those before, while the files that they read are there.
    earlier: Vec<Arc<Era>>,
    /// Flushed states whose root lies before it are of an earlier era.
    begins: Loc,
    /// A state of this era: the one that was carried when it began.
    carried: Trie,
    /// Flushed states whose root lies before it are gone.
    floor: Loc,
}

impl Eras {
    /// The eras of a store in which states before `floor` are gone, and those before `begins` are to go; `carried` is a state that
    /// stands on places from there on alone.
    pub fn new(nodes: Arc<NodeFiles>, floor: Loc, begins: Loc, carried: Trie) -> Eras {
        let era = || Arc::new(Era { nodes: nodes.clone() });
        let earlier = if begins > floor { vec![era()] } else { Vec::new() };
        let known = Known { current: era(), earlier, begins: begins.max(floor), carried, floor };
        Eras { known: RwLock::new(known), nodes }
    }

    /// Through what a flushed state with its root at this place is read; nothing for one that is gone. An empty state has no place.
    pub fn of(&self, root: Option<Loc>) -> Option<Arc<Era>> {
        let known = self.known.read();
        match root {
            Some(loc) if loc < known.floor => None,
            Some(loc) if loc < known.begins => Some(known.earlier.last().unwrap_or(&known.current).clone()),
            _ => Some(known.current.clone()),
        }
    }

    /// The place from which on flushed states are of this era.
    pub fn begins(&self) -> Loc {
        self.known.read().begins
    }

    /// A state that stands wholly on places of this era: the flushed one with its root here if it does, else the one that was carried.
    pub fn young(&self, flushed: Trie) -> Trie {
        let known = self.known.read();
        if flushed.loc().is_some_and(|loc| loc >= known.begins) { flushed } else { known.carried.clone() }
    }

    /// Through what new states are read.
    pub fn current(&self) -> Arc<Era> {
        self.known.read().current.clone()
    }

    /// Whether what a state reads through is the current era.
    pub fn is_current(&self, nodes: &Arc<dyn NodeReader>) -> bool {
        let current = Arc::as_ptr(&self.known.read().current);
        std::ptr::addr_eq(Arc::as_ptr(nodes), current)
    }

    /// Begins an era: flushed states with their root before `begins` are of an earlier one, and `carried` is of this one.
    pub fn turn(&self, begins: Loc, carried: Trie) {
        let mut known = self.known.write();
        let era = Arc::new(Era { nodes: self.nodes.clone() });
        let before = std::mem::replace(&mut known.current, era);
        known.earlier.push(before);
        (known.begins, known.carried) = (begins, carried);
    }

    /// Hands out no state of an earlier era any more. Says whether nobody holds one: their files may go.
    pub fn end_earlier(&self) -> bool {
        let mut known = self.known.write();
        known.floor = known.begins;
        known.earlier.iter().all(|era| Arc::strong_count(era) == 1)
    }

    /// Forgets the eras that ended, once their files are gone.
    pub fn forget_earlier(&self) {
        self.known.write().earlier.clear();
    }
}
