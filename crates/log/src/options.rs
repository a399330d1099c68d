//! How a log is opened.

use std::hash::{BuildHasher, RandomState};

use crate::format::Position;

/// Length at which a segment is closed and the next begun (bytes, 64 MiB): opening reads the last segment
/// whole, which takes about a third of a second on a cold disk of 200 MB/s; a terabyte is 16,000 files.
pub const SEGMENT_BYTES_DEFAULT: u64 = 64 << 20;

/// Space kept aside (bytes, 32 MiB): enough for what a node writes to leave a full disk in order, that is the
/// block it has decided (a few MB at 10⁹ gas) and the last flush of the store.
pub const RESERVE_BYTES_DEFAULT: u64 = 32 << 20;

/// How a log is opened. Build it with [`LogOptions::new`] and change what should differ.
#[derive(Debug, Clone)]
pub struct LogOptions {
    /// Hash of the chain's block 0: written into every segment, and compared.
    pub genesis_hash: [u8; 32],
    /// A segment that would grow beyond this is closed; a larger record has one of its own.
    pub segment_bytes: u64,
    /// Space kept aside in a file of its own; 0 for none.
    pub reserve_bytes: u64,
    /// Everything below is known to be durable, from a mark kept elsewhere: damage there is refused,
    /// never cut, even if nothing follows it in the log.
    pub known_durable: Position,
    /// Where checksums of new segments start. Random, so that nobody can make a payload that looks like
    /// a record; a simulator sets it, for runs that are equal byte for byte.
    pub salt: u32,
}

impl LogOptions {
    /// The defaults for a chain, with a fresh salt.
    pub fn new(genesis_hash: [u8; 32]) -> Self {
        Self {
            genesis_hash,
            segment_bytes: SEGMENT_BYTES_DEFAULT,
            reserve_bytes: RESERVE_BYTES_DEFAULT,
            known_durable: Position(0),
            salt: RandomState::new().hash_one(genesis_hash) as u32,
        }
    }
}
