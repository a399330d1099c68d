//! Roots of lists: transactions, receipts, withdrawals.

use crate::Trie;
use crate::encode::{EMPTY_STRING, write_string};
use crate::nibbles::Nibbles;
use crate::update::{Change, grow};
use crate::value::Value;
use alloy_primitives::B256;

/// Root hash of the trie that maps `rlp(0)`, `rlp(1)`, … to these encodings, in order (yellow paper, section
/// 4.3.2).
///
/// An encoding must not be empty; those of transactions, receipts and withdrawals never are.
pub fn ordered_root<Item: AsRef<[u8]>>(items: impl IntoIterator<Item = Item>) -> B256 {
    let entry =
        |(index, item): (usize, Item)| Change { key: index_key(index), value: Some(Value::new(item)) };
    let mut entries: Vec<Change> = items.into_iter().enumerate().map(entry).collect();
    // The RLP of 0 is a byte above those of 1 to 127, which stand for themselves; the others are in order.
    let of_one_byte = entries.len().min(usize::from(EMPTY_STRING));
    if of_one_byte > 0 {
        entries[..of_one_byte].rotate_left(1);
    }
    grow(0, &mut entries).map_or_else(Trie::empty, |root| Trie { root }).root_hash()
}

fn index_key(index: usize) -> Nibbles {
    let mut rlp = Vec::with_capacity(1 + size_of::<usize>());
    let be = index.to_be_bytes();
    write_string(&be[(index.leading_zeros() / 8) as usize..], &mut rlp);
    Nibbles::from_key(&rlp).expect("the RLP of a word is shorter than a key")
}
