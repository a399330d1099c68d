//! The chain handle's verdicts: what may wait for a block, and what a block changed for those who wait.

use crate::chain::Chain;
use crate::convert::{address, bytes, hash, integer};
use crate::errors::{chain_error, transaction_invalid};
use crate::transaction::Transaction;
use alloy_primitives::{Address, U256};
use coc_chain::classify::{Bench, Verdict};
use coc_chain::error::ChainError;
use coc_evm::transaction::TransactionInvalid;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

/// Standing, code, sentence, sender's nonce and balance, whether the sender has code.
type JudgedTuple<'py> = (u8, String, String, u64, Bound<'py, PyAny>, bool);
/// Nonce, balance, whether there is code.
type AccountTuple<'py> = (u64, Bound<'py, PyAny>, bool);
/// Index in the question, then as [`AccountTuple`].
type ChangedTuple<'py> = (usize, u64, Bound<'py, PyAny>, bool);

/// Standing number, code and sentence of a verdict.
fn told(verdict: &Verdict) -> (u8, &str, &str) {
    match verdict {
        Verdict::Now => (0, "", ""),
        Verdict::Later(reason) => (1, reason.code, &reason.sentence),
        Verdict::Never(reason) => (2, reason.code, &reason.sentence),
    }
}

type Judged = (Verdict, u64, U256, bool);

fn judge(bench: &Bench, transaction: &Transaction) -> Result<Judged, ChainError> {
    bench.classify(&transaction.signed, &transaction.sender)
}

fn judged_tuple<'py>(py: Python<'py>, judged: &Judged) -> PyResult<JudgedTuple<'py>> {
    let (verdict, nonce, balance, has_code) = judged;
    let (standing, code, sentence) = told(verdict);
    Ok((standing, code.into(), sentence.into(), *nonce, integer(py, *balance)?, *has_code))
}

#[pymethods]
impl Chain {
    /// Decodes, recovers and judges raw transactions on the child of `block`, in one call: for each a tuple
    /// (transaction, standing, code, sentence, sender's nonce, sender's balance, sender has code), or TransactionInvalid.
    fn admit<'py>(&self, py: Python<'py>, block: &[u8], raws: Vec<Vec<u8>>) -> PyResult<Bound<'py, PyList>> {
        let block = hash(block)?;
        let results = py
            .detach(|| {
                let bench = self.inner.bench(&block)?;
                Transaction::read_many(&raws)
                    .into_iter()
                    .map(|read| {
                        read.map(|tx| {
                            self.inner.remember_sender(*tx.signed.tx_hash(), tx.sender);
                            judge(&bench, &tx).map(|judged| (tx, judged))
                        })
                        .map_or_else(|e| Ok(Err(e)), |ok| ok.map(Ok))
                    })
                    .collect::<Result<Vec<Result<_, TransactionInvalid>>, _>>()
            })
            .map_err(chain_error)?;
        let list = PyList::empty(py);
        for result in results {
            match result {
                Err(invalid) => list.append(transaction_invalid(&invalid).into_value(py))?,
                Ok((transaction, judged)) => {
                    let (standing, code, sentence, nonce, balance, has_code) = judged_tuple(py, &judged)?;
                    list.append((
                        Py::new(py, transaction)?,
                        standing,
                        code,
                        sentence,
                        nonce,
                        balance,
                        has_code,
                    ))?;
                }
            }
        }
        Ok(list)
    }

    /// Judges decoded transactions on the child of `block`: for each (standing, code, sentence, nonce, balance, has code).
    fn classify<'py>(
        &self,
        py: Python<'py>,
        block: &[u8],
        transactions: Vec<PyRef<'py, Transaction>>,
    ) -> PyResult<Vec<JudgedTuple<'py>>> {
        let bench = self.inner.bench(&hash(block)?).map_err(chain_error)?;
        transactions
            .iter()
            .map(|transaction| judged_tuple(py, &judge(&bench, transaction).map_err(chain_error)?))
            .collect()
    }

    /// Nonce, balance and whether there is code, of many accounts after `block`.
    fn accounts<'py>(
        &self,
        py: Python<'py>,
        block: &[u8],
        addresses: Vec<Vec<u8>>,
    ) -> PyResult<Vec<AccountTuple<'py>>> {
        let bench = self.inner.bench(&hash(block)?).map_err(chain_error)?;
        let addresses = addresses.iter().map(|each| address(each)).collect::<PyResult<Vec<Address>>>()?;
        let found = py
            .detach(|| addresses.iter().map(|address| bench.account(address)).collect::<Result<Vec<_>, _>>())
            .map_err(chain_error)?;
        found
            .into_iter()
            .map(|(nonce, balance, has_code)| Ok((nonce, integer(py, balance)?, has_code)))
            .collect()
    }

    /// Those of `addresses` that an executed block in memory changed: index in the list, nonce, balance, whether there is code.
    fn changed_accounts<'py>(
        &self,
        py: Python<'py>,
        block: &[u8],
        addresses: Vec<[u8; 20]>,
    ) -> PyResult<Vec<ChangedTuple<'py>>> {
        let block = hash(block)?;
        let found = py
            .detach(|| {
                let changed = self
                    .inner
                    .shared
                    .tree
                    .read()
                    .blocks
                    .get(&block)
                    .map(|block| block.changed.clone())
                    .unwrap_or_default();
                let bench = self.inner.bench(&block)?;
                let known = addresses
                    .iter()
                    .map(Address::from)
                    .enumerate()
                    .filter(|(_, address)| changed.contains(address));
                known
                    .map(|(index, address)| Ok((index, bench.account(&address)?)))
                    .collect::<Result<Vec<_>, _>>()
            })
            .map_err(chain_error)?;
        found
            .into_iter()
            .map(|(index, (nonce, balance, has_code))| Ok((index, nonce, integer(py, balance)?, has_code)))
            .collect()
    }

    /// Hashes of a block's transactions.
    fn transaction_hashes<'py>(&self, py: Python<'py>, block: &[u8]) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let stored = self.stored(block)?;
        Ok(stored
            .iter()
            .flat_map(|block| &block.block.body.transactions)
            .map(|each| bytes(py, each.tx_hash()))
            .collect())
    }
}
