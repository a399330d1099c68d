//! Python's exceptions for what the core refuses.

use pyo3::exceptions::PyValueError;
use pyo3::{PyErr, PyResult};

/// A caller's mistake.
pub fn value_error(sentence: impl Into<String>) -> PyErr {
    PyValueError::new_err(sentence.into())
}

/// Exactly `N` bytes.
pub fn exactly<const N: usize>(bytes: &[u8], what: &str) -> PyResult<[u8; N]> {
    bytes.try_into().map_err(|_| value_error(format!("{what} has {} bytes, not {N}", bytes.len())))
}
