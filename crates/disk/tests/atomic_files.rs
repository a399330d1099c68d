//! Files that are replaced whole, whatever happens meanwhile.

use std::path::Path;

use coc_disk::{
    AtomicFileError, CHECKED_PAYLOAD_BYTES_MAX, Dice, Disk, DiskErrorKind, FaultyDisk, MemDisk, OpenMode,
    load_checked, replace_file, save_checked,
};

const MARK: &str = "data/mark";

fn in_folder(disk: &dyn Disk) {
    disk.create_dir(Path::new("data")).unwrap();
}

#[test]
fn a_missing_file_is_none_and_a_saved_one_is_read_back() {
    let disk = MemDisk::new();
    in_folder(&disk);
    assert_eq!(load_checked(&disk, Path::new(MARK)).unwrap(), None);
    for payload in [b"".to_vec(), b"height 7".to_vec(), vec![3; 100_000]] {
        save_checked(&disk, Path::new(MARK), &payload).unwrap();
        assert_eq!(load_checked(&disk, Path::new(MARK)).unwrap(), Some(payload));
    }
    assert_eq!(disk.list(Path::new("data")).unwrap(), ["mark"]);
}

#[test]
fn a_crash_leaves_the_old_or_the_new_content_and_a_saved_one_stays() {
    let (mut interrupted, mut old_kept) = (0, 0);
    for seed in 0..2_000 {
        let disk = FaultyDisk::new(seed);
        in_folder(&disk);
        let mut dice = Dice::new(seed);
        let mut last_saved = None;
        for step in 0..6_u8 {
            let payload = vec![step; dice.below(2_000) as usize];
            if dice.one_in(2) {
                disk.cut_power_after(dice.below(8));
            }
            let saved = save_checked(&disk, Path::new(MARK), &payload).is_ok();
            disk.crash();
            let found =
                load_checked(&disk, Path::new(MARK)).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            let new = Some(payload);
            assert!(found == new || (!saved && found == last_saved), "seed {seed}, step {step}");
            interrupted += u32::from(!saved);
            old_kept += u32::from(!saved && found != new);
            last_saved = found;
        }
    }
    assert!(interrupted > 1_000 && old_kept > 500, "{interrupted} {old_kept}");
}

#[test]
fn every_flipped_byte_is_found() {
    let disk = FaultyDisk::new(1);
    in_folder(&disk);
    save_checked(&disk, Path::new(MARK), b"height 7").unwrap();
    let length = disk.open(Path::new(MARK), OpenMode::Read).unwrap().len().unwrap();
    for offset in 0..length {
        disk.flip(Path::new(MARK), offset, 0x40).unwrap();
        let error = load_checked(&disk, Path::new(MARK)).unwrap_err();
        assert!(
            matches!(error, AtomicFileError::Damaged { .. }) && error.to_string().contains("coc db check")
        );
        disk.flip(Path::new(MARK), offset, 0x40).unwrap();
    }
    for shorter in 0..length {
        disk.open(Path::new(MARK), OpenMode::Existing).unwrap().set_len(shorter).unwrap();
        assert!(load_checked(&disk, Path::new(MARK)).is_err(), "cut to {shorter} bytes");
        save_checked(&disk, Path::new(MARK), b"height 7").unwrap();
    }
}

#[test]
fn a_full_disk_keeps_the_old_content_and_no_leftover() {
    let disk = FaultyDisk::new(1);
    in_folder(&disk);
    replace_file(&disk, Path::new(MARK), b"old").unwrap();
    disk.limit_bytes(Some(5));
    let error = replace_file(&disk, Path::new(MARK), b"newer").unwrap_err();
    assert_eq!(error.kind, DiskErrorKind::NoSpace);
    disk.limit_bytes(None);
    disk.limit_files(Some(1));
    let error = replace_file(&disk, Path::new(MARK), b"newer").unwrap_err();
    assert_eq!(error.kind, DiskErrorKind::NoInodes);
    assert_eq!(disk.snapshot(), [(MARK.into(), b"old".to_vec())]);
}

#[test]
fn a_payload_over_the_limit_is_refused() {
    let disk = MemDisk::new();
    in_folder(&disk);
    let payload = vec![0; CHECKED_PAYLOAD_BYTES_MAX + 1];
    assert_eq!(save_checked(&disk, Path::new(MARK), &payload).unwrap_err().kind, DiskErrorKind::TooLong);
    save_checked(&disk, Path::new(MARK), &payload[1..]).unwrap();
    assert_eq!(
        load_checked(&disk, Path::new(MARK)).unwrap().map(|found| found.len()),
        Some(CHECKED_PAYLOAD_BYTES_MAX)
    );
}
