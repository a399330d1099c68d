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

impl Children {
    pub(crate) fn from_slots(slots: [Child; FANOUT]) -> Children {
        let mut packed = Vec::with_capacity(slots.iter().filter(|child| !child.is_empty()).count());
        let mut present = 0;
        for (nibble, child) in slots.into_iter().enumerate() {
            if !child.is_empty() {
                present |= 1 << nibble;
                packed.push(child);
            }
        }
        Children { present, packed: packed.into_boxed_slice() }
    }

    /// These children with others in the places where there are some (an empty one removes).
    pub(crate) fn with(&self, changed: [Option<Child>; FANOUT]) -> Children {
        let is_there = |nibble: usize| match &changed[nibble] {
            Some(child) => !child.is_empty(),
            None => self.present & 1 << nibble != 0,
        };
        self.warm();
        let present = (0..FANOUT).filter(|nibble| is_there(*nibble)).fold(0_u16, |mask, n| mask | 1 << n);
        let mut packed = Vec::with_capacity(present.count_ones() as usize);
        for (nibble, child) in changed.into_iter().enumerate() {
            if present & 1 << nibble != 0 {
                packed.push(child.unwrap_or_else(|| self.get(nibble as u8).clone()));
            }
        }
        Children { present, packed: packed.into_boxed_slice() }
    }

    /// Looks at every child in memory, so that the processor fetches them side by side. Counting them
    /// afterwards is one locked instruction each, and those would wait for memory one after the other.
    fn warm(&self) {
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
        &self.packed[(self.present & (bit - 1)).count_ones() as usize]
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
