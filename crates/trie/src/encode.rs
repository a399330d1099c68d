//! Merkle encoding of nodes (yellow paper, appendix D): RLP with hex-prefix paths, children by reference.

use crate::children::FANOUT;
use crate::node::{Child, Node, NodeKind, Reference};
use crate::{Nibbles, Value};
use std::ops::Range;

pub(crate) const EMPTY_STRING: u8 = 0x80;
pub(crate) const HASH_STRING: u8 = 0x80 + 32;
const EMPTY_LIST: u8 = 0xc0;
const LONGEST_SHORT_PAYLOAD: usize = 55;
/// Longest RLP header: one byte and a 64-bit length.
const LONGEST_HEADER: usize = 9;
/// Bytes of a full branch without a value and its header, rounded up.
pub(crate) const LIKELY_ENCODING_BYTES: usize = 576;

/// Appends the encoding of `node` to `out` and says where it stands there (after some bytes that mean
/// nothing); children not yet hashed are hashed on the way.
pub(crate) fn encode_node(node: &Node, out: &mut Vec<u8>) -> Range<usize> {
    encode_list(out, |out| match node.kind() {
        NodeKind::Leaf { path, value } => {
            write_path(path, true, out);
            write_string(value.rlp(), out);
        }
        NodeKind::Extension { path, child } => {
            write_path(path, false, out);
            write_child(child, out);
        }
        NodeKind::Branch { children, value } => {
            let mut next = 0;
            for (nibble, child) in children.iter() {
                out.resize(out.len() + usize::from(nibble - next), EMPTY_STRING);
                write_child(child, out);
                next = nibble + 1;
            }
            out.resize(out.len() + FANOUT - usize::from(next), EMPTY_STRING);
            write_string(value.as_deref().map_or(&[], Value::rlp), out);
        }
    })
}

/// Appends to `out` the list whose payload `write` appends, and says where it stands there.
fn encode_list(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> Range<usize> {
    out.reserve(LIKELY_ENCODING_BYTES);
    out.extend_from_slice(&[0; LONGEST_HEADER]);
    let payload = out.len();
    write(out);
    let (header, len) = header(EMPTY_LIST, out.len() - payload);
    out[payload - len..payload].copy_from_slice(&header[..len]);
    payload - len..out.len()
}

fn write_path(path: &Nibbles, is_leaf: bool, out: &mut Vec<u8>) {
    if path.len() > 1 {
        out.push(EMPTY_STRING + 1 + (path.len() / 2) as u8);
    }
    path.write_hex_prefix(is_leaf, out);
}

fn write_child(child: &Child, out: &mut Vec<u8>) {
    match child {
        Child::Empty => out.push(EMPTY_STRING),
        Child::Node(node) => write_reference(node.reference(), out),
        Child::Stored { hash, .. } => {
            out.push(HASH_STRING);
            out.extend_from_slice(hash.as_slice());
        }
    }
}

fn write_reference(reference: &Reference, out: &mut Vec<u8>) {
    match reference.as_hash() {
        Some(hash) => {
            out.push(HASH_STRING);
            out.extend_from_slice(hash.as_slice());
        }
        None => out.extend_from_slice(reference.inline_bytes()),
    }
}

pub(crate) fn write_string(bytes: &[u8], out: &mut Vec<u8>) {
    if !matches!(bytes, [0..EMPTY_STRING]) {
        let (header, len) = header(EMPTY_STRING, bytes.len());
        out.extend_from_slice(&header[..len]);
    }
    out.extend_from_slice(bytes);
}

fn header(kind: u8, payload: usize) -> ([u8; LONGEST_HEADER], usize) {
    let mut header = [0; LONGEST_HEADER];
    if payload <= LONGEST_SHORT_PAYLOAD {
        header[0] = kind + payload as u8;
        return (header, 1);
    }
    let be = payload.to_be_bytes();
    let significant = &be[(payload.leading_zeros() / 8) as usize..];
    header[0] = kind + LONGEST_SHORT_PAYLOAD as u8 + significant.len() as u8;
    header[1..=significant.len()].copy_from_slice(significant);
    (header, 1 + significant.len())
}
