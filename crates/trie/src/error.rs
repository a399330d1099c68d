//! What can go wrong in a trie: damage, absence, storage that fails, and callers' mistakes, told apart.

use crate::{Loc, MAX_KEY_BYTES};
use alloy_primitives::B256;
use std::error::Error;

/// Why a trie operation failed.
#[derive(Debug, thiserror::Error)]
pub enum TrieError {
    /// Stored bytes are not the node their parent names, or are no node at all.
    #[error("trie node {hash}{} is damaged: {what}; rebuild the state from the block log", place(.loc))]
    Damaged {
        /// The hash the parent names.
        hash: B256,
        /// Where the record lies, when known.
        loc: Option<Loc>,
        /// The first check that failed.
        what: &'static str,
    },
    /// The reader has no record at this place: it was pruned, or the trie belongs to another store.
    #[error("trie node {hash} is not in the store at {}; its state was pruned, or the store is damaged: run `coc db check`", .loc.0)]
    Missing {
        /// The hash the parent names.
        hash: B256,
        /// Where the record should lie.
        loc: Loc,
    },
    /// A key is longer than a path can be.
    #[error("a trie key of {bytes} bytes is longer than {MAX_KEY_BYTES}; hash it first")]
    KeyTooLong {
        /// The length given.
        bytes: usize,
    },
    /// A value names another storage root than that of the storage trie it carries.
    #[error(
        "an account's storage root is not that of the storage trie it carries ({carried}); encode it again"
    )]
    StorageRootMismatch {
        /// Root of the trie that the value carries.
        carried: B256,
    },
    /// An account with storage was put in a trie that is to be flushed, without the storage trie it names.
    #[error(
        "an account names the storage root {named} but carries no storage trie; attach the trie before flushing"
    )]
    StorageTrieMissing {
        /// The root that the account names.
        named: B256,
    },
    /// The store behind the reader or writer failed.
    #[error("the node store failed: {0}")]
    Storage(#[source] Box<dyn Error + Send + Sync>),
}

fn place(loc: &Option<Loc>) -> String {
    loc.map(|loc| format!(" at {}", loc.0)).unwrap_or_default()
}

impl TrieError {
    pub(crate) fn damaged(hash: &B256, what: &'static str) -> TrieError {
        TrieError::Damaged { hash: *hash, loc: None, what }
    }

    /// The same error with the place of the record filled in where it can be.
    #[must_use]
    pub fn at(self, place: Loc) -> TrieError {
        match self {
            TrieError::Damaged { hash, what, .. } => TrieError::Damaged { hash, loc: Some(place), what },
            other => other,
        }
    }
}

/// Why a proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// A node's hash is not the one its parent (or the root) names.
    #[error("proof node {index} does not hash to what its parent names; ask for a proof of this very root")]
    HashMismatch {
        /// Position in the list, from 0.
        index: usize,
    },
    /// A node is not canonical RLP of a trie node.
    #[error("proof node {index} is not a trie node: {what}")]
    Malformed {
        /// Position in the list, from 0.
        index: usize,
        /// The first check that failed.
        what: &'static str,
    },
    /// The path goes on below the last node given.
    #[error("the proof ends after {given} nodes, before the key's path does")]
    TooShort {
        /// Number of nodes given.
        given: usize,
    },
    /// Nodes are left over after the path has ended.
    #[error("the proof has {given} nodes but the key's path ends after {needed}")]
    TooLong {
        /// Number of nodes given.
        given: usize,
        /// Number of nodes on the path.
        needed: usize,
    },
    /// The key is longer than a path can be.
    #[error("a trie key of {bytes} bytes is longer than {MAX_KEY_BYTES}; hash it first")]
    KeyTooLong {
        /// The length given.
        bytes: usize,
    },
}

/// Why a range of leaves is not what the trie has between its ends, or is not proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// The range ends before it starts.
    #[error("the range ends before it starts")]
    Backwards,
    /// A leaf does not stand behind the one before it.
    #[error("leaf {index} does not stand behind the one before it")]
    Unordered {
        /// Position in the list, from 0.
        index: usize,
    },
    /// A leaf lies outside the range.
    #[error("leaf {index} lies outside the range")]
    Outside {
        /// Position in the list, from 0.
        index: usize,
    },
    /// A leaf is empty, which no leaf of a trie is.
    #[error("leaf {index} has no value")]
    NoValue {
        /// Position in the list, from 0.
        index: usize,
    },
    /// The trie has other leaves between the ends: one is missing, added or changed.
    #[error("the trie has other leaves in this range")]
    OtherLeaves,
    /// A node's hash is not the one its parent (or the root) names.
    #[error("proof node {index} does not hash to what its parent names; ask for a proof of this very root")]
    HashMismatch {
        /// Position in the list, from 0.
        index: usize,
    },
    /// A node is not canonical RLP of a node of a trie whose keys are hashes.
    #[error("proof node {index} is not a trie node: {what}")]
    Malformed {
        /// Position in the list, from 0.
        index: usize,
        /// The first check that failed.
        what: &'static str,
    },
    /// A node across an end of the range is missing.
    #[error("the proof ends after {given} nodes, and more lie across the ends of the range")]
    ProofTooShort {
        /// Number of nodes given.
        given: usize,
    },
    /// Nodes are left over.
    #[error("the proof has {given} nodes, of which {needed} lie across the ends of the range")]
    ProofTooLong {
        /// Number of nodes given.
        given: usize,
        /// Number of nodes across the ends.
        needed: usize,
    },
}
