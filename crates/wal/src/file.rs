//! What both files have in common: a header in a page of its own, and space reserved before the name exists.
//!
//! Header, little-endian: magic (8) ‖ format version (u32) ‖ salt (u32) ‖ genesis hash (32) ‖ CRC (u32), then zeros
//! up to [`HEADER_BYTES`]. It is written once, when the file is made: under another name, synced, renamed, and the
//! name synced. So a file that has its name is whole.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use coc_disk::{Disk, DiskError, DiskFile, OpenMode};

use crate::error::{Damaged, WalError};

/// Bytes in front of the first sector of content: the largest page of common devices, so that nothing written later
/// shares one with the header.
pub const HEADER_BYTES: u64 = 4_096;

/// The version this code writes and the newest it reads.
pub(crate) const FORMAT_VERSION: u32 = 1;

const FIELD_BYTES: usize = 52;
const NEW_SUFFIX: &str = ".new";

/// What the header of a file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub magic: [u8; 8],
    /// Where the checksums of its sectors start.
    pub salt: u32,
    /// Hash of the chain's block 0; zeros in a file that belongs to no chain.
    pub genesis_hash: [u8; 32],
}

/// A file that is open.
pub(crate) struct Prepared {
    pub file: Arc<dyn DiskFile>,
    pub header: Header,
    pub created: bool,
    /// Whether the space asked for is reserved; a file that exists opens on a full disk too.
    pub reserve_held: bool,
}

/// Opens the file `name` in a folder, or makes it with the given header; `bytes` are reserved behind the header.
pub(crate) fn prepare(
    disk: &dyn Disk,
    dir: &Path,
    name: &str,
    fresh: &Header,
    bytes: u64,
    damaged: Damaged,
) -> Result<Prepared, WalError> {
    disk.create_dir(dir)?;
    let path = dir.join(name);
    let unfinished = beside(&path);
    if disk.exists(&unfinished)? {
        disk.remove(&unfinished)?;
    }
    let created = !disk.exists(&path)?;
    if created {
        create(disk, &path, fresh, bytes).inspect_err(|_| {
            // Gives the space back on a full disk; if even that fails, the next opening removes the file.
            let _ = disk.remove(&unfinished);
        })?;
    }
    // Always: a name given by an earlier process whose sync failed must not go after this.
    disk.sync_dir(dir)?;
    let file = disk.open(&path, OpenMode::Existing)?;
    let header = read(&*file, fresh, damaged)?;
    let reserve_held = match file.preallocate(HEADER_BYTES + bytes) {
        Err(error) if error.kind.is_out_of_space() => false,
        reserved => reserved.map(|()| true)?,
    };
    Ok(Prepared { file, header, created, reserve_held })
}

fn create(disk: &dyn Disk, path: &Path, header: &Header, bytes: u64) -> Result<(), DiskError> {
    let unfinished = beside(path);
    let file = disk.open(&unfinished, OpenMode::New)?;
    file.write_at(0, &header.encode())?;
    file.preallocate(HEADER_BYTES + bytes)?;
    file.sync()?;
    disk.rename(&unfinished, path)
}

fn read(file: &dyn DiskFile, expected: &Header, damaged: Damaged) -> Result<Header, WalError> {
    let path = file.path();
    let mut bytes = [0; FIELD_BYTES];
    if file.read_at(0, &mut bytes)? < bytes.len() {
        return Err(damaged(path, 0, "it is shorter than its header"));
    }
    if bytes[..8] != expected.magic {
        return Err(damaged(path, 0, "it does not begin as such a file does"));
    }
    // Judged before the checksum, whose place may change with it.
    let version = u32_at(&bytes, 8);
    if version > FORMAT_VERSION {
        return Err(WalError::NewerFormat { file: path.to_path_buf(), found: version });
    }
    if u32_at(&bytes, 48) != crc32c::crc32c(&bytes[..48]) || version == 0 {
        return Err(damaged(path, 0, "the checksum of its header does not match"));
    }
    let mut genesis_hash = [0; 32];
    genesis_hash.copy_from_slice(&bytes[16..48]);
    if genesis_hash != expected.genesis_hash {
        let (file, expected) = (path.to_path_buf(), expected.genesis_hash);
        return Err(WalError::WrongGenesis { file, expected, found: genesis_hash });
    }
    Ok(Header { salt: u32_at(&bytes, 12), ..*expected })
}

impl Header {
    fn encode(&self) -> [u8; FIELD_BYTES] {
        let mut bytes = [0; FIELD_BYTES];
        bytes[..8].copy_from_slice(&self.magic);
        bytes[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.salt.to_le_bytes());
        bytes[16..48].copy_from_slice(&self.genesis_hash);
        let checksum = crc32c::crc32c(&bytes[..48]);
        bytes[48..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(NEW_SUFFIX);
    PathBuf::from(name)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
