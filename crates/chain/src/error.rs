//! Why the chain could not do what was asked: the block's fault, the caller's, or the machine's.

use alloy_primitives::B256;
use coc_evm::error::{BlockInvalid, ExecuteError, StateError};
use coc_log::LogError;
use coc_store::StoreError;
use coc_trie::TrieError;
use std::path::PathBuf;

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
    #[error(
        "missing trie node: the state of block {0} was pruned; a node started with `--archive` keeps every state from then on"
    )]
    Pruned(B256),
    /// The genesis text does not make a chain.
    #[error("the genesis file does not fit: {0}")]
    Genesis(String),
    /// The disk budget is used up.
    #[error(
        "the data folder takes {used} bytes of its budget of {budget}; raise `--disk-budget` and start again, nothing is lost"
    )]
    OverBudget {
        /// Bytes it takes.
        used: u64,
        /// Bytes it may take.
        budget: u64,
    },
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
    /// The store says what cannot be: a row of it is no such row, or does not fit the log.
    #[error(
        "the store in {place} is damaged: {what}; make it anew from the block log with `coc db rebuild --data {place}`"
    )]
    StoreDamaged {
        /// The data folder.
        place: String,
        /// What does not fit.
        what: String,
    },
    /// The log has blocks, and there is no store, or an empty one.
    #[error(
        "the store in {place} is lost, its block log is not; make it anew with `coc db rebuild --data {place}`"
    )]
    StoreLost {
        /// The data folder.
        place: String,
    },
    /// There is a store, and no log for it.
    #[error(
        "the block log in {place} is gone, and the store alone is no chain; restore the folder `log` from a copy, \
         or choose an empty folder with `--data` and start anew"
    )]
    LogLost {
        /// The data folder.
        place: String,
    },
    /// A rebuild was begun and not finished.
    #[error(
        "the store in {place} is only half made: a rebuild was interrupted; go on with `coc db rebuild --data {place}`"
    )]
    RebuildUnfinished {
        /// The data folder.
        place: String,
    },
    /// A state is being fetched from peers and not yet complete.
    #[error(
        "the state in {place} is only half fetched; start the node again to go on, or choose an empty folder with `--data`"
    )]
    SnapshotUnfinished {
        /// The data folder.
        place: String,
    },
    /// A state cannot be fetched from peers, or what was fetched cannot be used.
    #[error("{0}")]
    Snapshot(String),
    /// What is asked for lies before the snapshot that the chain began with.
    #[error(
        "blocks before {first} are not kept, because this node began with the snapshot of that block; ask an archive node"
    )]
    BeforeSnapshot {
        /// Height of the block that the log begins with.
        first: u64,
    },
    /// The log does not hold what a rebuild needs.
    #[error("{0}")]
    Rebuild(String),
    /// The folder has files, none of which is ours.
    #[error(
        "{} has files that are not of a COC chain ({found} for one); choose an empty folder, or a new one, with `--data`",
        folder.display()
    )]
    ForeignFolder {
        /// The folder.
        folder: PathBuf,
        /// One of its files.
        found: String,
    },
    /// There is no chain in the folder.
    #[error("{} holds no chain: it has no {file}; name the folder that `coc up --data` or `coc init` made", folder.display())]
    NoChain {
        /// The folder.
        folder: PathBuf,
        /// What is missing.
        file: &'static str,
    },
    /// Another process has the folder open.
    #[error("{} is in use{by}; stop that process, or choose another folder with `--data`", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// Who holds it, where that is known.
        by: String,
    },
}

impl ChainError {
    /// Whether the same call may succeed once the disk has room again.
    pub fn is_out_of_space(&self) -> bool {
        match self {
            ChainError::Log(LogError::NoSpace(_)) | ChainError::OverBudget { .. } => true,
            ChainError::Store(error) => error.is_out_of_space(),
            ChainError::Disk(error) => error.kind.is_out_of_space(),
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

impl From<TrieError> for ChainError {
    /// The store's own error where the trie only passed it on, so that a full disk stays one.
    fn from(error: TrieError) -> Self {
        match error {
            TrieError::Storage(source) => match source.downcast::<StoreError>() {
                Ok(store) => ChainError::Store(*store),
                Err(source) => ChainError::State(TrieError::Storage(source).into()),
            },
            other => ChainError::State(other.into()),
        }
    }
}
