//! How generations are numbered, named, and found in a location.

use coc_trie::Loc;
use std::path::{Path, PathBuf};

/// Number of the first generation; 0 is left out so that no location is zero.
pub(super) const FIRST: u16 = 1;

/// Bits of a location that hold the byte offset: 256 TiB a generation.
const OFFSET_BITS: u32 = 48;

/// First offset that does not fit a location.
pub(super) const OFFSET_END: u64 = 1 << OFFSET_BITS;

const PREFIX: &str = "gen-";
const SUFFIX: &str = ".nodes";
const DIGITS: usize = 6;

/// Up to which length the file of a generation is valid; what the marker keeps of every generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GenerationLength {
    /// Number of the generation.
    pub generation: u16,
    /// Bytes from the start of the file, header included.
    pub bytes: u64,
}

impl GenerationLength {
    const ENCODED_BYTES: usize = 10;

    /// A list as bytes: for each generation its number (u16) and length (u64), little-endian.
    pub fn encode_list(lengths: &[GenerationLength]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(lengths.len() * Self::ENCODED_BYTES);
        for length in lengths {
            bytes.extend_from_slice(&length.generation.to_le_bytes());
            bytes.extend_from_slice(&length.bytes.to_le_bytes());
        }
        bytes
    }

    /// The list that [`encode_list`](Self::encode_list) wrote; `None` if the length of `bytes` is not that of a list.
    pub fn decode_list(bytes: &[u8]) -> Option<Vec<GenerationLength>> {
        if !bytes.len().is_multiple_of(Self::ENCODED_BYTES) {
            return None;
        }
        let mut lengths = Vec::with_capacity(bytes.len() / Self::ENCODED_BYTES);
        let mut rest = bytes;
        while let Some((generation, after)) = rest.split_first_chunk::<2>() {
            let (length, after) = after.split_first_chunk::<8>()?;
            let generation = u16::from_le_bytes(*generation);
            lengths.push(GenerationLength { generation, bytes: u64::from_le_bytes(*length) });
            rest = after;
        }
        Some(lengths)
    }
}

/// The generation that a location lies in.
pub fn generation_of(loc: Loc) -> u16 {
    (loc.0 >> OFFSET_BITS) as u16
}

/// The first location of a generation: all before it lie in older ones.
pub fn first_loc(generation: u16) -> Loc {
    loc(generation, 0)
}

pub(super) fn offset_of(loc: Loc) -> u64 {
    loc.0 % OFFSET_END
}

pub(super) fn loc(generation: u16, offset: u64) -> Loc {
    Loc(u64::from(generation) << OFFSET_BITS | offset)
}

pub(super) fn path(dir: &Path, generation: u16) -> PathBuf {
    dir.join(format!("{PREFIX}{generation:0DIGITS$}{SUFFIX}"))
}

/// The generation whose file has this name; `None` for a file that is none of ours.
pub(super) fn number_in(name: &str) -> Option<u16> {
    let digits = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let number: u16 = digits.parse().ok()?;
    // Only the spelling we write: `parse` also takes "+1" and fewer digits.
    (number >= FIRST && digits == format!("{number:0DIGITS$}")).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_gives_back_its_generation_and_offset_up_to_the_ends_of_both() {
        for (generation, offset) in [(1, 64), (u16::MAX, OFFSET_END - 1), (7, 0)] {
            let place = loc(generation, offset);
            assert_eq!((generation, offset), (generation_of(place), offset_of(place)));
        }
    }

    #[test]
    fn only_names_that_we_write_name_a_generation() {
        let name = path(Path::new(""), 42);
        assert_eq!("gen-000042.nodes", name.display().to_string());
        assert_eq!(Some(42), number_in("gen-000042.nodes"));
        for name in
            ["gen-42.nodes", "gen-000000.nodes", "gen-070000.nodes", "gen-+00001.nodes", "gen-000001.node"]
        {
            assert_eq!(None, number_in(name), "{name}");
        }
    }

    #[test]
    fn a_list_of_lengths_survives_its_encoding_and_a_torn_one_is_refused() {
        let lengths =
            [(1, 64), (2, 1 << 40)].map(|(generation, bytes)| GenerationLength { generation, bytes });
        let encoded = GenerationLength::encode_list(&lengths);
        assert_eq!(Some(lengths.to_vec()), GenerationLength::decode_list(&encoded));
        assert_eq!(None, GenerationLength::decode_list(&encoded[1..]));
    }
}
