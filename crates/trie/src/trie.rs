//! The trie as a value.

use crate::node::Child;
use crate::{Loc, hashing};
use alloy_primitives::{B256, b256};

/// Root hash of a trie without keys: keccak-256 of the RLP of the empty string.
pub const EMPTY_ROOT_HASH: B256 = b256!("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");

/// A trie: cheap to clone, immutable, readable from any thread.
#[derive(Clone, Debug)]
pub struct Trie {
    pub(crate) root: Child,
}

impl Trie {
    /// The trie without keys.
    pub fn empty() -> Trie {
        Trie { root: Child::Empty }
    }

    /// The trie whose root node has this hash and was written at `loc` (not looked at for
    /// [`EMPTY_ROOT_HASH`]).
    pub fn stored(hash: B256, loc: Loc) -> Trie {
        if hash == EMPTY_ROOT_HASH {
            return Trie::empty();
        }
        Trie { root: Child::Stored { hash, loc } }
    }

    /// Whether the trie has no keys.
    pub fn is_empty(&self) -> bool {
        self.root.is_empty()
    }

    /// Where the root node was written; nothing for a trie that is empty or not yet flushed.
    pub fn loc(&self) -> Option<Loc> {
        match &self.root {
            Child::Empty => None,
            Child::Node(node) => node.loc(),
            Child::Stored { loc, .. } => Some(*loc),
        }
    }

    /// The root hash; what is not yet hashed is hashed now, on all threads of the current rayon pool if it is
    /// much.
    pub fn root_hash(&self) -> B256 {
        match &self.root {
            Child::Empty => EMPTY_ROOT_HASH,
            Child::Stored { hash, .. } => *hash,
            Child::Node(node) => {
                hashing::hash_all_below(std::iter::once(&**node));
                node.hash()
            }
        }
    }

    /// The root hash of each trie. Many small tries (the storage of a block's accounts) are hashed faster
    /// together than one after the other.
    pub fn root_hashes<'a>(tries: impl IntoIterator<Item = &'a Trie>) -> Vec<B256> {
        let tries: Vec<&Trie> = tries.into_iter().collect();
        hashing::hash_all_below(tries.iter().filter_map(|trie| match &trie.root {
            Child::Node(node) => Some(&**node),
            _ => None,
        }));
        tries.into_iter().map(Trie::root_hash).collect()
    }
}

impl Default for Trie {
    fn default() -> Trie {
        Trie::empty()
    }
}
