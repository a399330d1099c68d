//! Why the chain could not do what was asked: the block's fault, the caller's, or the machine's.

use alloy_primitives::B256;
use coc_evm::error::{BlockInvalid, ExecuteError, StateError};
use coc_log::LogError;
use coc_store::StoreError;

/// An error of the chain.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The block breaks a rule.
    #[error(transparent)]
    Invalid(#[from] BlockInvalid),
    /// The parent of a block is not known.
    #[error("the parent {0} is not known; import its ancestors first")]
    UnknownParent(B256),
    /// No block has this hash.
    #[error("the block {0} is not known")]
    UnknownBlock(B256),
    /// The state of a known block is no longer kept.
    #[error("the state of block {0} was pruned; ask an archive node")]
    Pruned(B256),
    /// The genesis text does not make a chain.
    #[error("the genesis file does not fit: {0}")]
    Genesis(String),
    /// A published limit was hit.
    #[error("{0}")]
    Limit(String),
    /// State could not be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The block log failed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file could not be used.
    #[error(transparent)]
    Disk(#[from] coc_disk::DiskError),
    /// A record of the log is whole but does not make sense to this release.
    #[error("the log record at {position} cannot be read: {reason}; run `coc db check`")]
    Record {
        /// Where it lies.
        position: u64,
        /// What is wrong.
        reason: String,
    },
}

impl ChainError {
    /// Whether the same call may succeed once the disk has room again.
    pub fn is_out_of_space(&self) -> bool {
        match self {
            ChainError::Log(LogError::NoSpace(_)) => true,
            ChainError::Store(error) => error.is_out_of_space(),
            _ => false,
        }
    }
}

impl From<ExecuteError> for ChainError {
    fn from(error: ExecuteError) -> Self {
        match error {
            ExecuteError::Invalid(invalid) => ChainError::Invalid(invalid),
            ExecuteError::State(state) => ChainError::State(state),
        }
    }
}

impl From<coc_trie::TrieError> for ChainError {
    fn from(error: coc_trie::TrieError) -> Self {
        ChainError::State(error.into())
    }
}
