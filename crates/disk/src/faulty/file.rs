//! A handle on a simulated file; dead after the crash or kill that follows its opening.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::names::InodeNumber;
use super::world::World;
use crate::error::{DiskError, DiskErrorKind};
use crate::memory::copy_from;
use crate::port::DiskFile;

pub(super) struct FaultyFile {
    world: Arc<Mutex<World>>,
    inode: InodeNumber,
    life: u64,
    path: PathBuf,
    writable: bool,
}

impl FaultyFile {
    pub fn new(world: Arc<Mutex<World>>, inode: InodeNumber, life: u64, path: &Path, writable: bool) -> Self {
        Self { world, inode, life, path: path.to_path_buf(), writable }
    }

    fn check_writable(&self, world: &World, action: &'static str) -> Result<(), DiskError> {
        world.alive(self.life, action, &self.path)?;
        if self.writable {
            return Ok(());
        }
        Err(DiskError::new(action, &self.path, DiskErrorKind::PermissionDenied, "opened for reading"))
    }

    fn index(&self, action: &'static str, offset: u64) -> Result<usize, DiskError> {
        let too_long = |_| DiskError::new(action, &self.path, DiskErrorKind::NoSpace, "longer than memory");
        usize::try_from(offset).map_err(too_long)
    }
}

impl fmt::Debug for FaultyFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "FaultyFile({})", self.path.display())
    }
}

impl DiskFile for FaultyFile {
    fn len(&self) -> Result<u64, DiskError> {
        let world = self.world.lock();
        world.alive(self.life, "measure", &self.path)?;
        Ok(world.length(self.inode) as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, DiskError> {
        let mut world = self.world.lock();
        world.alive(self.life, "read", &self.path)?;
        Ok(copy_from(world.content(self.inode), offset, buffer))
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let start = self.index("write", offset)?;
        let mut world = self.world.lock();
        self.check_writable(&world, "write")?;
        world.write(self.inode, &self.path, start, bytes)
    }

    fn set_len(&self, bytes: u64) -> Result<(), DiskError> {
        let length = self.index("resize", bytes)?;
        let mut world = self.world.lock();
        self.check_writable(&world, "resize")?;
        world.resize(self.inode, &self.path, length)
    }

    fn sync(&self) -> Result<(), DiskError> {
        let mut world = self.world.lock();
        world.alive(self.life, "sync", &self.path)?;
        world.sync(self.inode, &self.path)
    }

    fn preallocate(&self, bytes: u64) -> Result<(), DiskError> {
        if self.len()? >= bytes { Ok(()) } else { self.set_len(bytes) }
    }

    fn path(&self) -> &Path {
        &self.path
    }
}
