//! keccak-256 of many messages at once: each lane of a vector register works on a message of its own.
//!
//! Hashing dominates the time of a block's root, and the nodes of one depth do not need each other's hashes.
//! Vectors of eight (AVX-512) or four (AVX2) lanes hash them three to four times as fast as one by one. A
//! lane that has finished its message takes the next, so messages of any lengths keep all lanes busy. Without
//! such vectors, or for few messages, the scalar function of `alloy-primitives` does the work; all give the
//! same hashes.

#[cfg(target_arch = "x86_64")]
mod lanes;
#[cfg(target_arch = "x86_64")]
mod rounds;
#[cfg(target_arch = "x86_64")]
mod vectors;

#[cfg(not(target_arch = "x86_64"))]
mod vectors {
    /// Other processors hash one message after the other.
    pub(super) fn hash_with_vectors<Message>(_: &[Message], _: &mut [alloy_primitives::B256]) -> bool {
        false
    }
}

use alloy_primitives::{B256, keccak256};

/// Below this many messages, lanes would mostly idle.
const FEWEST_FOR_LANES: usize = 3;

/// The keccak-256 hash of each message.
pub fn keccak256_many<Message: AsRef<[u8]>>(messages: &[Message]) -> Vec<B256> {
    let mut hashes = vec![B256::ZERO; messages.len()];
    if messages.len() >= FEWEST_FOR_LANES && vectors::hash_with_vectors(messages, &mut hashes) {
        return hashes;
    }
    for (message, hash) in messages.iter().zip(&mut hashes) {
        *hash = keccak256(message);
    }
    hashes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_hashes_are_those_of_the_messages_one_by_one_at_every_length() {
        let messages: Vec<Vec<u8>> =
            (0..700_usize).map(|len| (0..len).map(|i| (i * 31 + len) as u8).collect()).collect();
        let expected: Vec<B256> = messages.iter().map(keccak256).collect();
        assert_eq!(keccak256_many(&messages), expected);
        for count in 0..20 {
            let from = 140 * count % 680;
            assert_eq!(
                keccak256_many(&messages[from..from + count]),
                expected[from..from + count],
                "{count}"
            );
        }
    }
}
