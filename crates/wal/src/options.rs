//! How a write-ahead log is opened.

use std::hash::{BuildHasher, RandomState};

/// Space reserved for one height (bytes, 16 MiB): a full block of 8 MiB, which takes 9 MiB in sectors, and some 14,000
/// records of one sector: at 128 validators the proofs of lock of a hundred rounds.
pub const RESERVE_BYTES_DEFAULT: u64 = 16 << 20;

/// How a log is opened. Build it with [`WalOptions::new`] and change what should differ.
#[derive(Debug, Clone, Copy)]
pub struct WalOptions {
    /// Space reserved on the device: records that fit cannot fail for want of it.
    pub reserve_bytes: u64,
    /// Where the numbers come from that are drawn ([`Head::writing`](crate::sector::Head::writing), and the salt of
    /// a new file). Must differ from one opening to the next; a simulator sets it, for runs that are equal byte for byte.
    pub seed: u64,
}

impl WalOptions {
    /// The defaults, with a seed of chance.
    pub fn new() -> Self {
        Self { reserve_bytes: RESERVE_BYTES_DEFAULT, seed: RandomState::new().hash_one(0_u8) }
    }
}

impl Default for WalOptions {
    fn default() -> Self {
        Self::new()
    }
}
