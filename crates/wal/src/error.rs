//! What can go wrong with a validator's durable files: what happened, why, and the cure.

use std::path::{Path, PathBuf};

use coc_disk::{DiskError, DiskErrorKind};

use crate::file::FORMAT_VERSION;
use crate::wal::WAL_BYTES_MAX;

/// Why something could not be remembered, or is not remembered any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WalError {
    /// The disk is full. Nothing was added, and the call may be repeated when there is space.
    #[error("what a validator must remember does not fit on the disk, and nothing of it was kept: {0}")]
    NoSpace(#[source] DiskError),
    /// A sync failed. The call may be repeated; until one succeeds nothing is accepted.
    #[error(
        "what a validator must remember was not made durable ({reason}); nothing may be signed until a later try succeeds: check the disk"
    )]
    NotDurable {
        /// What failed.
        reason: String,
    },
    /// Something that was durable cannot be read: in the write-ahead log.
    #[error(
        "the write-ahead log {} is damaged at byte {offset}: {what}; check the disk, then remove the file: a validator without it watches before it signs again",
        file.display()
    )]
    WalDamaged {
        /// The file.
        file: PathBuf,
        /// Where in it.
        offset: u64,
        /// What does not fit.
        what: &'static str,
    },
    /// Something that was durable cannot be read: the signer's mark.
    #[error(
        "the signer's mark {} is damaged at byte {offset}: {what}; check the disk, never restore an older copy (the key could sign twice), and remove the file only when the chain has passed everything the key can have signed",
        file.display()
    )]
    MarkDamaged {
        /// The file.
        file: PathBuf,
        /// Where in it.
        offset: u64,
        /// What does not fit.
        what: &'static str,
    },
    /// The file belongs to another chain.
    #[error(
        "{} belongs to another chain (genesis {}, not {}); use another `--data` folder, or the genesis file it was made with",
        file.display(), hex(found), hex(expected)
    )]
    WrongGenesis {
        /// The file.
        file: PathBuf,
        /// The hash asked for.
        expected: [u8; 32],
        /// The hash in the file.
        found: [u8; 32],
    },
    /// The file was written by a newer release.
    #[error(
        "{} has format {found}, this release reads up to {FORMAT_VERSION}; install the release that wrote it or a newer one",
        file.display()
    )]
    NewerFormat {
        /// The file.
        file: PathBuf,
        /// Its format version.
        found: u32,
    },
    /// The record is longer than a record may be.
    #[error("{bytes} bytes are to be remembered as one record, at most {bytes_max} may be; nothing was kept")]
    RecordTooLarge {
        /// Its length.
        bytes: usize,
        /// The greatest allowed length.
        bytes_max: usize,
    },
    /// One height has more records than a log may hold.
    #[error(
        "one height has filled its write-ahead log of {WAL_BYTES_MAX} bytes and nothing more is kept of it; it goes on when the height is decided"
    )]
    HeightTooLong,
    /// The disk failed in another way.
    #[error(transparent)]
    Disk(DiskError),
}

/// The damage error of one of the two files.
pub(crate) type Damaged = fn(&Path, u64, &'static str) -> WalError;

impl WalError {
    pub(crate) fn wal_damaged(file: &Path, offset: u64, what: &'static str) -> Self {
        Self::WalDamaged { file: file.to_path_buf(), offset, what }
    }

    pub(crate) fn mark_damaged(file: &Path, offset: u64, what: &'static str) -> Self {
        Self::MarkDamaged { file: file.to_path_buf(), offset, what }
    }

    /// Whether the same call may succeed once space has been freed.
    pub fn is_out_of_space(&self) -> bool {
        matches!(self, Self::NoSpace(_))
    }
}

impl From<DiskError> for WalError {
    fn from(error: DiskError) -> Self {
        if error.kind.is_out_of_space() {
            return Self::NoSpace(error);
        }
        match error.kind {
            DiskErrorKind::SyncFailed => Self::NotDurable { reason: error.to_string() },
            _ => Self::Disk(error),
        }
    }
}

fn hex(hash: &[u8; 32]) -> String {
    hash.iter().fold(String::from("0x"), |text, byte| format!("{text}{byte:02x}"))
}
