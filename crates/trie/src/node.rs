//! The nodes of a trie in memory: immutable, shared by every trie they belong to, hashed at most once.

use crate::children::Children;
use crate::encode::encode_node;
use crate::{Loc, Nibbles, Value};
use alloy_primitives::{B256, keccak256};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Encodings shorter than this stand in their parent in full; others by their keccak-256 (yellow paper, eq.
/// 195).
pub(crate) const HASHED_FROM_BYTES: usize = 32;

/// The counts that an `Arc` keeps beside what it holds.
pub(crate) const ARC_COUNTS_BYTES: usize = 2 * size_of::<usize>();

const NOT_WRITTEN: u64 = 0;

/// What a trie, branch or extension points to.
#[derive(Clone, Debug)]
pub enum Child {
    /// Nothing.
    Empty,
    /// A node in memory, written or not.
    Node(Arc<Node>),
    /// A written node, to be read when needed.
    Stored {
        /// keccak-256 of its Merkle encoding.
        hash: B256,
        /// Where it was written.
        loc: Loc,
    },
}

/// The three shapes of a node.
#[derive(Debug)]
pub enum NodeKind {
    /// The end of a key, and its value.
    Leaf {
        /// The rest of the key.
        path: Nibbles,
        /// The key's value.
        value: Value,
    },
    /// A path that all keys below have in common.
    Extension {
        /// At least one nibble.
        path: Nibbles,
        /// A branch.
        child: Box<Child>,
    },
    /// A fork: one child a nibble.
    Branch {
        /// Those that are there.
        children: Children,
        /// The value of the key that ends here.
        value: Option<Box<Value>>,
    },
}

/// A node of the trie, with its Merkle reference and its place in the store once these are known.
///
/// The reference comes first: when a parent is rebuilt and hashed, its other children are only counted and
/// named, and so share one cache line with the counts of the `Arc`.
#[derive(Debug)]
#[repr(C)]
pub struct Node {
    reference: OnceLock<Reference>,
    loc: AtomicU64,
    kind: NodeKind,
}

/// How a parent names a child: the hash of its encoding or, when that is short, the encoding itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reference {
    bytes: B256,
    inline_len: u8,
}

impl Child {
    /// Whether there is nothing here.
    pub fn is_empty(&self) -> bool {
        matches!(self, Child::Empty)
    }
}

impl NodeKind {
    /// The value of the key that ends here.
    pub fn value(&self) -> Option<&Value> {
        match self {
            NodeKind::Leaf { value, .. } => Some(value),
            NodeKind::Branch { value, .. } => value.as_deref(),
            NodeKind::Extension { .. } => None,
        }
    }

    pub(crate) fn value_mut(&mut self) -> Option<&mut Value> {
        match self {
            NodeKind::Leaf { value, .. } => Some(value),
            NodeKind::Branch { value, .. } => value.as_deref_mut(),
            NodeKind::Extension { .. } => None,
        }
    }
}

impl From<NodeKind> for Child {
    fn from(kind: NodeKind) -> Child {
        Child::Node(Arc::new(Node::new(kind)))
    }
}

impl Node {
    pub(crate) fn new(kind: NodeKind) -> Node {
        Node { reference: OnceLock::new(), loc: AtomicU64::new(NOT_WRITTEN), kind }
    }

    pub(crate) fn with_reference(kind: NodeKind, reference: Reference) -> Node {
        Node { reference: OnceLock::from(reference), loc: AtomicU64::new(NOT_WRITTEN), kind }
    }

    /// What the node is.
    pub fn kind(&self) -> &NodeKind {
        &self.kind
    }

    /// How its parent names it; computed, with all that is below, on first use.
    pub(crate) fn reference(&self) -> &Reference {
        self.reference.get_or_init(|| {
            let mut buffer = Vec::new();
            let rlp = encode_node(self, &mut buffer);
            Reference::of(&buffer[rlp])
        })
    }

    pub(crate) fn known_reference(&self) -> Option<&Reference> {
        self.reference.get()
    }

    pub(crate) fn learn_reference(&self, reference: Reference) {
        // A second thread may have hashed the same node; both found the same reference.
        let _ = self.reference.set(reference);
    }

    /// keccak-256 of the node's encoding, also where a parent would hold the encoding itself.
    pub fn hash(&self) -> B256 {
        match self.reference().as_hash() {
            Some(hash) => *hash,
            None => keccak256(self.reference().inline_bytes()),
        }
    }

    /// Where the node was written, if it was.
    pub fn loc(&self) -> Option<Loc> {
        match self.loc.load(Ordering::Acquire) {
            NOT_WRITTEN => None,
            place => Some(Loc(place)),
        }
    }

    pub(crate) fn learn_loc(&self, loc: Loc) {
        self.loc.store(loc.0, Ordering::Release);
    }

    /// Bytes of memory the node takes, its own and its values' (not its children's nor its storage trie's):
    /// what a cache of nodes should count.
    pub fn memory_bytes(&self) -> usize {
        let own = ARC_COUNTS_BYTES + size_of::<Node>();
        own + match &self.kind {
            NodeKind::Leaf { value, .. } => value.memory_bytes(),
            NodeKind::Extension { .. } => size_of::<Child>(),
            NodeKind::Branch { children, value } => {
                let inline = children.iter().map(|(_, child)| match child {
                    Child::Node(node) => node.memory_bytes(),
                    _ => 0,
                });
                let value = value.as_ref().map_or(0, |value| size_of::<Value>() + value.memory_bytes());
                children.count() * size_of::<Child>() + inline.sum::<usize>() + value
            }
        }
    }
}

impl Reference {
    pub(crate) fn of(rlp: &[u8]) -> Reference {
        if rlp.len() < HASHED_FROM_BYTES {
            let mut bytes = B256::ZERO;
            bytes[..rlp.len()].copy_from_slice(rlp);
            return Reference { bytes, inline_len: rlp.len() as u8 };
        }
        Reference::hash(keccak256(rlp))
    }

    pub(crate) fn hash(hash: B256) -> Reference {
        Reference { bytes: hash, inline_len: 0 }
    }

    pub(crate) fn as_hash(&self) -> Option<&B256> {
        (self.inline_len == 0).then_some(&self.bytes)
    }

    pub(crate) fn inline_bytes(&self) -> &[u8] {
        &self.bytes[..self.inline_len as usize]
    }
}
