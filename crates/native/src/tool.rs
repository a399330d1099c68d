//! What `coc evm` calls.

use crate::errors::value_error;
use coc_tool::CaseResult;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::Value;

fn to_bytes<'py>(py: Python<'py>, results: &[CaseResult]) -> Bound<'py, PyBytes> {
    let list = Value::Array(results.iter().map(CaseResult::to_json).collect());
    PyBytes::new(py, list.to_string().as_bytes())
}

/// Runs the state tests of one file's text: a JSON array of results.
#[pyfunction]
pub fn run_statetests<'py>(py: Python<'py>, text: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let results = py.detach(|| coc_tool::statetest::run_file(text)).map_err(|error| value_error(error.to_string()))?;
    Ok(to_bytes(py, &results))
}

/// Runs the block tests of one file's text: a JSON array of results.
#[pyfunction]
pub fn run_blocktests<'py>(py: Python<'py>, text: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let results = py.detach(|| coc_tool::blocktest::run_file(text)).map_err(|error| value_error(error.to_string()))?;
    Ok(to_bytes(py, &results))
}
