//! Killing a process that writes to the LMDB index, at any moment and many times: no acknowledged batch is lost and
//! none is seen in part.
//!
//! The writer is this test program, started again with [`CHILD_DIR`] set. It prints the number of each batch after the
//! write of it has returned; the parent kills it after a random number of lines, while the next write is under way.

use alloy_primitives::B256;
use coc_disk::Dice;
use coc_store::{Batch, Index, LmdbIndex, LmdbOptions, StoreError, Table};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

const CHILD_DIR: &str = "COC_TEST_LMDB_CHILD_DIR";
const KILLS: u32 = 20;
const ROWS_PER_BATCH: u64 = 200;
/// Rows are written over in turn, so that batches replace and delete as well as grow.
const BATCHES_KEPT: u64 = 16;

fn open(dir: &Path) -> Result<LmdbIndex, StoreError> {
    LmdbIndex::open(dir, LmdbOptions::new(B256::repeat_byte(9)))
}

/// Batch `number`: rows at random keys, their keys under the number, and the number itself in two tables.
fn batch(number: u64) -> Batch {
    let mut batch = Batch::new();
    let mut dice = Dice::new(number);
    for row in 0..ROWS_PER_BATCH {
        let key = [number.to_be_bytes(), dice.roll().to_be_bytes()].concat();
        batch.put(Table::Transactions, &key, &number.to_le_bytes().repeat(1 + row as usize % 40));
    }
    if let Some(old) = number.checked_sub(BATCHES_KEPT) {
        batch.delete_range(Table::Transactions, &old.to_be_bytes(), Some(&(old + 1).to_be_bytes()));
    }
    batch.put(Table::Meta, b"newest", &number.to_be_bytes());
    batch.put(Table::Canonical, &number.to_be_bytes(), &[1; 32]);
    batch
}

fn newest(index: &LmdbIndex) -> u64 {
    let bytes = index.get(Table::Meta, b"newest").unwrap();
    bytes.map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().unwrap()))
}

#[test]
fn writes_until_it_is_killed_when_started_as_a_child() {
    let Ok(dir) = std::env::var(CHILD_DIR) else { return };
    let index = open(Path::new(&dir)).unwrap();
    let mut out = std::io::stdout();
    for number in newest(&index) + 1.. {
        index.write(batch(number)).unwrap();
        writeln!(out, "wrote {number}").unwrap();
        out.flush().unwrap();
    }
}

/// Starts the writer, kills it after `lines` acknowledged batches, and returns the last of them.
fn write_and_kill(dir: &Path, lines: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writes_until_it_is_killed_when_started_as_a_child", "--nocapture"])
        .env(CHILD_DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let numbers =
        output.lines().map_while(Result::ok).filter_map(|line| line.strip_prefix("wrote ")?.parse().ok());
    let last = numbers.take(lines as usize).last().expect("the writer acknowledges batches");
    child.kill().unwrap();
    child.wait().unwrap();
    last
}

#[test]
fn a_killed_writer_loses_no_acknowledged_batch_and_leaves_none_in_part() {
    let dir = tempfile::tempdir().unwrap();
    let mut dice = Dice::new(7);
    for kill in 0..KILLS {
        let acknowledged = write_and_kill(dir.path(), 1 + dice.below(12));
        let index = open(dir.path()).unwrap();
        let newest = newest(&index);
        assert!(
            newest >= acknowledged,
            "kill {kill}: batch {acknowledged} was acknowledged, {newest} is the newest"
        );
        let rows = index.range(Table::Transactions, b"", None, usize::MAX, false).unwrap();
        let oldest = (newest + 1).saturating_sub(BATCHES_KEPT).max(1);
        assert_eq!((newest + 1 - oldest) * ROWS_PER_BATCH, rows.len() as u64, "kill {kill}");
        for (key, value) in &rows {
            let number: [u8; 8] = key[..8].try_into().unwrap();
            assert!(
                value.chunks(8).all(|part| part == u64::from_be_bytes(number).to_le_bytes()),
                "kill {kill}"
            );
        }
        let heights = index.range(Table::Canonical, b"", None, usize::MAX, false).unwrap();
        assert_eq!(newest, heights.len() as u64, "kill {kill}");
        assert_eq!(rows.len() as u64 + newest + 1, index.check().unwrap().rows, "kill {kill}");
    }
}
