//! The memory-hard core of scrypt (RFC 7914): Salsa20/8, BlockMix and ROMix, for parameters that libraries refuse.
//!
//! RFC 7914 asks that `n` is below `2^(16 * r)`, and OpenSSL holds to it. Wallets never did: key files with `n` 262144 and
//! `r` 1 exist and must open. The caller bounds memory (128 * n * r bytes) and time, and does the PBKDF2 around the core.

#![forbid(unsafe_code)]

/// Words of one Salsa20 block.
const SALSA_WORDS: usize = 16;
/// Bytes that `r` counts: two Salsa20 blocks.
pub const BLOCK_BYTES: usize = 128;

/// Why a block cannot be mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MixError {
    /// The block is empty or no multiple of [`BLOCK_BYTES`].
    Length,
    /// `n` is below 2 or no power of two.
    Cost,
    /// The table of `n` blocks does not fit into memory.
    Memory,
}

/// scryptROMix (RFC 7914 section 5): the block of `128 * r` bytes mixed with a table of `n` such blocks.
pub fn ro_mix(block: &[u8], n: usize) -> Result<Vec<u8>, MixError> {
    if block.is_empty() || !block.len().is_multiple_of(BLOCK_BYTES) {
        return Err(MixError::Length);
    }
    if n < 2 || !n.is_power_of_two() {
        return Err(MixError::Cost);
    }
    let words = block.len() / 4;
    let mut x: Vec<u32> = block
        .chunks_exact(4)
        .map(|four| four.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte)))
        .collect();
    let mut scratch = vec![0u32; words];
    let mut table: Vec<u32> = Vec::new();
    let size = words.checked_mul(n).ok_or(MixError::Memory)?;
    table.try_reserve_exact(size).map_err(|_| MixError::Memory)?;
    for _ in 0..n {
        table.extend_from_slice(&x);
        block_mix(&mut x, &mut scratch);
    }
    for _ in 0..n {
        let row = (x[words - SALSA_WORDS] as usize & (n - 1)) * words;
        for (word, other) in x.iter_mut().zip(&table[row..row + words]) {
            *word ^= other;
        }
        block_mix(&mut x, &mut scratch);
    }
    Ok(x.iter().flat_map(|word| word.to_le_bytes()).collect())
}

/// scryptBlockMix (section 4): every 64 bytes through Salsa20/8, chained; even results first, then odd ones.
fn block_mix(x: &mut [u32], scratch: &mut [u32]) {
    let mut chained = [0u32; SALSA_WORDS];
    chained.copy_from_slice(&x[x.len() - SALSA_WORDS..]);
    let half = x.len() / 2;
    for (index, part) in x.chunks_exact(SALSA_WORDS).enumerate() {
        for (word, other) in chained.iter_mut().zip(part) {
            *word ^= other;
        }
        salsa20_8(&mut chained);
        let place = (index / 2) * SALSA_WORDS + if index % 2 == 0 { 0 } else { half };
        scratch[place..place + SALSA_WORDS].copy_from_slice(&chained);
    }
    x.copy_from_slice(scratch);
}

/// The Salsa20 core with 8 rounds (section 3).
fn salsa20_8(block: &mut [u32; SALSA_WORDS]) {
    let mut x = *block;
    for _ in 0..4 {
        for column in 0..4 {
            let at = |row: usize| (row * 4 + column * 5) % 16;
            quarter_round(&mut x, [at(0), at(1), at(2), at(3)]);
        }
        for row in 0..4 {
            let at = |column: usize| row * 4 + (row + column) % 4;
            quarter_round(&mut x, [at(0), at(1), at(2), at(3)]);
        }
    }
    for (word, mixed) in block.iter_mut().zip(x) {
        *word = word.wrapping_add(mixed);
    }
}

fn quarter_round(x: &mut [u32; SALSA_WORDS], [a, b, c, d]: [usize; 4]) {
    x[b] ^= x[a].wrapping_add(x[d]).rotate_left(7);
    x[c] ^= x[b].wrapping_add(x[a]).rotate_left(9);
    x[d] ^= x[c].wrapping_add(x[b]).rotate_left(13);
    x[a] ^= x[d].wrapping_add(x[c]).rotate_left(18);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits
            .chunks(2)
            .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
            .collect()
    }

    const INPUT: &str = "f7ce0b653d2d72a4108cf5abe912ffdd777616dbbb27a70e8204f3ae2d0f6fad89f68f4811d1e87bcc3bd7400a9ffd29\
        094f0184639574f39ae5a1315217bcd7894991447213bb226c25b54da86370fbcd984380374666bb8ffcb5bf40c254b0\
        67d27c51ce4ad5fed829c90b505a571b7f4d1cad6a523cda770e67bceaaf7e89";

    #[test]
    fn the_core_gives_the_salsa_vector_of_rfc_7914() {
        let input = bytes(
            "7e879a214f3ec9867ca940e641718f26baee555b8c61c1b50df846116dcd3b1dee24f319df9b3d8514121e4b5ac5aa32\
             76021d2909c74829edebc68db8b8c25e",
        );
        let mut block = [0u32; SALSA_WORDS];
        for (word, four) in block.iter_mut().zip(input.chunks_exact(4)) {
            *word = u32::from_le_bytes(four.try_into().unwrap());
        }
        salsa20_8(&mut block);
        let output: Vec<u8> = block.iter().flat_map(|word| word.to_le_bytes()).collect();
        let expected = bytes(
            "a41f859c6608cc993b81cacb020cef05044b2181a2fd337dfd7b1c6396682f29b4393168e3c9e6bcfe6bc5b7a06d96ba\
             e424cc102c91745c24ad673dc7618f81",
        );
        assert_eq!(output, expected);
    }

    #[test]
    fn mixing_gives_the_vector_of_rfc_7914() {
        let expected = bytes(
            "79ccc193629debca047f0b70604bf6b62ce3dd4a9626e355fafc6198e6ea2b46d58413673b99b029d665c357601fb426\
             a0b2f4bba200ee9f0a43d19b571a9c71ef1142e65d5a266fddca832ce59faa7cac0b9cf1be2bffca300d01ee387619c4\
             ae12fd4438f203a0e4e1c47ec314861f4e9087cb33396a6873e8f9d2539a4b8e",
        );
        assert_eq!(ro_mix(&bytes(INPUT), 16), Ok(expected));
    }

    #[test]
    fn blocks_and_costs_that_make_no_sense_are_refused() {
        assert_eq!(ro_mix(&[], 2), Err(MixError::Length));
        assert_eq!(ro_mix(&[0; 64], 2), Err(MixError::Length));
        for cost in [0, 1, 3, 12] {
            assert_eq!(ro_mix(&[0; BLOCK_BYTES], cost), Err(MixError::Cost));
        }
        assert_eq!(ro_mix(&[0; BLOCK_BYTES], 1 << 62), Err(MixError::Memory));
    }
}
