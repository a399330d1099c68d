//! Writing what is not yet written.
//!
//! Post-order: a node's record names the places of its children, so children go first, and an account's
//! storage trie goes before the account. A node that was written keeps its place, so tries that share it
//! write it once.

use crate::node::{Child, Node, NodeKind};
use crate::record::{storage_root, write_record};
use crate::{NodeWriter, Trie, TrieError, Value};

impl Trie {
    /// Writes every node not yet written and gives the same trie with its root out of memory.
    ///
    /// A record that `writer` has accepted must stay readable for as long as the process lives: its node is
    /// not written again, also not when this flush fails further on (the next one goes on from there).
    ///
    /// # Errors
    /// What the writer says; [`TrieError::StorageRootMismatch`] and [`TrieError::StorageTrieMissing`] for an
    /// account whose encoding and storage trie do not fit.
    pub fn flush(&self, writer: &mut dyn NodeWriter) -> Result<Trie, TrieError> {
        if let Child::Node(root) = &self.root {
            self.root_hash();
            Flush { writer, record: Vec::new() }.write(root)?;
        }
        Ok(self.shed_below(0))
    }
}

struct Flush<'a> {
    writer: &'a mut dyn NodeWriter,
    record: Vec<u8>,
}

impl Flush<'_> {
    fn write(&mut self, node: &Node) -> Result<(), TrieError> {
        if node.loc().is_some() {
            return Ok(());
        }
        match node.kind() {
            NodeKind::Leaf { .. } => {}
            NodeKind::Extension { child, .. } => self.write_child(child)?,
            NodeKind::Branch { children, .. } => {
                children.warm();
                children.iter().try_for_each(|(_, child)| self.write_child(child))?;
            }
        }
        if let Some(value) = node.kind().value() {
            self.write_storage(value)?;
        }
        self.record.clear();
        let start = write_record(node, &mut self.record);
        node.learn_loc(self.writer.write(&self.record[start..])?);
        Ok(())
    }

    fn write_child(&mut self, child: &Child) -> Result<(), TrieError> {
        match child {
            Child::Node(node) if node.reference().as_hash().is_some() => self.write(node),
            _ => Ok(()),
        }
    }

    fn write_storage(&mut self, account: &Value) -> Result<(), TrieError> {
        match (account.storage(), storage_root(account)) {
            (None, None) => Ok(()),
            (None, Some(named)) => Err(TrieError::StorageTrieMissing { named }),
            (Some(storage), named) => {
                let carried = storage.root_hash();
                if named != Some(carried) {
                    return Err(TrieError::StorageRootMismatch { carried });
                }
                if let Child::Node(root) = &storage.root {
                    self.write(root)?;
                }
                Ok(())
            }
        }
    }
}
