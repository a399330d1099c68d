//! The sixteen children of a branch, stored without their gaps: most branches of a large trie have two or three.

use crate::Child;

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
        let present = (0..FANOUT).filter(|&n| !slots[n].is_empty()).fold(0, |mask, n| mask | 1 << n);
        Children { present, packed: slots.into_iter().filter(|child| !child.is_empty()).collect() }
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
