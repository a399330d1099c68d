//! Reading many keys in one descent, and keeping the nodes that it read.
//!
//! The keys go down the trie together, one depth at a time: what is in memory is passed at once, and the stored nodes that a
//! depth needs are asked for in one call, so that their reader can fetch and check them side by side. Whoever reads
//! keys in order to change them keeps what was read ([`NodesRead`]) and updates through it: each node is then fetched
//! once, whatever a cache behind the reader lets go meanwhile.

use crate::node::{Child, Node, NodeKind};
use crate::read::{Reached, reach, reach_in, whole_key};
use crate::{Loc, Nibbles, NodeReader, Trie, TrieError, Value};
use alloy_primitives::B256;
use alloy_primitives::map::HashMap;
use std::mem;
use std::ops::Range;
use std::sync::Arc;

/// Nodes that were read, by their place.
#[derive(Debug, Default)]
pub struct NodesRead {
    nodes: HashMap<Loc, Arc<Node>>,
}

/// A reader that asks another one only for what is not among the nodes read.
pub struct Through<'a> {
    read: &'a NodesRead,
    beyond: &'a dyn NodeReader,
}

impl NodesRead {
    /// Reads through these nodes, and what is not among them from `beyond`.
    pub fn before<'a>(&'a self, beyond: &'a dyn NodeReader) -> Through<'a> {
        Through { read: self, beyond }
    }

    /// Adds what was read.
    pub fn extend(&mut self, read: impl IntoIterator<Item = (Loc, Arc<Node>)>) {
        self.nodes.extend(read);
    }

    /// The value of `key` in a trie, read through these nodes; what is asked from `beyond` for it joins them.
    ///
    /// # Errors
    /// As [`Trie::get`].
    pub fn get(
        &mut self,
        trie: &Trie,
        beyond: &dyn NodeReader,
        key: &[u8],
    ) -> Result<Option<Value>, TrieError> {
        let key = whole_key(key)?;
        let mut reached = reach(&trie.root, &key, 0);
        loop {
            let (loc, hash, depth) = match reached {
                Reached::End(value) => return Ok(value),
                Reached::Stored { loc, hash, depth } => (loc, hash, depth),
            };
            let node = match self.find(loc, &hash) {
                Some(node) => node.clone(),
                None => beyond.read(loc, &hash)?,
            };
            reached = reach_in(&node, &key, depth);
            self.nodes.insert(loc, node);
        }
    }

    fn find(&self, loc: Loc, hash: &B256) -> Option<&Arc<Node>> {
        self.nodes.get(&loc).filter(|node| node.hash() == *hash)
    }
}

impl NodeReader for Through<'_> {
    fn read(&self, loc: Loc, hash: &B256) -> Result<Arc<Node>, TrieError> {
        self.read.find(loc, hash).map_or_else(|| self.beyond.read(loc, hash), |node| Ok(node.clone()))
    }

    fn read_many(&self, wanted: &[(Loc, B256)]) -> Result<Vec<Arc<Node>>, TrieError> {
        if wanted.iter().all(|(loc, hash)| self.read.find(*loc, hash).is_none()) {
            return self.beyond.read_many(wanted);
        }
        wanted.iter().map(|(loc, hash)| self.read(*loc, hash)).collect()
    }
}

impl Trie {
    /// Hands the value of each key, or that it has none, to `found` with the key's position in the list. The keys must be
    /// sorted. Returns the stored nodes that were read for it.
    ///
    /// # Errors
    /// A node on one of the paths that cannot be read, or a key longer than [`crate::MAX_KEY_BYTES`]; `found` may have
    /// been called for some of the keys then.
    pub fn get_many<Key: AsRef<[u8]>>(
        &self,
        reader: &dyn NodeReader,
        keys: &[Key],
        found: impl FnMut(usize, Option<&Value>),
    ) -> Result<Vec<(Loc, Arc<Node>)>, TrieError> {
        let keys: Vec<Nibbles> = keys.iter().map(|key| whole_key(key.as_ref())).collect::<Result<_, _>>()?;
        debug_assert!(keys.is_sorted());
        let mut search = Search { keys: &keys, found, wanted: Vec::new(), below: Vec::new() };
        let mut read = Vec::new();
        search.look_at(&self.root, 0, 0..keys.len());
        while !search.wanted.is_empty() {
            let places = mem::take(&mut search.wanted);
            let below = mem::take(&mut search.below);
            let nodes = reader.read_many(&places)?;
            for (node, (depth, keys)) in nodes.iter().zip(below) {
                search.look_into(node, depth, keys);
            }
            read.extend(places.into_iter().map(|(loc, _)| loc).zip(nodes));
        }
        Ok(read)
    }
}

/// A descent of all keys, as deep as the nodes in memory reach.
struct Search<'a, Found> {
    keys: &'a [Nibbles],
    found: Found,
    /// The stored nodes at which it goes on.
    wanted: Vec<(Loc, B256)>,
    /// For each of them how many nibbles deep it stands, and the keys below it.
    below: Vec<(usize, Range<usize>)>,
}

impl<Found: FnMut(usize, Option<&Value>)> Search<'_, Found> {
    /// Looks for these keys below a child that stands `depth` nibbles deep.
    fn look_at(&mut self, child: &Child, depth: usize, keys: Range<usize>) {
        if keys.is_empty() {
            return;
        }
        match child {
            Child::Empty => self.none(keys),
            Child::Node(node) => self.look_into(node, depth, keys),
            Child::Stored { hash, loc } => {
                self.wanted.push((*loc, *hash));
                self.below.push((depth, keys));
            }
        }
    }

    fn look_into(&mut self, node: &Node, depth: usize, keys: Range<usize>) {
        match node.kind() {
            NodeKind::Leaf { path, value } => {
                for index in keys {
                    (self.found)(index, self.keys[index].ends_with(depth, path).then_some(value));
                }
            }
            NodeKind::Extension { path, child } => {
                let shares = |key: &Nibbles| key.common(depth, path, 0) == path.len();
                let from = keys.start + self.keys[keys.clone()].iter().take_while(|key| !shares(key)).count();
                let to = from + self.keys[from..keys.end].iter().take_while(|key| shares(key)).count();
                self.none(keys.start..from);
                self.look_at(child, depth + path.len(), from..to);
                self.none(to..keys.end);
            }
            NodeKind::Branch { children, value } => {
                let mut from = keys.start;
                while from < keys.end {
                    let key = &self.keys[from];
                    if key.len() == depth {
                        (self.found)(from, value.as_deref());
                        from += 1;
                        continue;
                    }
                    let nibble = key.at(depth);
                    let same = |key: &Nibbles| key.len() > depth && key.at(depth) == nibble;
                    let to = from + self.keys[from..keys.end].partition_point(same);
                    self.look_at(children.get(nibble), depth + 1, from..to);
                    from = to;
                }
            }
        }
    }

    fn none(&mut self, keys: Range<usize>) {
        keys.for_each(|index| (self.found)(index, None));
    }
}
