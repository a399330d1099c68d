//! A state from peers: the pieces that a chain serves, and the folder that is built of them.

use crate::chain::{Chain, changed};
use crate::convert::{bytes, hash};
use crate::errors::{chain_error, snapshot_error, value_error};
use crate::sim_disk::SimDisk;
use alloy_primitives::{B256, Bytes};
use coc_chain::open::ChainOptions;
use coc_chain::snapshot::payload::{StateRequest, decode_hashes, encode_codes, encode_ranges};
use coc_chain::snapshot::{Begun, Counts, SnapshotBuilder as RustBuilder, SnapshotError, Stand};
use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::path::PathBuf;
use std::sync::Arc;

/// The last key that is certain, accounts with the keys from which on their storage is wanted, and codes that are wanted.
type GainedTuple<'py> =
    (Bound<'py, PyBytes>, Vec<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)>, Vec<Bound<'py, PyBytes>>);

#[pymethods]
impl Chain {
    /// The answer to a request of ranges of a state; an empty list where the state is not kept.
    fn state_ranges<'py>(&self, py: Python<'py>, request: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let request = StateRequest::decode(request).map_err(value_error)?;
        let ranges = py.detach(|| self.inner.state_ranges(&request).map(|ranges| encode_ranges(&ranges)));
        Ok(bytes(py, ranges.map_err(chain_error)?))
    }

    /// The answer to a request of codes, with empty ones for those that are not known.
    fn codes<'py>(&self, py: Python<'py>, request: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let hashes = decode_hashes(request).map_err(value_error)?;
        let codes = py.detach(|| self.inner.codes_of(&hashes).map(|codes| encode_codes(&codes)));
        Ok(bytes(py, codes.map_err(chain_error)?))
    }

    /// A block with its consensus data, its receipts and the headers before it; None where some of that is not kept.
    fn surroundings<'py>(&self, py: Python<'py>, block: &[u8]) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let block = hash(block)?;
        let found = py.detach(|| Ok(self.inner.surroundings_of(&block)?.map(|found| found.encode())));
        Ok(found.map_err(chain_error)?.map(|encoded| bytes(py, encoded)))
    }
}

/// How far a snapshot is.
#[pyclass(frozen, module = "coc._native")]
pub struct SnapshotStand {
    stand: Stand,
}

#[pymethods]
impl SnapshotStand {
    #[getter]
    fn block(&self) -> &[u8] {
        self.stand.block.as_slice()
    }

    #[getter]
    fn number(&self) -> u64 {
        self.stand.number
    }

    /// The first account key that is not built in; None when all are.
    #[getter]
    fn next<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.stand.next.map(|key| bytes(py, key))
    }

    #[getter]
    fn has_surroundings(&self) -> bool {
        self.stand.has_surroundings
    }

    /// Accounts, slots, codes and bytes of answers that were taken in.
    #[getter]
    fn counts(&self) -> (u64, u64, u64, u64) {
        let Counts { accounts, slots, codes, bytes } = self.stand.counts;
        (accounts, slots, codes, bytes)
    }
}

/// A folder on its way to a chain that begins with the snapshot of a block.
#[pyclass(frozen, module = "coc._native")]
pub struct SnapshotBuilder {
    builder: Mutex<Option<RustBuilder>>,
    begun: Begun,
    simulated: Option<Py<SimDisk>>,
}

impl SnapshotBuilder {
    fn of((builder, begun): (RustBuilder, Begun), simulated: Option<Py<SimDisk>>) -> SnapshotBuilder {
        SnapshotBuilder { builder: Mutex::new(Some(builder)), begun, simulated }
    }

    fn work<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut RustBuilder) -> Result<T, SnapshotError> + Send,
    ) -> PyResult<T> {
        let done = py.detach(|| self.builder.lock().as_mut().map(work));
        done.ok_or_else(|| value_error("the snapshot is finished"))?.map_err(snapshot_error)
    }
}

fn keys<'py>(py: Python<'py>, keys: &[B256]) -> Vec<Bound<'py, PyBytes>> {
    keys.iter().map(|key| bytes(py, key)).collect()
}

#[pymethods]
impl SnapshotBuilder {
    /// Begins, or goes on with, the snapshot of the block with this header in a folder that holds no chain.
    #[staticmethod]
    fn begin(
        py: Python<'_>,
        genesis: &[u8],
        data_dir: PathBuf,
        header_rlp: &[u8],
        options_json: &[u8],
    ) -> PyResult<SnapshotBuilder> {
        let options = changed(ChainOptions::default(), options_json)?;
        let begun = py.detach(|| RustBuilder::begin(genesis, &data_dir, header_rlp, &options));
        Ok(SnapshotBuilder::of(begun.map_err(chain_error)?, None))
    }

    /// The same on a simulated disk.
    #[staticmethod]
    fn begin_simulated(
        py: Python<'_>,
        genesis: &[u8],
        disk: Py<SimDisk>,
        header_rlp: &[u8],
        options_json: &[u8],
    ) -> PyResult<SnapshotBuilder> {
        let simulated = ChainOptions { reserve_bytes: 0, log_salt: Some(0), ..ChainOptions::default() };
        let options = changed(simulated, options_json)?;
        let (files, index) = (Arc::new(disk.get().disk.clone()), disk.get().index());
        let begun = py.detach(|| RustBuilder::begin_on(genesis, files, index, header_rlp, &options));
        Ok(SnapshotBuilder::of(begun.map_err(chain_error)?, Some(disk)))
    }

    /// Whether it was begun `anew`, `resumed`, or `turned` to from another block.
    #[getter]
    fn begun(&self) -> &'static str {
        match self.begun {
            Begun::Anew => "anew",
            Begun::Resumed => "resumed",
            Begun::Turned => "turned",
        }
    }

    /// Takes in the answer to a request of ranges: for each range what it has brought, and the first account key that is not
    /// built in (None when all are). SnapshotRefused where the answer does not prove itself; nothing of it is taken then.
    fn add_state<'py>(
        &self,
        py: Python<'py>,
        request: &[u8],
        answer: &[u8],
    ) -> PyResult<(Vec<GainedTuple<'py>>, Option<Bound<'py, PyBytes>>)> {
        let answer = Bytes::copy_from_slice(answer);
        let gained = self.work(py, |builder| builder.add_state(request, &answer))?;
        let ranges = gained.ranges.iter().map(|range| {
            let storages = range.storages.iter();
            let storages = storages.map(|(account, start)| (bytes(py, account), bytes(py, start))).collect();
            (bytes(py, range.end), storages, keys(py, &range.codes))
        });
        Ok((ranges.collect(), gained.next.map(|key| bytes(py, key))))
    }

    /// Takes in the answer to a request of codes: the hashes of those that are still missing.
    fn add_codes<'py>(
        &self,
        py: Python<'py>,
        request: &[u8],
        answer: &[u8],
    ) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let answer = Bytes::copy_from_slice(answer);
        let missing = self.work(py, |builder| builder.add_codes(request, &answer))?;
        Ok(keys(py, &missing))
    }

    /// Takes in the surroundings of the block.
    fn add_surroundings(&self, py: Python<'_>, answer: &[u8]) -> PyResult<()> {
        let answer = Bytes::copy_from_slice(answer);
        self.work(py, |builder| builder.add_surroundings(&answer))
    }

    /// How far it is.
    #[getter]
    fn stand(&self, py: Python<'_>) -> PyResult<SnapshotStand> {
        Ok(SnapshotStand { stand: self.work(py, |builder| Ok(builder.stand()))? })
    }

    /// Makes what is built in durable; it happens by itself now and then.
    fn save(&self, py: Python<'_>) -> PyResult<()> {
        self.work(py, |builder| Ok(builder.save()?))
    }

    /// Makes the folder a chain whose head is the block, with this seal, which the caller has verified.
    fn finish(&self, py: Python<'_>, seal: &[u8]) -> PyResult<()> {
        let seal = Bytes::copy_from_slice(seal);
        let finish = || self.builder.lock().take().map(|builder| builder.finish(seal));
        py.detach(finish).ok_or_else(|| value_error("the snapshot is finished"))?.map_err(snapshot_error)?;
        if let Some(disk) = &self.simulated {
            disk.get().keep_index();
        }
        Ok(())
    }

    /// Lets go of the folder; what was saved is gone on with by the next `begin`.
    fn close(&self, py: Python<'_>) {
        py.detach(|| drop(self.builder.lock().take()));
    }
}
