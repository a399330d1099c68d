//! The two narrow traits through which a trie reaches the files its nodes live in.
//!
//! A flushed node is found by its [`Loc`] (where it was written) and trusted only after its keccak-256 equals
//! the hash its parent names: locations make reads one positioned read, hashes keep them honest.

use crate::{Node, TrieError};
use alloy_primitives::B256;
use std::sync::Arc;

/// Where a node record was written: opaque to the trie, chosen by the [`NodeWriter`]. Never zero for a
/// written node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Loc(pub u64);

/// Reads nodes that were flushed. Implementations verify the hash on the first read and may cache.
pub trait NodeReader: Send + Sync {
    /// The node written at `loc`, whose Merkle encoding hashes to `hash`.
    fn read(&self, loc: Loc, hash: &B256) -> Result<Arc<Node>, TrieError>;

    /// The nodes at these places, in their order: for implementations that check many faster together than one by one.
    fn read_many(&self, wanted: &[(Loc, B256)]) -> Result<Vec<Arc<Node>>, TrieError> {
        wanted.iter().map(|(loc, hash)| self.read(*loc, hash)).collect()
    }
}

/// Takes node records during a flush, child before parent.
pub trait NodeWriter {
    /// Appends one record (see [`Node::encode_record`]) and says where it lies.
    ///
    /// An accepted record must stay readable for as long as the process lives: its node is never written
    /// again.
    fn write(&mut self, record: &[u8]) -> Result<Loc, TrieError>;
}
