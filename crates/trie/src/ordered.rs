//! Roots of lists: transactions, receipts, withdrawals.
//!
//! The trie of a list maps `rlp(index)` to the item. Only its root is wanted, so it is hashed straight from the sorted
//! keys, without building nodes.

use crate::EMPTY_ROOT_HASH;
use crate::children::FANOUT;
use crate::encode::{EMPTY_STRING, encode_list, write_path, write_reference, write_string};
use crate::nibbles::Nibbles;
use crate::node::Reference;
use alloy_primitives::{B256, keccak256};

type Entry<Item> = (Nibbles, Item);

/// Root hash of the trie that maps `rlp(0)`, `rlp(1)`, … to these encodings, in order.
pub fn ordered_root<Item: AsRef<[u8]>>(items: impl IntoIterator<Item = Item>) -> B256 {
    let mut entries: Vec<Entry<Item>> =
        items.into_iter().enumerate().map(|(index, item)| (index_key(index), item)).collect();
    if entries.is_empty() {
        return EMPTY_ROOT_HASH;
    }
    entries.sort_unstable_by_key(|(key, _)| *key);
    let reference = subtree(&entries, 0);
    match reference.as_hash() {
        Some(hash) => *hash,
        None => keccak256(reference.inline_bytes()),
    }
}

fn index_key(index: usize) -> Nibbles {
    let mut rlp = Vec::with_capacity(1 + size_of::<usize>());
    let be = index.to_be_bytes();
    write_string(&be[(index.leading_zeros() / 8) as usize..], &mut rlp);
    Nibbles::from_key(&rlp).expect("the RLP of a word is shorter than a key")
}

/// Reference of the node that stands `depth` nibbles deep over these entries (sorted, at least one).
fn subtree<Item: AsRef<[u8]>>(entries: &[Entry<Item>], depth: usize) -> Reference {
    let mut buffer = Vec::new();
    let (first, value) = &entries[0];
    if entries.len() == 1 {
        let rlp = encode_list(&mut buffer, |out| {
            write_path(&first.tail(depth), true, out);
            write_string(value.as_ref(), out);
        });
        return Reference::of(&buffer[rlp]);
    }
    let last = &entries[entries.len() - 1].0;
    let fork = depth + first.common(depth, last, depth);
    let rlp = encode_list(&mut buffer, |out| write_branch(entries, fork, out));
    let branch = Reference::of(&buffer[rlp]);
    if fork == depth {
        return branch;
    }
    let rlp = encode_list(&mut buffer, |out| {
        write_path(&first.tail(depth).head(fork - depth), false, out);
        write_reference(&branch, out);
    });
    Reference::of(&buffer[rlp])
}

/// No key of a list begins another, so its branches have no values.
fn write_branch<Item: AsRef<[u8]>>(entries: &[Entry<Item>], depth: usize, out: &mut Vec<u8>) {
    let mut rest = entries;
    for nibble in 0..FANOUT as u8 {
        let (below, after) = rest.split_at(rest.partition_point(|(key, _)| key.at(depth) == nibble));
        rest = after;
        if below.is_empty() {
            out.push(EMPTY_STRING);
        } else {
            write_reference(&subtree(below, depth + 1), out);
        }
    }
    out.push(EMPTY_STRING);
}
