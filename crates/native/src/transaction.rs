//! Transactions: decoded, hashed, their senders recovered, in one call for many.

use crate::errors::{exactly, transaction_invalid, value_error};
use alloy_consensus::Transaction as _;
use alloy_eips::{Decodable2718 as _, Typed2718 as _};
use alloy_primitives::{Address, Bytes};
use coc_answers::block::transaction_json;
use coc_answers::request::Request;
use coc_evm::fork::Fork;
use coc_evm::sidecar::{self, Sidecar, WRAPPED_BYTES_MAX};
use coc_evm::transaction::{TransactionInvalid, max_cost, recover_sender};
use coc_evm::types::Transaction as Signed;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rayon::prelude::*;
use std::sync::Arc;

/// Transactions handed to one core at a time: recovering a sender takes some 30 µs.
const TRANSACTIONS_PER_TASK: usize = 4;

/// A decoded transaction with its sender.
#[pyclass(frozen, module = "coc._native")]
pub struct Transaction {
    pub(crate) signed: Arc<Signed>,
    pub(crate) sender: Address,
    raw: Bytes,
}

impl Transaction {
    /// Decodes the canonical encoding and recovers the sender.
    pub(crate) fn read(raw: &[u8]) -> Result<Transaction, TransactionInvalid> {
        if let Some((canonical, sidecar)) = Transaction::unwrap_blobs(raw)? {
            let transaction = Transaction::read(&canonical)?;
            sidecar.verify(transaction.signed.blob_versioned_hashes().unwrap_or_default())?;
            return Ok(transaction);
        }
        if raw.len() > coc_chain::classify::TRANSACTION_BYTES_MAX {
            return Err(TransactionInvalid::new(
                "TRANSACTION_TOO_LARGE",
                format!(
                    "oversized data: the transaction has {} bytes, {} are allowed",
                    raw.len(),
                    coc_chain::classify::TRANSACTION_BYTES_MAX
                ),
            ));
        }
        let mut rest = raw;
        let signed = Signed::decode_2718(&mut rest).map_err(|error| {
            TransactionInvalid::new("RLP_ENCODING", format!("the transaction cannot be decoded: {error}"))
        })?;
        if !rest.is_empty() {
            return Err(TransactionInvalid::new(
                "RLP_ENCODING",
                format!("{} bytes follow the transaction", rest.len()),
            ));
        }
        let sender = recover_sender(&signed, Fork::Osaka)?;
        signed.tx_hash();
        Ok(Transaction { signed: Arc::new(signed), sender, raw: Bytes::copy_from_slice(raw) })
    }

    /// A blob transaction that came with its blobs, taken apart.
    fn unwrap_blobs(raw: &[u8]) -> Result<Option<(Bytes, Sidecar)>, TransactionInvalid> {
        if raw.len() > WRAPPED_BYTES_MAX {
            return Ok(None);
        }
        sidecar::split(raw)
    }

    /// [`Transaction::read`] for many, on all cores.
    pub(crate) fn read_many(raws: &[Vec<u8>]) -> Vec<Result<Transaction, TransactionInvalid>> {
        if raws.len() == 1 {
            return vec![Transaction::read(&raws[0])];
        }
        raws.par_iter().with_min_len(TRANSACTIONS_PER_TASK).map(|raw| Transaction::read(raw)).collect()
    }
}

#[pymethods]
impl Transaction {
    #[staticmethod]
    fn decode(py: Python<'_>, raw: &[u8]) -> PyResult<Transaction> {
        py.detach(|| Transaction::read(raw)).map_err(|invalid| transaction_invalid(&invalid))
    }

    #[getter]
    fn hash(&self) -> &[u8] {
        self.signed.tx_hash().as_slice()
    }

    #[getter]
    fn sender(&self) -> &[u8] {
        self.sender.as_slice()
    }

    #[getter]
    fn r#type(&self) -> u8 {
        self.signed.ty()
    }

    #[getter]
    fn nonce(&self) -> u64 {
        self.signed.nonce()
    }

    #[getter]
    fn gas_limit(&self) -> u64 {
        self.signed.gas_limit()
    }

    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        crate::convert::integer(py, self.signed.value())
    }

    #[getter]
    fn to<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.signed.to().map(|to| PyBytes::new(py, to.as_slice()))
    }

    #[getter]
    fn max_fee_per_gas(&self) -> u128 {
        self.signed.max_fee_per_gas()
    }

    #[getter]
    fn max_priority_fee_per_gas(&self) -> u128 {
        self.signed.max_priority_fee_per_gas().unwrap_or_else(|| self.signed.max_fee_per_gas())
    }

    #[getter]
    fn max_fee_per_blob_gas(&self) -> u128 {
        self.signed.max_fee_per_blob_gas().unwrap_or(0)
    }

    #[getter]
    fn blob_count(&self) -> usize {
        self.signed.blob_versioned_hashes().map_or(0, <[_]>::len)
    }

    #[getter]
    fn chain_id(&self) -> Option<u64> {
        self.signed.chain_id()
    }

    #[getter]
    fn authorities<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        let list = self.signed.authorization_list().unwrap_or_default();
        let authorities = list.iter().filter_map(|authorization| authorization.recover_authority().ok());
        authorities.map(|authority| PyBytes::new(py, authority.as_slice())).collect()
    }

    #[getter]
    fn raw(&self) -> &[u8] {
        &self.raw
    }

    #[getter]
    fn size(&self) -> usize {
        self.raw.len()
    }

    #[getter]
    fn max_cost<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        crate::convert::integer(py, max_cost(&self.signed))
    }

    /// The pending form: block fields null.
    fn json<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &transaction_json(&self.signed, self.sender, None))
    }
}

/// Signs a complete transaction object (JSON) with a secret key: the canonical encoding.
#[pyfunction]
pub fn sign_transaction<'py>(
    py: Python<'py>,
    secret: &[u8],
    unsigned: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let secret = exactly::<32>(secret, "a secret key")?;
    let request = Request::parse(unsigned).map_err(|error| value_error(error.to_string()))?;
    let raw = request.sign(&secret).map_err(|error| value_error(error.to_string()))?;
    Ok(PyBytes::new(py, &raw))
}
