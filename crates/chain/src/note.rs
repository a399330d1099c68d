//! What is known of a data folder's genesis file beside it, so that a start need not compute block 0 again.
//!
//! Block 0's header names the root of all accounts that the genesis file lists; with a million of them it takes seconds to find.
//! A note keeps that root, and the genesis file's text without the accounts, under the hash of the whole text. It is
//! believed for exactly that text and otherwise not looked at: a start hashes the file, and finds a changed one by that. It is
//! written when a chain was opened from the text itself, and a lost or damaged one is written again.
//!
//! ```text
//! u8        version of this format
//! 32 bytes  hash of the genesis file's text (text_hash)
//! 32 bytes  state root of block 0
//! u64 LE    accounts in the file
//! bytes     the text with an empty `alloc`
//! ```

use crate::folder::GENESIS_NOTE_FILE;
use alloy_primitives::{B256, keccak256};
use coc_disk::{Disk, load_checked, save_checked};
use coc_trie::keccak256_many;
use rayon::prelude::*;
use std::path::Path;

/// Version of the format.
const VERSION: u8 = 1;

/// Bytes of a piece that is hashed by itself: many pieces are hashed at once.
const PIECE_BYTES: usize = 64 << 10;

/// Pieces that one thread hashes together.
const PIECES_PER_TASK: usize = 16;

/// A note; see the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenesisNote {
    /// State root of block 0.
    pub state_root: B256,
    /// Accounts in the file.
    pub accounts: u64,
    /// The text with an empty `alloc`.
    pub outline: Vec<u8>,
}

impl GenesisNote {
    /// The note in a folder, if it is one for this text.
    pub fn load(disk: &dyn Disk, dir: &Path, text: &[u8]) -> Option<GenesisNote> {
        let bytes = load_checked(disk, &dir.join(GENESIS_NOTE_FILE)).ok()??;
        let (version, rest) = bytes.split_first()?;
        let (hash, rest) = rest.split_first_chunk::<32>()?;
        let (state_root, rest) = rest.split_first_chunk::<32>()?;
        let (accounts, outline) = rest.split_first_chunk::<8>()?;
        let (state_root, accounts) = (B256::from(state_root), u64::from_le_bytes(*accounts));
        // Last, because it is the one check that takes time.
        let fits = *version == VERSION && B256::from(hash) == text_hash(text);
        fits.then(|| GenesisNote { state_root, accounts, outline: outline.to_vec() })
    }

    /// Keeps the note of this text. Without it the next start takes longer, and nothing else: a failure is not told.
    pub fn save(&self, disk: &dyn Disk, dir: &Path, text: &[u8]) {
        let hash = text_hash(text);
        let parts =
            [&[VERSION][..], &hash[..], &self.state_root[..], &self.accounts.to_le_bytes(), &self.outline];
        let _ = save_checked(disk, &dir.join(GENESIS_NOTE_FILE), &parts.concat());
    }
}

/// A hash of a genesis file's text that takes little time for a long one: keccak-256 of its length (u64 LE) and of the
/// keccak-256 hashes of its pieces of 64 KiB, in order. Two texts with one hash would be a collision of keccak-256.
pub fn text_hash(text: &[u8]) -> B256 {
    let pieces: Vec<&[u8]> = text.chunks(PIECE_BYTES).collect();
    let hashes: Vec<B256> = pieces.par_chunks(PIECES_PER_TASK).flat_map_iter(keccak256_many).collect();
    let mut all = (text.len() as u64).to_le_bytes().to_vec();
    hashes.iter().for_each(|hash| all.extend_from_slice(hash.as_slice()));
    keccak256(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use coc_disk::{FaultyDisk, OpenMode};

    const TEXT: &[u8] = b"a genesis file";

    fn note() -> GenesisNote {
        GenesisNote { state_root: B256::repeat_byte(7), accounts: 3, outline: b"{}".to_vec() }
    }

    fn folder_with_note() -> (FaultyDisk, &'static Path) {
        let (disk, dir) = (FaultyDisk::new(1), Path::new("/chain"));
        disk.create_dir(dir).expect("an empty disk");
        note().save(&disk, dir, TEXT);
        (disk, dir)
    }

    #[test]
    fn a_note_is_found_again_for_its_text_and_for_no_other() {
        let (disk, dir) = folder_with_note();
        assert_eq!(Some(note()), GenesisNote::load(&disk, dir, TEXT));
        assert_eq!(None, GenesisNote::load(&disk, dir, b"a genesis file "));
    }

    #[test]
    fn a_note_with_any_byte_changed_is_no_note() {
        let (disk, dir) = folder_with_note();
        let path = dir.join(GENESIS_NOTE_FILE);
        let length = disk.open(&path, OpenMode::Read).and_then(|file| file.len()).expect("it is there");
        for at in 0..length {
            disk.flip(&path, at, 0x10).expect("such a byte");
            assert_eq!(None, GenesisNote::load(&disk, dir, TEXT), "byte {at}");
            disk.flip(&path, at, 0x10).expect("such a byte");
        }
        assert_eq!(Some(note()), GenesisNote::load(&disk, dir, TEXT));
    }

    #[test]
    fn a_note_that_cannot_be_kept_is_only_missing() {
        let (disk, dir) = (FaultyDisk::new(2), Path::new("/chain"));
        disk.create_dir(dir).expect("an empty disk");
        disk.limit_bytes(Some(10));
        note().save(&disk, dir, TEXT);
        assert_eq!(None, GenesisNote::load(&disk, dir, TEXT));
    }

    #[test]
    fn every_byte_of_a_text_and_its_length_are_in_its_hash() {
        let long: Vec<u8> = (0..3 * PIECE_BYTES + 5).map(|at| (at % 251) as u8).collect();
        let hash = text_hash(&long);
        for at in [0, PIECE_BYTES - 1, PIECE_BYTES, 2 * PIECE_BYTES, long.len() - 1] {
            let mut other = long.clone();
            other[at] ^= 1;
            assert_ne!(hash, text_hash(&other), "byte {at}");
        }
        let lengths = [0, 1, PIECE_BYTES, PIECE_BYTES + 1].map(|length| text_hash(&vec![0; length]));
        assert!((1..4).all(|index| !lengths[..index].contains(&lengths[index])));
    }
}
