//! What can go wrong with a disk: what was tried, on which file, why it failed, what helps.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A failed operation on a file or folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot {action} {}: {kind}{}", path.display(), detail_suffix(detail))]
pub struct DiskError {
    /// What was tried, as a verb.
    pub action: &'static str,
    /// On which file or folder.
    pub path: PathBuf,
    /// Why it failed; what callers decide by.
    pub kind: DiskErrorKind,
    /// What else is known, such as the operating system's words; may be empty.
    pub detail: String,
}

/// Why a disk operation failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskErrorKind {
    /// There is no such file or folder.
    NotFound,
    /// The file exists already.
    AlreadyExists,
    /// The device, or this user's quota, is full.
    NoSpace,
    /// The file system cannot hold another file.
    NoInodes,
    /// This process may hold no more files open.
    TooManyOpen,
    /// The user may not do this.
    PermissionDenied,
    /// The file system is mounted read-only.
    ReadOnly,
    /// Another process holds the folder's lock.
    Locked,
    /// Durability was asked for and not given.
    SyncFailed,
    /// The file is shorter than what was asked of it.
    UnexpectedEnd,
    /// The file is longer than it may be.
    TooLong,
    /// Bytes of the file that would go are lent as memory.
    Lent,
    /// The simulated power is off.
    PowerLost,
    /// The device failed in another way.
    Other,
}

impl DiskErrorKind {
    /// Whether the same call may succeed once space has been freed.
    pub fn is_out_of_space(self) -> bool {
        matches!(self, Self::NoSpace | Self::NoInodes)
    }
}

impl fmt::Display for DiskErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotFound => "it does not exist",
            Self::AlreadyExists => "it exists already",
            Self::NoSpace => "no space left; free some on that device, or raise the quota",
            Self::NoInodes => {
                "the file system can hold no more files; remove some (`df -i` shows the number)"
            }
            Self::TooManyOpen => "too many open files; raise the limit (`ulimit -n`)",
            Self::PermissionDenied => "permission denied; give this user the right to write there",
            Self::ReadOnly => "the file system is read-only; look for a disk error and mount it writable",
            Self::Locked => "the folder is in use; stop the other process or choose another folder",
            Self::SyncFailed => "the device did not make it durable; check the disk, then start again",
            Self::UnexpectedEnd => "the file ends too early",
            Self::TooLong => "the file is too long",
            Self::Lent => "some of its bytes are in use; close it first",
            Self::PowerLost => "the simulated power is off",
            Self::Other => "the device failed",
        })
    }
}

impl DiskError {
    /// Names what failed, where and why.
    pub fn new(action: &'static str, path: &Path, kind: DiskErrorKind, detail: impl Into<String>) -> Self {
        Self { action, path: path.to_path_buf(), kind, detail: detail.into() }
    }

    /// Classifies an error of the operating system.
    pub fn from_io(action: &'static str, path: &Path, error: &io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => DiskErrorKind::NotFound,
            io::ErrorKind::AlreadyExists => DiskErrorKind::AlreadyExists,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => DiskErrorKind::NoSpace,
            io::ErrorKind::PermissionDenied => DiskErrorKind::PermissionDenied,
            io::ErrorKind::ReadOnlyFilesystem => DiskErrorKind::ReadOnly,
            io::ErrorKind::UnexpectedEof => DiskErrorKind::UnexpectedEnd,
            _ if matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE)) => {
                DiskErrorKind::TooManyOpen
            }
            _ => DiskErrorKind::Other,
        };
        Self::new(action, path, kind, error.to_string())
    }
}

fn detail_suffix(detail: &str) -> String {
    if detail.is_empty() { String::new() } else { format!(" ({detail})") }
}
