//! Ranges of leaves, and the proof that they are all there are.
//!
//! A window of keys cuts a trie into subtrees that lie before it, inside it or behind it, and the nodes **across** one of its two
//! ends. The proof is the encodings of just these last ones, in the order in which a descent meets them. Whoever verifies makes
//! the same descent: a subtree inside is grown anew from the leaves and must be named by its parent, a node across must hash to
//! what its parent names, and what lies outside need not be known. Each step leaves no choice, so every range has exactly one
//! proof, and a leaf that is missing, added or changed shows in the subtree that it belongs to.
//!
//! Keys are hashes (32 bytes), as in every trie of a state.

use crate::decode::decode_node;
use crate::encode::encode_node;
use crate::node::{Child, Node, NodeKind};
use crate::update::{Change, grow};
use crate::{Nibbles, NodeReader, RangeError, Trie, TrieError, Value};
use alloy_primitives::{B256, Bytes, keccak256};
use std::sync::Arc;

/// The greatest key.
pub const LAST_KEY: B256 = B256::repeat_byte(0xff);

/// Nibbles of a key.
const KEY_NIBBLES: usize = 64;

/// All leaves of a trie from one key to another, both included, and their proof.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeafRange {
    /// The last key that the range speaks of: the one asked for or, where the bytes did not suffice, that of its last leaf.
    pub end: B256,
    /// Keys and values, in key order.
    pub leaves: Vec<(B256, Bytes)>,
    /// Encodings of the nodes across the ends, each before those below it, from left to right.
    pub proof: Vec<Bytes>,
}

/// Keys from `start` to `end`, both included.
struct Window {
    start: B256,
    end: B256,
}

/// Where the keys that begin with a path lie, seen from a window.
#[derive(PartialEq, Eq)]
enum Place {
    Before,
    Inside,
    Across,
    Behind,
}

impl Window {
    fn place(&self, path: &Nibbles) -> Place {
        let (first, last) = (padded(path, 0x00), padded(path, 0xff));
        if last < self.start {
            Place::Before
        } else if first > self.end {
            Place::Behind
        } else if first >= self.start && last <= self.end {
            Place::Inside
        } else {
            Place::Across
        }
    }
}

/// The key that begins with `path` and goes on with the nibbles of `filler`.
fn padded(path: &Nibbles, filler: u8) -> B256 {
    let mut key = B256::repeat_byte(filler);
    for index in 0..path.len() {
        let byte = &mut key[index / 2];
        let nibble = path.at(index);
        *byte = if index % 2 == 0 { nibble << 4 | (*byte & 0x0f) } else { (*byte & 0xf0) | nibble };
    }
    key
}

impl Trie {
    /// The leaves from `start` to `end` as far as `bytes_max` bytes of keys and values reach, one at least, with their proof.
    ///
    /// # Errors
    /// A node that cannot be read; [`TrieError::Damaged`] also for a trie whose keys are no hashes.
    pub fn range(
        &self,
        reader: &dyn NodeReader,
        start: &B256,
        end: &B256,
        bytes_max: usize,
    ) -> Result<LeafRange, TrieError> {
        let mut range = LeafRange { end: *end, ..LeafRange::default() };
        let mut bytes = 0;
        for entry in self.iter(reader, start.as_slice()) {
            let (key, value) = entry?;
            let key = B256::try_from(key.as_slice())
                .map_err(|_| TrieError::damaged(&self.root_hash(), "one of its keys is no hash"))?;
            if key > *end {
                break;
            }
            bytes += key.len() + value.rlp().len();
            if bytes > bytes_max
                && let Some((last, _)) = range.leaves.last()
            {
                range.end = *last;
                break;
            }
            range.leaves.push((key, Bytes::copy_from_slice(value.rlp())));
        }
        let window = Window { start: *start, end: range.end };
        let mut proving = Proving { reader, window, proof: Vec::new() };
        proving.descend(&self.root, Nibbles::EMPTY)?;
        range.proof = proving.proof;
        Ok(range)
    }
}

struct Proving<'a> {
    reader: &'a dyn NodeReader,
    window: Window,
    proof: Vec<Bytes>,
}

impl Proving<'_> {
    fn descend(&mut self, child: &Child, path: Nibbles) -> Result<(), TrieError> {
        if self.window.place(&path) != Place::Across {
            return Ok(());
        }
        let node: Arc<Node> = match child {
            Child::Empty => return Ok(()),
            Child::Node(node) => node.clone(),
            Child::Stored { hash, loc } => self.reader.read(*loc, hash)?,
        };
        if path.is_empty() || node.reference().as_hash().is_some() {
            let mut buffer = Vec::new();
            let rlp = encode_node(&node, &mut buffer);
            self.proof.push(Bytes::copy_from_slice(&buffer[rlp]));
        }
        let too_long = || TrieError::damaged(&node.hash(), "its path is longer than a key");
        match node.kind() {
            NodeKind::Leaf { .. } => Ok(()),
            NodeKind::Extension { path: rest, child } => {
                self.descend(child, path.join(rest).ok_or_else(too_long)?)
            }
            NodeKind::Branch { children, .. } => children
                .iter()
                .try_for_each(|(nibble, child)| self.descend(child, path.push(nibble).ok_or_else(too_long)?)),
        }
    }
}

/// Whether the trie with this root has leaves behind the range, once it is certain that the range holds all of its leaves from
/// `start` to the range's end, and nothing else.
///
/// # Errors
/// [`RangeError`] for any other list of leaves, and for any other proof than the one that [`Trie::range`] gives.
pub fn verify_range(root: B256, start: &B256, range: &LeafRange) -> Result<bool, RangeError> {
    let mut leaves = sorted(start, range)?;
    let window = Window { start: *start, end: range.end };
    let mut checking = Checking { window, proof: &range.proof, used: 0, has_more: false };
    if checking.window.place(&Nibbles::EMPTY) == Place::Inside {
        let grown = grow(0, &mut leaves).map_or_else(Trie::empty, |root| Trie { root });
        if grown.root_hash() != root {
            return Err(RangeError::OtherLeaves);
        }
    } else {
        let trie = Trie::stored(root, crate::proof::NOWHERE);
        checking.descend(&trie.root, Nibbles::EMPTY, &mut leaves)?;
    }
    if checking.used < range.proof.len() {
        return Err(RangeError::ProofTooLong { given: range.proof.len(), needed: checking.used });
    }
    Ok(checking.has_more)
}

/// The leaves as what is to be grown.
fn sorted(start: &B256, range: &LeafRange) -> Result<Vec<Change>, RangeError> {
    if range.end < *start {
        return Err(RangeError::Backwards);
    }
    let mut after = None;
    let mut changes = Vec::with_capacity(range.leaves.len());
    for (index, (key, value)) in range.leaves.iter().enumerate() {
        if after.is_some_and(|after| after >= key) {
            return Err(RangeError::Unordered { index });
        }
        if key < start || *key > range.end {
            return Err(RangeError::Outside { index });
        }
        if value.is_empty() {
            return Err(RangeError::NoValue { index });
        }
        after = Some(key);
        changes.push(Change { key: key_path(key), value: Some(Value::new(value)) });
    }
    Ok(changes)
}

fn key_path(key: &B256) -> Nibbles {
    Nibbles::from_key(key.as_slice()).expect("a hash is as long as a key may be")
}

struct Checking<'a> {
    window: Window,
    proof: &'a [Bytes],
    used: usize,
    has_more: bool,
}

impl Checking<'_> {
    /// Checks that `leaves` are those that the window has below `child`, which stands at `path`.
    fn descend(&mut self, child: &Child, path: Nibbles, leaves: &mut [Change]) -> Result<(), RangeError> {
        let place = self.window.place(&path);
        match place {
            Place::Behind if !child.is_empty() => self.has_more = true,
            Place::Inside if !is_named(grow(path.len(), leaves), child) => {
                return Err(RangeError::OtherLeaves);
            }
            _ => {}
        }
        if place != Place::Across {
            return Ok(());
        }
        match child {
            Child::Empty if leaves.is_empty() => Ok(()),
            Child::Empty => Err(RangeError::OtherLeaves),
            Child::Node(node) => self.walk(node.kind(), path, leaves),
            Child::Stored { hash, .. } => {
                let index = self.used;
                let rlp = self.proof.get(index).ok_or(RangeError::ProofTooShort { given: index })?;
                if keccak256(rlp) != *hash {
                    return Err(RangeError::HashMismatch { index });
                }
                self.used += 1;
                let node = decode_node(rlp, &mut || Ok(crate::proof::NOWHERE));
                self.walk(&node.map_err(|what| RangeError::Malformed { index, what })?, path, leaves)
            }
        }
    }

    fn walk(&mut self, kind: &NodeKind, path: Nibbles, leaves: &mut [Change]) -> Result<(), RangeError> {
        let index = self.used.saturating_sub(1);
        let no_key = |what| RangeError::Malformed { index, what };
        let too_long = || no_key("its path is longer than a key");
        match kind {
            NodeKind::Leaf { path: rest, value } => {
                let whole = path.join(rest).ok_or_else(too_long)?;
                if whole.len() != KEY_NIBBLES {
                    return Err(no_key("its leaf's key is no hash"));
                }
                let expected = match self.window.place(&whole) {
                    Place::Inside => Some((whole, value)),
                    place => {
                        self.has_more |= place == Place::Behind;
                        None
                    }
                };
                let is_it = match (expected, &*leaves) {
                    (None, []) => true,
                    (Some((key, value)), [leaf]) => leaf.key == key && leaf.value.as_ref() == Some(value),
                    _ => false,
                };
                if is_it { Ok(()) } else { Err(RangeError::OtherLeaves) }
            }
            NodeKind::Extension { path: rest, child } => {
                let below = path.join(rest).ok_or_else(too_long)?;
                if leaves.iter().any(|leaf| leaf.key.common(path.len(), rest, 0) < rest.len()) {
                    return Err(RangeError::OtherLeaves);
                }
                self.descend(child, below, leaves)
            }
            NodeKind::Branch { value: Some(_), .. } => Err(no_key("a key ends at its branch")),
            NodeKind::Branch { children, value: None } => {
                let mut rest = leaves;
                for nibble in 0..16 {
                    let below = path.push(nibble).ok_or_else(too_long)?;
                    let count = rest.partition_point(|leaf| leaf.key.at(path.len()) <= nibble);
                    let (group, after) = rest.split_at_mut(count);
                    self.descend(children.get(nibble), below, group)?;
                    rest = after;
                }
                Ok(())
            }
        }
    }
}

/// Whether a parent that names `child` names the subtree that was grown.
fn is_named(grown: Option<Child>, child: &Child) -> bool {
    match (grown, child) {
        (None, Child::Empty) => true,
        (Some(Child::Node(grown)), Child::Stored { hash, .. }) => grown.reference().as_hash() == Some(hash),
        (Some(Child::Node(grown)), Child::Node(named)) => {
            let (grown, named) = (grown.reference(), named.reference());
            grown.as_hash() == named.as_hash() && grown.inline_bytes() == named.inline_bytes()
        }
        _ => false,
    }
}
