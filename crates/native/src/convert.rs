//! Values on their way across the line.

use crate::errors::exactly;
use alloy_primitives::{Address, B256, U256};
use coc_chain::record::StoredBlock;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt};

/// A 256-bit integer as Python's.
pub fn integer<'py>(py: Python<'py>, value: U256) -> PyResult<Bound<'py, PyAny>> {
    if let Ok(small) = u64::try_from(value) {
        return Ok(small.into_pyobject(py)?.into_any());
    }
    let bytes = PyBytes::new(py, &value.to_be_bytes::<32>());
    py.get_type::<PyInt>().call_method1("from_bytes", (bytes, "big"))
}

/// A 32-byte hash.
pub fn hash(bytes: &[u8]) -> PyResult<B256> {
    Ok(B256::from(exactly::<32>(bytes, "a hash")?))
}

/// A 20-byte address.
pub fn address(bytes: &[u8]) -> PyResult<Address> {
    Ok(Address::from(exactly::<20>(bytes, "an address")?))
}

/// Bytes as Python's.
pub fn bytes<'py>(py: Python<'py>, value: impl AsRef<[u8]>) -> Bound<'py, PyBytes> {
    PyBytes::new(py, value.as_ref())
}

/// Facts of one block's header.
#[pyclass(frozen, module = "coc._native")]
pub struct Header {
    pub(crate) block: std::sync::Arc<StoredBlock>,
}

#[pymethods]
impl Header {
    #[getter]
    fn hash(&self) -> &[u8] {
        self.block.hash.as_slice()
    }

    #[getter]
    fn parent_hash(&self) -> &[u8] {
        self.block.block.header.parent_hash.as_slice()
    }

    #[getter]
    fn number(&self) -> u64 {
        self.block.block.header.number
    }

    #[getter]
    fn timestamp(&self) -> u64 {
        self.block.block.header.timestamp
    }

    #[getter]
    fn gas_limit(&self) -> u64 {
        self.block.block.header.gas_limit
    }

    #[getter]
    fn gas_used(&self) -> u64 {
        self.block.block.header.gas_used
    }

    #[getter]
    fn size(&self) -> usize {
        self.block.rlp_length
    }

    #[getter]
    fn base_fee_per_gas(&self) -> Option<u64> {
        self.block.block.header.base_fee_per_gas
    }

    #[getter]
    fn blob_gas_used(&self) -> Option<u64> {
        self.block.block.header.blob_gas_used
    }

    #[getter]
    fn excess_blob_gas(&self) -> Option<u64> {
        self.block.block.header.excess_blob_gas
    }

    #[getter]
    fn state_root(&self) -> &[u8] {
        self.block.block.header.state_root.as_slice()
    }

    #[getter]
    fn coinbase(&self) -> &[u8] {
        self.block.block.header.beneficiary.as_slice()
    }

    #[getter]
    fn mix_hash(&self) -> &[u8] {
        self.block.block.header.mix_hash.as_slice()
    }

    #[getter]
    fn extra_data(&self) -> &[u8] {
        &self.block.block.header.extra_data
    }

    #[getter]
    fn parent_beacon_block_root<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.block.block.header.parent_beacon_block_root.map(|root| bytes(py, root))
    }

    #[getter]
    fn transaction_count(&self) -> usize {
        self.block.block.body.transactions.len()
    }

    #[getter]
    fn consensus_data(&self) -> &[u8] {
        &self.block.consensus_data
    }

    #[getter]
    fn seal(&self) -> &[u8] {
        &self.block.seal
    }
}
