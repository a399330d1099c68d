//! What the faulty disk does to files: nothing it may not, and everything it should.

use std::collections::BTreeSet;
use std::path::Path;

use coc_disk::{Dice, Disk, DiskErrorKind, FaultyDisk, OpenMode, SECTOR_BYTES, SimulatedCosts};

const FILE: &str = "data/file";

fn disk_with_synced_file(seed: u64, content: &[u8]) -> FaultyDisk {
    let disk = FaultyDisk::new(seed);
    disk.create_dir(Path::new("data")).unwrap();
    let file = disk.open(Path::new(FILE), OpenMode::New).unwrap();
    file.write_at(0, content).unwrap();
    file.sync().unwrap();
    disk.sync_dir(Path::new("data")).unwrap();
    disk
}

fn content(disk: &FaultyDisk) -> Vec<u8> {
    disk.open(Path::new(FILE), OpenMode::Read).unwrap().read_all(1 << 20).unwrap()
}

/// What a file holds after a crash, over many seeds.
fn outcomes(change: impl Fn(&FaultyDisk)) -> BTreeSet<Vec<u8>> {
    let after = |seed| {
        let disk = disk_with_synced_file(seed, b"old");
        change(&disk);
        disk.crash();
        content(&disk)
    };
    (0..200).map(after).collect()
}

#[test]
fn synced_bytes_survive_every_crash() {
    let survivors = outcomes(|disk| {
        let file = disk.open(Path::new(FILE), OpenMode::Existing).unwrap();
        file.write_at(3, b" and new").unwrap();
        file.sync().unwrap();
    });
    assert_eq!(survivors, BTreeSet::from([b"old and new".to_vec()]));
}

#[test]
fn unsynced_bytes_survive_or_not() {
    let survivors = outcomes(|disk| {
        disk.open(Path::new(FILE), OpenMode::Existing).unwrap().write_at(0, b"new").unwrap();
    });
    assert_eq!(survivors, BTreeSet::from([b"old".to_vec(), b"new".to_vec()]), "one sector is never torn");
}

#[test]
fn writes_are_torn_at_sectors_and_reordered() {
    let survivors = outcomes(|disk| {
        let file = disk.open(Path::new(FILE), OpenMode::Existing).unwrap();
        file.write_at(0, &[1; SECTOR_BYTES]).unwrap();
        file.write_at(SECTOR_BYTES as u64, &[2; SECTOR_BYTES]).unwrap();
    });
    let sector = |content: &[u8], index: usize| content.get(index * SECTOR_BYTES + 100).copied();
    assert!(survivors.iter().any(|content| sector(content, 0) == Some(1) && sector(content, 1) != Some(2)));
    assert!(survivors.iter().any(|content| sector(content, 0) != Some(1) && sector(content, 1) == Some(2)));
    assert!(
        survivors.iter().any(|content| sector(content, 1).is_some_and(|byte| byte != 2)),
        "a stale length"
    );
}

#[test]
fn a_cut_is_as_unsure_as_a_write() {
    let survivors = outcomes(|disk| {
        disk.open(Path::new(FILE), OpenMode::Existing).unwrap().set_len(1).unwrap();
    });
    assert_eq!(survivors, BTreeSet::from([b"old".to_vec(), b"o".to_vec()]));
}

#[test]
fn names_are_durable_only_after_their_folder_is_synced() {
    let names_after = |seed, sync: bool| {
        let disk = disk_with_synced_file(seed, b"old");
        let made = disk.open(Path::new("data/made"), OpenMode::New).unwrap();
        made.write_at(0, b"made").unwrap();
        made.sync().unwrap();
        disk.rename(Path::new("data/made"), Path::new("data/moved")).unwrap();
        disk.remove(Path::new(FILE)).unwrap();
        if sync {
            disk.sync_dir(Path::new("data")).unwrap();
        }
        disk.crash();
        disk.list(Path::new("data")).unwrap()
    };
    let unsynced: BTreeSet<_> = (0..200).map(|seed| names_after(seed, false)).collect();
    assert!(unsynced.contains(&vec!["file".to_owned()]) && unsynced.contains(&vec!["moved".to_owned()]));
    let synced: BTreeSet<_> = (0..50).map(|seed| names_after(seed, true)).collect();
    assert_eq!(synced, BTreeSet::from([vec!["moved".to_owned()]]));
}

#[test]
fn after_a_failed_sync_a_good_one_proves_nothing_unless_the_bytes_are_written_again() {
    let after = |seed, again: bool| {
        let disk = disk_with_synced_file(seed, b"old");
        let file = disk.open(Path::new(FILE), OpenMode::Existing).unwrap();
        file.write_at(0, b"new").unwrap();
        disk.fail_next_syncs(1);
        assert_eq!(file.sync().unwrap_err().kind, DiskErrorKind::SyncFailed);
        if again {
            file.write_at(0, b"new").unwrap();
        }
        file.sync().unwrap();
        disk.crash();
        content(&disk)
    };
    let trusting: BTreeSet<_> = (0..100).map(|seed| after(seed, false)).collect();
    assert!(trusting.contains(b"old".as_slice()), "the bytes of a failed sync can be gone");
    let careful: BTreeSet<_> = (0..100).map(|seed| after(seed, true)).collect();
    assert_eq!(careful, BTreeSet::from([b"new".to_vec()]));
}

#[test]
fn a_kill_loses_nothing_written() {
    let disk = disk_with_synced_file(1, b"old");
    let file = disk.open(Path::new(FILE), OpenMode::Existing).unwrap();
    let _lock = disk.lock_dir(Path::new("data")).unwrap();
    file.write_at(3, b"er").unwrap();
    disk.kill();
    assert_eq!(file.write_at(0, b"dead").unwrap_err().kind, DiskErrorKind::PowerLost);
    assert_eq!(content(&disk), b"older");
    disk.lock_dir(Path::new("data")).unwrap();
}

#[test]
fn a_lock_from_before_a_crash_does_not_free_the_one_after_it() {
    let disk = disk_with_synced_file(1, b"old");
    let before = disk.lock_dir(Path::new("data")).unwrap();
    disk.crash();
    let _after = disk.lock_dir(Path::new("data")).unwrap();
    drop(before);
    assert_eq!(disk.lock_dir(Path::new("data")).unwrap_err().kind, DiskErrorKind::Locked);
}

#[test]
fn a_planned_power_cut_stops_every_call_until_the_crash() {
    let disk = disk_with_synced_file(1, b"old");
    let file = disk.open(Path::new(FILE), OpenMode::Existing).unwrap();
    disk.cut_power_after(1);
    file.write_at(3, b"er").unwrap();
    assert_eq!(file.sync().unwrap_err().kind, DiskErrorKind::PowerLost);
    assert_eq!(file.len().unwrap_err().kind, DiskErrorKind::PowerLost);
    assert_eq!(disk.list(Path::new("data")).unwrap_err().kind, DiskErrorKind::PowerLost);
    disk.crash();
    assert!([b"old".to_vec(), b"older".to_vec()].contains(&content(&disk)));
}

#[test]
fn a_full_disk_writes_what_fits_and_works_again_when_space_returns() {
    let disk = disk_with_synced_file(1, b"old");
    let file = disk.open(Path::new(FILE), OpenMode::Existing).unwrap();
    disk.limit_bytes(Some(5));
    assert_eq!(disk.free_bytes(Path::new("data")).unwrap(), 2);
    assert_eq!(file.write_at(3, b"1234").unwrap_err().kind, DiskErrorKind::NoSpace);
    assert_eq!(content(&disk), b"old12");
    assert_eq!(file.preallocate(6).unwrap_err().kind, DiskErrorKind::NoSpace);
    file.write_at(0, b"OLD").unwrap();
    file.set_len(3).unwrap();
    disk.limit_bytes(None);
    file.write_at(3, b"1234").unwrap();
    assert_eq!(content(&disk), b"OLD1234");
}

#[test]
fn a_disk_out_of_inodes_takes_no_new_file_but_keeps_the_old_ones() {
    let disk = disk_with_synced_file(1, b"old");
    disk.limit_files(Some(1));
    let refused = disk.open(Path::new("data/other"), OpenMode::New).unwrap_err();
    assert_eq!(refused.kind, DiskErrorKind::NoInodes);
    disk.open(Path::new(FILE), OpenMode::OrCreate).unwrap().write_at(0, b"new").unwrap();
    disk.limit_files(None);
    disk.open(Path::new("data/other"), OpenMode::New).unwrap();
}

#[test]
fn a_flipped_byte_stays_flipped() {
    let disk = disk_with_synced_file(1, b"old");
    disk.flip(Path::new(FILE), 1, 0x20).unwrap();
    assert_eq!(content(&disk), b"oLd");
    disk.crash();
    assert_eq!(content(&disk), b"oLd");
    assert_eq!(disk.flip(Path::new(FILE), 3, 1).unwrap_err().kind, DiskErrorKind::UnexpectedEnd);
}

#[test]
fn slowness_is_counted_and_takes_no_time() {
    let disk = disk_with_synced_file(1, b"old");
    let before = disk.counters();
    disk.set_costs(SimulatedCosts { read_us: 1, change_us: 10, sync_us: 1_000_000 });
    let file = disk.open(Path::new(FILE), OpenMode::Existing).unwrap();
    file.write_at(0, b"new").unwrap();
    file.read_all(3).unwrap();
    file.sync().unwrap();
    let after = disk.counters();
    // A sync is a changing call as well.
    assert_eq!(after.elapsed_us - before.elapsed_us, 1 + 10 + 10 + 1_000_000);
    assert_eq!(after.written_bytes - before.written_bytes, 3);
    assert_eq!((after.file_syncs - before.file_syncs, after.dir_syncs - before.dir_syncs), (1, 0));
}

#[test]
fn equal_seeds_give_equal_disks() {
    let run = |seed| {
        let (disk, mut dice) = (disk_with_synced_file(seed, b"old"), Dice::new(9));
        disk.fail_syncs_one_in(5);
        disk.fail_writes_one_in(5);
        for step in 0..200 {
            let file = disk.open(Path::new(&format!("data/{}", dice.below(5))), OpenMode::OrCreate).unwrap();
            let length = dice.below(2_000) as usize;
            let _ = file.write_at(dice.below(2_000), &dice.bytes(length));
            let _ = if dice.one_in(3) { file.sync() } else { Ok(()) };
            let _ = if dice.one_in(3) { disk.sync_dir(Path::new("data")) } else { Ok(()) };
            if step % 50 == 49 {
                disk.crash();
            }
        }
        disk.snapshot()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn a_pretended_sync_succeeds_and_saves_nothing_of_that_place_only() {
    let survivors = outcomes(|disk| {
        disk.pretend_syncs_of(Path::new(FILE));
        let file = disk.open(Path::new(FILE), OpenMode::Existing).unwrap();
        file.write_at(0, b"new").unwrap();
        file.sync().unwrap();
    });
    assert_eq!(survivors, BTreeSet::from([b"old".to_vec(), b"new".to_vec()]));
    let elsewhere = outcomes(|disk| {
        disk.pretend_syncs_of(Path::new("other"));
        let file = disk.open(Path::new(FILE), OpenMode::Existing).unwrap();
        file.write_at(0, b"new").unwrap();
        file.sync().unwrap();
    });
    assert_eq!(elsewhere, BTreeSet::from([b"new".to_vec()]));
}
