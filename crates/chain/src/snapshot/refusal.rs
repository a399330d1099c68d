//! Whose fault it is when a piece of a snapshot is not taken.

use crate::error::ChainError;
use coc_store::StoreError;
use coc_trie::TrieError;

/// Why a piece of a snapshot was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The answer does not prove itself, or is not one to what was asked: the peer's fault. Nothing of it was taken.
    #[error("{0}")]
    Refused(String),
    /// The request is none that waits for an answer: the caller's mistake, or an answer that comes too late.
    #[error("nothing waits for this answer: {0}")]
    NotWanted(&'static str),
    /// Not everything is there yet.
    #[error("the snapshot is not complete: {0}")]
    Incomplete(&'static str),
    /// Our own side failed.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl From<TrieError> for SnapshotError {
    fn from(error: TrieError) -> SnapshotError {
        SnapshotError::Chain(error.into())
    }
}

impl From<StoreError> for SnapshotError {
    fn from(error: StoreError) -> SnapshotError {
        SnapshotError::Chain(error.into())
    }
}

impl From<coc_disk::DiskError> for SnapshotError {
    fn from(error: coc_disk::DiskError) -> SnapshotError {
        SnapshotError::Chain(error.into())
    }
}
