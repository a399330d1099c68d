//! Which block some bytes are, found out without a chain.

use crate::convert::bytes;
use crate::errors::chain_error;
use coc_chain::consensus_data;
use coc_chain::error::ChainError;
use coc_evm::block::{check_commitments, decode_block};
use coc_evm::error::BlockInvalid;
use coc_evm::types::Header;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Hash and height of the block that these bytes are, whose header binds this body and these consensus data.
#[pyfunction]
pub fn check_block<'py>(
    py: Python<'py>,
    block_rlp: &[u8],
    consensus_data: &[u8],
) -> PyResult<(Bound<'py, PyBytes>, u64)> {
    let header = py.detach(|| check(block_rlp, consensus_data)).map_err(chain_error)?;
    Ok((bytes(py, header.hash_slow()), header.number))
}

/// The same with the parent's hash and the time in seconds: hash, height, parent, time.
#[pyfunction]
pub fn read_block<'py>(
    py: Python<'py>,
    block_rlp: &[u8],
    consensus_data: &[u8],
) -> PyResult<(Bound<'py, PyBytes>, u64, Bound<'py, PyBytes>, u64)> {
    let header = py.detach(|| check(block_rlp, consensus_data)).map_err(chain_error)?;
    Ok((bytes(py, header.hash_slow()), header.number, bytes(py, header.parent_hash), header.timestamp))
}

fn check(block_rlp: &[u8], data: &[u8]) -> Result<Header, ChainError> {
    let block = decode_block(block_rlp)?;
    check_commitments(&block)?;
    let root = consensus_data::root(data)?;
    if block.header.parent_beacon_block_root != Some(root) {
        return Err(BlockInvalid::new(
            "COC_CONSENSUS_ROOT",
            format!("the consensus data has root {root}, which the header does not say"),
        )
        .into());
    }
    Ok(block.header)
}
