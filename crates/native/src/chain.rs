//! The chain handle: opening, executing, building, deciding, flushing.

use crate::convert::{Header, bytes, hash};
use crate::errors::{chain_error, value_error};
use crate::sim_disk::SimDisk;
use crate::transaction::Transaction;
use alloy_primitives::Bytes;
use coc_chain::build::Attributes;
use coc_chain::chain::Chain as RustChain;
use coc_chain::open::{ChainOptions, Recovered};
use coc_evm::json;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An open chain.
#[pyclass(frozen, module = "coc._native")]
pub struct Chain {
    pub(crate) inner: RustChain,
    recovered: String,
}

/// A block that was built.
#[pyclass(frozen, module = "coc._native")]
pub struct Built {
    built: coc_chain::build::Built,
}

#[pymethods]
impl Built {
    #[getter]
    fn hash(&self) -> &[u8] {
        self.built.hash.as_slice()
    }

    #[getter]
    fn block_rlp(&self) -> &[u8] {
        &self.built.rlp
    }

    #[getter]
    fn gas_used(&self) -> u64 {
        self.built.gas_used
    }

    #[getter]
    fn transaction_hashes<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        self.built.included.iter().map(|hash| bytes(py, hash)).collect()
    }

    /// Hash, code and sentence of each refused transaction.
    #[getter]
    fn refused<'py>(&self, py: Python<'py>) -> Vec<(Bound<'py, PyBytes>, &str, &str)> {
        self.built
            .refused
            .iter()
            .map(|(hash, invalid)| (bytes(py, hash), invalid.code, invalid.sentence.as_str()))
            .collect()
    }
}

/// `options` with what the JSON object `text` names changed.
pub(crate) fn changed(mut options: ChainOptions, text: &[u8]) -> PyResult<ChainOptions> {
    if text.is_empty() {
        return Ok(options);
    }
    let object: Value = serde_json::from_slice(text).map_err(|error| value_error(error.to_string()))?;
    let read =
        |name: &str| json::maybe(&object, name, json::u64).map_err(|error| value_error(error.to_string()));
    for (name, slot) in [
        ("node_cache_bytes", &mut options.node_cache_bytes),
        ("block_cache_bytes", &mut options.block_cache_bytes),
        ("index_budget_bytes", &mut options.index_budget_bytes),
        ("reserve_bytes", &mut options.reserve_bytes),
        ("log_segment_bytes", &mut options.log_segment_bytes),
        ("copy_from_bytes", &mut options.copy_from_bytes),
    ] {
        if let Some(value) = read(name)? {
            *slot = value;
        }
    }
    if let Some(kept) = read("states_kept")? {
        options.states_kept = (kept > 0).then_some(kept);
    }
    options.disk_budget_bytes = read("disk_budget_bytes")?.or(options.disk_budget_bytes);
    if let Some(salt) = read("log_salt")? {
        let salt = u32::try_from(salt).map_err(|_| value_error("log_salt is a number of 32 bits"))?;
        options.log_salt = Some(salt);
    }
    Ok(options)
}

fn recovered_json(recovered: &Recovered) -> String {
    serde_json::json!({
        "created": recovered.created,
        "cut_bytes": recovered.cut_bytes,
        "cut_node_bytes": recovered.cut_node_bytes,
        "removed_generations": recovered.removed_generations,
        "replayed_blocks": recovered.replayed_blocks,
        "reserve_held": recovered.reserve_held,
        "store_is_full": recovered.store_is_full,
    })
    .to_string()
}

fn attributes(text: &[u8]) -> Result<Attributes, json::JsonError> {
    let object: Value = serde_json::from_slice(text)
        .map_err(|error| json::JsonError::new("attributes", error.to_string()))?;
    Ok(Attributes {
        timestamp: json::u64(json::field(&object, "timestamp")?, "timestamp")?,
        beneficiary: json::address(json::field(&object, "coinbase")?, "coinbase")?,
        extra_data: json::maybe(&object, "extra_data", json::bytes)?.unwrap_or_default(),
        gas_limit_target: json::u64(json::field(&object, "gas_limit_target")?, "gas_limit_target")?,
        consensus_data: json::maybe(&object, "consensus_data", json::bytes)?.unwrap_or_default(),
    })
}

#[pymethods]
impl Chain {
    /// Opens the chain of a genesis file's text in a folder, or in memory.
    #[staticmethod]
    fn open(
        py: Python<'_>,
        genesis: &[u8],
        data_dir: Option<PathBuf>,
        options_json: &[u8],
    ) -> PyResult<Chain> {
        let options = changed(ChainOptions::default(), options_json)?;
        let (inner, recovered) =
            py.detach(|| RustChain::open(genesis, data_dir.as_deref(), &options)).map_err(chain_error)?;
        Ok(Chain { inner, recovered: recovered_json(&recovered) })
    }

    /// Opens the chain of a genesis file's text on a simulated disk; without a salt among the options it has a fixed one.
    #[staticmethod]
    fn open_simulated(
        py: Python<'_>,
        genesis: &[u8],
        disk: PyRef<'_, SimDisk>,
        options_json: &[u8],
    ) -> PyResult<Chain> {
        let simulated = ChainOptions { reserve_bytes: 0, log_salt: Some(0), ..ChainOptions::default() };
        let options = changed(simulated, options_json)?;
        let (files, index) = (Arc::new(disk.disk.clone()), disk.index());
        let (inner, recovered) =
            py.detach(|| RustChain::open_on(genesis, files, index, &options)).map_err(chain_error)?;
        Ok(Chain { inner, recovered: recovered_json(&recovered) })
    }

    /// What opening found and put in order, as JSON.
    #[getter]
    fn recovered(&self) -> &[u8] {
        self.recovered.as_bytes()
    }

    #[getter]
    fn chain_id(&self) -> u64 {
        self.inner.shared.schedule.chain_id
    }

    #[getter]
    fn genesis_hash(&self) -> &[u8] {
        self.inner.shared.genesis_hash.as_slice()
    }

    #[getter]
    fn is_coc(&self) -> bool {
        self.inner.shared.is_coc
    }

    #[getter]
    fn head(&self) -> Header {
        Header { block: self.inner.shared.head().stored }
    }

    #[getter]
    fn safe(&self) -> PyResult<Header> {
        let hash = self.inner.shared.tree.read().safe;
        self.known(&hash)
    }

    #[getter]
    fn finalized(&self) -> PyResult<Header> {
        let hash = self.inner.shared.tree.read().finalized;
        self.known(&hash)
    }

    /// Validates and executes a block: its hash; afterwards it is a candidate.
    fn execute<'py>(
        &self,
        py: Python<'py>,
        block_rlp: &[u8],
        consensus_data: &[u8],
    ) -> PyResult<Bound<'py, PyBytes>> {
        let data = Bytes::copy_from_slice(consensus_data);
        let hash = py.detach(|| self.inner.execute(block_rlp, data)).map_err(chain_error)?;
        Ok(bytes(py, hash))
    }

    /// Builds a block on `parent` from transactions in the order given; it is a candidate afterwards.
    fn build(
        &self,
        py: Python<'_>,
        parent: &[u8],
        attributes_json: &[u8],
        transactions: Vec<PyRef<'_, Transaction>>,
        time_budget_ms: Option<u64>,
    ) -> PyResult<Built> {
        let parent = hash(parent)?;
        let attributes = attributes(attributes_json).map_err(|error| value_error(error.to_string()))?;
        let chosen: Vec<_> = transactions.iter().map(|each| (each.signed.clone(), each.sender)).collect();
        drop(transactions);
        let built = py
            .detach(|| {
                let end = time_budget_ms.map(|ms| Instant::now() + Duration::from_millis(ms));
                self.inner
                    .build(&parent, &attributes, chosen, || end.is_some_and(|end| Instant::now() >= end))
            })
            .map_err(chain_error)?;
        Ok(Built { built })
    }

    /// Writes an executed block with its seal into the log and makes it the head: durably, or, as an import
    /// wants it, durably with the next flush.
    #[pyo3(signature = (block, seal, durable = true))]
    fn decide(&self, py: Python<'_>, block: &[u8], seal: &[u8], durable: bool) -> PyResult<()> {
        let (block, seal) = (hash(block)?, Bytes::copy_from_slice(seal));
        py.detach(|| {
            self.inner.decide(&block, seal, durable)?;
            self.inner.set_head(&block)
        })
        .map_err(chain_error)
    }

    /// Writes an executed block with its seal into the log, durably, and leaves the head where it is.
    fn record(&self, py: Python<'_>, block: &[u8], seal: &[u8]) -> PyResult<()> {
        let (block, seal) = (hash(block)?, Bytes::copy_from_slice(seal));
        py.detach(|| self.inner.decide(&block, seal, true)).map_err(chain_error)
    }

    /// Makes a block of the log the head; it may stand on another branch than the head of now.
    fn set_head(&self, py: Python<'_>, block: &[u8]) -> PyResult<()> {
        let block = hash(block)?;
        py.detach(|| self.inner.set_head(&block)).map_err(chain_error)
    }

    /// Makes every decided block durable.
    fn sync(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.inner.sync()).map_err(chain_error)
    }

    /// Says which blocks are safe and which are final.
    fn set_finalized(&self, safe: &[u8], finalized: &[u8]) -> PyResult<()> {
        self.inner.set_finalized(&hash(safe)?, &hash(finalized)?).map_err(chain_error)
    }

    /// Imports blocks of an Ethereum chain, one after the other, durably: how many there were before the first refused one,
    /// and that one's code and sentence.
    fn import_blocks(
        &self,
        py: Python<'_>,
        blocks: Vec<Vec<u8>>,
    ) -> PyResult<(usize, Option<(String, String)>)> {
        let imported = py.detach(|| self.inner.import_many(&blocks)).map_err(chain_error)?;
        let refused = imported.refused.map(|error| {
            let code = match &error {
                coc_chain::error::ChainError::Invalid(invalid) => invalid.code,
                _ => "UNKNOWN_PARENT",
            };
            (code.to_owned(), error.to_string())
        });
        Ok((imported.done, refused))
    }

    /// Whether so much is unflushed that a flush should run.
    fn flush_is_due(&self) -> bool {
        self.inner.flush_is_due()
    }

    /// Puts decided blocks into the store.
    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.inner.flush()).map_err(chain_error)
    }

    /// Flushes everything; the chain must not be used for writing afterwards.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.inner.close()).map_err(chain_error)
    }
}

impl Chain {
    fn known(&self, hash: &alloy_primitives::B256) -> PyResult<Header> {
        let block = self.inner.shared.stored(hash).map_err(chain_error)?;
        block
            .map(|block| Header { block })
            .ok_or_else(|| chain_error(coc_chain::error::ChainError::UnknownBlock(*hash)))
    }

    pub(crate) fn stored(&self, block: &[u8]) -> PyResult<Option<Arc<coc_chain::record::StoredBlock>>> {
        self.inner.shared.stored(&hash(block)?).map_err(chain_error)
    }
}
