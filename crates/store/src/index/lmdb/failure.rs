//! What LMDB's and the system's error codes mean for a node, and the memory that a write has failed for good.

use super::READER_SLOTS;
use crate::StoreError;
use alloy_primitives::B256;
use coc_disk::{Disk, RealDisk};
use heed::MdbError;
use parking_lot::Mutex;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The file in the folder that errors point at.
pub(super) const DATA_FILE: &str = "data.mdb";

/// LMDB turns a short write into `EIO`. With less than this many bytes free, the disk being full explains it: the
/// largest piece that LMDB writes at once (64 pages) with room to spare.
const FULL_BELOW_BYTES: u64 = 1 << 20;

/// Turns error codes into [`StoreError`]s about one folder; clones share what has happened.
#[derive(Clone)]
pub(super) struct Failures {
    dir: PathBuf,
    /// Why no further write is taken, once one has failed in a way that leaves the file's state unknown.
    poison: Arc<Mutex<Option<String>>>,
}

impl Failures {
    pub(super) fn of(dir: &Path) -> Failures {
        Failures { dir: dir.to_path_buf(), poison: Arc::default() }
    }

    pub(super) fn refuse_if_poisoned(&self) -> Result<(), StoreError> {
        match self.poison.lock().as_ref() {
            Some(reason) => Err(StoreError::Poisoned { file: self.file(), reason: reason.clone() }),
            None => Ok(()),
        }
    }

    /// Explains a failed write, and poisons the index unless a lack of space explains it.
    pub(super) fn explain_write(&self, error: heed::Error) -> StoreError {
        let explained = self.explain("write", error);
        if !matches!(explained, StoreError::NoSpace { .. }) {
            self.poison.lock().get_or_insert_with(|| explained.to_string());
        }
        explained
    }

    pub(super) fn explain(&self, action: &'static str, error: heed::Error) -> StoreError {
        match error {
            heed::Error::Io(source) => self.io(action, source),
            heed::Error::EnvAlreadyOpened => StoreError::AlreadyOpen { file: self.file() },
            heed::Error::Mdb(code) => self.explain_code(code),
            heed::Error::Encoding(error) | heed::Error::Decoding(error) => self.damaged(error.to_string()),
        }
    }

    fn explain_code(&self, code: MdbError) -> StoreError {
        match code {
            MdbError::MapFull => self.no_space("every page of the disk budget is in use".into()),
            MdbError::ReadersFull => StoreError::SnapshotsExhausted { limit: READER_SLOTS },
            MdbError::Panic | MdbError::BadTxn => {
                StoreError::Poisoned { file: self.file(), reason: code.to_string() }
            }
            MdbError::VersionMismatch => self.foreign("it has a page format of another LMDB"),
            other => self.damaged(other.to_string()),
        }
    }

    pub(super) fn io(&self, action: &'static str, source: io::Error) -> StoreError {
        let full = match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => true,
            _ => action == "write" && self.disk_is_full(),
        };
        if full {
            self.no_space(source.to_string())
        } else {
            StoreError::Io { action, file: self.file(), source }
        }
    }

    fn disk_is_full(&self) -> bool {
        RealDisk::new().free_bytes(&self.dir).is_ok_and(|free| free < FULL_BELOW_BYTES)
    }

    pub(super) fn over_budget(&self, wanted: u64, limit: u64) -> StoreError {
        self.no_space(format!(
            "the tables would take {wanted} bytes, the disk budget lets them grow to {limit}"
        ))
    }

    fn no_space(&self, detail: String) -> StoreError {
        StoreError::NoSpace { file: self.file(), detail }
    }

    pub(super) fn damaged(&self, detail: String) -> StoreError {
        StoreError::Damaged { file: self.file(), detail }
    }

    pub(super) fn foreign(&self, detail: &str) -> StoreError {
        StoreError::Foreign { file: self.file(), detail: detail.into() }
    }

    pub(super) fn newer_format(&self, found: u32, supported: u32) -> StoreError {
        StoreError::NewerFormat { file: self.file(), found, supported }
    }

    pub(super) fn wrong_chain(&self, found: B256, expected: B256) -> StoreError {
        StoreError::WrongChain { file: self.file(), found, expected }
    }

    fn file(&self) -> String {
        self.dir.join(DATA_FILE).display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn os_error(code: i32) -> heed::Error {
        heed::Error::Io(io::Error::from_raw_os_error(code))
    }

    const EIO: i32 = 5;
    const ENOSPC: i32 = 28;

    #[test]
    fn a_write_that_fails_on_a_disk_with_room_stops_all_further_writes() {
        let failures = Failures::of(&std::env::temp_dir());
        failures.refuse_if_poisoned().expect("nothing failed yet");
        assert!(matches!(failures.explain_write(os_error(EIO)), StoreError::Io { .. }));
        let clone = failures.clone();
        for failures in [failures, clone] {
            let error = failures.refuse_if_poisoned().unwrap_err();
            assert!(matches!(error, StoreError::Poisoned { .. }), "{error}");
        }
    }

    #[test]
    fn a_lack_of_space_stops_nothing() {
        let failures = Failures::of(&std::env::temp_dir());
        for error in [os_error(ENOSPC), heed::Error::Mdb(MdbError::MapFull)] {
            assert!(failures.explain_write(error).is_out_of_space());
        }
        failures.refuse_if_poisoned().expect("the next write may succeed");
    }

    #[test]
    fn a_failed_read_is_not_taken_for_a_full_disk() {
        let failures = Failures::of(Path::new("/proc"));
        assert!(matches!(failures.explain("read", os_error(EIO)), StoreError::Io { action: "read", .. }));
    }
}
