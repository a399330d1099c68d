//! Merkle Patricia Trie with Ethereum's encodings (yellow paper, appendix D), as persistent, immutable trees
//! over location-addressed node records.
//!
//! A [`Trie`] is a value: [`Trie::update`] gives a new one that shares every untouched part with the old one,
//! so any number of states may be alive at once and be read from any thread. [`Trie::flush`] writes what is
//! not yet written, child before parent, to a [`NodeWriter`]; afterwards a parent knows of each hashed child
//! its hash **and** the place it was written to, so reading needs no index, and what is read is trusted only
//! after its keccak-256 was checked.
//!
//! The crate knows no file, clock or thread pool of its own (heavy work is split over the caller's rayon
//! pool).
//!
//! ```
//! use coc_trie::{MemoryNodes, Trie, Value, verify_proof};
//!
//! let mut nodes = MemoryNodes::new();
//! let pets = [(b"dog", Some(Value::new(b"puppy"))), (b"cat", Some(Value::new(b"kitten")))];
//! let old = Trie::empty().update(&nodes, pets)?;
//! let new = old.update(&nodes, [(b"cat", None)])?;
//! assert_eq!(old.get(&nodes, b"cat")?, Some(Value::new(b"kitten")));
//! assert_eq!(new.get(&nodes, b"cat")?, None);
//!
//! let stored = new.flush(&mut nodes)?;
//! let again = Trie::stored(stored.root_hash(), stored.loc().expect("not empty"));
//! let proof = again.prove(&nodes, b"dog")?;
//! assert_eq!(verify_proof(new.root_hash(), b"dog", &proof), Ok(Some(b"puppy".to_vec())));
//! # Ok::<(), coc_trie::TrieError>(())
//! ```

mod ahead;
mod carry;
mod children;
mod decode;
mod encode;
mod error;
mod flush;
mod growing;
mod hashing;
mod iterate;
mod keccak;
mod memory;
mod nibbles;
mod node;
mod ordered;
mod port;
mod proof;
mod range;
mod read;
mod record;
mod shed;
mod trie;
mod update;
mod value;

pub use ahead::{NodesRead, Through};
pub use carry::{Carry, Ground};
pub use children::Children;
pub use error::{ProofError, RangeError, TrieError};
pub use growing::GrowingTrie;
pub use iterate::Entries;
pub use keccak::keccak256_many;
pub use memory::MemoryNodes;
pub use nibbles::{MAX_KEY_BYTES, Nibbles};
pub use node::{Child, Node, NodeKind};
pub use ordered::ordered_root;
pub use port::{Loc, NodeReader, NodeWriter};
pub use proof::verify_proof;
pub use range::{LAST_KEY, LeafRange, verify_range};
pub use trie::{EMPTY_ROOT_HASH, Trie};
pub use value::Value;
