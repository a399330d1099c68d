//! Changing many keys at once.
//!
//! The changes are sorted and go down the trie together: at a branch the slice is cut by nibble, and only
//! nodes that a change reaches are built anew. Every step gives either the new child or nothing, when the
//! changes changed nothing, so that untouched nodes (written and hashed already) stay the very same. Larger
//! subtrees are hashed on the way back, by the thread that built them.

use crate::children::{Children, FANOUT, Gathering, Replacing};
use crate::hashing::hash_all_below;
use crate::node::{Child, Node, NodeKind};
use crate::read::whole_key;
use crate::{Nibbles, NodeReader, Trie, TrieError, Value};
use rayon::prelude::*;
use std::mem;
use std::sync::Arc;

/// From this many changes on, a branch's children are changed on several threads. Below, waking a thread
/// costs more than the work (about 1 µs a change).
const PARALLEL_FROM_CHANGES: usize = 256;

/// A subtree with this many changes is hashed as soon as it stands: enough nodes to fill the lanes of a
/// vector, and few enough that they are still in the processor's second cache.
const HASHED_FROM_CHANGES: usize = 64;

/// One key and the value it shall have; nothing deletes it.
pub(crate) struct Change {
    pub key: Nibbles,
    pub value: Option<Value>,
}

impl Trie {
    /// The trie with these changes made: `Some` puts a value, `None` (or an empty value) deletes the key.
    ///
    /// They may come in any order; of several changes of one key the last counts. Large sets are worked on by
    /// all threads of the current rayon pool. This trie stays as it is and shares with the new one all that
    /// did not change.
    ///
    /// # Errors
    /// A node that cannot be read, or a key longer than [`crate::MAX_KEY_BYTES`]; nothing is changed then.
    pub fn update<Key: AsRef<[u8]>>(
        &self,
        reader: &dyn NodeReader,
        changes: impl IntoIterator<Item = (Key, Option<Value>)>,
    ) -> Result<Trie, TrieError> {
        let mut sorted = sort(changes)?;
        if sorted.is_empty() {
            return Ok(self.clone());
        }
        let root = Descent { reader }.change(&self.root, 0, &mut sorted)?;
        Ok(root.map_or_else(|| self.clone(), |root| Trie { root }))
    }
}

fn sort<Key: AsRef<[u8]>>(
    changes: impl IntoIterator<Item = (Key, Option<Value>)>,
) -> Result<Vec<Change>, TrieError> {
    let mut sorted = Vec::new();
    for (key, value) in changes {
        let value = value.filter(|value| !value.rlp().is_empty());
        sorted.push(Change { key: whole_key(key.as_ref())?, value });
    }
    sorted.sort_by_key(|change| change.key);
    sorted.dedup_by(|later, earlier| {
        let is_same_key = later.key == earlier.key;
        if is_same_key {
            mem::swap(later, earlier);
        }
        is_same_key
    });
    Ok(sorted)
}

struct Descent<'a> {
    reader: &'a dyn NodeReader,
}

impl Descent<'_> {
    /// What `child`, standing `depth` nibbles deep, becomes; nothing if it stays. At least one change, all
    /// below it.
    fn change(
        &self,
        child: &Child,
        depth: usize,
        changes: &mut [Change],
    ) -> Result<Option<Child>, TrieError> {
        match child {
            Child::Empty => Ok(grow(depth, changes)),
            Child::Node(node) => self.change_node(node, depth, changes),
            Child::Stored { hash, loc } => self.change_node(&*self.reader.read(*loc, hash)?, depth, changes),
        }
    }

    fn change_node(
        &self,
        node: &Node,
        depth: usize,
        changes: &mut [Change],
    ) -> Result<Option<Child>, TrieError> {
        match node.kind() {
            NodeKind::Leaf { path, value } => change_leaf(node, path, value, depth, changes),
            NodeKind::Extension { path, child } => self.change_extension(path, child, depth, changes),
            NodeKind::Branch { children, value } => {
                self.change_branch(children, value.as_deref(), depth, changes)
            }
        }
    }

    fn change_extension(
        &self,
        path: &Nibbles,
        child: &Child,
        depth: usize,
        changes: &mut [Change],
    ) -> Result<Option<Child>, TrieError> {
        // Sorted keys lie between the first and the last, and so does what they have in common with the path.
        let common =
            [&changes[0], &changes[changes.len() - 1]].map(|change| change.key.common(depth, path, 0));
        let common = common[0].min(common[1]);
        if common == path.len() {
            let changed = self.change(child, depth + common, changes)?;
            return changed.map(|child| self.lengthen(path, child)).transpose();
        }
        let below = if common + 1 == path.len() {
            child.clone()
        } else {
            NodeKind::Extension { path: path.tail(common + 1), child: Box::new(child.clone()) }.into()
        };
        let mut slots = [const { Child::Empty }; FANOUT];
        slots[usize::from(path.at(common))] = below;
        let forked = self.change_branch(&Children::from_slots(slots), None, depth + common, changes)?;
        forked.map(|child| self.lengthen(&path.head(common), child)).transpose()
    }

    fn change_branch(
        &self,
        children: &Children,
        value: Option<&Value>,
        depth: usize,
        changes: &mut [Change],
    ) -> Result<Option<Child>, TrieError> {
        let mut value = value.cloned();
        let mut is_changed = false;
        let count = changes.len();
        let mut below = changes;
        if below[0].key.len() == depth {
            let (own, rest) = below.split_at_mut(1);
            let new = own[0].value.take();
            is_changed = match (&value, &new) {
                (Some(old), Some(new)) => !new.is_same(old),
                (None, None) => false,
                _ => true,
            };
            if is_changed {
                value = new;
            }
            below = rest;
        }
        let changed = if below.len() < PARALLEL_FROM_CHANGES {
            self.change_children(children, depth, below)?
        } else {
            self.change_children_in_parallel(children, depth, below)?
        };
        is_changed |= changed.is_some();
        if !is_changed {
            return Ok(None);
        }
        self.fork(changed.unwrap_or_else(|| children.clone()), value, count).map(Some)
    }

    /// What the children become; nothing if all stay.
    fn change_children(
        &self,
        children: &Children,
        depth: usize,
        changes: &mut [Change],
    ) -> Result<Option<Children>, TrieError> {
        let touched = changes.iter().fold(0, |touched, change| touched | 1_u16 << change.key.at(depth));
        let mut changed = None;
        for (nibble, group) in groups(changes, depth) {
            if let Some(child) = self.change(children.get(nibble), depth + 1, group)? {
                changed.get_or_insert_with(|| children.replacing(touched)).put(nibble, child);
            }
        }
        Ok(changed.map(Replacing::finish))
    }

    /// [`Self::change_children`] on several threads.
    fn change_children_in_parallel(
        &self,
        children: &Children,
        depth: usize,
        changes: &mut [Change],
    ) -> Result<Option<Children>, TrieError> {
        let groups: Vec<_> = groups(changes, depth).collect();
        let touched = groups.iter().fold(0, |touched, (nibble, _)| touched | 1 << nibble);
        let new: Vec<_> = groups
            .into_par_iter()
            .with_max_len(1)
            .map(|(nibble, group)| Ok((nibble, self.change(children.get(nibble), depth + 1, group)?)))
            .collect::<Result<_, TrieError>>()?;
        let mut changed = None;
        for (nibble, child) in new {
            if let Some(child) = child {
                changed.get_or_insert_with(|| children.replacing(touched)).put(nibble, child);
            }
        }
        Ok(changed.map(Replacing::finish))
    }

    /// The node that has these children and this value: no more than a leaf or extension where nothing forks.
    fn fork(&self, children: Children, value: Option<Value>, changes: usize) -> Result<Child, TrieError> {
        let first = children.iter().next();
        match (first, children.count(), value) {
            (None, _, None) => Ok(Child::Empty),
            (None, _, Some(value)) => Ok(NodeKind::Leaf { path: Nibbles::EMPTY, value }.into()),
            (Some((nibble, child)), 1, None) => self.lengthen(&Nibbles::one(nibble), child.clone()),
            (_, _, value) => Ok(branch(children, value, changes)),
        }
    }

    /// The same keys as below `child`, each with `path` before it.
    fn lengthen(&self, path: &Nibbles, child: Child) -> Result<Child, TrieError> {
        let node = match &child {
            _ if path.is_empty() => return Ok(child),
            Child::Empty => return Ok(Child::Empty),
            Child::Node(node) => node.clone(),
            Child::Stored { hash, loc } => self.reader.read(*loc, hash)?,
        };
        let join = |rest: &Nibbles| {
            path.join(rest).ok_or_else(|| TrieError::damaged(&node.hash(), "its path is longer than a key"))
        };
        Ok(match node.kind() {
            NodeKind::Leaf { path: rest, value } => {
                NodeKind::Leaf { path: join(rest)?, value: value.clone() }.into()
            }
            NodeKind::Extension { path: rest, child } => {
                NodeKind::Extension { path: join(rest)?, child: child.clone() }.into()
            }
            NodeKind::Branch { .. } => NodeKind::Extension { path: *path, child: Box::new(child) }.into(),
        })
    }
}

/// Cuts sorted changes, all longer than `depth`, by their nibble there.
fn groups(changes: &mut [Change], depth: usize) -> impl Iterator<Item = (u8, &mut [Change])> {
    let mut rest = changes;
    std::iter::from_fn(move || {
        let nibble = rest.first()?.key.at(depth);
        let end = rest.partition_point(|change| change.key.at(depth) == nibble);
        let (group, after) = mem::take(&mut rest).split_at_mut(end);
        rest = after;
        Some((nibble, group))
    })
}

fn change_leaf(
    node: &Node,
    path: &Nibbles,
    value: &Value,
    depth: usize,
    changes: &mut [Change],
) -> Result<Option<Child>, TrieError> {
    if let [change] = changes
        && change.key.ends_with(depth, path)
    {
        return Ok(match change.value.take() {
            None => Some(Child::Empty),
            Some(new) if new.is_same(value) => None,
            Some(new) => Some(NodeKind::Leaf { path: *path, value: new }.into()),
        });
    }
    let key = changes[0].key.head(depth).join(path);
    let key = key.ok_or_else(|| TrieError::damaged(&node.hash(), "its path is longer than a key"))?;
    let place = changes.binary_search_by_key(&key, |change| change.key);
    let mut others = changes.iter().enumerate().filter(|(index, _)| place != Ok(*index));
    let is_alone = others.all(|(_, change)| change.value.is_none());
    match place {
        Ok(index) if is_alone && changes[index].value.as_ref().is_some_and(|new| new.is_same(value)) => {
            Ok(None)
        }
        Ok(_) => Ok(Some(grow(depth, changes).unwrap_or(Child::Empty))),
        Err(_) if is_alone => Ok(None),
        Err(index) => {
            let (before, after) = changes.split_at_mut(index);
            let taken = |change: &mut Change| Change { key: change.key, value: change.value.take() };
            let mut all: Vec<Change> = before.iter_mut().map(taken).collect();
            all.push(Change { key, value: Some(value.clone()) });
            all.extend(after.iter_mut().map(taken));
            Ok(grow(depth, &mut all))
        }
    }
}

/// The subtree, `depth` nibbles deep, of just these keys (sorted, none twice); nothing when there are only
/// deletions.
pub(crate) fn grow(depth: usize, changes: &mut [Change]) -> Option<Child> {
    let first = changes.iter().position(|change| change.value.is_some())?;
    let last = changes.iter().rposition(|change| change.value.is_some())?;
    let changes = &mut changes[first..=last];
    let key = changes[0].key;
    if first == last {
        return Some(NodeKind::Leaf { path: key.tail(depth), value: changes[0].value.take()? }.into());
    }
    let fork = depth + key.common(depth, &changes[last - first].key, depth);
    let (value, below) = if key.len() == fork {
        let (own, below) = changes.split_at_mut(1);
        (own[0].value.take(), below)
    } else {
        (None, changes)
    };
    let branch = branch(grow_children(fork, below), value, last - first + 1);
    if fork == depth {
        return Some(branch);
    }
    Some(NodeKind::Extension { path: key.tail(depth).head(fork - depth), child: Box::new(branch) }.into())
}

/// A branch in which, or below which, this many changes were made.
fn branch(children: Children, value: Option<Value>, changes: usize) -> Child {
    let node = Arc::new(Node::new(NodeKind::Branch { children, value: value.map(Box::new) }));
    if changes >= HASHED_FROM_CHANGES {
        hash_all_below(std::iter::once(&*node));
    }
    Child::Node(node)
}

fn grow_children(depth: usize, changes: &mut [Change]) -> Children {
    let is_small = changes.len() < PARALLEL_FROM_CHANGES;
    let groups = groups(changes, depth);
    let mut children = Gathering::with_capacity(0);
    if is_small {
        for (nibble, group) in groups {
            children.push_some(nibble, grow(depth + 1, group));
        }
        return children.finish();
    }
    let groups: Vec<_> = groups.collect();
    let grown: Vec<_> = groups
        .into_par_iter()
        .with_max_len(1)
        .map(|(nibble, group)| (nibble, grow(depth + 1, group)))
        .collect();
    for (nibble, child) in grown {
        children.push_some(nibble, child);
    }
    children.finish()
}
