//! Going through a trie in key order.

use crate::node::{Child, NodeKind};
use crate::read::whole_key;
use crate::{Nibbles, NodeReader, Trie, TrieError, Value};

/// The keys and values of a trie in key order; ends after the first error.
pub struct Entries<'a> {
    reader: &'a dyn NodeReader,
    from: Nibbles,
    /// What is still to be visited, the next one last.
    ahead: Vec<Ahead>,
}

enum Ahead {
    Subtree(Nibbles, Child),
    Entry(Vec<u8>, Value),
    Failed(TrieError),
}

impl Trie {
    /// The entries whose key is `from` or after it, in key order, read as they are asked for.
    ///
    /// A `from` longer than a key can be, and any node that cannot be read, comes as an error and ends the
    /// entries.
    pub fn iter<'a>(&self, reader: &'a dyn NodeReader, from: &[u8]) -> Entries<'a> {
        match whole_key(from) {
            Ok(from) => {
                Entries { reader, from, ahead: vec![Ahead::Subtree(Nibbles::EMPTY, self.root.clone())] }
            }
            Err(error) => Entries { reader, from: Nibbles::EMPTY, ahead: vec![Ahead::Failed(error)] },
        }
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<(Vec<u8>, Value), TrieError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let failed = match self.ahead.pop()? {
                Ahead::Entry(key, value) => return Some(Ok((key, value))),
                Ahead::Subtree(path, child) => match self.open(path, child) {
                    Ok(()) => continue,
                    Err(error) => error,
                },
                Ahead::Failed(error) => error,
            };
            self.ahead.clear();
            return Some(Err(failed));
        }
    }
}

impl Entries<'_> {
    fn open(&mut self, path: Nibbles, child: Child) -> Result<(), TrieError> {
        let common = path.common(0, &self.from, 0);
        let is_before = common < path.len() && path < self.from;
        if is_before {
            return Ok(());
        }
        let node = match child {
            Child::Empty => return Ok(()),
            Child::Node(node) => node,
            Child::Stored { hash, loc } => self.reader.read(loc, &hash)?,
        };
        let too_long = || TrieError::damaged(&node.hash(), "its path is longer than a key");
        let within_byte = || TrieError::damaged(&node.hash(), "a key ends within a byte");
        match node.kind() {
            NodeKind::Leaf { path: rest, value } => {
                let path = path.join(rest).ok_or_else(too_long)?;
                if path >= self.from {
                    let key = path.as_key().ok_or_else(within_byte)?.to_vec();
                    self.ahead.push(Ahead::Entry(key, value.clone()));
                }
            }
            NodeKind::Extension { path: rest, child } => {
                self.ahead.push(Ahead::Subtree(path.join(rest).ok_or_else(too_long)?, (**child).clone()));
            }
            NodeKind::Branch { children, value } => {
                let first = self.ahead.len();
                if let Some(value) = value.as_deref().filter(|_| path >= self.from) {
                    let key = path.as_key().ok_or_else(within_byte)?.to_vec();
                    self.ahead.push(Ahead::Entry(key, value.clone()));
                }
                for (nibble, child) in children.iter() {
                    self.ahead.push(Ahead::Subtree(path.push(nibble).ok_or_else(too_long)?, child.clone()));
                }
                self.ahead[first..].reverse();
            }
        }
        Ok(())
    }
}
