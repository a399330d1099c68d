//! The sponge around a permutation of several states at once.

use alloy_primitives::B256;

/// Words of a Keccak state (FIPS 202, section 3.1).
pub(super) const STATE_WORDS: usize = 25;

/// Words a permutation takes in: 1088 bits, the rate of keccak-256.
const RATE_WORDS: usize = 17;
const RATE_BYTES: usize = 8 * RATE_WORDS;
/// First bit of the padding, as Keccak had it before FIPS 202 added a suffix.
const PADDING_FIRST: u64 = 0x01;
const PADDING_LAST: u64 = 1 << 63;

/// `LANES` states, word by word: what one vector register holds stands together.
#[repr(align(64))]
pub(super) struct States<const LANES: usize>(pub [[u64; LANES]; STATE_WORDS]);

/// A message being hashed.
struct Hashing<'a> {
    index: usize,
    rest: &'a [u8],
    is_padded: bool,
}

/// Hashes every message; `permute` applies Keccak-f\[1600\] to all states.
pub(super) fn hash_in_lanes<const LANES: usize, Message: AsRef<[u8]>>(
    messages: &[Message],
    hashes: &mut [B256],
    permute: impl Fn(&mut States<LANES>),
) {
    let mut states = States([[0; LANES]; STATE_WORDS]);
    let mut waiting = messages.iter().enumerate();
    let mut lanes: [Option<Hashing<'_>>; LANES] = [const { None }; LANES];
    loop {
        for (lane, hashing) in lanes.iter_mut().enumerate() {
            if hashing.is_none()
                && let Some((index, message)) = waiting.next()
            {
                states.0.iter_mut().for_each(|word| word[lane] = 0);
                *hashing = Some(Hashing { index, rest: message.as_ref(), is_padded: false });
            }
            if let Some(hashing) = hashing {
                absorb(&mut states, lane, hashing);
            }
        }
        if lanes.iter().all(Option::is_none) {
            return;
        }
        permute(&mut states);
        for (lane, hashing) in lanes.iter_mut().enumerate() {
            if let Some(done) = hashing.take_if(|hashing| hashing.is_padded) {
                for (bytes, word) in hashes[done.index].chunks_exact_mut(8).zip(&states.0) {
                    bytes.copy_from_slice(&word[lane].to_le_bytes());
                }
            }
        }
    }
}

/// Takes one block of the message in, the last one padded.
fn absorb<const LANES: usize>(states: &mut States<LANES>, lane: usize, hashing: &mut Hashing<'_>) {
    let (block, rest) = hashing.rest.split_at(hashing.rest.len().min(RATE_BYTES));
    hashing.rest = rest;
    let (words, tail) = block.as_chunks();
    for (state, word) in states.0.iter_mut().zip(words) {
        state[lane] ^= u64::from_le_bytes(*word);
    }
    if block.len() < RATE_BYTES {
        let mut last = [0; 8];
        last[..tail.len()].copy_from_slice(tail);
        states.0[words.len()][lane] ^= u64::from_le_bytes(last) | PADDING_FIRST << (8 * tail.len());
        states.0[RATE_WORDS - 1][lane] ^= PADDING_LAST;
        hashing.is_padded = true;
    }
}
