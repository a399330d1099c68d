//! The chain handle's answers: blocks named by hash, JSON as bytes.

use crate::chain::Chain;
use crate::convert::{Header, address, bytes, hash, integer};
use crate::errors::{chain_error, simulate_error, value_error};
use alloy_primitives::{Address, B256};
use coc_answers::request::Request;
use coc_answers::simulate::{Outcome, SimulateError, Stage};
use coc_answers::text::Text;
use coc_answers::{block as blocks, fees, state};
use coc_chain::logs::LogQuery;
use coc_chain::read::BlockLogs;
use coc_chain::record::StoredBlock;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

type Answer<'py> = PyResult<Option<Bound<'py, PyBytes>>>;

/// How a call ended.
#[pyclass(frozen, module = "coc._native")]
pub struct CallResult {
    outcome: Outcome,
}

#[pymethods]
impl CallResult {
    #[getter]
    fn status(&self) -> &str {
        self.outcome.status
    }

    #[getter]
    fn output(&self) -> &[u8] {
        &self.outcome.output
    }

    #[getter]
    fn gas_used(&self) -> u64 {
        self.outcome.gas_used
    }

    #[getter]
    fn reason(&self) -> &str {
        &self.outcome.reason
    }
}

fn query(addresses: &[Vec<u8>], topics: &[Vec<Vec<u8>>]) -> PyResult<LogQuery> {
    Ok(LogQuery {
        addresses: addresses.iter().map(|each| address(each)).collect::<PyResult<Vec<Address>>>()?,
        topics: topics
            .iter()
            .map(|place| place.iter().map(|topic| hash(topic)).collect::<PyResult<Vec<B256>>>())
            .collect::<PyResult<_>>()?,
    })
}

fn logs_json(found: &[BlockLogs]) -> Vec<u8> {
    let mut text = Text::with_capacity(512 * found.iter().map(|(_, places)| places.len()).sum::<usize>() + 2);
    text.open('[');
    for (block, places) in found {
        for place in places {
            let log = &block.receipts[place.transaction].logs[place.within];
            let transaction = block.block.body.transactions[place.transaction].tx_hash();
            blocks::write_log(
                &mut text,
                log,
                transaction,
                blocks::Standing::of(block, place.transaction),
                place.index,
            );
        }
    }
    text.close(']');
    text.into_bytes()
}

impl Chain {
    fn answer<'py>(
        &self,
        py: Python<'py>,
        block: &[u8],
        write: impl FnOnce(&StoredBlock) -> Option<Vec<u8>> + Send,
    ) -> Answer<'py> {
        let block = hash(block)?;
        let written = py.detach(|| {
            let stored = self.inner.shared.stored(&block)?;
            Ok(stored.and_then(|stored| write(&stored)))
        });
        Ok(written.map_err(chain_error)?.map(|json| bytes(py, json)))
    }

    fn stage<'py, T: Send>(
        &self,
        py: Python<'py>,
        block: &[u8],
        request: &[u8],
        overrides: (&[u8], &[u8]),
        run: impl FnOnce(&Stage, &Request) -> Result<T, SimulateError> + Send,
    ) -> PyResult<T> {
        let block = hash(block)?;
        py.detach(|| {
            let request = Request::parse(request)?;
            run(&Stage::on(&self.inner, &block, overrides.0, overrides.1)?, &request)
        })
        .map_err(|error| simulate_error(py, error))
    }
}

#[pymethods]
impl Chain {
    fn canonical_hash<'py>(&self, py: Python<'py>, number: u64) -> Answer<'py> {
        Ok(self.inner.shared.canonical(number).map_err(chain_error)?.map(|hash| bytes(py, hash)))
    }

    fn header(&self, block: &[u8]) -> PyResult<Option<Header>> {
        Ok(self.stored(block)?.map(|block| Header { block }))
    }

    fn has_state(&self, block: &[u8]) -> PyResult<bool> {
        let block = hash(block)?;
        Ok(self.inner.shared.state(&block).is_ok())
    }

    fn block_json<'py>(&self, py: Python<'py>, block: &[u8], full: bool) -> Answer<'py> {
        self.answer(py, block, |stored| Some(blocks::block_json(stored, full)))
    }

    fn header_rlp<'py>(&self, py: Python<'py>, block: &[u8]) -> Answer<'py> {
        self.answer(py, block, |stored| Some(alloy_rlp::encode(&stored.block.header)))
    }

    fn block_rlp<'py>(&self, py: Python<'py>, block: &[u8]) -> Answer<'py> {
        self.answer(py, block, |stored| Some(alloy_rlp::encode(&stored.block)))
    }

    fn receipts_raw<'py>(&self, py: Python<'py>, block: &[u8]) -> PyResult<Option<Vec<Bound<'py, PyBytes>>>> {
        let stored = self.stored(block)?;
        Ok(stored
            .map(|stored| blocks::receipts_raw(&stored).iter().map(|receipt| bytes(py, receipt)).collect()))
    }

    fn transaction_count(&self, block: &[u8]) -> PyResult<Option<usize>> {
        Ok(self.stored(block)?.map(|stored| stored.block.body.transactions.len()))
    }

    fn uncle_count(&self, block: &[u8]) -> PyResult<Option<usize>> {
        Ok(self.stored(block)?.map(|stored| stored.block.body.ommers.len()))
    }

    fn uncle_json<'py>(&self, py: Python<'py>, block: &[u8], index: usize) -> Answer<'py> {
        self.answer(py, block, |stored| stored.block.body.ommers.get(index).map(blocks::ommer_json))
    }

    fn find_transaction<'py>(
        &self,
        py: Python<'py>,
        transaction: &[u8],
    ) -> PyResult<Option<(Bound<'py, PyBytes>, usize)>> {
        let transaction = hash(transaction)?;
        let found = py.detach(|| self.inner.find_transaction(&transaction)).map_err(chain_error)?;
        Ok(found.map(|(block, index)| (bytes(py, block.hash), index)))
    }

    fn transaction_json<'py>(&self, py: Python<'py>, block: &[u8], index: usize) -> Answer<'py> {
        self.answer(py, block, |stored| {
            let transaction = stored.block.body.transactions.get(index)?;
            Some(blocks::transaction_json(
                transaction,
                stored.senders[index],
                Some(blocks::Standing::of(stored, index)),
            ))
        })
    }

    fn transaction_raw<'py>(&self, py: Python<'py>, block: &[u8], index: usize) -> Answer<'py> {
        self.answer(py, block, |stored| {
            stored.block.body.transactions.get(index).map(blocks::transaction_raw)
        })
    }

    fn receipt_json<'py>(&self, py: Python<'py>, block: &[u8], index: usize) -> Answer<'py> {
        let chain = &self.inner;
        self.answer(py, block, |stored| {
            (index < stored.receipts.len())
                .then(|| blocks::receipt_json(stored, index, &fees::rules_of(chain, stored)))
        })
    }

    fn receipts_json<'py>(&self, py: Python<'py>, block: &[u8]) -> Answer<'py> {
        let chain = &self.inner;
        self.answer(py, block, |stored| Some(blocks::receipts_json(stored, &fees::rules_of(chain, stored))))
    }

    fn logs_json<'py>(
        &self,
        py: Python<'py>,
        first: u64,
        last: u64,
        addresses: Vec<Vec<u8>>,
        topics: Vec<Vec<Vec<u8>>>,
        max_rows: usize,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let query = query(&addresses, &topics)?;
        let json = py
            .detach(|| self.inner.logs(first, last, &query, max_rows).map(|found| logs_json(&found)))
            .map_err(chain_error)?;
        Ok(bytes(py, json))
    }

    fn block_logs_json<'py>(
        &self,
        py: Python<'py>,
        block: &[u8],
        addresses: Vec<Vec<u8>>,
        topics: Vec<Vec<Vec<u8>>>,
    ) -> Answer<'py> {
        let query = query(&addresses, &topics)?;
        let Some(stored) = self.stored(block)? else { return Ok(None) };
        let places = coc_chain::chain::Chain::block_logs(&stored, &query);
        Ok(Some(bytes(py, logs_json(&[(stored, places)]))))
    }

    /// Nonce, balance, code hash and storage root.
    #[allow(clippy::type_complexity)]
    fn account<'py>(
        &self,
        py: Python<'py>,
        block: &[u8],
        account: &[u8],
    ) -> PyResult<(u64, Bound<'py, PyAny>, Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        let world = self.inner.shared.state(&hash(block)?).map_err(chain_error)?;
        let (account, _) = state::account(&world, &address(account)?).map_err(chain_error)?;
        let balance = integer(py, account.balance)?;
        Ok((account.nonce, balance, bytes(py, account.code_hash), bytes(py, account.storage_root)))
    }

    fn code<'py>(&self, py: Python<'py>, block: &[u8], account: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let world = self.inner.shared.state(&hash(block)?).map_err(chain_error)?;
        let (account, _) = state::account(&world, &address(account)?).map_err(chain_error)?;
        let code = world.code(&account.code_hash).map_err(|error| chain_error(error.into()))?;
        Ok(bytes(py, code))
    }

    fn storage<'py>(
        &self,
        py: Python<'py>,
        block: &[u8],
        account: &[u8],
        slot: &[u8],
    ) -> PyResult<Bound<'py, PyBytes>> {
        let world = self.inner.shared.state(&hash(block)?).map_err(chain_error)?;
        let (_, storage) = state::account(&world, &address(account)?).map_err(chain_error)?;
        let value = world.slot(&storage, &hash(slot)?).map_err(|error| chain_error(error.into()))?;
        Ok(bytes(py, value.to_be_bytes::<32>()))
    }

    fn proof_json<'py>(
        &self,
        py: Python<'py>,
        block: &[u8],
        account: &[u8],
        slots: Vec<Vec<u8>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (block, account) = (hash(block)?, address(account)?);
        let slots = slots.iter().map(|slot| hash(slot)).collect::<PyResult<Vec<B256>>>()?;
        let json =
            py.detach(|| state::proof_json(&self.inner, &block, &account, &slots)).map_err(chain_error)?;
        Ok(bytes(py, json))
    }

    fn call(
        &self,
        py: Python<'_>,
        block: &[u8],
        request: &[u8],
        overrides: &[u8],
        block_overrides: &[u8],
        gas_cap: u64,
    ) -> PyResult<CallResult> {
        let outcome = self.stage(py, block, request, (overrides, block_overrides), |stage, request| {
            stage.call(request, gas_cap)
        })?;
        Ok(CallResult { outcome })
    }

    fn estimate_gas(
        &self,
        py: Python<'_>,
        block: &[u8],
        request: &[u8],
        overrides: &[u8],
        gas_cap: u64,
    ) -> PyResult<u64> {
        self.stage(py, block, request, (overrides, b""), |stage, request| {
            stage.estimate_gas(request, gas_cap)
        })
    }

    fn access_list_json<'py>(
        &self,
        py: Python<'py>,
        block: &[u8],
        request: &[u8],
        gas_cap: u64,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let json = self.stage(py, block, request, (b"", b""), |stage, request| {
            stage.access_list_json(request, gas_cap)
        })?;
        Ok(bytes(py, json))
    }

    fn fee_history_json<'py>(
        &self,
        py: Python<'py>,
        newest: &[u8],
        count: u64,
        percentiles: Vec<f64>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        if percentiles.windows(2).any(|pair| pair[0] > pair[1])
            || percentiles.iter().any(|each| !(0.0..=100.0).contains(each))
        {
            return Err(value_error("reward percentiles rise from 0 to 100"));
        }
        let newest = hash(newest)?;
        let json = py
            .detach(|| fees::history_json(&self.inner, &newest, count, &percentiles))
            .map_err(chain_error)?;
        Ok(bytes(py, json))
    }

    fn next_base_fee(&self, block: &[u8]) -> PyResult<u64> {
        Ok(self.stored(block)?.map_or(0, |stored| fees::next_base_fee(&self.inner, &stored)))
    }

    fn next_blob_base_fee(&self, block: &[u8]) -> PyResult<u128> {
        Ok(self.stored(block)?.map_or(0, |stored| fees::next_blob_base_fee(&self.inner, &stored)))
    }
}
