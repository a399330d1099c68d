//! The first bytes of a node file: what it is, in which format, of which chain, and which generation.
//!
//! ```text
//!  0  8  magic "COCNODES"
//!  8  4  format version, little-endian
//! 12  2  generation, little-endian
//! 14  2  zero
//! 16 32  genesis hash
//! 48 16  zero
//! ```
//!
//! Every byte is known to whoever opens the file, so a comparison finds what a checksum would.

use super::generation;
use crate::StoreError;
use alloy_primitives::B256;
use coc_disk::{Disk, DiskFile, OpenMode};
use std::path::Path;
use std::sync::Arc;

/// Version of the file format. Raise it when an older release would misread what this one writes.
pub const NODE_FORMAT_VERSION: u32 = 1;

pub(super) const HEADER_BYTES: u64 = 64;

const MAGIC: [u8; 8] = *b"COCNODES";

type Header = [u8; HEADER_BYTES as usize];

fn encode(generation: u16, genesis_hash: B256) -> Header {
    let mut header = [0; HEADER_BYTES as usize];
    header[..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&NODE_FORMAT_VERSION.to_le_bytes());
    header[12..14].copy_from_slice(&generation.to_le_bytes());
    header[16..48].copy_from_slice(genesis_hash.as_slice());
    header
}

/// Makes the file of a generation, durable with its header and name. A file that could not be finished is removed.
pub(super) fn create(
    disk: &dyn Disk,
    dir: &Path,
    generation: u16,
    genesis_hash: B256,
) -> Result<Arc<dyn DiskFile>, StoreError> {
    let path = generation::path(dir, generation);
    let file = disk.open(&path, OpenMode::New)?;
    let finished = (file.write_at(0, &encode(generation, genesis_hash)))
        .and_then(|()| file.sync())
        .and_then(|()| disk.sync_dir(dir));
    if let Err(error) = finished {
        // The first error is the one to tell; what is left of the file, the next open removes.
        let _ = disk.remove(&path);
        return Err(error.into());
    }
    Ok(file)
}

/// Refuses a file of another chain or a newer format. Anything else wrong with it is not strange but unfinished or
/// damaged, and is judged by whether the marker lists the file.
pub(super) fn refuse_strange(disk: &dyn Disk, path: &Path, genesis_hash: B256) -> Result<(), StoreError> {
    let file = disk.open(path, OpenMode::Read)?;
    let mut header = [0; HEADER_BYTES as usize];
    let complete = file.read_at(0, &mut header)? == header.len();
    if !complete || header[..8] != MAGIC {
        return Ok(());
    }
    let found = version_in(&header);
    let file = || path.display().to_string();
    if found > NODE_FORMAT_VERSION {
        return Err(StoreError::NewerFormat { file: file(), found, supported: NODE_FORMAT_VERSION });
    }
    let found = B256::from_slice(&header[16..48]);
    if found != genesis_hash {
        return Err(StoreError::WrongChain { file: file(), found, expected: genesis_hash });
    }
    Ok(())
}

/// Compares the header of a listed file with what it must be.
pub(super) fn check(file: &dyn DiskFile, generation: u16, genesis_hash: B256) -> Result<(), StoreError> {
    let mut header = [0; HEADER_BYTES as usize];
    let read = file.read_at(0, &mut header)?;
    if read < header.len() {
        return Err(StoreError::damaged(file.path(), format!("its header ends after {read} bytes")));
    }
    if header != encode(generation, genesis_hash) {
        return Err(StoreError::damaged(
            file.path(),
            "its header is not that of a node file of this generation".into(),
        ));
    }
    Ok(())
}

fn version_in(header: &Header) -> u32 {
    u32::from_le_bytes([header[8], header[9], header[10], header[11]])
}
