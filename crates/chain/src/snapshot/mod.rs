//! A state from peers instead of from execution: serving it in provable pieces, and building a folder from such pieces.
//!
//! **Serving** ([`serving`]): ranges of the account trie or of an account's storage trie, each with the proof that it holds all
//! leaves between its ends (`coc_trie`, `range.rs`); code by its hash; and the surroundings of a block, which are the block, its
//! receipts and the headers before it. All of them verify against the hash of one certified block, so nobody need be trusted.
//!
//! **Building** ([`SnapshotBuilder`]): ranges are verified when they come and held until their turn, which is the order of the
//! keys. In that order they go into a trie that grows from its leaves ([`coc_trie::GrowingTrie`]), written as it grows; an account
//! waits until its storage and code are there. What a kill leaves is the last saved progress: the open edge of each trie and how
//! far the node files reach, some kilobytes. Memory holds no more than what waits.
//!
//! **Adopting** ([`SnapshotBuilder::finish`]): the log begins with a base record (`base.rs`) and the block, the index gets its rows
//! and the marker, and the chain opens with that block as its head.

mod adopt;
mod builder;
mod gathering;
mod job;
pub mod payload;
mod progress;
mod refusal;
pub mod serving;
mod storages;
mod surroundings;

pub use builder::{Begun, Counts, Gained, GainedRange, SnapshotBuilder, Stand};
pub use refusal::SnapshotError;
pub use surroundings::{ANCESTORS_MAX, Surroundings};

/// Ranges that one request may ask for: the storages of some hundred small contracts.
pub const WISHES_MAX: usize = 256;

/// Bytes of leaves and proofs after which an answer is sent without the rest, whatever was asked for (4 MiB): a second of a line
/// of 32 Mbit/s, and a quarter of the largest frame.
pub const ANSWER_BYTES_MAX: u64 = 4 << 20;

/// Codes that one request may ask for: at 24 KiB each, some 6 MiB.
pub const CODES_MAX: usize = 256;
