//! Giving up old states, a slice at a time, and keeping single ones.

use crate::chain::Chain;
use crate::convert::hash;
use crate::errors::chain_error;
use pyo3::prelude::*;

#[pymethods]
impl Chain {
    /// Whether `copy_some` has something to do.
    fn copy_is_due(&self, py: Python<'_>) -> PyResult<bool> {
        py.detach(|| self.inner.copy_is_due()).map_err(chain_error)
    }

    /// Carries up to so many trie nodes to a young file, or does the next step; false when nothing is left until the next flush.
    fn copy_some(&self, py: Python<'_>, nodes_max: usize) -> PyResult<bool> {
        py.detach(|| self.inner.copy_some(nodes_max)).map_err(chain_error)
    }

    /// Keeps the state of a block until it is unpinned as often as it was pinned.
    fn pin_state(&self, block: &[u8]) -> PyResult<()> {
        self.inner.pin_state(&hash(block)?).map_err(chain_error)
    }

    /// Undoes one pin; does nothing where there was none.
    fn unpin_state(&self, block: &[u8]) -> PyResult<()> {
        self.inner.unpin_state(&hash(block)?);
        Ok(())
    }
}
