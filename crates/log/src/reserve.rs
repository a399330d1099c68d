//! Space kept aside, so that a node on a full disk can still write what leaves it in order.

use std::path::Path;

use coc_disk::{Disk, DiskError, OpenMode};

use crate::error::LogError;
use crate::log::BlockLog;

const RESERVE_NAME: &str = "reserve";

/// Whether the space is held at the moment.
#[derive(Debug)]
pub(crate) struct Reserve {
    pub held: bool,
}

impl Reserve {
    /// Tries to hold the reserve; a disk too full for it is no error.
    pub fn open(disk: &dyn Disk, dir: &Path, bytes: u64) -> Result<Self, DiskError> {
        match resize(disk, dir, bytes) {
            Ok(()) => Ok(Self { held: bytes > 0 }),
            Err(error) if error.kind.is_out_of_space() => Ok(Self { held: false }),
            Err(error) => Err(error),
        }
    }
}

/// Allocates, or gives back what is too much. Nothing here needs to be durable: a reserve lost in a crash
/// is taken again by the next start.
fn resize(disk: &dyn Disk, dir: &Path, bytes: u64) -> Result<(), DiskError> {
    let path = dir.join(RESERVE_NAME);
    if bytes == 0 && !disk.exists(&path)? {
        return Ok(());
    }
    let file = disk.open(&path, OpenMode::OrCreate)?;
    if file.len()? > bytes {
        file.set_len(bytes)?;
    }
    file.preallocate(bytes)
}

impl BlockLog {
    /// Whether the reserve is held.
    pub fn has_reserve(&self) -> bool {
        self.reserve.lock().held
    }

    /// Gives the reserve back to the disk: for the last writes of an orderly stop on a full disk.
    ///
    /// # Errors
    /// What the disk refuses; it needs no free space.
    pub fn release_reserve(&self) -> Result<(), LogError> {
        let mut reserve = self.reserve.lock();
        resize(&*self.disk, &self.dir, 0)?;
        reserve.held = false;
        Ok(())
    }

    /// Takes the reserve again; nothing happens if it is held.
    ///
    /// # Errors
    /// [`LogError::NoSpace`] while the disk is too full for it.
    pub fn take_reserve(&self) -> Result<(), LogError> {
        let mut reserve = self.reserve.lock();
        resize(&*self.disk, &self.dir, self.options.reserve_bytes)?;
        reserve.held = self.options.reserve_bytes > 0;
        Ok(())
    }
}
