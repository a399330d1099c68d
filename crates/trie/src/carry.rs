//! Carrying a trie to young places, so that the old ones can be given up.
//!
//! A store drops its old part when nothing that is still needed lies in it. Until then every node of the states that are kept must be
//! written again in the young part: the node itself if it is old, and each node above it, since a record names the places of its
//! children. [`Carry`] does that child before parent, a few nodes at a time. Beside the trie it walks a **base**, a trie that stands
//! wholly at young places: where both have a node with one hash at one path, the base's place is taken and nothing below is looked
//! at. So a state is carried in full once, and the next one at the cost of what differs.
//!
//! What was never written stays in memory: such nodes are only rebuilt around the places that have changed.

use crate::node::{Child, Node, NodeKind};
use crate::record::write_record;
use crate::{EMPTY_ROOT_HASH, Loc, Nibbles, NodeReader, NodeWriter, Trie, TrieError, Value};
use alloy_primitives::B256;
use std::sync::Arc;

/// Where nodes are read, where they go, and which places need not be left.
pub struct Ground<'a> {
    /// Where nodes are read.
    pub reader: &'a dyn NodeReader,
    /// Where carried nodes go: to young places.
    pub writer: &'a mut dyn NodeWriter,
    /// The first young place.
    pub young_from: Loc,
}

/// A trie on its way.
pub struct Carry {
    /// The nodes from the root to the one at work.
    frames: Vec<Frame>,
    carried: Option<Child>,
}

/// A node, and those of its links that are carried: hashed children in order, then the storage of an account.
struct Frame {
    node: Arc<Node>,
    loc: Option<Loc>,
    base: Base,
    carried: Vec<Child>,
}

/// A place in the base, by the path that leads to it.
#[derive(Clone)]
enum Base {
    /// The base has no such path.
    Nowhere,
    /// At a node, or `passed` nibbles within its path.
    At { child: Child, passed: usize },
}

/// What a node points to.
enum Link<'a> {
    /// A branch's child.
    Fork(u8, &'a Child),
    /// An extension's child.
    Onward(&'a Child),
    /// The storage trie's root of the account that ends here.
    Storage(&'a Child),
}

impl Carry {
    /// Begins with the root.
    ///
    /// # Errors
    /// What the reader says.
    pub fn begin(trie: &Trie, base: &Trie, reader: &dyn NodeReader) -> Result<Carry, TrieError> {
        let mut carry = Carry { frames: Vec::new(), carried: None };
        match carry.enter(&trie.root, Base::root(base), reader)? {
            Some(done) => carry.carried = Some(done),
            None if trie.is_empty() => carry.carried = Some(Child::Empty),
            None => {}
        }
        Ok(carry)
    }

    /// Goes on where another [`Carry`] of the same trie and base was, by its [`progress`](Self::progress); nothing where that is not
    /// the progress of these.
    ///
    /// # Errors
    /// What the reader says.
    pub fn resume(
        trie: &Trie,
        base: &Trie,
        reader: &dyn NodeReader,
        progress: &[Vec<Loc>],
    ) -> Result<Option<Carry>, TrieError> {
        let mut carry = Carry::begin(trie, base, reader)?;
        for (depth, places) in progress.iter().enumerate() {
            let Some(frame) = carry.frames.get_mut(depth) else { return Ok(None) };
            for loc in places {
                let Some(link) = link_of(&frame.node, frame.carried.len()) else { return Ok(None) };
                frame.carried.push(Child::Stored { hash: hash_of(link.child()), loc: *loc });
            }
            if depth + 1 < progress.len() && !carry.go_down(reader)? {
                return Ok(None);
            }
        }
        Ok(Some(carry))
    }

    /// How far it is: for every node from the root to the one at work, the places of its carried links. Of a trie that was written
    /// before.
    pub fn progress(&self) -> Vec<Vec<Loc>> {
        let places = |frame: &Frame| frame.carried.iter().filter_map(place_of).collect();
        self.frames.iter().map(places).collect()
    }

    /// Carries up to `nodes_max` nodes; the trie when all are. After an error the same call goes on.
    ///
    /// # Errors
    /// What reader and writer say.
    pub fn step(&mut self, ground: &mut Ground<'_>, nodes_max: usize) -> Result<Option<Trie>, TrieError> {
        let mut nodes = 0;
        while self.carried.is_none() {
            if self.go_down(ground.reader)? {
                continue;
            }
            if nodes == nodes_max {
                return Ok(None);
            }
            nodes += 1;
            self.finish_node(ground)?;
        }
        Ok(self.carried.clone().map(|root| Trie { root }))
    }

    /// Looks at the next link of the node at work; `false` when there is none left.
    fn go_down(&mut self, reader: &dyn NodeReader) -> Result<bool, TrieError> {
        let Some(frame) = self.frames.last() else { return Ok(false) };
        let node = frame.node.clone();
        let Some(link) = link_of(&node, frame.carried.len()) else { return Ok(false) };
        let base = frame.base.along(&node, &link, reader)?;
        if let Some(done) = self.enter(link.child(), base, reader)?
            && let Some(frame) = self.frames.last_mut()
        {
            frame.carried.push(done);
        }
        Ok(true)
    }

    /// Begins with a node, unless the base has it.
    fn enter(
        &mut self,
        child: &Child,
        base: Base,
        reader: &dyn NodeReader,
    ) -> Result<Option<Child>, TrieError> {
        if child.is_empty() {
            return Ok(None);
        }
        if let Some(same) = base.same_as(child) {
            return Ok(Some(same));
        }
        let (node, loc) = match child {
            Child::Stored { hash, loc } => (reader.read(*loc, hash)?, Some(*loc)),
            Child::Node(node) => (node.clone(), node.loc()),
            Child::Empty => return Ok(None),
        };
        self.frames.push(Frame { node, loc, base, carried: Vec::new() });
        Ok(None)
    }

    /// Puts a node whose links are all carried where it belongs.
    fn finish_node(&mut self, ground: &mut Ground<'_>) -> Result<(), TrieError> {
        let Some(frame) = self.frames.last() else { return Ok(()) };
        let done = frame.settled(ground)?;
        self.frames.pop();
        match self.frames.last_mut() {
            Some(parent) => parent.carried.push(done),
            None => self.carried = Some(done),
        }
        Ok(())
    }
}

impl Frame {
    fn settled(&self, ground: &mut Ground<'_>) -> Result<Child, TrieError> {
        let links = (0..).map_while(|index| link_of(&self.node, index));
        let is_unchanged = links.zip(&self.carried).all(|(link, carried)| same_place(link.child(), carried));
        let hash = self.node.hash();
        match self.loc {
            None if is_unchanged => Ok(Child::Node(self.node.clone())),
            None => Ok(Child::Node(Arc::new(self.rebuilt()))),
            Some(loc) if is_unchanged && loc >= ground.young_from => Ok(Child::Stored { hash, loc }),
            Some(_) => {
                let mut record = Vec::new();
                let start = write_record(&self.rebuilt(), &mut record);
                Ok(Child::Stored { hash, loc: ground.writer.write(&record[start..])? })
            }
        }
    }

    /// The node around its carried links.
    fn rebuilt(&self) -> Node {
        let mut carried = self.carried.iter().cloned();
        let mut next =
            |old: &Child| if is_hashed(old) { carried.next().unwrap_or(Child::Empty) } else { old.clone() };
        let mut kind = match self.node.kind() {
            NodeKind::Leaf { path, value } => NodeKind::Leaf { path: *path, value: value.clone() },
            NodeKind::Extension { path, child } => {
                NodeKind::Extension { path: *path, child: Box::new(next(child)) }
            }
            NodeKind::Branch { children, value } => {
                let mut replaced = children.replacing(0);
                children.iter().for_each(|(nibble, child)| replaced.put(nibble, next(child)));
                NodeKind::Branch { children: replaced.finish(), value: value.clone() }
            }
        };
        if let Some(value) = kind.value_mut()
            && value.storage().is_some()
            && let Some(root) = carried.next()
        {
            *value = Value::account(value.rlp(), Trie { root });
        }
        Node::with_reference(kind, *self.node.reference())
    }
}

impl Base {
    fn root(trie: &Trie) -> Base {
        Base::of(&trie.root)
    }

    fn of(child: &Child) -> Base {
        if child.is_empty() { Base::Nowhere } else { Base::At { child: child.clone(), passed: 0 } }
    }

    /// The base's place for this node, if it has it. A node that was never written takes the place of such a one only.
    fn same_as(&self, wanted: &Child) -> Option<Child> {
        let Base::At { child, passed: 0 } = self else { return None };
        if hash_of(child) != hash_of(wanted) {
            return None;
        }
        match place_of(child) {
            Some(loc) => Some(Child::Stored { hash: hash_of(child), loc }),
            None => place_of(wanted).is_none().then(|| child.clone()),
        }
    }

    /// Where the base is when the trie goes from a node along one of its links.
    fn along(&self, node: &Node, link: &Link<'_>, reader: &dyn NodeReader) -> Result<Base, TrieError> {
        match (link, node.kind()) {
            (Link::Fork(nibble, _), _) => self.stepped(*nibble, reader),
            (Link::Onward(_), NodeKind::Extension { path, .. }) => self.through(path, reader),
            (Link::Storage(_), NodeKind::Leaf { path, .. }) => self.through(path, reader)?.storage(reader),
            (Link::Storage(_), _) => self.storage(reader),
            (Link::Onward(_), _) => Ok(Base::Nowhere),
        }
    }

    fn through(&self, path: &Nibbles, reader: &dyn NodeReader) -> Result<Base, TrieError> {
        let mut at = self.clone();
        for index in 0..path.len() {
            at = at.stepped(path.at(index), reader)?;
        }
        Ok(at)
    }

    fn stepped(&self, nibble: u8, reader: &dyn NodeReader) -> Result<Base, TrieError> {
        let Base::At { child, passed } = self else { return Ok(Base::Nowhere) };
        let Some(node) = loaded(child, reader)? else { return Ok(Base::Nowhere) };
        let (path, onward) = match node.kind() {
            NodeKind::Branch { children, .. } => return Ok(Base::of(children.get(nibble))),
            NodeKind::Extension { path, child } => (path, Some(child)),
            NodeKind::Leaf { path, .. } => (path, None),
        };
        if *passed >= path.len() || path.at(*passed) != nibble {
            return Ok(Base::Nowhere);
        }
        Ok(match onward {
            Some(child) if passed + 1 == path.len() => Base::of(child),
            _ => Base::At { child: Child::Node(node), passed: passed + 1 },
        })
    }

    /// The storage trie of the account that ends here.
    fn storage(&self, reader: &dyn NodeReader) -> Result<Base, TrieError> {
        let Base::At { child, passed } = self else { return Ok(Base::Nowhere) };
        let Some(node) = loaded(child, reader)? else { return Ok(Base::Nowhere) };
        let ends_here = match node.kind() {
            NodeKind::Leaf { path, .. } => *passed == path.len(),
            NodeKind::Branch { .. } => true,
            NodeKind::Extension { .. } => false,
        };
        let storage = node.kind().value().and_then(Value::storage).filter(|_| ends_here);
        Ok(storage.map_or(Base::Nowhere, Base::root))
    }
}

impl<'a> Link<'a> {
    fn child(&self) -> &'a Child {
        match self {
            Link::Fork(_, child) | Link::Onward(child) | Link::Storage(child) => child,
        }
    }
}

/// The link with this number, counted over hashed children and then the storage.
fn link_of(node: &Node, index: usize) -> Option<Link<'_>> {
    let storage = || node.kind().value().and_then(Value::storage).map(|trie| Link::Storage(&trie.root));
    match node.kind() {
        NodeKind::Leaf { .. } => storage().filter(|_| index == 0),
        NodeKind::Extension { child, .. } => (index == 0 && is_hashed(child)).then_some(Link::Onward(child)),
        NodeKind::Branch { children, .. } => {
            let hashed = children.iter().filter(|(_, child)| is_hashed(child));
            hashed.map(|(nibble, child)| Link::Fork(nibble, child)).chain(storage()).nth(index)
        }
    }
}

/// Whether a parent names the child by its hash, so that it has a record of its own.
fn is_hashed(child: &Child) -> bool {
    match child {
        Child::Empty => false,
        Child::Stored { .. } => true,
        Child::Node(node) => node.reference().as_hash().is_some(),
    }
}

fn hash_of(child: &Child) -> B256 {
    match child {
        Child::Empty => EMPTY_ROOT_HASH,
        Child::Stored { hash, .. } => *hash,
        Child::Node(node) => node.hash(),
    }
}

fn loaded(child: &Child, reader: &dyn NodeReader) -> Result<Option<Arc<Node>>, TrieError> {
    match child {
        Child::Stored { hash, loc } => reader.read(*loc, hash).map(Some),
        Child::Node(node) => Ok(Some(node.clone())),
        Child::Empty => Ok(None),
    }
}

fn place_of(child: &Child) -> Option<Loc> {
    match child {
        Child::Empty => None,
        Child::Stored { loc, .. } => Some(*loc),
        Child::Node(node) => node.loc(),
    }
}

/// Whether a parent that names one has nothing to change for the other.
fn same_place(one: &Child, other: &Child) -> bool {
    match (one, other) {
        (Child::Node(one), Child::Node(other)) if Arc::ptr_eq(one, other) => true,
        _ => place_of(one).is_some() && place_of(one) == place_of(other),
    }
}
