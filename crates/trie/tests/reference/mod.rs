//! The yellow paper's trie function (appendix D) written down as it stands there: slow, without state or
//! sharing, and with the RLP of another author.

use alloy_primitives::{B256, keccak256};
use alloy_rlp::{Encodable, Header};
use std::collections::BTreeMap;

type Pairs<'a> = Vec<(Vec<u8>, &'a [u8])>;

/// Root hash of the trie that holds exactly these.
pub fn root(map: &BTreeMap<Vec<u8>, Vec<u8>>) -> B256 {
    let pairs: Pairs<'_> = map.iter().map(|(key, value)| (nibbles(key), value.as_slice())).collect();
    if pairs.is_empty() { keccak256([0x80]) } else { keccak256(structure(&pairs, 0)) }
}

fn nibbles(key: &[u8]) -> Vec<u8> {
    key.iter().flat_map(|byte| [byte >> 4, byte & 15]).collect()
}

fn string(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    bytes.encode(&mut out);
    out
}

fn list(items: &[Vec<u8>]) -> Vec<u8> {
    let payload = items.concat();
    let mut out = Vec::new();
    Header { list: true, payload_length: payload.len() }.encode(&mut out);
    out.extend(payload);
    out
}

fn hex_prefix(path: &[u8], is_leaf: bool) -> Vec<u8> {
    let flag = if is_leaf { 2 } else { 0 };
    let mut padded = if path.len() % 2 == 1 { vec![flag + 1] } else { vec![flag, 0] };
    padded.extend(path);
    padded.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// `n(J, i)`: how a parent names the node.
fn name(pairs: &Pairs<'_>, i: usize) -> Vec<u8> {
    if pairs.is_empty() {
        return string(&[]);
    }
    let node = structure(pairs, i);
    if node.len() < 32 { node } else { string(keccak256(node).as_slice()) }
}

/// `c(J, i)`: the node's encoding.
fn structure(pairs: &Pairs<'_>, i: usize) -> Vec<u8> {
    if let [(key, value)] = pairs.as_slice() {
        return list(&[string(&hex_prefix(&key[i..], true)), string(value)]);
    }
    let first = &pairs[0].0;
    let shared = |key: &Vec<u8>| first.iter().zip(key).take_while(|(a, b)| a == b).count();
    let j = pairs.iter().map(|(key, _)| shared(key).min(key.len())).min().expect("two pairs");
    if j > i {
        return list(&[string(&hex_prefix(&first[i..j], false)), name(pairs, j)]);
    }
    let mut items: Vec<Vec<u8>> = (0..16)
        .map(|nibble| {
            name(&pairs.iter().filter(|(key, _)| key.get(i) == Some(&nibble)).cloned().collect(), i + 1)
        })
        .collect();
    items.push(string(pairs.iter().find(|(key, _)| key.len() == i).map_or(&[], |(_, value)| value)));
    list(&items)
}
