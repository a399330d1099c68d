//! Letting written nodes go from memory.

use crate::children::{Children, Replacing};
use crate::node::{Child, Node, NodeKind};
use crate::{Loc, Trie, Value};
use std::sync::Arc;

impl Trie {
    /// The same trie, holding in memory only what is not yet written and the nodes that stand less than
    /// `nibbles` deep (those of an account's storage trie counted on from the account).
    ///
    /// What is let go is freed when no other trie shares it, and comes back through the reader when needed.
    /// Keeping the top is worth its memory: every change goes through it. Four nibbles of a large state are
    /// 4,369 nodes, about 4 MB; five are 65,536 nodes more, about 60 MB. What was never in memory is not
    /// fetched.
    #[must_use]
    pub fn shed_below(&self, nibbles: usize) -> Trie {
        Trie { root: shed(&self.root, nibbles).unwrap_or_else(|| self.root.clone()) }
    }
}

/// What takes the place of `child`; nothing if it stays.
fn shed(child: &Child, nibbles: usize) -> Option<Child> {
    let Child::Node(node) = child else { return None };
    let loc = node.loc()?;
    if nibbles == 0 {
        return Some(Child::Stored { hash: node.hash(), loc });
    }
    let kind = match node.kind() {
        NodeKind::Leaf { path, value } => {
            NodeKind::Leaf { path: *path, value: shed_storage(value, nibbles)? }
        }
        NodeKind::Extension { path, child } => {
            let child = shed(child, nibbles.saturating_sub(path.len()))?;
            NodeKind::Extension { path: *path, child: Box::new(child) }
        }
        NodeKind::Branch { children, value } => {
            NodeKind::Branch { children: shed_children(children, nibbles - 1)?, value: value.clone() }
        }
    };
    Some(Child::Node(Arc::new(rebuilt(node, kind, loc))))
}

/// An account near the top keeps only the top of its storage.
fn shed_storage(account: &Value, nibbles: usize) -> Option<Value> {
    let storage = account.storage()?;
    let root = shed(&storage.root, nibbles)?;
    Some(Value::account(account.rlp(), Trie { root }))
}

fn shed_children(children: &Children, nibbles: usize) -> Option<Children> {
    let mut changed = None;
    for (nibble, child) in children.iter() {
        if let Some(child) = shed(child, nibbles) {
            changed.get_or_insert_with(|| children.replacing(0)).put(nibble, child);
        }
    }
    changed.map(Replacing::finish)
}

fn rebuilt(node: &Node, kind: NodeKind, loc: Loc) -> Node {
    let rebuilt = Node::with_reference(kind, *node.reference());
    rebuilt.learn_loc(loc);
    rebuilt
}
