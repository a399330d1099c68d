//! Looking up one key.

use crate::node::{Child, Node, NodeKind};
use crate::{Loc, Nibbles, NodeReader, Trie, TrieError, Value};
use alloy_primitives::B256;

impl Trie {
    /// The value of `key`, if it has one.
    ///
    /// # Errors
    /// A node on the path that cannot be read, or a key longer than [`crate::MAX_KEY_BYTES`].
    pub fn get(&self, reader: &dyn NodeReader, key: &[u8]) -> Result<Option<Value>, TrieError> {
        let key = whole_key(key)?;
        let mut reached = reach(&self.root, &key, 0);
        loop {
            match reached {
                Reached::End(value) => return Ok(value),
                Reached::Stored { loc, hash, depth } => {
                    reached = reach_in(&*reader.read(loc, &hash)?, &key, depth);
                }
            }
        }
    }
}

pub(crate) fn whole_key(key: &[u8]) -> Result<Nibbles, TrieError> {
    Nibbles::from_key(key).ok_or(TrieError::KeyTooLong { bytes: key.len() })
}

/// How far the nodes in memory lead.
pub(crate) enum Reached {
    /// To the end: the value, if there is one.
    End(Option<Value>),
    /// To a stored node, `depth` nibbles deep.
    Stored { loc: Loc, hash: B256, depth: usize },
}

/// Follows `key` from a child that stands `depth` nibbles deep.
pub(crate) fn reach(child: &Child, key: &Nibbles, depth: usize) -> Reached {
    match child {
        Child::Empty => Reached::End(None),
        Child::Node(node) => reach_in(node, key, depth),
        Child::Stored { hash, loc } => Reached::Stored { loc: *loc, hash: *hash, depth },
    }
}

/// Follows `key` from a node that stands `depth` nibbles deep.
pub(crate) fn reach_in(node: &Node, key: &Nibbles, depth: usize) -> Reached {
    match node.kind() {
        NodeKind::Leaf { path, value } => Reached::End(key.ends_with(depth, path).then(|| value.clone())),
        NodeKind::Extension { path, child } => {
            if key.common(depth, path, 0) < path.len() {
                return Reached::End(None);
            }
            reach(child, key, depth + path.len())
        }
        NodeKind::Branch { value, .. } if key.len() == depth => Reached::End(value.as_deref().cloned()),
        NodeKind::Branch { children, .. } => reach(children.get(key.at(depth)), key, depth + 1),
    }
}
