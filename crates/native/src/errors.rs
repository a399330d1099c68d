//! Python's exceptions for what the core refuses, and the way from a Rust error to one of them.

use coc_answers::simulate::SimulateError;
use coc_chain::error::ChainError;
use coc_chain::snapshot::SnapshotError;
use coc_evm::error::BlockInvalid as RustBlockInvalid;
use coc_evm::transaction::TransactionInvalid as RustTransactionInvalid;
use pyo3::exceptions::{PyException, PyLookupError, PyRuntimeError, PyValueError};
use pyo3::{PyErr, PyResult, Python, create_exception};

create_exception!(
    _native,
    BlockInvalid,
    PyValueError,
    "A block breaks a rule: args are the sentence and a stable code."
);
create_exception!(
    _native,
    TransactionInvalid,
    PyValueError,
    "A transaction can never be valid: args are the sentence and a stable code."
);
create_exception!(
    _native,
    GenesisInvalid,
    PyValueError,
    "A genesis file does not make, or does not fit, a chain."
);
create_exception!(
    _native,
    StorageFailed,
    PyRuntimeError,
    "Log or store failed: args are the sentence and whether space was short."
);
create_exception!(_native, Pruned, PyLookupError, "The block is known, its state or body is no longer kept.");
create_exception!(_native, UnknownBlock, PyLookupError, "No block has this hash.");
create_exception!(
    _native,
    SnapshotRefused,
    PyValueError,
    "A peer's answer about a state does not prove itself; nothing of it was taken."
);
create_exception!(_native, LimitExceeded, PyValueError, "A published limit was hit.");
create_exception!(
    _native,
    CallFailed,
    PyException,
    "A call failed where it had to succeed: args are reason and revert data."
);

/// A caller's mistake.
pub fn value_error(sentence: impl Into<String>) -> PyErr {
    PyValueError::new_err(sentence.into())
}

/// Exactly `N` bytes.
pub fn exactly<const N: usize>(bytes: &[u8], what: &str) -> PyResult<[u8; N]> {
    bytes.try_into().map_err(|_| value_error(format!("{what} has {} bytes, not {N}", bytes.len())))
}

/// The exception for a refused block.
pub fn block_invalid(invalid: &RustBlockInvalid) -> PyErr {
    BlockInvalid::new_err((invalid.sentence.clone(), invalid.code))
}

/// The exception for a refused transaction.
pub fn transaction_invalid(invalid: &RustTransactionInvalid) -> PyErr {
    TransactionInvalid::new_err((invalid.sentence.clone(), invalid.code))
}

/// The exception for an error of the chain.
pub fn chain_error(error: ChainError) -> PyErr {
    let sentence = error.to_string();
    match &error {
        ChainError::Invalid(invalid) => block_invalid(invalid),
        ChainError::UnknownParent(_) => BlockInvalid::new_err((sentence, "UNKNOWN_PARENT")),
        ChainError::UnknownBlock(_) => UnknownBlock::new_err(sentence),
        ChainError::Pruned(_) | ChainError::BeforeSnapshot { .. } => Pruned::new_err(sentence),
        ChainError::Genesis(_) => GenesisInvalid::new_err(sentence),
        ChainError::Limit(_) => LimitExceeded::new_err(sentence),
        _ => StorageFailed::new_err((sentence, error.is_out_of_space())),
    }
}

/// The exception for a piece of a snapshot that was not taken.
pub fn snapshot_error(error: SnapshotError) -> PyErr {
    match error {
        SnapshotError::Refused(why) => SnapshotRefused::new_err(why),
        SnapshotError::Chain(error) => chain_error(error),
        other => value_error(other.to_string()),
    }
}

/// The exception for a simulated transaction that has no result.
pub fn simulate_error(py: Python<'_>, error: SimulateError) -> PyErr {
    match error {
        SimulateError::Request(error) => value_error(error.to_string()),
        SimulateError::Refused(invalid) => transaction_invalid(&invalid),
        SimulateError::Failed(outcome) => {
            let data = pyo3::types::PyBytes::new(py, &outcome.output).unbind();
            CallFailed::new_err((outcome.reason, data))
        }
        SimulateError::Chain(error) => chain_error(error),
    }
}
