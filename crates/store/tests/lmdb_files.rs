//! The LMDB index and the world around it: other chains, newer formats, foreign and damaged files, full disks.

use alloy_primitives::B256;
use coc_store::{Batch, Index, LmdbIndex, LmdbOptions, StoreError, Table};
use heed::types::Bytes;
use heed::{CommitOrAbort, EnvOpenOptions};
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::{TempDir, tempdir};

const GENESIS: B256 = B256::repeat_byte(1);

fn open(dir: &Path) -> Result<LmdbIndex, StoreError> {
    LmdbIndex::open(dir, LmdbOptions::new(GENESIS))
}

fn refusal(dir: &Path) -> StoreError {
    open(dir).err().expect("the folder is refused")
}

fn data_file(dir: &TempDir) -> PathBuf {
    dir.path().join("data.mdb")
}

/// A folder whose index, closed again, holds `rows` rows with a value that is found nowhere else.
fn folder_with(rows: u32, value: &[u8]) -> TempDir {
    let dir = tempdir().unwrap();
    let index = open(dir.path()).unwrap();
    let mut batch = Batch::new();
    for row in 0..rows {
        batch.put(Table::Blocks, &row.to_be_bytes(), value);
    }
    index.write(batch).unwrap();
    dir
}

/// Changes the folder's databases behind the index's back.
fn with_lmdb(dir: &Path, database: &str, key: &[u8], value: &[u8]) {
    // SAFETY: no index has the folder open, and only this process knows of it.
    let env = unsafe { EnvOpenOptions::new().max_dbs(10).open(dir) }.unwrap();
    let txn = env.write_txn().unwrap();
    let result = env.create_databases_and_commit(txn, |opener, txn| {
        let sheet = opener.create_database::<Bytes, Bytes>(txn, Some(database))?;
        sheet.put(txn, key, value)?;
        Ok::<_, heed::Error>(CommitOrAbort::<_, ()>::Commit(sheet))
    });
    result.unwrap();
}

#[test]
fn an_index_of_another_chain_is_refused_with_both_genesis_hashes() {
    let dir = folder_with(1, b"value");
    let other = LmdbOptions::new(B256::repeat_byte(2));
    let error = LmdbIndex::open(dir.path(), other).err().unwrap();
    let StoreError::WrongChain { found, expected, .. } = &error else { panic!("{error}") };
    assert_eq!((&GENESIS, &other.genesis_hash), (found, expected));
    assert!(error.to_string().contains("data.mdb"), "{error}");
    open(dir.path()).expect("the refusal changed nothing");
}

#[test]
fn a_newer_format_is_refused_by_its_version_whatever_follows_it() {
    let dir = folder_with(1, b"value");
    with_lmdb(dir.path(), "identity", b"identity", b"COCINDEX\x02\0\0\0and something new");
    let error = refusal(dir.path());
    assert!(matches!(error, StoreError::NewerFormat { found: 2, supported: 1, .. }), "{error}");
}

#[test]
fn a_database_of_another_program_is_refused_and_left_alone() {
    let dir = tempdir().unwrap();
    with_lmdb(dir.path(), "theirs", b"key", b"value");
    let before = std::fs::read(data_file(&dir)).unwrap();
    let error = refusal(dir.path());
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
    assert!(error.to_string().contains("--data"), "{error}");
    assert_eq!(before, std::fs::read(data_file(&dir)).unwrap());
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let dir = tempdir().unwrap();
    std::fs::write(data_file(&dir), [0x5a; 20_000]).unwrap();
    let error = refusal(dir.path());
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("coc db rebuild"), "{error}");
}

#[test]
fn a_file_that_lost_its_end_is_damage_found_before_any_page_is_touched() {
    let dir = folder_with(5000, &[3; 100]);
    let file = OpenOptions::new().write(true).open(data_file(&dir)).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
    let error = refusal(dir.path());
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

#[test]
fn one_folder_is_open_once_in_a_process_and_opens_again_when_its_last_snapshot_is_gone() {
    let dir = folder_with(1, b"value");
    let index = open(dir.path()).unwrap();
    assert!(matches!(refusal(dir.path()), StoreError::AlreadyOpen { .. }));
    let snapshot = index.snapshot().unwrap();
    drop(index);
    assert!(matches!(refusal(dir.path()), StoreError::AlreadyOpen { .. }));
    assert_eq!(Some(b"value".to_vec()), snapshot.get(Table::Blocks, &0_u32.to_be_bytes()).unwrap());
    drop(snapshot);
    open(dir.path()).unwrap();
}

#[test]
fn a_flipped_bit_in_a_stored_value_is_damage_in_get_range_snapshot_and_check() {
    let value = *b"a value found nowhere else in the file";
    let dir = folder_with(1, &value);
    let content = std::fs::read(data_file(&dir)).unwrap();
    let places: Vec<usize> = content
        .windows(value.len())
        .enumerate()
        .filter(|(_, part)| *part == value)
        .map(|(place, _)| place)
        .collect();
    assert!(!places.is_empty());
    let file = OpenOptions::new().write(true).open(data_file(&dir)).unwrap();
    for place in places {
        file.write_all_at(&[content[place + 5] ^ 0x10], place as u64 + 5).unwrap();
    }
    let index = open(dir.path()).unwrap();
    let key = 0_u32.to_be_bytes();
    let snapshot = index.snapshot().unwrap();
    for error in [
        index.get(Table::Blocks, &key).unwrap_err(),
        index.range(Table::Blocks, b"", None, 10, false).unwrap_err(),
        snapshot.get(Table::Blocks, &key).unwrap_err(),
        index.check().unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains("table blocks"), "{error}");
    }
}

#[test]
fn more_snapshots_than_slots_is_a_typed_error_and_dropping_one_is_the_cure() {
    let dir = folder_with(1, b"value");
    let index = open(dir.path()).unwrap();
    let mut snapshots = Vec::new();
    let error = loop {
        match index.snapshot() {
            Ok(snapshot) => snapshots.push(snapshot),
            Err(error) => break error,
        }
        assert!(snapshots.len() < 5000, "slots never run out");
    };
    assert!(matches!(error, StoreError::SnapshotsExhausted { .. }), "{error}");
    snapshots.pop();
    index.snapshot().unwrap();
}

#[test]
fn a_larger_budget_takes_effect_at_the_next_open_and_a_smaller_one_keeps_what_is_there() {
    let dir = tempdir().unwrap();
    let with_budget = |budget_bytes| LmdbOptions { budget_bytes, ..LmdbOptions::new(GENESIS) };
    let large_row = |number: u32| {
        let mut batch = Batch::new();
        batch.put(Table::Code, &number.to_be_bytes(), &[number as u8; 100_000]);
        batch
    };
    let fill = |index: &LmdbIndex, from: u32| {
        (from..).find(|number| index.write(large_row(*number)).is_err()).expect("a budget ends")
    };
    let index = LmdbIndex::open(dir.path(), with_budget(4 << 20)).unwrap();
    let first = fill(&index, 0);
    drop(index);
    let index = LmdbIndex::open(dir.path(), with_budget(16 << 20)).unwrap();
    let second = fill(&index, first);
    assert!(second > 3 * first, "{first} rows, then {second}");
    drop(index);
    let index = LmdbIndex::open(dir.path(), with_budget(4 << 20)).unwrap();
    assert!(matches!(index.write(large_row(0)), Ok(())), "a row is replaced by one of its size");
    assert!(matches!(index.write(large_row(second)), Err(StoreError::NoSpace { .. })));
    assert_eq!(u64::from(second), index.check().unwrap().rows);
}

#[test]
fn rising_keys_fill_their_pages() {
    let dir = tempdir().unwrap();
    let index = open(dir.path()).unwrap();
    for block in 0..100_u32 {
        let mut batch = Batch::new();
        for row in 0..100_u32 {
            batch.put(Table::LogIndex, &(block * 100 + row).to_be_bytes(), &[7; 8]);
        }
        index.write(batch).unwrap();
    }
    let stats = index.stats().unwrap();
    let table = stats.tables.iter().find(|entry| entry.table == Table::LogIndex).unwrap();
    // 4 + 8 bytes of row, 4 of checksum, 10 of LMDB's own; half-filled leaves would take twice that.
    assert!(table.bytes < 10_000 * 26 * 5 / 4, "{table:?}");
}

/// A small file system of its own, gone with the value. `None` where this process may not mount.
struct SmallDisk {
    dir: TempDir,
}

impl SmallDisk {
    fn mount(megabytes: u32) -> Option<SmallDisk> {
        let dir = tempdir().unwrap();
        let size = format!("size={megabytes}m");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(dir.path()).output();
        match mounted {
            Ok(output) if output.status.success() => Some(SmallDisk { dir }),
            _ => {
                println!("skipped: mounting a small disk needs root");
                None
            }
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.dir.path()).output();
    }
}

#[test]
fn a_full_disk_refuses_writes_loses_nothing_and_takes_them_again_when_space_comes_back() {
    let Some(disk) = SmallDisk::mount(8) else { return };
    let ballast = disk.dir.path().join("ballast");
    std::fs::write(&ballast, vec![0; 3 << 20]).unwrap();
    let index = open(&disk.dir.path().join("index")).unwrap();
    let row = |number: u32| {
        let mut batch = Batch::new();
        batch.put(Table::Code, &number.to_be_bytes(), &[number as u8; 150_000]);
        batch.put(Table::Meta, b"count", &(number + 1).to_be_bytes());
        batch
    };
    let mut accepted = 0;
    let error = loop {
        match index.write(row(accepted)) {
            Ok(()) => accepted += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::NoSpace { .. }), "{error}");
    assert!(matches!(index.write(row(accepted)), Err(StoreError::NoSpace { .. })));
    let holds = |index: &LmdbIndex, rows: u32| {
        assert_eq!(Some(rows.to_be_bytes().to_vec()), index.get(Table::Meta, b"count").unwrap());
        assert_eq!(u64::from(rows) + 1, index.check().unwrap().rows);
    };
    holds(&index, accepted);

    std::fs::remove_file(ballast).unwrap();
    index.write(row(accepted)).expect("there is room again");
    holds(&index, accepted + 1);
    drop(index);
    holds(&open(&disk.dir.path().join("index")).unwrap(), accepted + 1);
}
