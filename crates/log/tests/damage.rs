//! Damage is found, named, and told from a torn tail; folders of other chains and releases are refused.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use coc_disk::{Dice, Disk, FaultyDisk, OpenMode};
use coc_log::format::{RecordHeader, SegmentHeader};
use coc_log::{BlockLog, LogError, LogOptions, Opened, Position, Record};

const DIR: &str = "chain/log";
const FIRST_SEGMENT: &str = "chain/log/0000000000000000.seg";

fn options() -> LogOptions {
    LogOptions { segment_bytes: 600, reserve_bytes: 0, salt: 99, ..LogOptions::new([7; 32]) }
}

fn open_with(disk: &FaultyDisk, options: LogOptions) -> Result<(BlockLog, Opened), LogError> {
    BlockLog::open(Arc::new(disk.clone()), Path::new(DIR), options)
}

/// A closed log of 14 synced records of 32 + 100 bytes, four to a segment, two in the last.
fn closed_log() -> (FaultyDisk, Vec<Record>) {
    let disk = FaultyDisk::new(1);
    let (log, _) = open_with(&disk, options()).unwrap();
    let append = |index| {
        let bytes = vec![index; 100];
        Record { position: log.append_durable(&bytes).unwrap(), bytes }
    };
    let records = (0..14).map(append).collect();
    (disk, records)
}

fn overwrite(disk: &FaultyDisk, path: &Path, offset: u64, bytes: &[u8]) {
    disk.open(path, OpenMode::Existing).unwrap().write_at(offset, bytes).unwrap();
}

fn is_damage(error: &LogError) -> bool {
    matches!(error, LogError::Corrupt { .. } | LogError::NewerFormat { .. })
}

#[test]
fn every_flipped_byte_of_the_log_is_found_and_no_wrong_record_is_ever_read() {
    let (disk, records) = closed_log();
    let files: Vec<(PathBuf, Vec<u8>)> = disk.snapshot();
    let last_record_file = &files.last().unwrap().0;
    let mut dice = Dice::new(1);
    for (path, content) in &files {
        for offset in 0..content.len() as u64 {
            let damaged = closed_log().0;
            damaged.flip(path, offset, 1 << dice.below(8)).unwrap();
            let checked = BlockLog::check(&damaged, Path::new(DIR), &options());
            assert!(
                checked.as_ref().map_or_else(is_damage, |found| found.damage.is_some()),
                "{path:?} {offset}"
            );
            match open_with(&damaged, options()) {
                Err(error) => assert!(is_damage(&error), "{error}"),
                Ok((log, opened)) => {
                    let read: Result<Vec<Record>, LogError> = log.iter_from(opened.first).collect();
                    match read {
                        Err(error) => assert!(is_damage(&error), "{error}"),
                        // Only the very last record may be taken for torn, and that is reported.
                        Ok(read) => assert!(
                            read == records[..13] && opened.cut_bytes == 132 && path == last_record_file,
                            "{path:?} {offset}"
                        ),
                    }
                }
            }
        }
    }
}

#[test]
fn damage_in_front_of_a_durable_record_names_the_file_the_place_and_the_cure() {
    let (disk, records) = closed_log();
    let path = disk.snapshot().last().unwrap().0.clone();
    disk.flip(&path, 64 + 40, 1).unwrap();
    let error = open_with(&disk, options()).unwrap_err();
    assert!(matches!(&error, LogError::Corrupt { file, offset: 64, .. } if *file == path), "{error}");
    let sentence = error.to_string();
    assert!(sentence.contains("coc db check") && sentence.contains("coc db rebuild"), "{sentence}");
    assert!(sentence.contains("0000000000000630.seg at byte 64"), "{sentence}");
    assert_eq!(records[12].position, Position(0x630));
}

#[test]
fn a_lost_tail_known_to_be_durable_from_elsewhere_is_damage() {
    let (disk, records) = closed_log();
    let path = disk.snapshot().last().unwrap().0.clone();
    disk.flip(&path, 64 + 132 + 50, 1).unwrap();
    let known_durable = Position(records[13].position.0 + 132);
    let knowing = LogOptions { known_durable, ..options() };
    assert!(matches!(open_with(&disk, knowing.clone()), Err(LogError::Corrupt { offset: 196, .. })));
    disk.open(&path, OpenMode::Existing).unwrap().set_len(64 + 132).unwrap();
    assert!(matches!(open_with(&disk, knowing), Err(LogError::Corrupt { offset: 196, .. })));
    let (_, opened) = open_with(&disk, options()).unwrap();
    assert_eq!((opened.last, opened.cut_bytes), (Some(records[12].position), 0));
}

#[test]
fn a_damaged_log_is_salvaged_up_to_the_damage() {
    let mut dice = Dice::new(3);
    for _ in 0..300 {
        let (disk, records) = closed_log();
        let files = disk.snapshot();
        let (path, content) = &files[dice.below(files.len() as u64) as usize];
        match dice.below(3) {
            0 => disk.remove(path).unwrap(),
            1 => {
                let file = disk.open(path, OpenMode::Existing).unwrap();
                file.set_len(dice.below(content.len() as u64)).unwrap();
                file.sync().unwrap();
            }
            _ => disk.flip(path, 64 + dice.below(content.len() as u64 - 64), 4).unwrap(),
        }
        disk.sync_dir(Path::new(DIR)).unwrap();
        let before = disk.snapshot();
        let checked = BlockLog::check(&disk, Path::new(DIR), &options()).unwrap();
        assert_eq!(disk.snapshot(), before, "a check changes nothing");
        assert_eq!(BlockLog::salvage(&disk, Path::new(DIR), &options()).unwrap(), checked);
        disk.crash();
        let (log, opened) = open_with(&disk, options()).unwrap();
        let held: Vec<Record> = log.iter_from(opened.first).collect::<Result<_, _>>().unwrap();
        assert_eq!(held.len() as u64, checked.records);
        assert_eq!(opened.cut_bytes, 0);
        let start = records.partition_point(|record| record.position < opened.first);
        assert_eq!(held, records[start..start + held.len()]);
    }
}

#[test]
fn a_sound_log_checks_and_salvage_leaves_it_alone() {
    let (disk, _) = closed_log();
    let before = disk.snapshot();
    let found = BlockLog::salvage(&disk, Path::new(DIR), &options()).unwrap();
    assert_eq!((found.records, found.lost_bytes, found.damage), (14, 0, None));
    assert_eq!(found.whole_to, Position(14 * 132));
    assert_eq!(disk.snapshot(), before);
}

#[test]
fn a_missing_segment_in_the_middle_is_damage() {
    let (disk, _) = closed_log();
    let middle = disk.snapshot()[1].0.clone();
    disk.remove(&middle).unwrap();
    let error = open_with(&disk, options()).unwrap_err();
    assert!(error.to_string().contains("the one after it is missing"), "{error}");
}

#[test]
fn a_log_of_another_chain_is_refused_with_both_hashes() {
    let (disk, _) = closed_log();
    let other = LogOptions { genesis_hash: [8; 32], ..options() };
    let error = open_with(&disk, other.clone()).unwrap_err();
    assert!(matches!(error, LogError::WrongGenesis { expected: [8, ..], found: [7, ..], .. }));
    let sentence = error.to_string();
    assert!(
        sentence.contains("0x0707") && sentence.contains("0x0808") && sentence.contains("`--data`"),
        "{sentence}"
    );
    assert!(matches!(BlockLog::salvage(&disk, Path::new(DIR), &other), Err(LogError::WrongGenesis { .. })));
}

#[test]
fn a_log_of_a_newer_release_is_refused_and_left_alone() {
    let (disk, _) = closed_log();
    overwrite(&disk, Path::new(FIRST_SEGMENT), 8, &9_u32.to_le_bytes());
    let before = disk.snapshot();
    let error = open_with(&disk, options()).unwrap_err();
    assert!(matches!(error, LogError::NewerFormat { found: 9, .. }));
    assert!(error.to_string().contains("install the release that wrote it"), "{error}");
    assert!(BlockLog::salvage(&disk, Path::new(DIR), &options()).is_err());
    assert_eq!(disk.snapshot(), before);
}

#[test]
fn a_payload_that_looks_like_a_durable_record_does_not_turn_a_torn_tail_into_damage() {
    let (stranger_salt, position) = (0, 132);
    let (disk, mut forged) = (FaultyDisk::new(1), vec![1; 20]);
    let (log, _) = open_with(&disk, options()).unwrap();
    log.append_durable(&[0; 100]).unwrap();
    let inner = position + 32 + 20;
    let header = RecordHeader::of(b"inner", inner, u64::MAX, stranger_salt);
    forged.extend_from_slice(&header.encode(stranger_salt));
    forged.extend_from_slice(b"inner");
    assert_eq!(log.append(&forged).unwrap(), Position(position));
    disk.flip(Path::new(FIRST_SEGMENT), 64 + position, 1).unwrap();
    disk.kill();
    let (_, opened) = open_with(&disk, options()).unwrap();
    assert_eq!((opened.next, opened.cut_bytes), (Position(position), 32 + forged.len() as u64));
}

#[test]
fn leftovers_of_a_crash_are_removed_and_other_files_left_alone() {
    let (disk, records) = closed_log();
    for name in ["0000000000000738.seg.new", "notes.txt", "738.seg", "000000000000073G.seg"] {
        disk.open(&Path::new(DIR).join(name), OpenMode::New).unwrap();
    }
    let (_, opened) = open_with(&disk, options()).unwrap();
    assert_eq!(opened.last, Some(records[13].position));
    let names = disk.list(Path::new(DIR)).unwrap();
    assert!(!names.contains(&"0000000000000738.seg.new".to_owned()));
    assert!(
        ["notes.txt", "738.seg", "000000000000073G.seg"].iter().all(|name| names.contains(&name.to_string()))
    );
}

#[test]
fn headers_survive_their_encoding() {
    let segment = SegmentHeader { base: 1 << 50, genesis_hash: [5; 32], salt: 77 };
    assert_eq!(SegmentHeader::decode(&segment.encode()), Ok(segment));
    let record = RecordHeader::of(b"payload", 1 << 40, 1 << 39, 77);
    assert_eq!(RecordHeader::decode(&record.encode(77), 1 << 40, 77), Some(record));
    assert_eq!(RecordHeader::decode(&record.encode(77), 1 << 41, 77), None, "another position");
    assert_eq!(RecordHeader::decode(&record.encode(77), 1 << 40, 78), None, "another salt");
    assert!(record.verifies(b"payload", 77) && !record.verifies(b"Payload", 77));
}
