//! The record of a flushed node: its Merkle encoding, and where its hashed children were written.
//!
//! ```text
//! u32 LE   length of the encoding
//! bytes    the encoding, exactly as hashed
//! u64 LE   Loc of each hashed child, in the order they stand in the encoding
//! u64 LE   for an account with storage: Loc of its storage trie's root
//! ```
//!
//! A value is an account with storage when it is the RLP of an account (yellow paper, section 4.1) that names
//! another storage root than [`EMPTY_ROOT_HASH`]. No other value has that form, so a record says by itself
//! what follows.

use crate::decode::{Flaw, account_storage_root, decode_node};
use crate::encode::encode_node;
use crate::keccak::keccak256_many;
use crate::node::{Child, Node, NodeKind, Reference};
use crate::{EMPTY_ROOT_HASH, Loc, Trie, TrieError, Value};
use alloy_primitives::{B256, keccak256};

const LENGTH_BYTES: usize = 4;
const LOC_BYTES: usize = 8;

impl Node {
    /// The record of this node, once all hashed children (and an account's storage trie) were written.
    ///
    /// # Panics
    /// When one of them was not: [`Trie::flush`] writes children before parents.
    pub fn encode_record(&self) -> Vec<u8> {
        let mut record = Vec::new();
        let start = write_record(self, &mut record);
        record.split_off(start)
    }

    /// Reads the node whose encoding hashes to `expected` from its record.
    ///
    /// # Errors
    /// [`TrieError::Damaged`] when the hash, a length or the encoding is not as it must be.
    pub fn decode_record(record: &[u8], expected: &B256) -> Result<Node, TrieError> {
        let damaged = |what| TrieError::damaged(expected, what);
        let (rlp, locs) = split(record).map_err(damaged)?;
        decode_hashed(rlp, locs, keccak256(rlp), expected).map_err(damaged)
    }

    /// [`Node::decode_record`] of many records, whose hashes are checked several at once.
    ///
    /// # Errors
    /// That of the first record that has one, with its position in the list.
    pub fn decode_records(records: &[(&[u8], B256)]) -> Result<Vec<Node>, (usize, TrieError)> {
        let damaged = |index: usize, what| (index, TrieError::damaged(&records[index].1, what));
        let parts = records
            .iter()
            .enumerate()
            .map(|(at, (record, _))| split(record).map_err(|what| damaged(at, what)));
        let parts: Vec<_> = parts.collect::<Result<_, _>>()?;
        let encodings: Vec<&[u8]> = parts.iter().map(|(rlp, _)| *rlp).collect();
        let hashes = keccak256_many(&encodings);
        let mut nodes = Vec::with_capacity(records.len());
        for (at, ((rlp, locs), hash)) in parts.into_iter().zip(hashes).enumerate() {
            nodes.push(decode_hashed(rlp, locs, hash, &records[at].1).map_err(|what| damaged(at, what))?);
        }
        Ok(nodes)
    }
}

/// The node with this encoding, which hashes to `hash` and should hash to `expected`.
fn decode_hashed(rlp: &[u8], locs: &[u8], hash: B256, expected: &B256) -> Result<Node, Flaw> {
    if hash != *expected {
        return Err("its encoding has another hash");
    }
    let mut locs = locs.chunks_exact(LOC_BYTES).map(read_loc);
    let mut next_loc = || locs.next().unwrap_or(Err("the place of a child is missing"));
    let mut kind = decode_node(rlp, &mut next_loc)?;
    if let Some(value) = kind.value_mut()
        && let Some(root) = storage_root(value)
    {
        let storage = Trie::stored(root, next_loc()?);
        *value = Value::account(value.rlp(), storage);
    }
    if locs.next().is_some() {
        return Err("the record is longer than its node");
    }
    Ok(Node::with_reference(kind, Reference::hash(hash)))
}

/// Appends the record of `node` and says where it begins (after some bytes that mean nothing).
pub(crate) fn write_record(node: &Node, record: &mut Vec<u8>) -> usize {
    record.extend_from_slice(&[0; LENGTH_BYTES]);
    let rlp = encode_node(node, record);
    let start = rlp.start - LENGTH_BYTES;
    record[start..rlp.start].copy_from_slice(&(rlp.len() as u32).to_le_bytes());
    let mut write_loc = |loc: Option<Loc>| {
        let place = loc.expect("children are written before their parent").0;
        record.extend_from_slice(&place.to_le_bytes());
    };
    match node.kind() {
        NodeKind::Leaf { .. } => {}
        NodeKind::Extension { child, .. } => write_child_loc(child, &mut write_loc),
        NodeKind::Branch { children, .. } => {
            children.iter().for_each(|(_, child)| write_child_loc(child, &mut write_loc));
        }
    }
    if let Some(storage) = node.kind().value().and_then(Value::storage) {
        write_loc(storage.loc());
    }
    start
}

fn write_child_loc(child: &Child, write_loc: &mut impl FnMut(Option<Loc>)) {
    match child {
        Child::Empty => {}
        Child::Stored { loc, .. } => write_loc(Some(*loc)),
        Child::Node(node) if node.reference().as_hash().is_some() => write_loc(node.loc()),
        Child::Node(_) => {}
    }
}

/// The storage root of a value that is an account with storage.
pub(crate) fn storage_root(value: &Value) -> Option<B256> {
    account_storage_root(value.rlp()).filter(|root| *root != EMPTY_ROOT_HASH)
}

fn read_loc(bytes: &[u8]) -> Result<Loc, Flaw> {
    let place = bytes.try_into().map_or(0, u64::from_le_bytes);
    match place {
        0 => Err("the place of a child is zero"),
        place => Ok(Loc(place)),
    }
}

/// A record's encoding and the places after it.
fn split(record: &[u8]) -> Result<(&[u8], &[u8]), Flaw> {
    let parts = record.split_first_chunk::<LENGTH_BYTES>().and_then(|(len, rest)| {
        let (rlp, locs) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
        (locs.len() % LOC_BYTES == 0).then_some((rlp, locs))
    });
    parts.ok_or("the record is shorter than it says")
}
