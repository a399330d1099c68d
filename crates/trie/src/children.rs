//! The sixteen children of a branch, stored without their gaps: most branches of a large trie have two or
//! three.

use crate::Child;
use std::hint::black_box;

/// Number of children a branch may have, one a nibble.
pub(crate) const FANOUT: usize = 16;

static EMPTY: Child = Child::Empty;

/// The children of a branch by nibble; what is absent takes no memory.
#[derive(Clone, Debug)]
pub struct Children {
    present: u16,
    packed: Box<[Child]>,
}

/// Children on their way into a branch, from the lowest nibble up.
pub(crate) struct Gathering {
    present: u16,
    packed: Vec<Child>,
}

/// A branch's children of which some are replaced, from the lowest nibble up.
pub(crate) struct Replacing<'a> {
    old: &'a Children,
    /// The nibbles below it are done.
    next: u8,
    new: Gathering,
}

impl Gathering {
    /// None yet; memory for `count`.
    pub fn with_capacity(count: usize) -> Gathering {
        Gathering { present: 0, packed: Vec::with_capacity(count) }
    }

    /// The child of a nibble above all before it; it must not be empty.
    pub fn push(&mut self, nibble: u8, child: Child) {
        debug_assert!(self.present >> nibble == 0 && !child.is_empty());
        self.present |= 1 << nibble;
        self.packed.push(child);
    }

    /// As [`Gathering::push`]; nothing where there is none or an empty one.
    pub fn push_some(&mut self, nibble: u8, child: Option<Child>) {
        if let Some(child) = child.filter(|child| !child.is_empty()) {
            self.push(nibble, child);
        }
    }

    /// All that came.
    pub fn finish(self) -> Children {
        Children { present: self.present, packed: self.packed.into_boxed_slice() }
    }
}

impl Replacing<'_> {
    /// Puts a child at a nibble above all before it (an empty one removes what is there).
    pub fn put(&mut self, nibble: u8, child: Child) {
        self.keep_until(nibble);
        self.next = nibble + 1;
        self.new.push_some(nibble, Some(child));
    }

    /// The children, those not replaced among them.
    pub fn finish(mut self) -> Children {
        self.keep_until(FANOUT as u8);
        self.new.finish()
    }

    fn keep_until(&mut self, end: u8) {
        let below = |nibble: u8| ((1_u32 << nibble) - 1) as u16;
        let (from, to) = (self.old.index(self.next), self.old.index(end));
        self.new.present |= self.old.present & below(end) & !below(self.next);
        self.new.packed.extend_from_slice(&self.old.packed[from..to]);
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        self.warm();
    }
}

impl Children {
    pub(crate) fn from_slots(slots: [Child; FANOUT]) -> Children {
        let mut gathering = Gathering::with_capacity(slots.iter().filter(|child| !child.is_empty()).count());
        for (nibble, child) in (0..).zip(slots) {
            gathering.push_some(nibble, Some(child));
        }
        gathering.finish()
    }

    /// These children, some of which are to be replaced: at most those of the nibbles in `touched`.
    pub(crate) fn replacing(&self, touched: u16) -> Replacing<'_> {
        self.warm();
        let count = (self.present | touched).count_ones() as usize;
        Replacing { old: self, next: 0, new: Gathering::with_capacity(count) }
    }

    /// Looks at every child in memory, so that the processor fetches them side by side. What comes afterwards,
    /// counting them (one locked instruction each) or going down into them, would wait for one after the other.
    pub(crate) fn warm(&self) {
        let is_hashed =
            |child: &Child| matches!(child, Child::Node(node) if node.known_reference().is_some());
        black_box(self.packed.iter().filter(|child| is_hashed(child)).count());
    }

    /// The child under `nibble`; [`Child::Empty`] when there is none.
    pub fn get(&self, nibble: u8) -> &Child {
        let bit = 1_u16 << nibble;
        if self.present & bit == 0 {
            return &EMPTY;
        }
        &self.packed[self.index(nibble)]
    }

    /// How many children there are below a nibble, which may be one beyond the last.
    fn index(&self, nibble: u8) -> usize {
        (u32::from(self.present) & ((1 << nibble) - 1)).count_ones() as usize
    }

    /// The children that are there, with their nibbles, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &Child)> {
        (0..FANOUT as u8).filter(|nibble| self.present & 1 << nibble != 0).zip(self.packed.iter())
    }

    /// How many children there are.
    pub fn count(&self) -> usize {
        self.packed.len()
    }
}
