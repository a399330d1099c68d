//! A world that lives in memory only: nothing is flushed, so no node is ever read by location.

use alloy_primitives::map::B256Map;
use alloy_primitives::{B256, Bytes};
use coc_evm::error::StateError;
use coc_evm::state::{CodeReader, WorldState};
use coc_trie::{Loc, Node, NodeReader, Trie, TrieError};
use std::sync::{Arc, PoisonError, RwLock};

/// Code by hash.
#[derive(Default)]
pub struct MemoryCodes(RwLock<B256Map<Bytes>>);

impl MemoryCodes {
    /// Adds newly deployed code.
    pub fn extend(&self, codes: B256Map<Bytes>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).extend(codes);
    }
}

impl CodeReader for MemoryCodes {
    fn code(&self, hash: &B256) -> Result<Option<Bytes>, StateError> {
        Ok(self.0.read().unwrap_or_else(PoisonError::into_inner).get(hash).cloned())
    }
}

/// The reader of a trie none of whose nodes was ever written.
pub struct NothingStored;

impl NodeReader for NothingStored {
    fn read(&self, loc: Loc, hash: &B256) -> Result<Arc<Node>, TrieError> {
        Err(TrieError::Missing { hash: *hash, loc })
    }
}

/// An empty world and the place its code goes to.
pub fn empty_world() -> (WorldState, Arc<MemoryCodes>) {
    let codes = Arc::new(MemoryCodes::default());
    (WorldState { accounts: Trie::empty(), nodes: Arc::new(NothingStored), codes: codes.clone() }, codes)
}
