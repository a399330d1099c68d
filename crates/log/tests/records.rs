//! What a log does with records: append, read, roll over, shorten, and what it refuses.

use std::path::Path;
use std::sync::Arc;

use coc_disk::{Disk, FaultyDisk, MemDisk, RealDisk};
use coc_log::{BlockLog, LogError, LogOptions, Opened, Position, RECORD_BYTES_MAX, Record};

const DIR: &str = "chain/log";
const RECORD_HEADER: u64 = 32;
const SEGMENT_HEADER: u64 = 64;

fn small_segments() -> LogOptions {
    LogOptions { segment_bytes: 1_000, reserve_bytes: 500, ..LogOptions::new([7; 32]) }
}

fn open(disk: &FaultyDisk) -> (BlockLog, Opened) {
    BlockLog::open(Arc::new(disk.clone()), Path::new(DIR), small_segments()).unwrap()
}

/// Record `index` of a test log: 100 bytes, no two equal.
fn payload(index: u8) -> Vec<u8> {
    vec![index; 100]
}

/// A log of `count` records of 132 bytes, seven to a segment.
fn filled(disk: &FaultyDisk, count: u8) -> (BlockLog, Vec<Record>) {
    let (log, _) = open(disk);
    let append = |index| Record { position: log.append(&payload(index)).unwrap(), bytes: payload(index) };
    let records = (0..count).map(append).collect();
    log.sync().unwrap();
    (log, records)
}

fn all(log: &BlockLog) -> Vec<Record> {
    log.iter_from(log.first_position()).collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_new_log_is_empty_and_says_so() {
    let disk = FaultyDisk::new(1);
    let (log, opened) = open(&disk);
    let zero = Position(0);
    let expected =
        Opened { first: zero, last: None, next: zero, cut_bytes: 0, created: true, reserve_held: true };
    assert_eq!(opened, expected);
    assert_eq!(log.bytes(), SEGMENT_HEADER);
    assert_eq!(log.read(zero), Err(LogError::Beyond { position: zero, next: zero }));
    assert_eq!(log.iter_from(zero).next(), None);
}

#[test]
fn records_are_read_at_once_and_in_order_across_segments_and_restarts() {
    let disk = FaultyDisk::new(1);
    let (log, records) = filled(&disk, 20);
    assert_eq!(all(&log), records);
    assert_eq!(log.iter_from(records[13].position).next(), Some(Ok(records[13].clone())));
    assert_eq!(records[7].position, Position(7 * (RECORD_HEADER + 100)));
    assert_eq!(log.bytes(), 20 * (RECORD_HEADER + 100) + 3 * SEGMENT_HEADER);
    drop(log);
    let (log, opened) = open(&disk);
    assert_eq!(all(&log), records);
    assert_eq!(
        (opened.last, opened.next, opened.created),
        (Some(records[19].position), log.next_position(), false)
    );
    assert_eq!(opened.cut_bytes, 0);
}

#[test]
fn empty_records_and_records_longer_than_a_segment_are_records_too() {
    let disk = FaultyDisk::new(1);
    let (log, _) = open(&disk);
    let payloads = [vec![], vec![1; 5_000], vec![], vec![2; 968], vec![3; 969], vec![4; 1]];
    let positions: Vec<Position> = payloads.iter().map(|bytes| log.append_durable(bytes).unwrap()).collect();
    for (position, bytes) in positions.iter().zip(&payloads) {
        assert_eq!(&log.read(*position).unwrap(), bytes);
        assert_eq!(log.record_length(*position).unwrap(), bytes.len());
    }
    drop(log);
    assert_eq!(all(&open(&disk).0).into_iter().map(|record| record.bytes).collect::<Vec<_>>(), payloads);
}

#[test]
fn a_record_over_the_limit_is_refused_and_changes_nothing() {
    let (log, _) = BlockLog::open(Arc::new(MemDisk::new()), Path::new(DIR), small_segments()).unwrap();
    let bytes = RECORD_BYTES_MAX + 1;
    assert_eq!(log.append(&vec![0; bytes]), Err(LogError::RecordTooLarge { bytes }));
    assert_eq!(log.next_position(), Position(0));
    log.append(b"fits").unwrap();
}

#[test]
fn a_part_of_a_record_is_read_and_nothing_outside_it() {
    let disk = FaultyDisk::new(1);
    let (log, _) = open(&disk);
    let position = log.append(b"header body seal").unwrap();
    log.append(b"the next one").unwrap();
    assert_eq!(log.read_part(position, 7, 4).unwrap(), b"body");
    assert_eq!(log.read_part(position, 16, 0).unwrap(), b"");
    for (offset, wanted) in [(13, 4), (17, 0), (u64::MAX, 2)] {
        let refused = log.read_part(position, offset, wanted);
        assert_eq!(refused, Err(LogError::PartOutside { position, offset, wanted, length: 16 }));
    }
}

#[test]
fn a_position_inside_a_record_is_refused() {
    let disk = FaultyDisk::new(1);
    let (log, records) = filled(&disk, 3);
    let inside = Position(records[1].position.0 + 1);
    assert!(matches!(log.read(inside), Err(LogError::Corrupt { .. })));
    assert!(matches!(log.cut_back(inside), Err(LogError::Corrupt { .. })));
    assert_eq!(all(&log), records);
}

#[test]
fn cutting_back_drops_the_tail_for_good_and_appending_goes_on_there() {
    for cut in [0, 5, 7, 13, 14, 20] {
        let disk = FaultyDisk::new(cut as u64);
        let (log, mut records) = filled(&disk, 20);
        let position = records.get(cut).map_or(log.next_position(), |record| record.position);
        log.cut_back(position).unwrap();
        disk.crash();
        let (log, opened) = open(&disk);
        records.truncate(cut);
        assert_eq!((all(&log), opened.next), (records.clone(), position));
        assert_eq!(opened.last, records.last().map(|record| record.position));
        assert_eq!(log.append_durable(b"other").unwrap(), position);
        assert_eq!(log.read(position).unwrap(), b"other");
        assert!(matches!(log.cut_back(Position(1 << 40)), Err(LogError::Beyond { .. })));
    }
}

#[test]
fn dropped_segments_are_whole_ones_below_the_position_and_never_the_last() {
    let disk = FaultyDisk::new(1);
    let (log, records) = filled(&disk, 20);
    let before = log.bytes();
    assert_eq!(log.drop_segments_below(records[6].position).unwrap(), 0);
    let freed = log.drop_segments_below(records[7].position).unwrap();
    assert_eq!((freed, log.bytes()), (SEGMENT_HEADER + 7 * 132, before - freed));
    assert_eq!(log.first_position(), records[7].position);
    let dropped = LogError::Dropped { position: records[6].position, first: records[7].position };
    assert_eq!(log.read(records[6].position), Err(dropped.clone()));
    assert!(dropped.to_string().contains("pruned"));
    log.drop_segments_below(Position(u64::MAX)).unwrap();
    disk.crash();
    let (log, opened) = open(&disk);
    assert_eq!((all(&log), opened.first), (records[14..].to_vec(), records[14].position));
    assert!(matches!(log.cut_back(records[13].position), Err(LogError::Dropped { .. })));
}

#[test]
fn a_full_disk_leaves_the_log_as_it_was_and_works_again_when_space_returns() {
    let disk = FaultyDisk::new(1);
    let (log, mut records) = filled(&disk, 3);
    let used: u64 = disk.snapshot().iter().map(|(_, content)| content.len() as u64).sum();
    for space in [0, 1, 31, 32, 131] {
        disk.limit_bytes(Some(used + space));
        let refused = log.append(&payload(3)).unwrap_err();
        assert!(
            matches!(refused, LogError::NoSpace(_)) && refused.to_string().contains("free some"),
            "{refused}"
        );
        assert_eq!((all(&log), log.next_position()), (records.clone(), Position(3 * 132)));
    }
    disk.kill();
    let (log, opened) = open(&disk);
    assert_eq!((all(&log), opened.cut_bytes, opened.reserve_held), (records.clone(), 0, true));
    disk.limit_bytes(None);
    records.push(Record { position: log.append_durable(&payload(3)).unwrap(), bytes: payload(3) });
    disk.crash();
    assert_eq!(all(&open(&disk).0), records);
}

#[test]
fn a_disk_out_of_inodes_refuses_a_new_segment_as_it_refuses_space() {
    let disk = FaultyDisk::new(1);
    let (log, records) = filled(&disk, 7);
    disk.limit_files(Some(2));
    assert!(matches!(log.append(&payload(7)), Err(LogError::NoSpace(_))));
    assert_eq!(all(&log), records);
    disk.limit_files(None);
    log.append_durable(&payload(7)).unwrap();
}

#[test]
fn the_reserve_is_space_to_leave_a_full_disk_in_order() {
    let disk = FaultyDisk::new(1);
    let (log, _) = filled(&disk, 3);
    let used: u64 = disk.snapshot().iter().map(|(_, content)| content.len() as u64).sum();
    disk.limit_bytes(Some(used));
    assert!(matches!(log.append(&payload(3)), Err(LogError::NoSpace(_))));
    assert!(log.has_reserve());
    log.release_reserve().unwrap();
    assert!(!log.has_reserve());
    log.append_durable(&payload(3)).unwrap();
    assert!(matches!(log.take_reserve(), Err(LogError::NoSpace(_))));
    disk.kill();
    let (log, opened) = open(&disk);
    assert!(!opened.reserve_held);
    disk.limit_bytes(None);
    log.take_reserve().unwrap();
    assert!(log.has_reserve());
    assert_eq!(disk.snapshot().into_iter().map(|(_, content)| content.len()).max(), Some(64 + 4 * 132));
}

#[test]
fn a_failed_sync_stops_the_log_until_it_is_opened_again() {
    let disk = FaultyDisk::new(1);
    let (log, records) = filled(&disk, 3);
    log.append(b"unsure").unwrap();
    disk.fail_next_syncs(1);
    let first = log.sync().unwrap_err();
    assert!(first.to_string().contains("check the disk and restart"), "{first}");
    for refused in
        [log.sync().unwrap_err(), log.append(b"no").unwrap_err(), log.cut_back(Position(0)).unwrap_err()]
    {
        assert!(matches!(refused, LogError::Poisoned { .. }), "{refused}");
    }
    assert_eq!(log.read(records[2].position).unwrap(), records[2].bytes);
    disk.kill();
    let (log, _) = open(&disk);
    assert_eq!(all(&log)[..3], records);
    log.append_durable(b"again").unwrap();
}

#[test]
fn readers_see_whole_records_while_one_writer_appends_drops_and_cuts() {
    let folder = tempfile::tempdir().unwrap();
    for disk in [Arc::new(MemDisk::new()) as Arc<dyn Disk>, Arc::new(RealDisk::new())] {
        // Few rolls and cuts: each costs the real disk several syncs.
        let options = LogOptions { segment_bytes: 20_000, ..small_segments() };
        let (log, _) = BlockLog::open(disk, folder.path(), options).unwrap();
        log.append(&payload(0)).unwrap();
        std::thread::scope(|scope| {
            let reading = || {
                let mut seen = 0;
                loop {
                    let last_pass = log.next_position() == Position(1_000 * 132);
                    for record in log.iter_from(log.first_position()) {
                        match record {
                            Ok(record) => {
                                let index = record.position.0 / 132;
                                assert_eq!(record.bytes, payload((index % 251) as u8));
                                seen += 1;
                            }
                            // The writer may drop or cut what is about to be read.
                            Err(LogError::Dropped { .. } | LogError::Beyond { .. }) => {}
                            Err(error) => panic!("{error}"),
                        }
                    }
                    if last_pass {
                        return seen;
                    }
                }
            };
            let readers = [scope.spawn(reading), scope.spawn(reading)];
            for index in 1..1_000_u64 {
                log.append(&payload((index % 251) as u8)).unwrap();
                if index % 200 == 0 {
                    log.drop_segments_below(Position((index - 30) * 132)).unwrap();
                    let end = log.next_position();
                    let last = Position(end.0 - 132);
                    log.cut_back(last).unwrap();
                    assert_eq!(log.append_durable(&payload((index % 251) as u8)).unwrap(), last);
                }
            }
            assert!(readers.into_iter().all(|reader| reader.join().unwrap() > 0));
        });
        assert!(all(&log).len() < 1_000);
    }
}

#[test]
fn more_segments_than_files_may_be_open_are_read_all_the_same() {
    let disk = FaultyDisk::new(1);
    let options = LogOptions { segment_bytes: 1, reserve_bytes: 0, ..LogOptions::new([7; 32]) };
    let (log, _) = BlockLog::open(Arc::new(disk), Path::new(DIR), options).unwrap();
    let positions: Vec<Position> = (0..200).map(|index| log.append(&payload(index)).unwrap()).collect();
    for step in 0..1_000_usize {
        let index = step * 37 % 200;
        assert_eq!(log.read(positions[index]).unwrap(), payload(index as u8));
    }
    assert_eq!(all(&log).len(), 200);
}
