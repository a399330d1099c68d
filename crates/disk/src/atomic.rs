//! Small files that are replaced whole: marks, keys, manifests.
//!
//! The new content goes into a file beside the old one, is synced, takes the old one's name, and the
//! folder is synced. Whatever happens in between, the name stands for the old content or the new one.
//!
//! [`replace_file`] writes the bytes as they are, for formats that other programs read.
//! [`save_checked`] and [`load_checked`] add a frame, little-endian:
//! magic (8 bytes) ‖ payload length (u32) ‖ CRC-32C of length and payload (u32) ‖ payload.

use std::path::{Path, PathBuf};

use crate::error::{DiskError, DiskErrorKind};
use crate::port::{Disk, OpenMode};

/// Largest payload of a checked file (bytes): these are marks and manifests, read whole into memory.
pub const CHECKED_PAYLOAD_BYTES_MAX: usize = 64 << 20;

const MAGIC: [u8; 8] = *b"COCFILE1";
const FRAME_BYTES: usize = 16;
const NEW_SUFFIX: &str = ".new";

/// Why a checked file could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AtomicFileError {
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The content is not what was saved.
    #[error("{} is damaged: {reason}; restore it from a copy, or run `coc db check`", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: &'static str,
    },
}

/// Replaces the content of `path`, or creates it, so that a crash leaves the old or the new content whole.
/// Durable on return. Its folder must exist, and `path` with `.new` appended is overwritten.
///
/// # Errors
/// Any [`DiskError`]; the old content is still in place then, except after `SyncFailed` of the
/// folder, when it may be either.
pub fn replace_file(disk: &dyn Disk, path: &Path, content: &[u8]) -> Result<(), DiskError> {
    let dir = path.parent().unwrap_or(Path::new(""));
    let beside = beside(path);
    let written = write_beside(disk, &beside, content).and_then(|()| disk.rename(&beside, path));
    if let Err(error) = written {
        // Gives the space back on a full disk; if even that fails, the next call overwrites the file.
        let _ = disk.remove(&beside);
        return Err(error);
    }
    disk.sync_dir(dir)
}

/// As [`replace_file`], with a checksum that [`load_checked`] verifies.
///
/// # Errors
/// `TooLong` for a payload over [`CHECKED_PAYLOAD_BYTES_MAX`]; else as [`replace_file`].
pub fn save_checked(disk: &dyn Disk, path: &Path, payload: &[u8]) -> Result<(), DiskError> {
    if payload.len() > CHECKED_PAYLOAD_BYTES_MAX {
        let detail = format!("{} bytes, at most {CHECKED_PAYLOAD_BYTES_MAX} allowed", payload.len());
        return Err(DiskError::new("save", path, DiskErrorKind::TooLong, detail));
    }
    let length = (payload.len() as u32).to_le_bytes();
    let mut content = Vec::with_capacity(FRAME_BYTES + payload.len());
    content.extend_from_slice(&MAGIC);
    content.extend_from_slice(&length);
    content.extend_from_slice(&checksum(length, payload).to_le_bytes());
    content.extend_from_slice(payload);
    replace_file(disk, path, &content)
}

/// Reads what [`save_checked`] wrote; `None` if the file does not exist.
///
/// # Errors
/// [`AtomicFileError::Damaged`] if a single byte differs from what was saved.
pub fn load_checked(disk: &dyn Disk, path: &Path) -> Result<Option<Vec<u8>>, AtomicFileError> {
    let file = match disk.open(path, OpenMode::Read) {
        Err(error) if error.kind == DiskErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let damaged = |reason| AtomicFileError::Damaged { path: path.to_path_buf(), reason };
    let mut content = file.read_all((FRAME_BYTES + CHECKED_PAYLOAD_BYTES_MAX) as u64)?;
    let Some((frame, payload)) = content.split_first_chunk::<FRAME_BYTES>() else {
        return Err(damaged("it is shorter than its frame"));
    };
    let [length, expected] = [8, 12].map(|at| [frame[at], frame[at + 1], frame[at + 2], frame[at + 3]]);
    if frame[..8] != MAGIC {
        return Err(damaged("it does not begin as such a file does"));
    }
    if u32::from_le_bytes(length) as usize != payload.len() {
        return Err(damaged("its length is not the recorded one"));
    }
    if checksum(length, payload) != u32::from_le_bytes(expected) {
        return Err(damaged("its checksum does not match"));
    }
    Ok(Some(content.split_off(FRAME_BYTES)))
}

fn write_beside(disk: &dyn Disk, beside: &Path, content: &[u8]) -> Result<(), DiskError> {
    let file = disk.open(beside, OpenMode::OrCreate)?;
    file.set_len(0)?;
    file.write_at(0, content)?;
    file.sync()
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(NEW_SUFFIX);
    PathBuf::from(name)
}

fn checksum(length: [u8; 4], payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&length), payload)
}
