//! What the log promises while nothing breaks, and what it does when the disk is full or refuses to sync.

use std::path::Path;

use coc_disk::{Disk, FaultyDisk, MemDisk, OpenMode, RealDisk};
use coc_wal::sector::{CONTENT_BYTES, SECTOR_BYTES, sectors_of};
use coc_wal::{
    HEADER_BYTES, Opened, RECORD_BYTES_MAX, RESERVE_BYTES_DEFAULT, WAL_BYTES_MAX, WAL_FILE_NAME, Wal,
    WalError, WalOptions,
};

const DIR: &str = "validator";
const GENESIS: [u8; 32] = [7; 32];

fn options(seed: u64) -> WalOptions {
    WalOptions { reserve_bytes: 8_192, seed }
}

fn open_in(disk: &dyn Disk, dir: &Path, seed: u64) -> (Wal, Opened) {
    Wal::open(disk, dir, GENESIS, options(seed)).unwrap()
}

fn open(disk: &dyn Disk, seed: u64) -> (Wal, Opened) {
    open_in(disk, Path::new(DIR), seed)
}

fn used_bytes(disk: &FaultyDisk) -> u64 {
    disk.snapshot().iter().map(|(_, content)| content.len() as u64).sum()
}

#[test]
fn records_of_every_size_come_back_in_order_from_every_disk() {
    let folder = tempfile::tempdir().unwrap();
    let disks: [(&dyn Disk, &Path); 3] = [
        (&MemDisk::new(), Path::new(DIR)),
        (&FaultyDisk::new(1), Path::new(DIR)),
        (&RealDisk::new(), folder.path()),
    ];
    let lengths = [0, 1, CONTENT_BYTES - 1, CONTENT_BYTES, CONTENT_BYTES + 1, 40_000, 0, 3];
    let records: Vec<Vec<u8>> = (1_u8..).zip(lengths).map(|(byte, length)| vec![byte; length]).collect();
    for (disk, dir) in disks {
        let (mut wal, opened) = open_in(disk, dir, 1);
        assert_eq!(opened, Opened { created: true, records: vec![], cut_bytes: 0, reserve_held: true });
        wal.append(&[&records[0], &records[1]]).unwrap();
        wal.append_durable(&[&records[2], &records[3], &records[4]]).unwrap();
        wal.append(&[&records[5]]).unwrap();
        wal.append_durable(&[]).unwrap();
        drop(wal);
        let (mut wal, opened) = open_in(disk, dir, 2);
        assert_eq!(
            opened,
            Opened { created: false, records: records[..6].to_vec(), cut_bytes: 0, reserve_held: true }
        );
        wal.append(&[&records[6]]).unwrap();
        wal.append(&[&records[7]]).unwrap();
        wal.sync().unwrap();
        drop(wal);
        assert_eq!(open_in(disk, dir, 3).1.records, records);
    }
}

#[test]
fn a_new_height_is_written_over_the_last_one_and_nothing_of_that_is_left() {
    let disk = FaultyDisk::new(2);
    let (mut wal, _) = open(&disk, 1);
    let length = disk.snapshot()[0].1.len();
    for height in 0_u8..50 {
        wal.append_durable(&[&[height; 900], &[height], &vec![height; 40 * usize::from(height)]]).unwrap();
        wal.begin_height();
        wal.append_durable(&[&[height, height]]).unwrap();
        drop(wal);
        let (again, opened) = open(&disk, 2 + u64::from(height));
        assert_eq!((opened.records, opened.cut_bytes), (vec![vec![height, height]], 0));
        wal = again;
        wal.begin_height();
    }
    assert_eq!(disk.snapshot()[0].1.len(), length, "the file stays as long as it was made");
}

#[test]
fn beginning_a_height_writes_nothing_before_the_first_record() {
    let disk = FaultyDisk::new(3);
    let (mut wal, _) = open(&disk, 1);
    wal.append_durable(&[b"decided"]).unwrap();
    let before = disk.counters();
    wal.begin_height();
    wal.begin_height();
    wal.sync().unwrap();
    assert_eq!(disk.counters(), before);
    disk.crash();
    assert_eq!(open(&disk, 2).1.records, [b"decided"]);
}

#[test]
fn remembering_durably_costs_one_sync_and_one_write() {
    let disk = FaultyDisk::new(4);
    let (mut wal, _) = open(&disk, 1);
    for _ in 0..3 {
        wal.begin_height();
        let before = disk.counters();
        wal.append_durable(&[b"block", b"intent"]).unwrap();
        let after = disk.counters();
        assert_eq!(after.file_syncs - before.file_syncs, 1);
        assert_eq!((after.changes - before.changes, after.dir_syncs - before.dir_syncs), (2, 0));
    }
    let before = disk.counters();
    wal.append(&[b"vote"]).unwrap();
    assert_eq!(disk.counters().file_syncs, before.file_syncs);
}

#[test]
fn a_full_block_and_the_votes_of_many_rounds_fit_into_the_reserve_of_a_full_disk() {
    let disk = FaultyDisk::new(5);
    let (mut wal, _) = Wal::open(&disk, Path::new(DIR), GENESIS, WalOptions::new()).unwrap();
    disk.limit_bytes(Some(used_bytes(&disk)));
    let block = vec![9; 8 << 20];
    wal.append_durable(&[&block]).unwrap();
    let votes_left = (RESERVE_BYTES_DEFAULT as usize / SECTOR_BYTES) - sectors_of(block.len());
    assert!(votes_left > 100 * 128, "a hundred rounds with a proof of lock of 128 votes each");
    let vote: &[u8] = &[1; 200];
    wal.append_durable(&vec![vote; votes_left]).unwrap();
    let refused = wal.append_durable(&[vote]);
    assert!(refused.as_ref().is_err_and(WalError::is_out_of_space), "{refused:?}");
}

#[test]
fn a_full_disk_refuses_growth_and_changes_nothing() {
    let disk = FaultyDisk::new(6);
    let (mut wal, _) = open(&disk, 1);
    wal.append_durable(&[b"before"]).unwrap();
    disk.limit_bytes(Some(used_bytes(&disk) + 1_000));
    let before = disk.snapshot();
    let large = [3; 20_000];
    for _ in 0..2 {
        let error = wal.append_durable(&[b"small", &large]).unwrap_err();
        assert!(error.is_out_of_space(), "{error}");
        assert!(error.to_string().contains("free some"), "{error}");
        assert!(disk.snapshot() == before, "a refused batch leaves no trace");
    }
    wal.append_durable(&[b"still fits"]).unwrap();
    disk.limit_bytes(None);
    wal.append_durable(&[&large]).unwrap();
    disk.crash();
    assert_eq!(open(&disk, 2).1.records, [&b"before"[..], b"still fits", &large]);
}

#[test]
fn a_log_that_exists_opens_on_a_full_disk_without_the_space_it_wants() {
    let disk = FaultyDisk::new(7);
    let (mut wal, _) = open(&disk, 1);
    wal.append_durable(&[b"before"]).unwrap();
    disk.limit_bytes(Some(used_bytes(&disk)));
    let wanting = WalOptions { reserve_bytes: 100_000, seed: 2 };
    let (_, opened) = Wal::open(&disk, Path::new(DIR), GENESIS, wanting).unwrap();
    assert_eq!((opened.records, opened.reserve_held), (vec![b"before".to_vec()], false));
    let elsewhere = Wal::open(&disk, Path::new("other"), GENESIS, wanting);
    assert!(elsewhere.as_ref().is_err_and(WalError::is_out_of_space), "{elsewhere:?}");
    assert_eq!(disk.list(Path::new("other")).unwrap(), Vec::<String>::new(), "what was begun is removed");
}

#[test]
fn what_is_too_much_is_refused_before_anything_is_written() {
    let disk = FaultyDisk::new(8);
    let (mut wal, _) = open(&disk, 1);
    let before = disk.counters();
    let bytes = vec![0; RECORD_BYTES_MAX + 1];
    let refused = wal.append(&[b"small", &bytes]);
    let bytes_max = RECORD_BYTES_MAX;
    assert_eq!(refused, Err(WalError::RecordTooLarge { bytes: bytes.len(), bytes_max }));
    let many = vec![&bytes[1..]; WAL_BYTES_MAX as usize / RECORD_BYTES_MAX];
    assert_eq!(wal.append_durable(&many), Err(WalError::HeightTooLong));
    assert_eq!(disk.counters(), before);
    wal.append_durable(&[b"small"]).unwrap();
    assert_eq!(open(&disk, 2).1.records, [b"small"]);
}

#[test]
fn after_a_failed_sync_nothing_is_accepted_until_all_is_written_again() {
    for seed in 0..100 {
        let disk = FaultyDisk::new(seed);
        let (mut wal, _) = open(&disk, 1);
        wal.append(&[b"vote"]).unwrap();
        disk.fail_next_syncs(3);
        let failed = wal.append_durable(&[b"block", b"intent"]);
        assert!(matches!(&failed, Err(WalError::NotDurable { .. })), "{failed:?}");
        assert!(matches!(wal.append(&[b"early"]), Err(WalError::NotDurable { .. })));
        assert!(matches!(wal.sync(), Err(WalError::NotDurable { .. })));
        wal.append_durable(&[b"block", b"intent"]).unwrap();
        wal.append_durable(&[b"next"]).unwrap();
        disk.crash();
        assert_eq!(open(&disk, 2).1.records, [&b"vote"[..], b"block", b"intent", b"next"], "seed {seed}");
    }
}

#[test]
fn the_next_height_goes_on_after_a_sync_that_failed_in_the_last_one() {
    let disk = FaultyDisk::new(9);
    let (mut wal, _) = open(&disk, 1);
    disk.fail_next_syncs(1);
    assert!(wal.append_durable(&[b"intent"]).is_err());
    wal.begin_height();
    wal.append_durable(&[b"next"]).unwrap();
    disk.crash();
    assert_eq!(open(&disk, 2).1.records, [b"next"]);
}

#[test]
fn one_sector_of_the_next_height_inside_a_durable_record_is_no_damage() {
    let disk = FaultyDisk::new(10);
    let (mut wal, _) = open(&disk, 1);
    wal.append_durable(&[&[1; 1_200], &[2; 900]]).unwrap();
    wal.append_durable(&[&[3; 100]]).unwrap();
    let decided = disk.snapshot()[0].1.clone();
    wal.begin_height();
    wal.append(&[&[4; 2_000]]).unwrap();
    let begun = disk.snapshot()[0].1.clone();
    let sectors = sectors_of(2_000);
    for only in 0..sectors {
        let at = HEADER_BYTES as usize + only * SECTOR_BYTES;
        let mut mixed = decided.clone();
        mixed[at..at + SECTOR_BYTES].copy_from_slice(&begun[at..at + SECTOR_BYTES]);
        let disk = holding(&mixed);
        let (mut wal, opened) = open(&disk, 2);
        assert_eq!((opened.records, opened.cut_bytes), (vec![], SECTOR_BYTES as u64), "sector {only}");
        wal.append_durable(&[b"anew"]).unwrap();
        disk.crash();
        assert_eq!(open(&disk, 3).1.records, [b"anew"]);
    }
}

#[test]
fn what_was_cut_does_not_come_back_behind_what_is_written_next() {
    let disk = FaultyDisk::new(11);
    let (mut wal, _) = open(&disk, 1);
    wal.append_durable(&[b"kept"]).unwrap();
    wal.append(&[b"lost"]).unwrap();
    wal.append(&[b"landed"]).unwrap();
    let mut content = disk.snapshot()[0].1.clone();
    let lost = HEADER_BYTES as usize + SECTOR_BYTES;
    content[lost..lost + SECTOR_BYTES].fill(0);
    let disk = holding(&content);
    let (mut wal, opened) = open(&disk, 2);
    assert_eq!((opened.records, opened.cut_bytes), (vec![b"kept".to_vec()], SECTOR_BYTES as u64));
    wal.append_durable(&[b"next"]).unwrap();
    assert_eq!(open(&disk, 3).1.records, [b"kept", b"next"]);
}

/// A disk whose log has this content, all of it durable.
fn holding(content: &[u8]) -> FaultyDisk {
    let disk = FaultyDisk::new(1);
    disk.create_dir(Path::new(DIR)).unwrap();
    let file = disk.open(&Path::new(DIR).join(WAL_FILE_NAME), OpenMode::New).unwrap();
    file.write_at(0, content).unwrap();
    file.sync().unwrap();
    disk.sync_dir(Path::new(DIR)).unwrap();
    disk
}
