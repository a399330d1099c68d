//! Genesis files: their accounts, of which there may be a million, and what a data folder's note says of one.

use crate::errors::exactly;
use alloy_primitives::Address;
use coc_chain::note::GenesisNote;
use coc_disk::RealDisk;
use coc_evm::genesis_check::check_accounts;
use coc_evm::genesis_text::GenesisText;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::path::PathBuf;

/// Where in a genesis file's text the value of `alloc` begins and ends.
#[pyfunction]
pub fn genesis_alloc(py: Python<'_>, text: &[u8]) -> PyResult<(usize, usize)> {
    let cut = py.detach(|| GenesisText::cut(text).map(|cut| cut.alloc_range()));
    let range = cut.map_err(|error| PyValueError::new_err((error.place, error.reason)))?;
    Ok((range.start, range.end))
}

/// Accounts by their address, each as its JSON.
type Found<'py> = Vec<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)>;

/// Checks the text of an `alloc`: how many accounts there are, and the JSON of those asked for.
#[pyfunction]
pub fn genesis_accounts<'py>(
    py: Python<'py>,
    alloc: &[u8],
    is_ours: bool,
    wanted: Vec<Vec<u8>>,
) -> PyResult<(usize, Found<'py>)> {
    let address = |bytes: &Vec<u8>| exactly(bytes, "an address").map(Address::from);
    let wanted: Vec<Address> = wanted.iter().map(address).collect::<PyResult<_>>()?;
    let alloc = std::str::from_utf8(alloc)
        .map_err(|error| PyValueError::new_err(("alloc", format!("is no UTF-8 text: {error}"), "")))?;
    let accounts = py
        .detach(|| check_accounts(alloc, is_ours, &wanted))
        .map_err(|refusal| PyValueError::new_err((refusal.place, refusal.why, refusal.cure)))?;
    let found = accounts.wanted.iter();
    let found =
        found.map(|(address, text)| (PyBytes::new(py, &address[..]), PyBytes::new(py, text.as_bytes())));
    Ok((accounts.count, found.collect()))
}

/// What the note in a data folder says of its genesis file's text: how many accounts it has, and the text without them; nothing
/// where there is no note of this text.
#[pyfunction]
pub fn genesis_note<'py>(
    py: Python<'py>,
    data_dir: PathBuf,
    text: &[u8],
) -> Option<(u64, Bound<'py, PyBytes>)> {
    let note = py.detach(|| GenesisNote::load(&RealDisk::new(), &data_dir, text))?;
    Some((note.accounts, PyBytes::new(py, &note.outline)))
}
