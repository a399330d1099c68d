//! Merkle proofs as in EIP-1186: the encodings of the nodes on a key's path, root first.
//!
//! A node of less than 32 bytes stands inside its parent and is no element of its own.

use crate::decode::decode_node;
use crate::encode::encode_node;
use crate::node::{Child, Node, NodeKind};
use crate::read::whole_key;
use crate::{EMPTY_ROOT_HASH, Loc, Nibbles, NodeReader, ProofError, Trie, TrieError};
use alloy_primitives::{B256, Bytes, keccak256};
use std::sync::Arc;

/// Places mean nothing in a proof; its decoder needs one that is not zero.
pub(crate) const NOWHERE: Loc = Loc(u64::MAX);

/// Where a path goes from a node.
enum Step<'a> {
    /// The key ends here, with this value or none.
    End(Option<&'a [u8]>),
    /// On to a child, this many nibbles further.
    Into(&'a Child, usize),
}

impl Trie {
    /// The proof of `key`'s value, or of its absence; empty for an empty trie.
    ///
    /// # Errors
    /// A node on the path that cannot be read, or a key longer than [`crate::MAX_KEY_BYTES`].
    pub fn prove(&self, reader: &dyn NodeReader, key: &[u8]) -> Result<Vec<Bytes>, TrieError> {
        let key = whole_key(key)?;
        let mut proof = Vec::new();
        let mut child = self.root.clone();
        let mut depth = 0;
        loop {
            let node: Arc<Node> = match child {
                Child::Empty => return Ok(proof),
                Child::Node(node) => node,
                Child::Stored { hash, loc } => reader.read(loc, &hash)?,
            };
            if proof.is_empty() || node.reference().as_hash().is_some() {
                let mut buffer = Vec::new();
                let rlp = encode_node(&node, &mut buffer);
                proof.push(Bytes::copy_from_slice(&buffer[rlp]));
            }
            match step(node.kind(), &key, depth) {
                Step::End(_) => return Ok(proof),
                Step::Into(next, nibbles) => {
                    depth += nibbles;
                    child = next.clone();
                }
            }
        }
    }
}

/// What a proof says of `key` in the trie whose root hash is `root`: its value, or that it has none.
///
/// Strict: every node must be canonical and hash to what its parent names, none may be missing and none left
/// over. The empty trie is proved by no node at all, or by the RLP of the empty string.
///
/// # Errors
/// [`ProofError`] when the list proves neither.
pub fn verify_proof(root: B256, key: &[u8], proof: &[Bytes]) -> Result<Option<Vec<u8>>, ProofError> {
    let key = Nibbles::from_key(key).ok_or(ProofError::KeyTooLong { bytes: key.len() })?;
    if root == EMPTY_ROOT_HASH {
        return match proof {
            [] => Ok(None),
            [node] if node[..] == [crate::encode::EMPTY_STRING] => Ok(None),
            _ => Err(ProofError::TooLong { given: proof.len(), needed: 0 }),
        };
    }
    let mut expected = root;
    let mut depth = 0;
    for (index, rlp) in proof.iter().enumerate() {
        if keccak256(rlp) != expected {
            return Err(ProofError::HashMismatch { index });
        }
        let malformed = |what| ProofError::Malformed { index, what };
        let node = decode_node(rlp, &mut || Ok(NOWHERE)).map_err(malformed)?;
        match walk(&node, &key, &mut depth) {
            Walked::Ended(value) if index + 1 == proof.len() => return Ok(value),
            Walked::Ended(_) => return Err(ProofError::TooLong { given: proof.len(), needed: index + 1 }),
            Walked::Below(hash) => expected = hash,
        }
    }
    Err(ProofError::TooShort { given: proof.len() })
}

enum Walked {
    Ended(Option<Vec<u8>>),
    Below(B256),
}

/// Goes down from `kind` through the nodes that stand inside it.
fn walk(kind: &NodeKind, key: &Nibbles, depth: &mut usize) -> Walked {
    match step(kind, key, *depth) {
        Step::End(value) => Walked::Ended(value.map(<[u8]>::to_vec)),
        Step::Into(child, nibbles) => {
            *depth += nibbles;
            match child {
                Child::Empty => Walked::Ended(None),
                Child::Node(node) => walk(node.kind(), key, depth),
                Child::Stored { hash, .. } => Walked::Below(*hash),
            }
        }
    }
}

fn step<'a>(kind: &'a NodeKind, key: &Nibbles, depth: usize) -> Step<'a> {
    match kind {
        NodeKind::Leaf { path, value } => Step::End(key.ends_with(depth, path).then(|| value.rlp())),
        NodeKind::Extension { path, child } if key.common(depth, path, 0) == path.len() => {
            Step::Into(child, path.len())
        }
        NodeKind::Extension { .. } => Step::End(None),
        NodeKind::Branch { value, .. } if key.len() == depth => Step::End(value.as_deref().map(|v| v.rlp())),
        NodeKind::Branch { children, .. } => Step::Into(children.get(key.at(depth)), 1),
    }
}
