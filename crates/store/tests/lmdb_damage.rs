//! Flipped bits anywhere in the file of an LMDB index, its tree pages among them: whatever happens to the process that
//! reads it, an index that opens and passes its check gives no wrong answer.
//!
//! The reader is this test program, started again with [`CHILD_DIR`] set, as a node does with `coc db check`: damage
//! inside LMDB's pages may end the process, and that counts as found.

use alloy_primitives::B256;
use coc_disk::Dice;
use coc_store::{Batch, Index, LmdbIndex, LmdbOptions, Row, StoreError, Table};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Stdio};

const CHILD_DIR: &str = "COC_TEST_LMDB_DAMAGED_DIR";
const FLIPS: u32 = 120;
const ROWS: u64 = 3_000;

/// Exit codes of the reader; the test harness itself uses 0 and 101.
const ANSWERS_ARE_RIGHT: i32 = 40;
const DAMAGE_WAS_FOUND: i32 = 41;
const ANSWERS_ARE_WRONG: i32 = 42;

fn open(dir: &Path) -> Result<LmdbIndex, StoreError> {
    LmdbIndex::open(dir, LmdbOptions::new(B256::repeat_byte(9)))
}

fn rows() -> Vec<Row> {
    let mut dice = Dice::new(1);
    let mut rows: Vec<Row> =
        (0..ROWS).map(|_| (dice.roll().to_be_bytes().to_vec(), dice.bytes(20))).collect();
    rows.sort();
    rows
}

/// Checks the index and, when the check finds nothing, compares every answer.
fn judge(dir: &Path) -> Result<bool, StoreError> {
    let index = open(dir)?;
    index.check()?;
    let expected = rows();
    for (key, value) in &expected {
        if index.get(Table::Transactions, key)?.as_ref() != Some(value) {
            return Ok(false);
        }
    }
    Ok(index.range(Table::Transactions, b"", None, usize::MAX, true)?.into_iter().rev().eq(expected))
}

#[test]
fn judges_a_damaged_index_when_started_as_a_child() {
    let Ok(dir) = std::env::var(CHILD_DIR) else { return };
    std::process::exit(match judge(Path::new(&dir)) {
        Ok(true) => ANSWERS_ARE_RIGHT,
        Ok(false) => ANSWERS_ARE_WRONG,
        Err(_) => DAMAGE_WAS_FOUND,
    });
}

fn judged_by_child(dir: &Path) -> Option<i32> {
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "judges_a_damaged_index_when_started_as_a_child"])
        .env(CHILD_DIR, dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    status.code()
}

#[test]
fn no_flipped_bit_makes_an_index_that_passes_its_check_give_a_wrong_answer() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path()).unwrap();
    // Two batches, so that the file has freed pages as well as live ones.
    for half in [0, 1] {
        let mut batch = Batch::new();
        for (key, value) in rows().iter().skip(half).step_by(2) {
            batch.put(Table::Transactions, key, value);
        }
        index.write(batch).unwrap();
    }
    drop(index);
    assert_eq!(Some(ANSWERS_ARE_RIGHT), judged_by_child(dir.path()), "before any damage");

    let sound = std::fs::read(dir.path().join("data.mdb")).unwrap();
    let mut dice = Dice::new(2);
    let mut found = 0;
    for flip in 0..FLIPS {
        let place = dice.below(sound.len() as u64);
        let mask = 1 << dice.below(8);
        let file =
            std::fs::OpenOptions::new().write(true).truncate(true).open(dir.path().join("data.mdb")).unwrap();
        file.write_all_at(&sound, 0).unwrap();
        file.write_all_at(&[sound[place as usize] ^ mask], place).unwrap();
        drop(file);
        let code = judged_by_child(dir.path());
        assert_ne!(Some(ANSWERS_ARE_WRONG), code, "flip {flip}: bit {mask} of byte {place}");
        assert_ne!(Some(0), code, "the child judged nothing");
        found += u32::from(code != Some(ANSWERS_ARE_RIGHT));
    }
    // Live pages are more than a third of this file; far fewer finds would mean that the check looks away.
    assert!(found > FLIPS / 5, "{found} of {FLIPS} flips were found");
}
