//! A disk on which a check may do what a start does: it shows the files of another disk, and keeps to itself what is written.
//!
//! A start repairs as it opens (it cuts a torn record, writes an unsynced tail again). Opened through a [`ScratchDisk`], log and node
//! files do the same and say what they did, while the folder stays as it is, and a node that has it open is not disturbed.

use coc_disk::{DirLock, Disk, DiskError, DiskErrorKind, DiskFile, OpenMode};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What was changed on top of another disk; forgotten with this value.
#[derive(Debug)]
pub struct ScratchDisk {
    disk: Arc<dyn Disk>,
    changed: Mutex<BTreeMap<PathBuf, Entry>>,
}

#[derive(Clone, Debug)]
enum Entry {
    Open(Arc<ScratchFile>),
    Removed,
}

impl ScratchDisk {
    /// Nothing changed yet.
    pub fn over(disk: Arc<dyn Disk>) -> ScratchDisk {
        ScratchDisk { disk, changed: Mutex::default() }
    }

    fn create(&self, path: &Path) -> Arc<dyn DiskFile> {
        let layers = Layers { base_bytes: 0, bytes: 0, pieces: Vec::new() };
        let file = Arc::new(ScratchFile { path: path.into(), base: None, layers: Mutex::new(layers) });
        self.changed.lock().insert(path.into(), Entry::Open(file.clone()));
        file
    }

    fn layer_over(&self, path: &Path) -> Result<Arc<dyn DiskFile>, DiskError> {
        let base = self.disk.open(path, OpenMode::Read)?;
        let bytes = base.len()?;
        let layers = Layers { base_bytes: bytes, bytes, pieces: Vec::new() };
        let file = Arc::new(ScratchFile { path: path.into(), base: Some(base), layers: Mutex::new(layers) });
        self.changed.lock().insert(path.into(), Entry::Open(file.clone()));
        Ok(file)
    }
}

impl Disk for ScratchDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> Result<Arc<dyn DiskFile>, DiskError> {
        let refused = |kind| Err(DiskError::new("open", path, kind, ""));
        let entry = self.changed.lock().get(path).cloned();
        let is_there = match &entry {
            Some(Entry::Open(_)) => true,
            Some(Entry::Removed) => false,
            None => self.disk.exists(path)?,
        };
        match (entry, mode) {
            (_, OpenMode::New) if is_there => refused(DiskErrorKind::AlreadyExists),
            (Some(Entry::Open(file)), _) => Ok(file),
            (_, mode) if !is_there => {
                if mode.creates() {
                    Ok(self.create(path))
                } else {
                    refused(DiskErrorKind::NotFound)
                }
            }
            (_, OpenMode::Read) => self.disk.open(path, mode),
            _ => self.layer_over(path),
        }
    }

    fn exists(&self, path: &Path) -> Result<bool, DiskError> {
        match self.changed.lock().get(path) {
            Some(entry) => Ok(matches!(entry, Entry::Open(_))),
            None => self.disk.exists(path),
        }
    }

    fn list(&self, dir: &Path) -> Result<Vec<String>, DiskError> {
        let below = if self.disk.exists(dir)? { self.disk.list(dir)? } else { Vec::new() };
        let mut names: BTreeSet<String> = below.into_iter().collect();
        for (path, entry) in self.changed.lock().iter().filter(|(path, _)| path.parent() == Some(dir)) {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            match entry {
                Entry::Open(_) => names.insert(name.into()),
                Entry::Removed => names.remove(name),
            };
        }
        Ok(names.into_iter().collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        let file = self.open(from, OpenMode::Existing)?;
        let content = file.read_all(u64::MAX)?;
        self.create(to).write_at(0, &content)?;
        self.remove(from)
    }

    fn remove(&self, path: &Path) -> Result<(), DiskError> {
        if !self.exists(path)? {
            return Err(DiskError::new("remove", path, DiskErrorKind::NotFound, ""));
        }
        self.changed.lock().insert(path.into(), Entry::Removed);
        Ok(())
    }

    fn create_dir(&self, _dir: &Path) -> Result<(), DiskError> {
        Ok(())
    }

    fn sync_dir(&self, _dir: &Path) -> Result<(), DiskError> {
        Ok(())
    }

    fn lock_dir(&self, _dir: &Path) -> Result<DirLock, DiskError> {
        Ok(DirLock::new(()))
    }

    fn free_bytes(&self, _dir: &Path) -> Result<u64, DiskError> {
        Ok(u64::MAX)
    }
}

/// A file whose first bytes may be another's, with pieces written over them.
#[derive(Debug)]
struct ScratchFile {
    path: PathBuf,
    base: Option<Arc<dyn DiskFile>>,
    layers: Mutex<Layers>,
}

#[derive(Debug)]
struct Layers {
    /// Bytes that still come from the base.
    base_bytes: u64,
    /// Length of the file.
    bytes: u64,
    /// What was written, oldest first.
    pieces: Vec<(u64, Vec<u8>)>,
}

impl DiskFile for ScratchFile {
    fn len(&self) -> Result<u64, DiskError> {
        Ok(self.layers.lock().bytes)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, DiskError> {
        let layers = self.layers.lock();
        let there = usize::try_from(layers.bytes.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(there);
        let buffer = &mut buffer[..wanted];
        buffer.fill(0);
        let from_base =
            usize::try_from(layers.base_bytes.saturating_sub(offset)).unwrap_or(usize::MAX).min(wanted);
        if let Some(base) = self.base.as_ref().filter(|_| from_base > 0) {
            base.read_at(offset, &mut buffer[..from_base])?;
        }
        for (start, piece) in &layers.pieces {
            let (from, to) = ((*start).max(offset), (start + piece.len() as u64).min(offset + wanted as u64));
            if from < to {
                let source = &piece[(from - start) as usize..(to - start) as usize];
                buffer[(from - offset) as usize..(to - offset) as usize].copy_from_slice(source);
            }
        }
        Ok(wanted)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let mut layers = self.layers.lock();
        layers.bytes = layers.bytes.max(offset + bytes.len() as u64);
        layers.pieces.push((offset, bytes.to_vec()));
        Ok(())
    }

    fn set_len(&self, bytes: u64) -> Result<(), DiskError> {
        let mut layers = self.layers.lock();
        layers.base_bytes = layers.base_bytes.min(bytes);
        layers.bytes = bytes;
        layers.pieces.retain(|(start, _)| *start < bytes);
        for (start, piece) in &mut layers.pieces {
            piece.truncate(usize::try_from(bytes - *start).unwrap_or(usize::MAX));
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), DiskError> {
        Ok(())
    }

    fn preallocate(&self, _bytes: u64) -> Result<(), DiskError> {
        Ok(())
    }

    fn path(&self) -> &Path {
        &self.path
    }
}
