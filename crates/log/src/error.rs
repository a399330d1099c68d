//! What can go wrong with the log: what happened, why, and the cure.

use std::path::{Path, PathBuf};

use coc_disk::{DiskError, DiskErrorKind};

use crate::format::{FORMAT_VERSION, Position, RECORD_BYTES_MAX};

/// Why the log could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The disk is full. The log is as it was before the call, and works again when space returns.
    #[error("the block log is out of space: {0}")]
    NoSpace(#[source] DiskError),
    /// A sync failed: nothing is known about what was written since the last good one.
    #[error(
        "the block log takes no more records, because an earlier sync failed ({reason}); check the disk and restart the node"
    )]
    Poisoned {
        /// What failed.
        reason: String,
    },
    /// A record, or a segment, that must be whole is not.
    #[error(
        "the block log is damaged: {what} in {} at byte {offset}; run `coc db check` to see how much, then `coc db rebuild`",
        file.display()
    )]
    Corrupt {
        /// The segment.
        file: PathBuf,
        /// Where in it.
        offset: u64,
        /// What does not fit.
        what: String,
    },
    /// The folder belongs to another chain.
    #[error(
        "{} belongs to another chain (genesis {}, not {}); use another `--data` folder, or the genesis file it was made with",
        file.display(), hex(found), hex(expected)
    )]
    WrongGenesis {
        /// The segment that says so.
        file: PathBuf,
        /// The hash asked for.
        expected: [u8; 32],
        /// The hash in the file.
        found: [u8; 32],
    },
    /// The log was written by a newer release.
    #[error(
        "{} has log format {found}, this release reads up to {FORMAT_VERSION}; install the release that wrote it or a newer one",
        file.display()
    )]
    NewerFormat {
        /// The segment that says so.
        file: PathBuf,
        /// Its format version.
        found: u32,
    },
    /// The record is longer than a record may be.
    #[error("a log record of {bytes} bytes is over the limit of {RECORD_BYTES_MAX}; use a lower gas limit")]
    RecordTooLarge {
        /// Its length.
        bytes: usize,
    },
    /// The record was in a segment that has been dropped.
    #[error(
        "log position {position} is pruned: the log starts at {first}; raise the disk budget to keep more, or ask an archive node"
    )]
    Dropped {
        /// The position asked for.
        position: Position,
        /// The first that is kept.
        first: Position,
    },
    /// No record was ever written there, or it was cut back.
    #[error(
        "log position {position} is not written: the log ends at {next}; run `coc db check`, the index that names it is ahead of the log"
    )]
    Beyond {
        /// The position asked for.
        position: Position,
        /// Where the next record will be.
        next: Position,
    },
    /// The part asked for is not inside the record.
    #[error("bytes {offset} to {} of the record at log position {position} were asked for; it has {length}", offset.saturating_add(*wanted as u64))]
    PartOutside {
        /// The record.
        position: Position,
        /// First byte asked for.
        offset: u64,
        /// Bytes asked for.
        wanted: usize,
        /// The record's length.
        length: u32,
    },
    /// The disk failed in another way.
    #[error(transparent)]
    Disk(DiskError),
}

impl LogError {
    pub(crate) fn corrupt(file: &Path, offset: u64, what: impl Into<String>) -> Self {
        Self::Corrupt { file: file.to_path_buf(), offset, what: what.into() }
    }
}

impl From<DiskError> for LogError {
    fn from(error: DiskError) -> Self {
        if error.kind.is_out_of_space() {
            return Self::NoSpace(error);
        }
        match error.kind {
            DiskErrorKind::SyncFailed => Self::Poisoned { reason: error.to_string() },
            _ => Self::Disk(error),
        }
    }
}

fn hex(hash: &[u8; 32]) -> String {
    hash.iter().fold(String::from("0x"), |text, byte| format!("{text}{byte:02x}"))
}
