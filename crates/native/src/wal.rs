//! A validator's durable files: its write-ahead log and its signer's mark, on the machine's disk or a simulated one.

use crate::convert::bytes;
use crate::errors::{StorageFailed, exactly};
use crate::sim_disk::SimDisk;
use coc_disk::{Disk, RealDisk};
use coc_wal::{Mark as RustMark, Opened, Wal as RustWal, WalError, WalOptions};
use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use std::path::PathBuf;

/// Space that a log on a simulated disk reserves (bytes): simulated blocks are small, and many such disks live in one memory.
const SIMULATED_RESERVE_BYTES: u64 = 256 << 10;

/// The write-ahead log of a validator.
#[pyclass(frozen, module = "coc._native")]
pub struct Wal {
    wal: Mutex<RustWal>,
    opened: Opened,
}

/// The high-water mark of a signer.
#[pyclass(frozen, module = "coc._native")]
pub struct Mark {
    mark: Mutex<RustMark>,
}

fn wal_error(error: WalError) -> PyErr {
    let sentence = error.to_string();
    StorageFailed::new_err((sentence, error.is_out_of_space()))
}

/// The disk that is meant, and how a log on it is opened.
fn disk_of(simulated: Option<&SimDisk>) -> (Box<dyn Disk>, WalOptions) {
    match simulated {
        None => (Box::new(RealDisk::new()), WalOptions::new()),
        Some(simulated) => {
            let options = WalOptions { reserve_bytes: SIMULATED_RESERVE_BYTES, seed: simulated.draw() };
            (Box::new(simulated.disk.clone()), options)
        }
    }
}

#[pymethods]
impl Wal {
    /// Opens the log in a folder, or makes it.
    #[staticmethod]
    #[pyo3(signature = (folder, genesis_hash, disk, reserve_bytes = None))]
    fn open(
        py: Python<'_>,
        folder: PathBuf,
        genesis_hash: &[u8],
        disk: Option<PyRef<'_, SimDisk>>,
        reserve_bytes: Option<u64>,
    ) -> PyResult<Wal> {
        let genesis_hash = exactly::<32>(genesis_hash, "a genesis hash")?;
        let (disk, mut options) = disk_of(disk.as_deref());
        options.reserve_bytes = reserve_bytes.unwrap_or(options.reserve_bytes);
        let (wal, opened) =
            py.detach(|| RustWal::open(&*disk, &folder, genesis_hash, options)).map_err(wal_error)?;
        Ok(Wal { wal: Mutex::new(wal), opened })
    }

    #[getter]
    fn created(&self) -> bool {
        self.opened.created
    }

    #[getter]
    fn cut_bytes(&self) -> u64 {
        self.opened.cut_bytes
    }

    #[getter]
    fn reserve_held(&self) -> bool {
        self.opened.reserve_held
    }

    #[getter]
    fn records<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        self.opened.records.iter().map(|record| bytes(py, record)).collect()
    }

    /// Adds records; the next durable call makes them durable.
    fn append(&self, py: Python<'_>, records: Vec<PyBackedBytes>) -> PyResult<()> {
        py.detach(|| self.wal.lock().append(&slices(&records))).map_err(wal_error)
    }

    /// Adds records and makes all durable.
    fn append_durable(&self, py: Python<'_>, records: Vec<PyBackedBytes>) -> PyResult<()> {
        py.detach(|| self.wal.lock().append_durable(&slices(&records))).map_err(wal_error)
    }

    /// Begins the next height; writes nothing.
    fn begin_height(&self, py: Python<'_>) {
        py.detach(|| self.wal.lock().begin_height());
    }
}

fn slices(records: &[PyBackedBytes]) -> Vec<&[u8]> {
    records.iter().map(|record| &**record).collect()
}

#[pymethods]
impl Mark {
    /// Opens the mark of that name in a folder, or makes it.
    #[staticmethod]
    fn open(py: Python<'_>, folder: PathBuf, name: &str, disk: Option<PyRef<'_, SimDisk>>) -> PyResult<Mark> {
        let (disk, options) = disk_of(disk.as_deref());
        let (mark, _) =
            py.detach(|| RustMark::open(&*disk, &folder, name, options.seed)).map_err(wal_error)?;
        Ok(Mark { mark: Mutex::new(mark) })
    }

    #[getter]
    fn payload<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        let payload = py.detach(|| self.mark.lock().payload().map(<[u8]>::to_vec))?;
        Some(bytes(py, payload))
    }

    /// Replaces the mark, durably.
    fn save(&self, py: Python<'_>, payload: &[u8]) -> PyResult<()> {
        py.detach(|| self.mark.lock().save(payload)).map_err(wal_error)
    }
}
