//! The vector sets of x86-64, chosen at run time by what the processor has.

use super::lanes::{STATE_WORDS, States, hash_in_lanes};
use super::rounds::keccak_rounds;
use alloy_primitives::B256;
use std::arch::x86_64::*;
use std::mem::transmute;

/// Hashes every message with the widest vectors there are; false, and nothing done, where there are none.
pub(super) fn hash_with_vectors<Message: AsRef<[u8]>>(messages: &[Message], hashes: &mut [B256]) -> bool {
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor was just found to have AVX-512F.
        hash_in_lanes(messages, hashes, |states| unsafe { permute_eight(states) });
        return true;
    }
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor was just found to have AVX2.
        hash_in_lanes(messages, hashes, |states| unsafe { permute_four(states) });
        return true;
    }
    false
}

#[target_feature(enable = "avx512f")]
fn permute_eight(states: &mut States<8>) {
    macro_rules! xor {
        ($a:expr, $b:expr) => {
            _mm512_xor_si512($a, $b)
        };
    }
    macro_rules! xor3 {
        ($a:expr, $b:expr, $c:expr) => {
            _mm512_ternarylogic_epi64::<0x96>($a, $b, $c)
        };
    }
    macro_rules! chi {
        ($a:expr, $b:expr, $c:expr) => {
            _mm512_ternarylogic_epi64::<0xd2>($a, $b, $c)
        };
    }
    macro_rules! rotate {
        ($a:expr, $bits:literal) => {
            _mm512_rol_epi64::<$bits>($a)
        };
    }
    macro_rules! splat {
        ($word:expr) => {
            _mm512_set1_epi64($word)
        };
    }
    // SAFETY: eight words and a vector of 512 bits are the same plain data, and every bit pattern is valid
    // for both.
    let mut words: [__m512i; STATE_WORDS] = unsafe { transmute(states.0) };
    keccak_rounds!(words, xor, xor3, chi, rotate, splat);
    // SAFETY: as above.
    states.0 = unsafe { transmute::<[__m512i; STATE_WORDS], [[u64; 8]; STATE_WORDS]>(words) };
}

#[target_feature(enable = "avx2")]
fn permute_four(states: &mut States<4>) {
    macro_rules! xor {
        ($a:expr, $b:expr) => {
            _mm256_xor_si256($a, $b)
        };
    }
    macro_rules! xor3 {
        ($a:expr, $b:expr, $c:expr) => {
            _mm256_xor_si256(_mm256_xor_si256($a, $b), $c)
        };
    }
    macro_rules! chi {
        ($a:expr, $b:expr, $c:expr) => {
            _mm256_xor_si256($a, _mm256_andnot_si256($b, $c))
        };
    }
    macro_rules! rotate {
        ($a:expr, $bits:literal) => {{
            let word = $a;
            _mm256_or_si256(_mm256_slli_epi64::<$bits>(word), _mm256_srli_epi64::<{ 64 - $bits }>(word))
        }};
    }
    macro_rules! splat {
        ($word:expr) => {
            _mm256_set1_epi64x($word)
        };
    }
    // SAFETY: four words and a vector of 256 bits are the same plain data, and every bit pattern is valid for
    // both.
    let mut words: [__m256i; STATE_WORDS] = unsafe { transmute(states.0) };
    keccak_rounds!(words, xor, xor3, chi, rotate, splat);
    // SAFETY: as above.
    states.0 = unsafe { transmute::<[__m256i; STATE_WORDS], [[u64; 4]; STATE_WORDS]>(words) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::keccak256;

    #[test]
    fn every_vector_set_of_this_processor_gives_the_scalar_hashes() {
        let messages: Vec<Vec<u8>> = (0..300).map(|len| vec![len as u8; len]).collect();
        let expected: Vec<B256> = messages.iter().map(keccak256).collect();
        let mut hashes = vec![B256::ZERO; messages.len()];
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor was just found to have AVX-512F.
            hash_in_lanes(&messages, &mut hashes, |states| unsafe { permute_eight(states) });
            assert_eq!(hashes, expected);
        }
        hashes.fill(B256::ZERO);
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor was just found to have AVX2.
            hash_in_lanes(&messages, &mut hashes, |states| unsafe { permute_four(states) });
            assert_eq!(hashes, expected);
        }
    }
}
