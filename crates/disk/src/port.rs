//! The two traits every disk implements, and what they hand out.

use std::any::Any;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::error::{DiskError, DiskErrorKind};

/// Name of the file in a locked folder that carries the lock; it stays when the lock is let go.
pub const LOCK_FILE_NAME: &str = "LOCK";

/// What [`Disk::open`] expects to find, and what may be done with the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// The file exists; it is only read.
    Read,
    /// The file exists; it is read and written.
    Existing,
    /// The file is created, empty, if it does not exist.
    OrCreate,
    /// The file must not exist yet.
    New,
}

impl OpenMode {
    /// Whether a missing file is created.
    pub fn creates(self) -> bool {
        matches!(self, Self::OrCreate | Self::New)
    }
}

/// A tree of files. Paths are those of the operating system; disks in memory treat them as plain names.
pub trait Disk: Send + Sync + fmt::Debug {
    /// Opens a file. The name of a created file is durable only after [`sync_dir`](Disk::sync_dir).
    ///
    /// # Errors
    /// `NotFound`, `AlreadyExists` (for [`OpenMode::New`]), `NoSpace`, `NoInodes`, `TooManyOpen`, …
    fn open(&self, path: &Path, mode: OpenMode) -> Result<Arc<dyn DiskFile>, DiskError>;

    /// Whether a file or folder of that name exists.
    ///
    /// # Errors
    /// Whatever keeps the disk from telling, such as a missing permission.
    fn exists(&self, path: &Path) -> Result<bool, DiskError>;

    /// The names of the files (not folders) directly in a folder, sorted.
    ///
    /// # Errors
    /// `NotFound` if there is no such folder.
    fn list(&self, dir: &Path) -> Result<Vec<String>, DiskError>;

    /// Gives a file another name in the same folder, replacing what had that name: after a crash
    /// one of the two has the new name, whole. Durable only after [`sync_dir`](Disk::sync_dir).
    ///
    /// # Errors
    /// `NotFound` if there is no file `from`.
    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError>;

    /// Removes a file. Open handles stay usable. Durable only after [`sync_dir`](Disk::sync_dir).
    ///
    /// # Errors
    /// `NotFound` if there is no such file.
    fn remove(&self, path: &Path) -> Result<(), DiskError>;

    /// Creates a folder and those above it. The new folders themselves are durable on return.
    ///
    /// # Errors
    /// `NoSpace`, `NoInodes`, `PermissionDenied`, …
    fn create_dir(&self, dir: &Path) -> Result<(), DiskError>;

    /// Makes the names in a folder durable.
    ///
    /// # Errors
    /// `SyncFailed`: nothing is known about the names changed since the last good call.
    fn sync_dir(&self, dir: &Path) -> Result<(), DiskError>;

    /// Takes the exclusive lock of a folder, held until the guard is dropped or the process ends.
    ///
    /// # Errors
    /// `Locked` if another process, or another guard of this one, holds it.
    fn lock_dir(&self, dir: &Path) -> Result<DirLock, DiskError>;

    /// Bytes that this process may still write on the device that holds the folder.
    ///
    /// # Errors
    /// `NotFound` if there is no such folder.
    fn free_bytes(&self, dir: &Path) -> Result<u64, DiskError>;
}

/// Where bytes that are lent may begin: a multiple of every page size in use.
pub const LENT_ALIGNMENT_BYTES: u64 = 64 << 10;

/// Bytes of a file that a disk lends as memory; see [`DiskFile::lend`].
pub type Lent = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// One open file. All calls take an explicit offset and may come from several threads at once.
#[allow(clippy::len_without_is_empty)] // Nobody asks a file whether it is empty.
pub trait DiskFile: Send + Sync + fmt::Debug {
    /// Length in bytes.
    ///
    /// # Errors
    /// Whatever keeps the disk from telling.
    fn len(&self) -> Result<u64, DiskError>;

    /// Reads up to `buffer.len()` bytes from `offset`; fewer only at the end of the file.
    ///
    /// # Errors
    /// `Other` when the device cannot read.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, DiskError>;

    /// Writes all bytes at `offset`, extending the file where needed. Not durable before [`sync`](DiskFile::sync).
    ///
    /// # Errors
    /// `NoSpace` and others; a part of the bytes may have been written then.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), DiskError>;

    /// Cuts the file or extends it with zeros. Not durable before [`sync`](DiskFile::sync).
    ///
    /// # Errors
    /// Whatever the device refuses. Cutting needs no free space.
    fn set_len(&self, bytes: u64) -> Result<(), DiskError>;

    /// Makes everything written so far durable (`fdatasync`: content and length).
    ///
    /// # Errors
    /// `SyncFailed`: see the rules at the top of this crate.
    fn sync(&self) -> Result<(), DiskError>;

    /// Reserves space on the device, so that the file is at least `bytes` long and writes below
    /// that cannot run out of space. On failure the length is as it was.
    ///
    /// # Errors
    /// `NoSpace` if the device has less than that.
    fn preallocate(&self, bytes: u64) -> Result<(), DiskError>;

    /// The path this file was opened under, for error messages.
    fn path(&self) -> &Path;

    /// The bytes from `from` to `to` as memory, on disks that can lend them; elsewhere they are read with
    /// [`read_at`](DiskFile::read_at).
    ///
    /// They must be synced, and are never written again; from now on this handle refuses to make the file shorter than
    /// `to`. `from` is a multiple of [`LENT_ALIGNMENT_BYTES`].
    fn lend(&self, from: u64, to: u64) -> Option<Lent> {
        let _ = (from, to);
        None
    }

    /// Reads exactly `buffer.len()` bytes from `offset`.
    ///
    /// # Errors
    /// `UnexpectedEnd` if the file is shorter.
    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), DiskError> {
        let read = self.read_at(offset, buffer)?;
        if read < buffer.len() {
            let detail = format!("{} bytes wanted at offset {offset}, {read} there", buffer.len());
            return Err(DiskError::new("read", self.path(), DiskErrorKind::UnexpectedEnd, detail));
        }
        Ok(())
    }

    /// Writes at the end of the file and returns the offset. For a single writer: two at once may collide.
    ///
    /// # Errors
    /// As [`write_at`](DiskFile::write_at).
    fn append(&self, bytes: &[u8]) -> Result<u64, DiskError> {
        let end = self.len()?;
        self.write_at(end, bytes)?;
        Ok(end)
    }

    /// Reads the whole file, refusing one longer than `bytes_max`.
    ///
    /// # Errors
    /// `TooLong`, so that a wrong file cannot fill the memory.
    fn read_all(&self, bytes_max: u64) -> Result<Vec<u8>, DiskError> {
        let length = self.len()?;
        let Some(length) = usize::try_from(length).ok().filter(|_| length <= bytes_max) else {
            let detail = format!("{length} bytes, at most {bytes_max} expected");
            return Err(DiskError::new("read", self.path(), DiskErrorKind::TooLong, detail));
        };
        let mut content = vec![0; length];
        self.read_exact_at(0, &mut content)?;
        Ok(content)
    }
}

/// Holds the exclusive lock of a folder until it is dropped.
pub struct DirLock {
    _guard: Box<dyn Any + Send + Sync>,
}

impl DirLock {
    /// Wraps whatever lets the lock go when it is dropped.
    pub fn new(guard: impl Any + Send + Sync) -> Self {
        Self { _guard: Box::new(guard) }
    }
}

impl fmt::Debug for DirLock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DirLock")
    }
}
