//! The folder of a prepared benchmark: a chain to stand on, the blocks that come next, and who has an account.
//!
//! | name | holds |
//! |---|---|
//! | `base/` | the data folder of the chain |
//! | `blocks` | each measured block: length in bytes (8, big-endian), RLP |
//! | `accounts` | addresses, 20 bytes each |

use alloy_primitives::Address;
use std::path::Path;

/// Why a benchmark could not be run.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Writes the measured blocks.
pub fn save_blocks(folder: &Path, blocks: &[Vec<u8>]) -> Result<(), Failure> {
    let mut bytes = Vec::new();
    for block in blocks {
        bytes.extend_from_slice(&(block.len() as u64).to_be_bytes());
        bytes.extend_from_slice(block);
    }
    Ok(std::fs::write(folder.join("blocks"), bytes)?)
}

/// Reads the measured blocks.
pub fn load_blocks(folder: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let bytes = std::fs::read(folder.join("blocks"))?;
    let mut rest = bytes.as_slice();
    let mut blocks = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<8>() {
        let length = u64::from_be_bytes(*length) as usize;
        let block = after.get(..length).ok_or("the file of blocks is torn; prepare the folder again")?;
        blocks.push(block.to_vec());
        rest = &after[length..];
    }
    Ok(blocks)
}

/// Writes the addresses that have an account.
pub fn save_accounts(folder: &Path, accounts: &[Address]) -> Result<(), Failure> {
    let bytes: Vec<u8> = accounts.iter().flat_map(|address| address.0.0).collect();
    Ok(std::fs::write(folder.join("accounts"), bytes)?)
}

/// Reads the addresses that have an account.
pub fn load_accounts(folder: &Path) -> Result<Vec<Address>, Failure> {
    let bytes = std::fs::read(folder.join("accounts"))?;
    Ok(bytes.chunks_exact(20).map(Address::from_slice).collect())
}

/// Copies a data folder.
pub fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
