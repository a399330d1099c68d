//! Files in memory that never fail: for a chain without a data folder, and for tests of other things.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use crate::error::{DiskError, DiskErrorKind};
use crate::port::{DirLock, Disk, DiskFile, OpenMode};

/// A tree of files in memory. Clones share it; it is gone with the last of them.
#[derive(Debug, Clone, Default)]
pub struct MemDisk {
    tree: Arc<Mutex<Tree>>,
}

#[derive(Debug, Default)]
struct Tree {
    files: BTreeMap<PathBuf, Arc<RwLock<Vec<u8>>>>,
    dirs: BTreeSet<PathBuf>,
    locks: BTreeSet<PathBuf>,
}

impl MemDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Disk for MemDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> Result<Arc<dyn DiskFile>, DiskError> {
        let mut tree = self.tree.lock();
        let content = match tree.files.get(path) {
            Some(_) if mode == OpenMode::New => {
                return Err(DiskError::new("create", path, DiskErrorKind::AlreadyExists, ""));
            }
            Some(content) => content.clone(),
            None if mode.creates() => {
                let dir = path.parent().unwrap_or(Path::new(""));
                if !tree.dirs.contains(dir) {
                    return Err(DiskError::new("create", path, DiskErrorKind::NotFound, "no such folder"));
                }
                let content = Arc::<RwLock<Vec<u8>>>::default();
                tree.files.insert(path.to_path_buf(), content.clone());
                content
            }
            None => return Err(DiskError::new("open", path, DiskErrorKind::NotFound, "")),
        };
        Ok(Arc::new(MemFile { path: path.to_path_buf(), content }))
    }

    fn exists(&self, path: &Path) -> Result<bool, DiskError> {
        let tree = self.tree.lock();
        Ok(tree.files.contains_key(path) || tree.dirs.contains(path))
    }

    fn list(&self, dir: &Path) -> Result<Vec<String>, DiskError> {
        let tree = self.tree.lock();
        if !tree.dirs.contains(dir) {
            return Err(DiskError::new("list", dir, DiskErrorKind::NotFound, ""));
        }
        let inside = tree.files.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.filter_map(|path| path.file_name()?.to_str().map(str::to_owned)).collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        let mut tree = self.tree.lock();
        let Some(content) = tree.files.remove(from) else {
            return Err(DiskError::new("rename", from, DiskErrorKind::NotFound, ""));
        };
        tree.files.insert(to.to_path_buf(), content);
        Ok(())
    }

    fn remove(&self, path: &Path) -> Result<(), DiskError> {
        match self.tree.lock().files.remove(path) {
            Some(_) => Ok(()),
            None => Err(DiskError::new("remove", path, DiskErrorKind::NotFound, "")),
        }
    }

    fn create_dir(&self, dir: &Path) -> Result<(), DiskError> {
        self.tree.lock().dirs.extend(dir.ancestors().map(Path::to_path_buf));
        Ok(())
    }

    fn sync_dir(&self, _dir: &Path) -> Result<(), DiskError> {
        Ok(())
    }

    fn lock_dir(&self, dir: &Path) -> Result<DirLock, DiskError> {
        if !self.tree.lock().locks.insert(dir.to_path_buf()) {
            return Err(DiskError::new("lock", dir, DiskErrorKind::Locked, ""));
        }
        Ok(DirLock::new(MemLock { tree: self.tree.clone(), dir: dir.to_path_buf() }))
    }

    fn free_bytes(&self, _dir: &Path) -> Result<u64, DiskError> {
        Ok(u64::MAX)
    }
}

#[derive(Debug)]
struct MemLock {
    tree: Arc<Mutex<Tree>>,
    dir: PathBuf,
}

impl Drop for MemLock {
    fn drop(&mut self) {
        self.tree.lock().locks.remove(&self.dir);
    }
}

struct MemFile {
    path: PathBuf,
    content: Arc<RwLock<Vec<u8>>>,
}

impl std::fmt::Debug for MemFile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "MemFile({})", self.path.display())
    }
}

impl MemFile {
    fn too_long(&self) -> DiskError {
        DiskError::new("write", &self.path, DiskErrorKind::NoSpace, "longer than memory can address")
    }
}

impl DiskFile for MemFile {
    fn len(&self) -> Result<u64, DiskError> {
        Ok(self.content.read().len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, DiskError> {
        Ok(copy_from(&self.content.read(), offset, buffer))
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let start = usize::try_from(offset).map_err(|_| self.too_long())?;
        overlay(&mut self.content.write(), start, bytes);
        Ok(())
    }

    fn set_len(&self, bytes: u64) -> Result<(), DiskError> {
        let length = usize::try_from(bytes).map_err(|_| self.too_long())?;
        let mut content = self.content.write();
        content.resize(length, 0);
        content.shrink_to(length);
        Ok(())
    }

    fn sync(&self) -> Result<(), DiskError> {
        Ok(())
    }

    /// Memory cannot be promised in advance: nothing is reserved and the length stays.
    fn preallocate(&self, _bytes: u64) -> Result<(), DiskError> {
        Ok(())
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

/// Copies what `content` holds from `offset` into `buffer`; returns how many bytes that were.
pub(crate) fn copy_from(content: &[u8], offset: u64, buffer: &mut [u8]) -> usize {
    let start = usize::try_from(offset).unwrap_or(usize::MAX).min(content.len());
    let count = buffer.len().min(content.len() - start);
    buffer[..count].copy_from_slice(&content[start..start + count]);
    count
}

/// Writes `bytes` over `content` from `start`, filling a gap with zeros.
pub(crate) fn overlay(content: &mut Vec<u8>, start: usize, bytes: &[u8]) {
    if content.len() < start {
        content.resize(start, 0);
    }
    let inside = bytes.len().min(content.len() - start);
    content[start..start + inside].copy_from_slice(&bytes[..inside]);
    content.extend_from_slice(&bytes[inside..]);
}
