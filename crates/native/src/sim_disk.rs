//! A disk in memory with faults, and the index behind it: what a simulated node stores its chain, log and mark on.
//!
//! Equal seeds and equal calls leave equal bytes. All dice are the disk's own: what a power loss takes, which write of the
//! index survives it, and the numbers that a log or a mark draws when it is opened.

use crate::convert::bytes;
use crate::errors::value_error;
use alloy_primitives::Keccak256;
use coc_disk::{Dice, FaultyDisk};
use coc_store::{Index, MemIndex, MemOptions, StoreError, Table};
use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::path::PathBuf;
use std::sync::Arc;

/// Writes of the index that a power loss can take back: more flushes than one simulated run has.
const INDEX_WRITES_KEPT: usize = 1 << 20;

/// A disk in memory with faults, and the index in memory that belongs to it.
#[pyclass(frozen, module = "coc._native")]
pub struct SimDisk {
    pub(crate) disk: FaultyDisk,
    behind: Mutex<Behind>,
}

struct Behind {
    index: Arc<MemIndex>,
    /// The oldest write that a power loss can go back to: what it holds cannot be made again from the log.
    oldest: u64,
    dice: Dice,
}

#[pymethods]
impl SimDisk {
    /// An empty disk without faults; `seed` decides what every fault does.
    #[new]
    fn new(seed: u64) -> SimDisk {
        let mut dice = Dice::new(seed);
        let disk = FaultyDisk::new(dice.roll());
        let options = MemOptions { history_writes: INDEX_WRITES_KEPT, ..MemOptions::default() };
        SimDisk {
            disk,
            behind: Mutex::new(Behind { index: Arc::new(MemIndex::new(options)), oldest: 1, dice }),
        }
    }

    /// Cuts the power and brings it back: what was not synced is lost, torn or out of order; open handles are dead; the index
    /// is as some earlier write left it.
    fn crash(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| {
            self.disk.crash();
            self.behind.lock().crash()
        })
        .map_err(|error| value_error(error.to_string()))
    }

    /// Ends the process but not the power: open handles are dead, nothing written is lost.
    fn kill(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| {
            self.disk.kill();
            self.behind.lock().kill()
        })
        .map_err(|error| value_error(error.to_string()))
    }

    /// Cuts the power at the call that changes something, after so many others; all calls fail from then on until `crash`.
    fn cut_power_after(&self, changes: u64) {
        self.disk.cut_power_after(changes);
    }

    /// Bounds the bytes of all files together; None lifts the bound.
    fn limit_bytes(&self, bytes_max: Option<u64>) {
        self.disk.limit_bytes(bytes_max);
    }

    /// Bounds the number of files; None lifts the bound.
    fn limit_files(&self, files_max: Option<usize>) {
        self.disk.limit_files(files_max);
    }

    /// Makes the next syncs of files fail; what they should have made durable may be lost for good.
    fn fail_next_syncs(&self, count: u32) {
        self.disk.fail_next_syncs(count);
    }

    /// Makes one sync in so many fail at random; 0 for none.
    fn fail_syncs_one_in(&self, times: u64) {
        self.disk.fail_syncs_one_in(times);
    }

    /// From now on syncs of a file, or of all files below a folder, succeed and make nothing durable.
    fn pretend_syncs_of(&self, place: PathBuf) {
        self.disk.pretend_syncs_of(&place);
    }

    /// Makes one write in so many fail half-way at random; 0 for none.
    fn fail_writes_one_in(&self, times: u64) {
        self.disk.fail_writes_one_in(times);
    }

    /// Flips the bits of `mask` in one byte of a file; ValueError where there is no such byte.
    fn flip(&self, path: PathBuf, offset: u64, mask: u8) -> PyResult<()> {
        self.disk.flip(&path, offset, mask).map_err(|error| value_error(error.to_string()))
    }

    /// Path and length of every file, sorted, as a process sees them.
    fn files(&self) -> Vec<(String, usize)> {
        let files = self.disk.snapshot().into_iter();
        files.map(|(path, content)| (path.display().to_string(), content.len())).collect()
    }

    /// keccak-256 over names and contents of all files and over all rows of the index: to compare two runs.
    fn digest<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let digest = py.detach(|| self.digest_of_all()).map_err(|error| value_error(error.to_string()))?;
        Ok(bytes(py, digest))
    }
}

impl SimDisk {
    /// The index as it is in this life of the machine.
    pub(crate) fn index(&self) -> Arc<MemIndex> {
        self.behind.lock().index.clone()
    }

    /// Says that what the index holds now is made again by no log.
    pub(crate) fn keep_index(&self) {
        let mut behind = self.behind.lock();
        behind.oldest = behind.index.writes();
    }

    /// Numbers for whoever opens a file and needs other ones than at the last opening.
    pub(crate) fn draw(&self) -> u64 {
        self.behind.lock().dice.roll()
    }

    fn digest_of_all(&self) -> Result<[u8; 32], StoreError> {
        let mut hasher = Keccak256::new();
        let mut add = |part: &[u8]| {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        };
        for (path, content) in self.disk.snapshot() {
            add(path.as_os_str().as_encoded_bytes());
            add(&content);
        }
        let index = self.index();
        for table in Table::ALL {
            for (key, value) in index.range(table, &[], None, usize::MAX, false)? {
                add(&key);
                add(&value);
            }
        }
        Ok(hasher.finalize().0)
    }
}

impl Behind {
    /// The index as some write left it, block 0 at least: a flush that was lost is made again from the log.
    fn crash(&mut self) -> Result<(), StoreError> {
        let newest = self.index.writes();
        let goes_back = newest > self.oldest && self.dice.one_in(2);
        let write = if goes_back { self.oldest + self.dice.below(newest + 1 - self.oldest) } else { newest };
        self.go_back_to(write)
    }

    /// The same index, out of reach of handles of the life that ended.
    fn kill(&mut self) -> Result<(), StoreError> {
        self.go_back_to(self.index.writes())
    }

    fn go_back_to(&mut self, write: u64) -> Result<(), StoreError> {
        self.index = Arc::new(self.index.crashed_at(write)?);
        Ok(())
    }
}
