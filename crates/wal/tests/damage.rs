//! Flipped bits, files of other chains and releases: found, named, with the cure; never a wrong answer.

use std::path::{Path, PathBuf};

use coc_disk::{Dice, Disk, FaultyDisk, OpenMode};
use coc_wal::sector::SECTOR_BYTES;
use coc_wal::{HEADER_BYTES, MARK_BYTES_MAX, Mark, Opened, WAL_FILE_NAME, Wal, WalError, WalOptions};

const DIR: &str = "validator";
const GENESIS: [u8; 32] = [7; 32];
const FLIPS: u64 = 3_000;

fn open(disk: &FaultyDisk) -> Result<Opened, WalError> {
    let options = WalOptions { reserve_bytes: 12 << 10, seed: 5 };
    Wal::open(disk, Path::new(DIR), GENESIS, options).map(|(_, opened)| opened)
}

fn open_mark(disk: &FaultyDisk) -> Result<Option<Vec<u8>>, WalError> {
    Mark::open(disk, Path::new(DIR), "mark", 5).map(|(_, found)| found)
}

fn wal_path() -> PathBuf {
    Path::new(DIR).join(WAL_FILE_NAME)
}

fn mark_path() -> PathBuf {
    Path::new(DIR).join("mark")
}

/// A log in its third height, with five records in three batches; the last batch is one record.
fn filled() -> (FaultyDisk, Vec<Vec<u8>>) {
    let disk = FaultyDisk::new(1);
    let options = WalOptions { reserve_bytes: 12 << 10, seed: 4 };
    let (mut wal, _) = Wal::open(&disk, Path::new(DIR), GENESIS, options).unwrap();
    for height in 0_u8..2 {
        wal.append_durable(&[&vec![height; 9_000 - 3_000 * usize::from(height)]]).unwrap();
        wal.begin_height();
    }
    let records: Vec<Vec<u8>> = vec![vec![1; 1_000], vec![2; 30], vec![3; 700], vec![4; 476], vec![5; 90]];
    wal.append_durable(&[&records[0], &records[1]]).unwrap();
    wal.append_durable(&[&records[2], &records[3]]).unwrap();
    wal.append_durable(&[&records[4]]).unwrap();
    (disk, records)
}

fn names_a_cure(error: &WalError) -> bool {
    let sentence = error.to_string();
    ["check the disk", "install the release", "`--data` folder"].iter().any(|cure| sentence.contains(cure))
}

#[test]
fn no_flipped_bit_makes_a_wrong_record_and_every_refusal_names_its_cure() {
    let mut dice = Dice::new(2);
    let (mut refused, mut cut) = (0, 0);
    for _ in 0..FLIPS {
        let (disk, records) = filled();
        let offset = if dice.one_in(8) { dice.below(64) } else { HEADER_BYTES + dice.below(12 << 10) };
        disk.flip(&wal_path(), offset, 1 << dice.below(8)).unwrap();
        match open(&disk) {
            Ok(opened) if opened.records == records => {}
            // Nothing behind the last batch says that it was durable.
            Ok(opened) => {
                assert_eq!(opened.records, records[..4], "byte {offset}");
                cut += 1;
            }
            Err(error) => {
                assert!(names_a_cure(&error), "byte {offset}: {error}");
                refused += 1;
            }
        }
    }
    assert!(refused > FLIPS / 10 && cut > FLIPS / 100, "{refused} refused, {cut} cut");
}

#[test]
fn damage_to_a_durable_record_names_the_file_the_place_and_the_cure() {
    let (disk, _) = filled();
    let third = HEADER_BYTES + 4 * SECTOR_BYTES as u64;
    disk.flip(&wal_path(), third + 600, 1).unwrap();
    let error = open(&disk).unwrap_err();
    assert!(
        matches!(&error, WalError::WalDamaged { file, offset, .. } if *file == wal_path() && *offset == third)
    );
    let sentence = error.to_string();
    assert!(sentence.contains("validator/wal is damaged at byte 6144"), "{sentence}");
    assert!(sentence.contains("check the disk, then remove the file"), "{sentence}");
}

#[test]
fn a_lost_sector_of_a_durable_record_is_damage() {
    let (disk, _) = filled();
    let file = disk.open(&wal_path(), OpenMode::Existing).unwrap();
    file.write_at(HEADER_BYTES, &[0; SECTOR_BYTES]).unwrap();
    assert!(matches!(open(&disk), Err(WalError::WalDamaged { offset: HEADER_BYTES, .. })));
}

#[test]
fn a_log_of_another_chain_is_told_from_a_damaged_one() {
    let (disk, _) = filled();
    let error = Wal::open(&disk, Path::new(DIR), [8; 32], WalOptions::new()).unwrap_err();
    assert!(
        matches!(error, WalError::WrongGenesis { expected, found, .. } if (expected, found) == ([8; 32], GENESIS))
    );
    let sentence = error.to_string();
    assert!(sentence.contains("another chain") && sentence.contains("`--data` folder"), "{sentence}");
}

#[test]
fn a_file_of_a_newer_release_names_the_release_as_its_cure() {
    let (disk, _) = filled();
    Mark::open(&disk, Path::new(DIR), "mark", 1).unwrap();
    for path in [wal_path(), mark_path()] {
        disk.open(&path, OpenMode::Existing).unwrap().write_at(8, &2_u32.to_le_bytes()).unwrap();
    }
    for error in [open(&disk).unwrap_err(), open_mark(&disk).unwrap_err()] {
        assert!(matches!(error, WalError::NewerFormat { found: 2, .. }));
        assert!(error.to_string().contains("has format 2, this release reads up to 1; install"), "{error}");
    }
}

#[test]
fn what_is_no_such_file_or_too_short_is_refused() {
    let (disk, _) = filled();
    Mark::open(&disk, Path::new(DIR), "mark", 1).unwrap();
    let wal = disk.open(&wal_path(), OpenMode::Existing).unwrap();
    wal.set_len(40).unwrap();
    assert!(open(&disk).unwrap_err().to_string().contains("shorter than its header"));
    let mark = disk.open(&mark_path(), OpenMode::Existing).unwrap();
    mark.write_at(0, b"COCWAL\r\n").unwrap();
    assert!(open_mark(&disk).unwrap_err().to_string().contains("does not begin as such a file does"));
}

/// A mark that was saved four times; each save has another length.
fn marked() -> (FaultyDisk, Vec<u8>) {
    let disk = FaultyDisk::new(1);
    let (mut mark, found) = Mark::open(&disk, Path::new(DIR), "mark", 3).unwrap();
    assert_eq!(found, None);
    for length in [10, 1_000, MARK_BYTES_MAX] {
        mark.save(&vec![1; length]).unwrap();
    }
    let payload = vec![2; 600];
    mark.save(&payload).unwrap();
    assert_eq!(mark.payload(), Some(&payload[..]));
    (disk, payload)
}

#[test]
fn a_mark_is_kept_and_costs_one_sync_a_save() {
    let (disk, payload) = marked();
    disk.crash();
    let (mut mark, found) = Mark::open(&disk, Path::new(DIR), "mark", 4).unwrap();
    assert_eq!(found, Some(payload.clone()));
    let too_large = vec![0; MARK_BYTES_MAX + 1];
    let refused = WalError::RecordTooLarge { bytes: too_large.len(), bytes_max: MARK_BYTES_MAX };
    assert_eq!(mark.save(&too_large), Err(refused));
    let before = disk.counters();
    disk.fail_next_syncs(1);
    assert!(matches!(mark.save(b"next"), Err(WalError::NotDurable { .. })));
    assert_eq!(mark.payload(), Some(&payload[..]), "a mark that was not saved is not shown");
    mark.save(b"next").unwrap();
    let after = disk.counters();
    assert_eq!((after.file_syncs - before.file_syncs, after.changes - before.changes), (1, 4));
    assert_eq!(open_mark(&disk).unwrap(), Some(b"next".to_vec()));
}

#[test]
fn no_flipped_bit_takes_the_mark_back() {
    let mut dice = Dice::new(3);
    let mut refused = 0;
    for _ in 0..FLIPS {
        let (disk, payload) = marked();
        let length = disk.snapshot()[0].1.len() as u64;
        let offset = dice.below(length);
        disk.flip(&mark_path(), offset, 1 << dice.below(8)).unwrap();
        match open_mark(&disk) {
            Ok(found) => assert_eq!(found, Some(payload), "byte {offset}"),
            Err(error) => {
                assert!(names_a_cure(&error), "byte {offset}: {error}");
                refused += 1;
            }
        }
    }
    assert!(refused > FLIPS / 10, "{refused} refused");
}

#[test]
fn a_mark_whose_newest_slot_was_never_written_is_damaged() {
    let (disk, _) = marked();
    let file = disk.open(&mark_path(), OpenMode::Existing).unwrap();
    file.write_at(HEADER_BYTES, &[0; 3 * SECTOR_BYTES]).unwrap();
    let error = open_mark(&disk).unwrap_err();
    let sentence = error.to_string();
    assert!(sentence.contains("its two slots do not follow each other"), "{sentence}");
    assert!(sentence.contains("never restore an older copy"), "{sentence}");
}
