//! The disk that fails: the seeded, deterministic twin of [`RealDisk`](crate::RealDisk) for tests and the simulator.
//!
//! How it works: every file has the content a running process sees, the content that is durable, and
//! the list of changes between the two; folders likewise. [`FaultyDisk::crash`] draws which of the
//! open changes reached the platter, sector by sector, in no order, and everything else is gone.
//!
//! One model is stricter than most file systems on purpose: the name of a created file needs
//! [`sync_dir`](crate::Disk::sync_dir), and unsynced names survive or vanish one by one. One is kinder: folders are
//! durable once created. Equal seeds and equal calls give equal disks, byte for byte.

mod file;
mod inode;
mod names;
mod world;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::error::{DiskError, DiskErrorKind};
use crate::port::{DirLock, Disk, DiskFile, OpenMode};
use file::FaultyFile;
use world::World;

pub use inode::SECTOR_BYTES;
pub use world::{Counters, SimulatedCosts};

/// A tree of files in memory with faults on demand. Clones share it.
#[derive(Clone)]
pub struct FaultyDisk {
    world: Arc<Mutex<World>>,
}

impl FaultyDisk {
    /// An empty disk without faults; `seed` decides what crashes leave and which bytes flip.
    pub fn new(seed: u64) -> Self {
        Self { world: Arc::new(Mutex::new(World::new(seed))) }
    }

    /// Cuts the power and brings it back: open handles and locks are dead, files hold what a disk
    /// could hold then. Limits on space and inodes and pretended syncs stay; other planned faults are forgotten.
    pub fn crash(&self) {
        self.world.lock().crash();
    }

    /// Ends the process but not the power: handles and locks are dead, nothing written is lost.
    pub fn kill(&self) {
        self.world.lock().kill();
    }

    /// Cuts the power at the `changes`-th changing call from now (0: the next one): that call may or may not
    /// take effect, and all calls fail with `PowerLost` until [`crash`](Self::crash).
    pub fn cut_power_after(&self, changes: u64) {
        self.world.lock().changes_until_power_cut = Some(changes);
    }

    /// Bounds the total length of all files; `None` lifts the bound. Writes beyond it write what fits.
    pub fn limit_bytes(&self, bytes_max: Option<u64>) {
        self.world.lock().bytes_max = bytes_max;
    }

    /// Bounds the number of files; `None` lifts the bound.
    pub fn limit_files(&self, files_max: Option<usize>) {
        self.world.lock().files_max = files_max;
    }

    /// Makes the next `count` syncs of files fail; what they should have made durable may be lost for good.
    pub fn fail_next_syncs(&self, count: u32) {
        self.world.lock().syncs_to_fail = count;
    }

    /// Makes one sync in `times`, of files and folders, fail at random; 0 for none.
    pub fn fail_syncs_one_in(&self, times: u64) {
        self.world.lock().sync_fails_one_in = times;
    }

    /// From now on syncs of this file, or of every file below this folder, succeed and make nothing durable: what a
    /// program does that has forgotten to sync.
    pub fn pretend_syncs_of(&self, place: &Path) {
        self.world.lock().syncs_pretended_of.push(place.to_path_buf());
    }

    /// Makes one write in `times` fail half-way at random, the device at fault; 0 for none.
    pub fn fail_writes_one_in(&self, times: u64) {
        self.world.lock().write_fails_one_in = times;
    }

    /// Sets what operations cost on the simulated clock of [`counters`](Self::counters).
    pub fn set_costs(&self, costs: SimulatedCosts) {
        self.world.lock().costs = costs;
    }

    /// What has been done so far.
    pub fn counters(&self) -> Counters {
        self.world.lock().counters
    }

    /// Flips the bits of `mask` in one byte of a file, on the platter and in the cache.
    ///
    /// # Errors
    /// `NotFound`, or `UnexpectedEnd` if the file has no such byte.
    pub fn flip(&self, path: &Path, offset: u64, mask: u8) -> Result<(), DiskError> {
        self.world.lock().flip(path, offset, mask)
    }

    /// All names, sorted, with the contents a running process sees: to compare two runs.
    pub fn snapshot(&self) -> Vec<(PathBuf, Vec<u8>)> {
        self.world.lock().snapshot()
    }
}

impl fmt::Debug for FaultyDisk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "FaultyDisk({:?})", self.counters())
    }
}

impl Disk for FaultyDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> Result<Arc<dyn DiskFile>, DiskError> {
        let mut world = self.world.lock();
        let inode = world.open(path, mode)?;
        let writable = mode != OpenMode::Read;
        let life = world.life();
        Ok(Arc::new(FaultyFile::new(self.world.clone(), inode, life, path, writable)))
    }

    fn exists(&self, path: &Path) -> Result<bool, DiskError> {
        let world = self.world.lock();
        world.powered("look at", path)?;
        Ok(world.names.find(path).is_some() || world.names.is_dir(path))
    }

    fn list(&self, dir: &Path) -> Result<Vec<String>, DiskError> {
        let world = self.world.lock();
        world.powered("list", dir)?;
        if !world.names.is_dir(dir) {
            return Err(DiskError::new("list", dir, DiskErrorKind::NotFound, ""));
        }
        Ok(world.names.list(dir))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        let mut world = self.world.lock();
        world.change("rename", from)?;
        if !world.names.rename(from, to) {
            return Err(DiskError::new("rename", from, DiskErrorKind::NotFound, ""));
        }
        world.still_powered("rename", from)
    }

    fn remove(&self, path: &Path) -> Result<(), DiskError> {
        let mut world = self.world.lock();
        world.change("remove", path)?;
        if !world.names.remove(path) {
            return Err(DiskError::new("remove", path, DiskErrorKind::NotFound, ""));
        }
        world.still_powered("remove", path)
    }

    fn create_dir(&self, dir: &Path) -> Result<(), DiskError> {
        let mut world = self.world.lock();
        world.change("create folder", dir)?;
        world.names.create_dir(dir);
        world.still_powered("create folder", dir)
    }

    fn sync_dir(&self, dir: &Path) -> Result<(), DiskError> {
        self.world.lock().sync_dir(dir)
    }

    fn lock_dir(&self, dir: &Path) -> Result<DirLock, DiskError> {
        let mut world = self.world.lock();
        world.powered("lock", dir)?;
        if !world.locks.insert(dir.to_path_buf()) {
            return Err(DiskError::new("lock", dir, DiskErrorKind::Locked, ""));
        }
        let life = world.life();
        Ok(DirLock::new(FaultyLock { world: self.world.clone(), dir: dir.to_path_buf(), life }))
    }

    fn free_bytes(&self, dir: &Path) -> Result<u64, DiskError> {
        let world = self.world.lock();
        world.powered("measure", dir)?;
        Ok(world.free_bytes())
    }
}

struct FaultyLock {
    world: Arc<Mutex<World>>,
    dir: PathBuf,
    life: u64,
}

impl Drop for FaultyLock {
    fn drop(&mut self) {
        let mut world = self.world.lock();
        // A lock from before a crash is gone already; the folder may have a new holder.
        if world.life() == self.life {
            world.locks.remove(&self.dir);
        }
    }
}
