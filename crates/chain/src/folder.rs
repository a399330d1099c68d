//! A data folder: what lies where in it, whose it is, and who may use it now.
//!
//! ```text
//! DIR/genesis.json   the genesis file as it was given
//! DIR/genesis.note   what a start need not compute from it again
//! DIR/log/           the block log: the truth
//! DIR/index/         rows and the marker (LMDB)
//! DIR/state/         trie nodes
//! DIR/rebuilding     only while `coc db rebuild` is under way
//! DIR/snapshot       only while a state is fetched from peers: how far that is; and, in files beside it, the block
//! DIR/LOCK           held by the process that has the folder open
//! ```

use crate::error::ChainError;
use coc_disk::{DirLock, Disk, DiskErrorKind, LOCK_FILE_NAME, RealDisk};
use std::path::{Path, PathBuf};

/// Name of the genesis file in a data folder.
pub const GENESIS_FILE: &str = "genesis.json";
/// Name of the file that keeps what is known of the genesis file.
pub const GENESIS_NOTE_FILE: &str = "genesis.note";
/// Folder of the block log.
pub const LOG_DIR: &str = "log";
/// Folder of the node files.
pub const STATE_DIR: &str = "state";
/// Folder of the index.
pub const INDEX_DIR: &str = "index";
/// The file that says that a rebuild was begun and not finished.
pub const REBUILD_MARK: &str = "rebuilding";
/// How far a state that is fetched from peers has come.
pub const SNAPSHOT_FILE: &str = "snapshot";
/// The block whose state it is, with what lies around it.
pub const SNAPSHOT_SURROUNDINGS_FILE: &str = "snapshot-block";

/// Names by which a folder is known to be ours, those of a node's journal and of a start that was killed among them.
const OURS: [&str; 13] = [
    GENESIS_FILE,
    "genesis.json.new",
    GENESIS_NOTE_FILE,
    "genesis.note.new",
    LOG_DIR,
    STATE_DIR,
    INDEX_DIR,
    REBUILD_MARK,
    SNAPSHOT_FILE,
    SNAPSHOT_SURROUNDINGS_FILE,
    LOCK_FILE_NAME,
    "mempool.journal",
    "mempool.new",
];
/// What may be in a folder that is to become one of ours: a file system's own, a user's keys, a node's keys.
const HARMLESS: [&str; 3] = ["lost+found", "keystore", "keys"];
/// Ending of the names of log segments.
pub(crate) const SEGMENT_SUFFIX: &str = ".seg";

/// The text of the genesis file in a data folder, where there is one.
pub fn genesis_of(dir: &Path) -> Result<Option<Vec<u8>>, ChainError> {
    match std::fs::read(dir.join(GENESIS_FILE)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ChainError::Genesis(format!(
            "{} cannot be read: {error}; restore it from a copy",
            dir.join(GENESIS_FILE).display()
        ))),
    }
}

/// The text of the genesis file of a folder that must hold a chain.
pub(crate) fn genesis_in(dir: &Path) -> Result<Vec<u8>, ChainError> {
    genesis_of(dir)?.ok_or_else(|| ChainError::NoChain { folder: dir.into(), file: GENESIS_FILE })
}

/// Creates the folder if need be, refuses one of somebody else, and takes its lock.
pub(crate) fn claim(disk: &RealDisk, dir: &Path) -> Result<DirLock, ChainError> {
    refuse_foreign(dir)?;
    disk.create_dir(dir)?;
    lock(disk, dir)
}

/// Takes the folder's lock.
pub(crate) fn lock(disk: &RealDisk, dir: &Path) -> Result<DirLock, ChainError> {
    disk.lock_dir(dir).map_err(|error| match error.kind {
        DiskErrorKind::Locked => {
            let by = if error.detail.is_empty() { String::new() } else { format!(" {}", error.detail) };
            ChainError::InUse { folder: dir.into(), by }
        }
        _ => ChainError::Disk(error),
    })
}

/// Refuses a folder that has files and none of ours: a mistyped `--data` must not fill somebody's home folder.
fn refuse_foreign(dir: &Path) -> Result<(), ChainError> {
    // A folder that cannot be listed is created, or refused with its reason, by whoever comes next.
    let Ok(entries) = std::fs::read_dir(dir) else { return Ok(()) };
    let mut stranger = None;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if OURS.contains(&name.as_str()) {
            return Ok(());
        }
        if !HARMLESS.contains(&name.as_str()) && !name.starts_with('.') {
            stranger.get_or_insert(name);
        }
    }
    match stranger {
        Some(found) => Err(ChainError::ForeignFolder { folder: dir.into(), found }),
        None => Ok(()),
    }
}

/// Whether there is no segment of a log in a folder.
pub(crate) fn has_no_log(disk: &dyn Disk, log_dir: &Path) -> Result<bool, ChainError> {
    if !disk.exists(log_dir)? {
        return Ok(true);
    }
    Ok(!disk.list(log_dir)?.iter().any(|name| name.ends_with(SEGMENT_SUFFIX)))
}

/// How errors name the place of a chain.
pub(crate) fn place_name(dir: Option<&PathBuf>) -> String {
    dir.map_or_else(|| "memory".into(), |dir| dir.display().to_string())
}
