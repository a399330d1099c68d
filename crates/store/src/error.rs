//! The one error type of this crate: what happened, to which file, and the command or act that cures it.
//!
//! ```text
//! StoreError
//! ├── NoSpace           the disk or the budget is full; nothing is lost, a later write may succeed
//! ├── Damaged           bytes on disk are not what was written
//! ├── Foreign           the file is not one of ours
//! ├── WrongChain        the file is ours, of another chain
//! ├── NewerFormat       the file was written by a newer release
//! ├── AlreadyOpen       this process has it open
//! ├── SnapshotsExhausted  more live snapshots than reader slots
//! ├── KeyLength, RecordLength  the caller's mistake: a limit was passed
//! ├── GenerationsExhausted  a data folder can number no further generation
//! ├── HistoryGone       (in memory only) a crash point older than the history kept
//! ├── Poisoned          an earlier sync failed: what is on disk is unknown until the next open
//! └── Disk, Io          everything else the operating system said
//! ```

use alloy_primitives::B256;
use coc_disk::DiskError;
use coc_trie::TrieError;
use std::io;
use std::path::Path;

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Disk, quota or budget is exhausted. The write did not happen; everything written before is intact.
    #[error("no space left for {file}: {detail}. Free some space or raise the disk budget; nothing was lost")]
    NoSpace {
        /// The file or folder that could not grow.
        file: String,
        /// Which limit was hit, with numbers where they are known.
        detail: String,
    },
    /// Stored bytes contradict themselves or what their checksum or hash promises.
    #[error("{file} is damaged: {detail}. Rebuild the store from the block log with `coc db rebuild`")]
    Damaged {
        /// The damaged file or folder.
        file: String,
        /// What was found where.
        detail: String,
    },
    /// The file was not written by this program.
    #[error(
        "{file} was not written by coc: {detail}. Move it away, or choose another data folder with `--data`"
    )]
    Foreign {
        /// The file in question.
        file: String,
        /// What gave it away.
        detail: String,
    },
    /// The file belongs to a chain with another genesis block.
    #[error(
        "{file} belongs to the chain with genesis {found}, this node runs the chain with genesis {expected}. \
         Start it with the genesis file of that chain, or choose another data folder with `--data`"
    )]
    WrongChain {
        /// The file in question.
        file: String,
        /// Genesis hash written in the file.
        found: B256,
        /// Genesis hash of the running chain.
        expected: B256,
    },
    /// The file has a format this release does not know.
    #[error(
        "{file} has format version {found}; this release reads version {supported}. \
         Install the release that wrote it, or rebuild with `coc db rebuild`"
    )]
    NewerFormat {
        /// The file in question.
        file: String,
        /// Version written in the file.
        found: u32,
        /// The version this release writes and reads.
        supported: u32,
    },
    /// The same store is open already in this process.
    #[error("{file} is open already in this process: close it first, snapshots included")]
    AlreadyOpen {
        /// The folder in question.
        file: String,
    },
    /// Every reader slot is taken by a live snapshot or read.
    #[error("{limit} snapshots are alive, which is the limit: drop some and try again")]
    SnapshotsExhausted {
        /// Reader slots of the store.
        limit: u32,
    },
    /// A key is empty or longer than the store can hold.
    #[error("a key of {length} bytes does not fit table {table}: 1 to {limit} bytes are allowed")]
    KeyLength {
        /// Name of the table.
        table: &'static str,
        /// Length of the refused key in bytes.
        length: usize,
        /// Longest allowed key in bytes.
        limit: usize,
    },
    /// A node record is longer than any node of a state trie can be.
    #[error("a node record of {length} bytes was refused: at most {limit} bytes are allowed")]
    RecordLength {
        /// Length of the refused record in bytes.
        length: usize,
        /// Longest allowed record in bytes.
        limit: usize,
    },
    /// No further generation can be numbered.
    #[error(
        "all {limit} generation numbers of the node files are used up. Start afresh with `coc db rebuild`"
    )]
    GenerationsExhausted {
        /// How many generations a data folder can ever have.
        limit: u16,
    },
    /// A crash was asked for at a write older than the history kept in memory.
    #[error(
        "write {wanted} is not in the history, which keeps writes {oldest} to {newest}: keep a longer history"
    )]
    HistoryGone {
        /// The write asked for.
        wanted: u64,
        /// The oldest write that can be gone back to.
        oldest: u64,
        /// The newest write.
        newest: u64,
    },
    /// An earlier sync failed, so nobody knows what the disk holds.
    #[error(
        "{file} takes no writes since an earlier write to it failed ({reason}): check the disk, then restart"
    )]
    Poisoned {
        /// The file in question.
        file: String,
        /// What the operating system said then.
        reason: String,
    },
    /// A file could not be used, for the reason given.
    #[error("the store failed: {0}")]
    Disk(#[source] DiskError),
    /// The operating system refused.
    #[error("cannot {action} {file}: {source}. Check the disk and the permissions of the data folder")]
    Io {
        /// What was being done, as a verb: "open", "read", ...
        action: &'static str,
        /// The file or folder.
        file: String,
        /// The refusal itself.
        #[source]
        source: io::Error,
    },
}

impl StoreError {
    pub(crate) fn damaged(path: &Path, detail: String) -> StoreError {
        StoreError::Damaged { file: path.display().to_string(), detail }
    }

    /// Whether the same call may succeed once there is room again; everything written before is intact.
    pub fn is_out_of_space(&self) -> bool {
        matches!(self, StoreError::NoSpace { .. })
    }

    /// The error of this crate inside an error of the trie that read or wrote through it.
    pub fn inside(error: &TrieError) -> Option<&StoreError> {
        match error {
            TrieError::Storage(source) => source.downcast_ref(),
            _ => None,
        }
    }
}

impl From<DiskError> for StoreError {
    fn from(error: DiskError) -> StoreError {
        if error.kind.is_out_of_space() {
            return StoreError::NoSpace {
                file: error.path.display().to_string(),
                detail: error.kind.to_string(),
            };
        }
        StoreError::Disk(error)
    }
}
