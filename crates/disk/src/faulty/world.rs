//! The state behind a [`FaultyDisk`](super::FaultyDisk): files, names, planned faults, counters.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::inode::Inode;
use super::names::{InodeNumber, Names};
use crate::dice::Dice;
use crate::error::{DiskError, DiskErrorKind};
use crate::port::OpenMode;

/// How many operations a disk has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Calls that read a file.
    pub reads: u64,
    /// Calls that changed something: writes, resizes, names, syncs.
    pub changes: u64,
    /// Syncs of files that succeeded.
    pub file_syncs: u64,
    /// Syncs of folders that succeeded.
    pub dir_syncs: u64,
    /// Bytes handed to writes.
    pub written_bytes: u64,
    /// What all of it would have cost by the [`SimulatedCosts`], in microseconds; no real time passes.
    pub elapsed_us: u64,
}

/// What operations cost on a simulated clock, for tests of slow disks (microseconds; all 0 at first).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SimulatedCosts {
    /// Each reading call.
    pub read_us: u64,
    /// Each changing call that is no sync.
    pub change_us: u64,
    /// Each sync of a file or folder.
    pub sync_us: u64,
}

#[derive(Debug)]
pub(super) struct World {
    pub names: Names,
    pub locks: BTreeSet<PathBuf>,
    pub counters: Counters,
    pub costs: SimulatedCosts,
    pub bytes_max: Option<u64>,
    pub files_max: Option<usize>,
    pub syncs_to_fail: u32,
    pub sync_fails_one_in: u64,
    pub syncs_pretended_of: Vec<PathBuf>,
    pub write_fails_one_in: u64,
    pub changes_until_power_cut: Option<u64>,
    inodes: BTreeMap<InodeNumber, Inode>,
    inodes_created: InodeNumber,
    /// Rises with every crash and kill: handles of an earlier life are dead.
    life: u64,
    power: bool,
    dice: Dice,
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self {
            names: Names::default(),
            locks: BTreeSet::new(),
            counters: Counters::default(),
            costs: SimulatedCosts::default(),
            bytes_max: None,
            files_max: None,
            syncs_to_fail: 0,
            sync_fails_one_in: 0,
            syncs_pretended_of: Vec::new(),
            write_fails_one_in: 0,
            changes_until_power_cut: None,
            inodes: BTreeMap::new(),
            inodes_created: 0,
            life: 0,
            power: true,
            dice: Dice::new(seed),
        }
    }

    pub fn life(&self) -> u64 {
        self.life
    }

    pub fn kill(&mut self) {
        self.life += 1;
        self.locks.clear();
        self.changes_until_power_cut = None;
        (self.syncs_to_fail, self.sync_fails_one_in, self.write_fails_one_in) = (0, 0, 0);
    }

    pub fn crash(&mut self) {
        self.kill();
        self.power = true;
        self.names.crash(&mut self.dice);
        let linked: BTreeSet<InodeNumber> = self.names.all().map(|(_, inode)| inode).collect();
        self.inodes.retain(|number, _| linked.contains(number));
        for inode in self.inodes.values_mut() {
            inode.crash(&mut self.dice);
        }
    }

    pub fn powered(&self, action: &'static str, path: &Path) -> Result<(), DiskError> {
        if self.power { Ok(()) } else { Err(DiskError::new(action, path, DiskErrorKind::PowerLost, "")) }
    }

    /// Refuses a call on a handle of an earlier life.
    pub fn alive(&self, life: u64, action: &'static str, path: &Path) -> Result<(), DiskError> {
        self.powered(action, path)?;
        if life == self.life {
            return Ok(());
        }
        Err(DiskError::new(action, path, DiskErrorKind::PowerLost, "the handle is from before a crash"))
    }

    /// Counts a changing call. If the power goes with it, the call still takes its unsynced
    /// effect, and [`still_powered`](Self::still_powered) refuses its success.
    pub fn change(&mut self, action: &'static str, path: &Path) -> Result<(), DiskError> {
        self.powered(action, path)?;
        self.counters.changes += 1;
        self.counters.elapsed_us += self.costs.change_us;
        match &mut self.changes_until_power_cut {
            Some(0) => self.power = false,
            Some(changes) => *changes -= 1,
            None => {}
        }
        Ok(())
    }

    pub fn still_powered(&self, action: &'static str, path: &Path) -> Result<(), DiskError> {
        self.powered(action, path)
    }

    pub fn open(&mut self, path: &Path, mode: OpenMode) -> Result<InodeNumber, DiskError> {
        let action = if mode.creates() { "create" } else { "open" };
        let refused = |kind| Err(DiskError::new(action, path, kind, ""));
        self.powered(action, path)?;
        match self.names.find(path) {
            Some(_) if mode == OpenMode::New => return refused(DiskErrorKind::AlreadyExists),
            Some(inode) => return Ok(inode),
            None if !mode.creates() => return refused(DiskErrorKind::NotFound),
            None => {}
        }
        if !self.names.is_dir(path.parent().unwrap_or(Path::new(""))) {
            return refused(DiskErrorKind::NotFound);
        }
        if self.files_max.is_some_and(|files_max| self.names.all().count() >= files_max) {
            return refused(DiskErrorKind::NoInodes);
        }
        self.change(action, path)?;
        self.inodes_created += 1;
        self.inodes.insert(self.inodes_created, Inode::default());
        self.names.create(path, self.inodes_created);
        self.still_powered(action, path)?;
        Ok(self.inodes_created)
    }

    pub fn content(&mut self, inode: InodeNumber) -> &[u8] {
        self.counters.reads += 1;
        self.counters.elapsed_us += self.costs.read_us;
        self.inodes.get(&inode).map_or(&[], Inode::seen)
    }

    pub fn length(&self, inode: InodeNumber) -> usize {
        self.inodes.get(&inode).map_or(0, |inode| inode.seen().len())
    }

    pub fn write(
        &mut self,
        inode: InodeNumber,
        path: &Path,
        start: usize,
        bytes: &[u8],
    ) -> Result<(), DiskError> {
        self.change("write", path)?;
        self.counters.written_bytes += bytes.len() as u64;
        let growth = (start + bytes.len()).saturating_sub(self.length(inode)) as u64;
        let missing = usize::try_from(growth.saturating_sub(self.free_bytes())).unwrap_or(usize::MAX);
        let broken = self.dice.one_in(self.write_fails_one_in);
        let fitting = bytes.len().saturating_sub(missing);
        let written = if broken { self.dice.below(fitting as u64) as usize } else { fitting };
        if let Some(inode) = self.inodes.get_mut(&inode).filter(|_| written > 0) {
            inode.write(start, &bytes[..written]);
        }
        self.still_powered("write", path)?;
        match (broken, missing) {
            (true, _) => Err(DiskError::new("write", path, DiskErrorKind::Other, "injected fault")),
            (false, 0) => Ok(()),
            (false, _) => Err(DiskError::new("write", path, DiskErrorKind::NoSpace, "")),
        }
    }

    pub fn resize(&mut self, inode: InodeNumber, path: &Path, length: usize) -> Result<(), DiskError> {
        self.change("resize", path)?;
        let growth = length.saturating_sub(self.length(inode)) as u64;
        if growth > self.free_bytes() {
            return Err(DiskError::new("resize", path, DiskErrorKind::NoSpace, ""));
        }
        if let Some(inode) = self.inodes.get_mut(&inode) {
            inode.resize(length);
        }
        self.still_powered("resize", path)
    }

    pub fn sync(&mut self, inode: InodeNumber, path: &Path) -> Result<(), DiskError> {
        self.change("sync", path)?;
        self.still_powered("sync", path)?;
        self.counters.elapsed_us += self.costs.sync_us;
        let planned = self.syncs_to_fail > 0;
        self.syncs_to_fail = self.syncs_to_fail.saturating_sub(1);
        let fails = planned || self.dice.one_in(self.sync_fails_one_in);
        let Some(file) = self.inodes.get_mut(&inode) else { return Ok(()) };
        if fails {
            file.fail_sync(&mut self.dice);
            return Err(DiskError::new("sync", path, DiskErrorKind::SyncFailed, "injected fault"));
        }
        if !self.syncs_pretended_of.iter().any(|place| path.starts_with(place)) {
            file.sync();
        }
        self.counters.file_syncs += 1;
        Ok(())
    }

    pub fn sync_dir(&mut self, dir: &Path) -> Result<(), DiskError> {
        self.change("sync", dir)?;
        self.still_powered("sync", dir)?;
        self.counters.elapsed_us += self.costs.sync_us;
        if self.dice.one_in(self.sync_fails_one_in) {
            return Err(DiskError::new("sync", dir, DiskErrorKind::SyncFailed, "injected fault"));
        }
        self.names.sync_dir(dir);
        self.counters.dir_syncs += 1;
        Ok(())
    }

    pub fn free_bytes(&self) -> u64 {
        let used: u64 = self.names.all().map(|(_, inode)| self.length(inode) as u64).sum();
        self.bytes_max.map_or(u64::MAX, |bytes_max| bytes_max.saturating_sub(used))
    }

    pub fn flip(&mut self, path: &Path, offset: u64, mask: u8) -> Result<(), DiskError> {
        let number = self.names.find(path);
        let Some(inode) = number.and_then(|number| self.inodes.get_mut(&number)) else {
            return Err(DiskError::new("flip", path, DiskErrorKind::NotFound, ""));
        };
        if usize::try_from(offset).is_ok_and(|at| inode.flip(at, mask)) {
            return Ok(());
        }
        Err(DiskError::new("flip", path, DiskErrorKind::UnexpectedEnd, ""))
    }

    pub fn snapshot(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let content = |inode| self.inodes.get(&inode).map_or(Vec::new(), |file: &Inode| file.seen().to_vec());
        self.names.all().map(|(path, inode)| (path.clone(), content(inode))).collect()
    }
}
