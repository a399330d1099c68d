//! A trie that grows from its leaves in key order, in bounded memory.
//!
//! Only the path to the last key is open: the branches on it, each with the children to its left. Whatever ends to the left
//! of a new key is finished, so it may be written and let go ([`GrowingTrie::settle`]), and what remains is a few kilobytes
//! however large the trie becomes. That remainder has an encoding, so that a process may end and another go on.
//!
//! Keys are hashes (32 bytes), as in every trie of a state.

use crate::children::Gathering;
use crate::decode::decode_node;
use crate::hashing::hash_all_below;
use crate::node::{Child, HASHED_FROM_BYTES, Node, NodeKind, Reference};
use crate::record::storage_root;
use crate::{Loc, Nibbles, NodeWriter, Trie, TrieError, Value};
use alloy_primitives::B256;
use std::sync::Arc;

/// Tag of a child that was written, where others have the length of their encoding.
const WRITTEN: u8 = 0;

/// Leaves in rising order on their way to a trie.
#[derive(Clone, Debug, Default)]
pub struct GrowingTrie {
    /// The last leaf; not yet a node, since the next key decides where it stands.
    last: Option<(Nibbles, Value)>,
    /// The branches above it, the root's side first.
    open: Vec<Open>,
    unwritten: usize,
}

/// A branch that may get further children.
#[derive(Clone, Debug)]
struct Open {
    /// Nibbles above it.
    depth: usize,
    /// Those left of the last key.
    children: Vec<(u8, Child)>,
}

impl GrowingTrie {
    /// Adds a leaf; an account with storage carries its storage trie, written.
    ///
    /// # Panics
    /// If the key does not lie behind the last one.
    pub fn push(&mut self, key: &B256, value: Value) {
        let key = Nibbles::from_key(key.as_slice()).expect("a hash is as long as a key may be");
        self.unwritten += 1;
        let Some((last, before)) = self.last.replace((key, value)) else { return };
        assert!(last < key, "leaves are added in key order");
        let fork = last.common(0, &key, 0);
        let mut done = Done::Leaf(before);
        while let Some(branch) = self.open.pop_if(|branch| branch.depth > fork) {
            done = Done::Branch(branch.closed(&last, done));
        }
        let child = (last.at(fork), done.standing(&last, fork + 1));
        match self.open.last_mut().filter(|branch| branch.depth == fork) {
            Some(branch) => branch.children.push(child),
            None => self.open.push(Open { depth: fork, children: vec![child] }),
        }
    }

    /// The key of the last leaf.
    pub fn last_key(&self) -> Option<B256> {
        self.last.as_ref().map(|(key, _)| B256::from_slice(key.packed()))
    }

    /// Leaves that were added since it settled: what memory grows by.
    pub fn unwritten(&self) -> usize {
        self.unwritten
    }

    /// Writes what is finished and lets go of it.
    ///
    /// # Errors
    /// What the writer says; the call may be repeated. As [`Trie::flush`] for accounts that do not fit their storage.
    pub fn settle(&mut self, writer: &mut dyn NodeWriter) -> Result<(), TrieError> {
        hash_all_below(self.open.iter().flat_map(|branch| &branch.children).filter_map(|(_, child)| {
            match child {
                Child::Node(node) => Some(&**node),
                _ => None,
            }
        }));
        for (_, child) in self.open.iter_mut().flat_map(|branch| &mut branch.children) {
            if let Child::Node(node) = &*child
                && node.reference().as_hash().is_some()
            {
                *child = Trie { root: child.clone() }.flush(writer)?.root;
            }
        }
        self.unwritten = 0;
        Ok(())
    }

    /// The trie of the leaves so far.
    pub fn trie(&self) -> Trie {
        let Some((last, value)) = &self.last else { return Trie::empty() };
        let mut done = Done::Leaf(value.clone());
        for branch in self.open.iter().rev() {
            done = Done::Branch(branch.clone().closed(last, done));
        }
        Trie { root: done.standing(last, 0) }
    }

    /// What a later process needs to go on: everything that is not yet written, so settle first.
    ///
    /// # Panics
    /// If a finished subtree is not written.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let Some((key, value)) = &self.last else { return out };
        out.extend_from_slice(key.packed());
        out.extend_from_slice(&(value.rlp().len() as u32).to_le_bytes());
        out.extend_from_slice(value.rlp());
        let storage = value.storage().map_or(0, |storage| storage.loc().expect("storage is written first").0);
        out.extend_from_slice(&storage.to_le_bytes());
        for branch in &self.open {
            out.extend_from_slice(&[branch.depth as u8, branch.children.len() as u8]);
            for (nibble, child) in &branch.children {
                out.push(*nibble);
                encode_child(child, &mut out);
            }
        }
        out
    }

    /// Reads back what [`GrowingTrie::encode`] wrote; nothing for other bytes.
    pub fn decode(bytes: &[u8]) -> Option<GrowingTrie> {
        if bytes.is_empty() {
            return Some(GrowingTrie::default());
        }
        let mut rest = bytes;
        let key = Nibbles::from_key(take(&mut rest, 32)?)?;
        let length = u32::from_le_bytes(take(&mut rest, 4)?.try_into().ok()?);
        let rlp = take(&mut rest, length as usize)?;
        let loc = take_loc(&mut rest)?;
        let bare = Value::new(rlp);
        let value = match (storage_root(&bare), loc) {
            (None, 0) => bare,
            (Some(root), loc) if loc != 0 => Value::account(rlp, Trie::stored(root, Loc(loc))),
            _ => return None,
        };
        let mut open: Vec<Open> = Vec::new();
        while let [depth, count, after @ ..] = rest {
            rest = after;
            let depth = usize::from(*depth);
            if depth >= key.len() || open.last().is_some_and(|above| above.depth >= depth) {
                return None;
            }
            let children = (0..*count).map(|_| decode_child(&mut rest)).collect::<Option<Vec<_>>>()?;
            let rises = children.is_sorted_by(|(before, _), (after, _)| before < after);
            if !rises || children.last().is_none_or(|(nibble, _)| *nibble >= key.at(depth)) {
                return None;
            }
            open.push(Open { depth, children });
        }
        let unwritten = 0;
        rest.is_empty().then_some(GrowingTrie { last: Some((key, value)), open, unwritten })
    }
}

/// What ends with the last key: it gets its place once that of its parent is known.
enum Done {
    Leaf(Value),
    /// A branch this many nibbles deep.
    Branch((usize, NodeKind)),
}

impl Done {
    /// The node as it stands `depth` nibbles deep on the way to `key`.
    fn standing(self, key: &Nibbles, depth: usize) -> Child {
        match self {
            Done::Leaf(value) => NodeKind::Leaf { path: key.tail(depth), value }.into(),
            Done::Branch((at, branch)) if at == depth => branch.into(),
            Done::Branch((at, branch)) => {
                let path = key.head(at).tail(depth);
                NodeKind::Extension { path, child: Box::new(branch.into()) }.into()
            }
        }
    }
}

impl Open {
    /// The branch with its last child, on the way to `key`.
    fn closed(self, key: &Nibbles, last: Done) -> (usize, NodeKind) {
        let mut children = Gathering::with_capacity(self.children.len() + 1);
        for (nibble, child) in self.children {
            children.push(nibble, child);
        }
        children.push(key.at(self.depth), last.standing(key, self.depth + 1));
        (self.depth, NodeKind::Branch { children: children.finish(), value: None })
    }
}

fn encode_child(child: &Child, out: &mut Vec<u8>) {
    match child {
        Child::Stored { hash, loc } => {
            out.push(WRITTEN);
            out.extend_from_slice(hash.as_slice());
            out.extend_from_slice(&loc.0.to_le_bytes());
        }
        Child::Node(node) => {
            let inline = node.reference().inline_bytes();
            assert!(!inline.is_empty(), "what is finished is written first");
            out.push(inline.len() as u8);
            out.extend_from_slice(inline);
        }
        Child::Empty => unreachable!("a branch has no empty children"),
    }
}

fn decode_child(rest: &mut &[u8]) -> Option<(u8, Child)> {
    let nibble = take(rest, 1)?[0];
    let tag = take(rest, 1)?[0];
    if tag == WRITTEN {
        let hash = B256::from_slice(take(rest, 32)?);
        let loc = take_loc(rest).filter(|loc| *loc != 0)?;
        return Some((nibble, Child::Stored { hash, loc: Loc(loc) }));
    }
    let rlp = take(rest, usize::from(tag)).filter(|rlp| rlp.len() < HASHED_FROM_BYTES)?;
    let kind = decode_node(rlp, &mut || Err("a node inside its parent has no place of its own")).ok()?;
    Some((nibble, Child::Node(Arc::new(Node::with_reference(kind, Reference::of(rlp))))))
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(count)?;
    *rest = after;
    Some(taken)
}

fn take_loc(rest: &mut &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(take(rest, 8)?.try_into().ok()?))
}
