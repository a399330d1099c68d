//! Paths of nibbles, packed two a byte without heap.
//!
//! A path is kept *right-aligned*: its last nibble is the low half of its last byte, and a path of odd length
//! has a zero in the high half of its first byte. That is the layout of the hex-prefix encoding (yellow
//! paper, appendix C), and of a key of whole bytes, so keys, leaf paths and their encodings are compared and
//! copied bytewise.

use std::fmt;

/// Longest key a trie takes, in bytes: a keccak-256 hash. Paths live inside nodes, so the bound is their
/// size.
pub const MAX_KEY_BYTES: usize = 32;

const MAX_NIBBLES: usize = 2 * MAX_KEY_BYTES;
const LEAF_FLAG: u8 = 0x20;
const ODD_FLAG: u8 = 0x10;

/// A path of 0 to 64 nibbles.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Nibbles {
    len: u8,
    bytes: [u8; MAX_KEY_BYTES],
}

impl Nibbles {
    pub(crate) const EMPTY: Nibbles = Nibbles { len: 0, bytes: [0; MAX_KEY_BYTES] };

    /// The nibbles of a whole key, or nothing when it is longer than [`MAX_KEY_BYTES`].
    pub fn from_key(key: &[u8]) -> Option<Nibbles> {
        let mut bytes = [0; MAX_KEY_BYTES];
        bytes.get_mut(..key.len())?.copy_from_slice(key);
        Some(Nibbles { len: 2 * key.len() as u8, bytes })
    }

    /// Number of nibbles.
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there is no nibble.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The nibble at `index`, counted from the root. Panics at or beyond [`Nibbles::len`].
    pub fn at(&self, index: usize) -> u8 {
        assert!(index < self.len());
        let place = index + (self.len() & 1);
        let byte = self.bytes[place / 2];
        if place & 1 == 0 { byte >> 4 } else { byte & 0x0f }
    }

    /// The path as whole key bytes, or nothing when its length is odd.
    pub fn as_key(&self) -> Option<&[u8]> {
        (self.len & 1 == 0).then(|| self.packed())
    }

    pub(crate) fn packed(&self) -> &[u8] {
        &self.bytes[..self.len().div_ceil(2)]
    }

    /// What is left of the path after its first `from` nibbles.
    pub(crate) fn tail(&self, from: usize) -> Nibbles {
        let len = self.len() - from;
        let size = len.div_ceil(2);
        let mut bytes = [0; MAX_KEY_BYTES];
        bytes[..size].copy_from_slice(&self.packed()[self.packed().len() - size..]);
        if len & 1 == 1 {
            bytes[0] &= 0x0f;
        }
        Nibbles { len: len as u8, bytes }
    }

    /// The first `to` nibbles.
    pub(crate) fn head(&self, to: usize) -> Nibbles {
        let mut head = Nibbles { len: to as u8, ..Nibbles::EMPTY };
        for index in 0..to {
            head.set(index, self.at(index));
        }
        head
    }

    /// This path and then `after`, or nothing when that is longer than a key can be.
    pub(crate) fn join(&self, after: &Nibbles) -> Option<Nibbles> {
        let len = self.len() + after.len();
        if len > MAX_NIBBLES {
            return None;
        }
        let mut bytes = [0; MAX_KEY_BYTES];
        let size = len.div_ceil(2);
        bytes[size - after.packed().len()..size].copy_from_slice(after.packed());
        let mut joined = Nibbles { len: len as u8, bytes };
        for index in 0..self.len() {
            joined.set(index, self.at(index));
        }
        Some(joined)
    }

    /// This path and then one nibble, or nothing when that is longer than a key can be.
    pub(crate) fn push(&self, nibble: u8) -> Option<Nibbles> {
        self.join(&Nibbles::one(nibble))
    }

    pub(crate) fn one(nibble: u8) -> Nibbles {
        let mut path = Nibbles { len: 1, ..Nibbles::EMPTY };
        path.bytes[0] = nibble;
        path
    }

    fn set(&mut self, index: usize, nibble: u8) {
        let place = index + (self.len() & 1);
        let byte = &mut self.bytes[place / 2];
        *byte = if place & 1 == 0 { (*byte & 0x0f) | nibble << 4 } else { (*byte & 0xf0) | nibble };
    }

    /// How many nibbles `self` from `from` on and `other` from `other_from` on have in common.
    pub(crate) fn common(&self, from: usize, other: &Nibbles, other_from: usize) -> usize {
        let most = (self.len() - from).min(other.len() - other_from);
        (0..most).take_while(|i| self.at(from + i) == other.at(other_from + i)).count()
    }

    /// Whether what is left of `self` after `from` nibbles is exactly `path`.
    pub(crate) fn ends_with(&self, from: usize, path: &Nibbles) -> bool {
        if self.len() - from != path.len() {
            return false;
        }
        let (end, wanted) = (&self.packed()[self.packed().len() - path.packed().len()..], path.packed());
        match (end, wanted) {
            ([first, rest @ ..], [wanted_first, wanted_rest @ ..]) if path.len() & 1 == 1 => {
                first & 0x0f == *wanted_first && rest == wanted_rest
            }
            _ => end == wanted,
        }
    }

    /// Appends the hex-prefix encoding (1 to 33 bytes) to `out`.
    pub(crate) fn write_hex_prefix(&self, is_leaf: bool, out: &mut Vec<u8>) {
        let flag = if is_leaf { LEAF_FLAG } else { 0 };
        match self.packed() {
            [first, rest @ ..] if self.len() & 1 == 1 => {
                out.push(flag | ODD_FLAG | first);
                out.extend_from_slice(rest);
            }
            whole => {
                out.push(flag);
                out.extend_from_slice(whole);
            }
        }
    }

    /// Reads a hex-prefix encoding: the path, and whether it is a leaf's. Nothing when it is not canonical.
    pub(crate) fn from_hex_prefix(encoded: &[u8]) -> Option<(Nibbles, bool)> {
        let (&first, rest) = encoded.split_first()?;
        let is_odd = first & ODD_FLAG != 0;
        if first & !(LEAF_FLAG | ODD_FLAG | 0x0f) != 0 || (!is_odd && first & 0x0f != 0) {
            return None;
        }
        let mut bytes = [0; MAX_KEY_BYTES];
        if is_odd {
            bytes[0] = first & 0x0f;
            bytes.get_mut(1..=rest.len())?.copy_from_slice(rest);
        } else {
            bytes.get_mut(..rest.len())?.copy_from_slice(rest);
        }
        let len = (2 * rest.len() + usize::from(is_odd)) as u8;
        Some((Nibbles { len, bytes }, first & LEAF_FLAG != 0))
    }
}

impl PartialOrd for Nibbles {
    fn partial_cmp(&self, other: &Nibbles) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Nibbles {
    /// Order of the nibbles from the root on; a path comes before those it begins.
    fn cmp(&self, other: &Nibbles) -> std::cmp::Ordering {
        if self.len & 1 == 0 && other.len & 1 == 0 {
            // What follows a path is zero, so the bytes decide unless one path begins with the other.
            let words = |path: &Nibbles| {
                let (words, _) = path.bytes.as_chunks();
                [words[0], words[1], words[2], words[3]].map(u64::from_be_bytes)
            };
            return words(self).cmp(&words(other)).then(self.len.cmp(&other.len));
        }
        (0..self.len()).map(|i| self.at(i)).cmp((0..other.len()).map(|i| other.at(i)))
    }
}

impl fmt::Debug for Nibbles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..self.len()).try_for_each(|index| write!(f, "{:x}", self.at(index)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(nibbles: &[u8]) -> Nibbles {
        nibbles.iter().fold(Nibbles::EMPTY, |path, nibble| path.push(*nibble).expect("short"))
    }

    #[test]
    fn every_split_of_a_key_joins_to_the_key() {
        let key = Nibbles::from_key(&[0x12, 0x34, 0x56, 0xf0]).expect("short");
        for cut in 0..=key.len() {
            assert_eq!(key.head(cut).join(&key.tail(cut)), Some(key), "cut at {cut}");
            assert!(key.ends_with(cut, &key.tail(cut)));
        }
    }

    #[test]
    fn hex_prefix_gives_the_examples_of_the_yellow_paper_and_reads_them_back() {
        for (nibbles, is_leaf, encoded) in [
            (&[1, 2, 3, 4, 5][..], false, &[0x11, 0x23, 0x45][..]),
            (&[0, 1, 2, 3, 4, 5], false, &[0x00, 0x01, 0x23, 0x45]),
            (&[0xf, 1, 0xc, 0xb, 8], true, &[0x3f, 0x1c, 0xb8]),
            (&[], true, &[0x20]),
        ] {
            let mut out = Vec::new();
            path(nibbles).write_hex_prefix(is_leaf, &mut out);
            assert_eq!(out, encoded);
            assert_eq!(Nibbles::from_hex_prefix(encoded), Some((path(nibbles), is_leaf)));
        }
    }

    #[test]
    fn hex_prefix_with_a_stray_bit_or_too_long_a_path_is_refused() {
        assert_eq!(Nibbles::from_hex_prefix(&[]), None);
        assert_eq!(Nibbles::from_hex_prefix(&[0x41]), None);
        assert_eq!(Nibbles::from_hex_prefix(&[0x21]), None);
        assert_eq!(Nibbles::from_hex_prefix(&[0; 34]), None);
        assert_eq!(Nibbles::from_hex_prefix(&[0x10; 33]), None);
    }

    #[test]
    fn a_path_longer_than_a_key_is_refused() {
        let full = Nibbles::from_key(&[7; MAX_KEY_BYTES]).expect("just fits");
        assert_eq!(full.push(1), None);
        assert_eq!(Nibbles::from_key(&[7; MAX_KEY_BYTES + 1]), None);
    }

    #[test]
    fn paths_are_ordered_from_the_root_whatever_their_parity() {
        assert!(path(&[1]) < path(&[1, 0]));
        assert!(path(&[1, 2, 3]) < path(&[1, 3]));
        assert!(path(&[1, 2]) < path(&[1, 2, 0, 0]));
        assert!(path(&[2]) > path(&[1, 15]));
    }
}
