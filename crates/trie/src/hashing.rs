//! Hashing what an update left unhashed.
//!
//! The nodes without a reference are gathered by depth. From the deepest up, the nodes of one depth need only
//! what is below them, so they are encoded and hashed in batches: several at once in the lanes of a vector,
//! and batches on several threads.

use crate::encode::{LIKELY_ENCODING_BYTES, encode_node};
use crate::keccak::keccak256_many;
use crate::node::{Child, HASHED_FROM_BYTES, Node, NodeKind, Reference};
use rayon::prelude::*;

/// Nodes hashed together: fills all lanes many times over, and the encodings (at most 34 kB of branches) stay
/// in the processor's first cache.
const BATCH_NODES: usize = 64;

/// From this many nodes of one depth on, threads share them. Below, waking one costs more than the work
/// (about 0.2 µs a node).
const PARALLEL_FROM_NODES: usize = 4 * BATCH_NODES;

/// Gives these nodes and every node below them their references.
pub(crate) fn hash_all_below<'a>(roots: impl Iterator<Item = &'a Node>) {
    let mut depths = Vec::new();
    for root in roots.filter(|root| root.known_reference().is_none()) {
        gather(root, 0, &mut depths);
    }
    for nodes in depths.iter().rev() {
        if nodes.len() < PARALLEL_FROM_NODES {
            nodes.chunks(BATCH_NODES).for_each(hash_batch);
        } else {
            nodes.par_chunks(BATCH_NODES).for_each(hash_batch);
        }
    }
}

fn gather<'a>(node: &'a Node, depth: usize, depths: &mut Vec<Vec<&'a Node>>) {
    if depths.len() == depth {
        depths.push(Vec::new());
    }
    depths[depth].push(node);
    let mut gather_child = |child: &'a Child| match child {
        Child::Node(node) if node.known_reference().is_none() => gather(node, depth + 1, depths),
        _ => {}
    };
    match node.kind() {
        NodeKind::Leaf { .. } => {}
        NodeKind::Extension { child, .. } => gather_child(child),
        NodeKind::Branch { children, .. } => {
            children.warm();
            children.iter().for_each(|(_, child)| gather_child(child));
        }
    }
}

/// All that is below these nodes has its reference.
fn hash_batch(nodes: &[&Node]) {
    let mut encodings = Vec::with_capacity(nodes.len() * LIKELY_ENCODING_BYTES);
    let mut hashed = Vec::with_capacity(nodes.len());
    for node in nodes {
        let rlp = encode_node(node, &mut encodings);
        if rlp.len() < HASHED_FROM_BYTES {
            node.learn_reference(Reference::of(&encodings[rlp]));
        } else {
            hashed.push((node, rlp));
        }
    }
    let messages: Vec<&[u8]> = hashed.iter().map(|(_, rlp)| &encodings[rlp.clone()]).collect();
    for ((node, _), hash) in hashed.iter().zip(keccak256_many(&messages)) {
        node.learn_reference(Reference::hash(hash));
    }
}
