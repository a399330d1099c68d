//! Finding where our execution of a certified block parts from the certified one.

use crate::chain::Chain;
use crate::convert::bytes;
use crate::errors::{chain_error, snapshot_error};
use crate::sim_disk::SimDisk;
use alloy_primitives::Bytes;
use coc_chain::trial::{Compared, Trial as RustTrial};
use coc_store::{Batch, Index as _, Table};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Names of what differs, each with what is ours and what is certified.
type Fields = Vec<(&'static str, String, String)>;

/// A block that was executed beside the chain.
#[pyclass(frozen, module = "coc._native")]
pub struct Trial {
    trial: RustTrial,
}

#[pymethods]
impl Chain {
    /// Executes a block on its parent, compares nothing and keeps nothing. BlockInvalid where it breaks a rule before any
    /// transaction.
    fn trial(&self, py: Python<'_>, block_rlp: &[u8], consensus_data: &[u8]) -> PyResult<Trial> {
        let data = Bytes::copy_from_slice(consensus_data);
        let trial = py.detach(|| self.inner.trial(block_rlp, &data)).map_err(chain_error)?;
        Ok(Trial { trial })
    }

    /// Hashes under which the index has another code: the whole table is read.
    fn damaged_codes<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let damaged = py.detach(|| self.inner.damaged_codes()).map_err(chain_error)?;
        Ok(damaged.iter().map(|hash| bytes(py, hash)).collect())
    }

    /// Takes in the answer to a request of codes in place of damaged ones: the hashes of those that are still missing.
    fn restore_codes<'py>(
        &self,
        py: Python<'py>,
        request: &[u8],
        answer: &[u8],
    ) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let answer = Bytes::copy_from_slice(answer);
        let missing = py.detach(|| self.inner.restore_codes(request, &answer)).map_err(snapshot_error)?;
        Ok(missing.iter().map(|hash| bytes(py, hash)).collect())
    }
}

#[pymethods]
impl Trial {
    /// What the header states and the execution does not give.
    #[getter]
    fn disagreements(&self) -> Fields {
        self.trial.disagreements()
    }

    /// Place of the transaction that cannot stand in the block here, and why.
    #[getter]
    fn refused(&self) -> Option<(usize, String)> {
        self.trial.refused()
    }

    /// Place and hash of the first transaction that did something else than its certified receipt says, and what; None where
    /// only the state is another. SnapshotRefused where the receipts are not those that the header covers.
    fn first_transaction<'py>(
        &self,
        py: Python<'py>,
        surroundings: &[u8],
    ) -> PyResult<Option<(usize, Bound<'py, PyBytes>, Fields)>> {
        let surroundings = Bytes::copy_from_slice(surroundings);
        let found = py.detach(|| self.trial.first_transaction(&surroundings)).map_err(snapshot_error)?;
        Ok(found.map(|found| (found.index, bytes(py, found.hash), found.fields)))
    }

    /// The accounts to compare: first those that a transaction names, then all that the execution changed.
    fn addresses<'py>(&self, py: Python<'py>, transaction: Option<usize>) -> Vec<Bound<'py, PyBytes>> {
        self.trial.addresses(transaction).iter().map(|address| bytes(py, address)).collect()
    }

    /// How many accounts of a request an answer speaks of, and the first of them that is not as here: its place in the request,
    /// and what differs. SnapshotRefused where the answer does not prove itself.
    fn first_account(&self, py: Python<'_>, request: &[u8], answer: &[u8]) -> PyResult<Compared> {
        let answer = Bytes::copy_from_slice(answer);
        py.detach(|| self.trial.first_account(request, &answer)).map_err(snapshot_error)
    }
}

#[pymethods]
impl SimDisk {
    /// Puts other bytes under the hash of a code, as damage of the index would.
    fn spoil_code(&self, code_hash: &[u8], code: &[u8]) -> PyResult<()> {
        let mut batch = Batch::new();
        batch.put(Table::Code, code_hash, code);
        self.index().write(batch).map_err(|error| crate::errors::value_error(error.to_string()))
    }
}
