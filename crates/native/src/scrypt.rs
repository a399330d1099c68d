//! The core of scrypt, for key files whose parameters OpenSSL refuses.

use crate::errors::value_error;
use coc_scrypt::{MixError, ro_mix};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// scryptROMix of a block of 128 * r bytes with a table of `n` blocks (RFC 7914).
#[pyfunction]
pub fn scrypt_mix<'py>(py: Python<'py>, block: &[u8], n: usize) -> PyResult<Bound<'py, PyBytes>> {
    let mixed = py.detach(|| ro_mix(block, n)).map_err(|error| {
        value_error(match error {
            MixError::Length => "a block has a multiple of 128 bytes",
            MixError::Cost => "n is a power of two above 1",
            MixError::Memory => "the table of n blocks does not fit into memory",
        })
    })?;
    Ok(PyBytes::new(py, &mixed))
}
