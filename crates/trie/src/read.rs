//! Looking up one key.

use crate::node::{Child, Node, NodeKind};
use crate::{Nibbles, NodeReader, Trie, TrieError, Value};

impl Trie {
    /// The value of `key`, if it has one.
    ///
    /// # Errors
    /// A node on the path that cannot be read, or a key longer than [`crate::MAX_KEY_BYTES`].
    pub fn get(&self, reader: &dyn NodeReader, key: &[u8]) -> Result<Option<Value>, TrieError> {
        let key = whole_key(key)?;
        get_below(&self.root, reader, &key, 0)
    }
}

pub(crate) fn whole_key(key: &[u8]) -> Result<Nibbles, TrieError> {
    Nibbles::from_key(key).ok_or(TrieError::KeyTooLong { bytes: key.len() })
}

fn get_below(
    child: &Child,
    reader: &dyn NodeReader,
    key: &Nibbles,
    depth: usize,
) -> Result<Option<Value>, TrieError> {
    match child {
        Child::Empty => Ok(None),
        Child::Node(node) => get_in(node, reader, key, depth),
        Child::Stored { hash, loc } => get_in(&*reader.read(*loc, hash)?, reader, key, depth),
    }
}

fn get_in(
    node: &Node,
    reader: &dyn NodeReader,
    key: &Nibbles,
    depth: usize,
) -> Result<Option<Value>, TrieError> {
    match node.kind() {
        NodeKind::Leaf { path, value } => Ok(key.ends_with(depth, path).then(|| value.clone())),
        NodeKind::Extension { path, child } => {
            if key.common(depth, path, 0) < path.len() {
                return Ok(None);
            }
            get_below(child, reader, key, depth + path.len())
        }
        NodeKind::Branch { value, .. } if key.len() == depth => Ok(value.as_deref().cloned()),
        NodeKind::Branch { children, .. } => get_below(children.get(key.at(depth)), reader, key, depth + 1),
    }
}
