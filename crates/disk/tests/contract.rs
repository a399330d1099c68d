//! What every disk promises, tried on all three.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use coc_disk::{
    Disk, DiskErrorKind, DiskFile, FaultyDisk, LENT_ALIGNMENT_BYTES, LOCK_FILE_NAME, MemDisk, OpenMode,
    RealDisk,
};

/// Runs a test on each disk, in an empty folder of its own.
fn on_every_disk(test: impl Fn(&dyn Disk, &Path)) {
    let folder = tempfile::tempdir().unwrap();
    test(&RealDisk::new(), folder.path());
    for disk in [Arc::new(MemDisk::new()) as Arc<dyn Disk>, Arc::new(FaultyDisk::new(1))] {
        disk.create_dir(Path::new("data")).unwrap();
        test(&*disk, Path::new("data"));
    }
}

fn kind_of<T>(result: Result<T, coc_disk::DiskError>) -> DiskErrorKind {
    result.err().expect("an error").kind
}

fn create(disk: &dyn Disk, path: &Path, content: &[u8]) -> Arc<dyn DiskFile> {
    let file = disk.open(path, OpenMode::New).unwrap();
    file.write_at(0, content).unwrap();
    file
}

#[test]
fn open_modes_say_what_must_exist() {
    on_every_disk(|disk, dir| {
        let path = dir.join("file");
        assert_eq!(kind_of(disk.open(&path, OpenMode::Read)), DiskErrorKind::NotFound);
        assert_eq!(kind_of(disk.open(&path, OpenMode::Existing)), DiskErrorKind::NotFound);
        assert!(!disk.exists(&path).unwrap());
        disk.open(&path, OpenMode::New).unwrap();
        assert_eq!(kind_of(disk.open(&path, OpenMode::New)), DiskErrorKind::AlreadyExists);
        disk.open(&path, OpenMode::OrCreate).unwrap().write_at(0, b"kept").unwrap();
        assert_eq!(disk.open(&path, OpenMode::OrCreate).unwrap().len().unwrap(), 4);
        assert!(disk.exists(&path).unwrap() && disk.exists(dir).unwrap());
        let nowhere = dir.join("missing").join("file");
        assert_eq!(kind_of(disk.open(&nowhere, OpenMode::New)), DiskErrorKind::NotFound);
    });
}

#[test]
fn reads_stop_at_the_end_and_gaps_are_zeros() {
    on_every_disk(|disk, dir| {
        let file = create(disk, &dir.join("file"), b"abc");
        file.write_at(5, b"fg").unwrap();
        assert_eq!(file.read_all(7).unwrap(), b"abc\0\0fg");
        let mut buffer = [9; 4];
        assert_eq!(file.read_at(5, &mut buffer).unwrap(), 2);
        assert_eq!(buffer, [b'f', b'g', 9, 9]);
        assert_eq!(file.read_at(100, &mut buffer).unwrap(), 0);
        assert_eq!(kind_of(file.read_exact_at(5, &mut buffer)), DiskErrorKind::UnexpectedEnd);
        assert_eq!(kind_of(file.read_all(6)), DiskErrorKind::TooLong);
        assert_eq!(file.append(b"h").unwrap(), 7);
        file.write_at(1, b"B").unwrap();
        file.set_len(4).unwrap();
        file.set_len(6).unwrap();
        file.sync().unwrap();
        assert_eq!(file.read_all(6).unwrap(), b"aBc\0\0\0");
    });
}

#[test]
fn a_file_opened_for_reading_or_removed_still_reads() {
    on_every_disk(|disk, dir| {
        let path = dir.join("file");
        create(disk, &path, b"abc");
        let file = disk.open(&path, OpenMode::Read).unwrap();
        disk.remove(&path).unwrap();
        assert_eq!(file.read_all(3).unwrap(), b"abc");
        assert_eq!(kind_of(disk.remove(&path)), DiskErrorKind::NotFound);
    });
}

#[test]
fn a_rename_replaces_and_a_listing_is_sorted() {
    on_every_disk(|disk, dir| {
        let [old, new] = ["b", "a"].map(|name| dir.join(name));
        create(disk, &old, b"old");
        create(disk, &new, b"new");
        create(disk, &dir.join("c"), b"");
        disk.create_dir(&dir.join("folder").join("deep")).unwrap();
        assert_eq!(disk.list(dir).unwrap(), ["a", "b", "c"]);
        disk.rename(&new, &old).unwrap();
        disk.sync_dir(dir).unwrap();
        assert_eq!(disk.list(dir).unwrap(), ["b", "c"]);
        assert_eq!(disk.open(&old, OpenMode::Read).unwrap().read_all(9).unwrap(), b"new");
        assert_eq!(kind_of(disk.rename(&new, &old)), DiskErrorKind::NotFound);
        assert_eq!(kind_of(disk.list(&dir.join("missing"))), DiskErrorKind::NotFound);
        assert_eq!(disk.list(&dir.join("folder").join("deep")).unwrap(), Vec::<String>::new());
    });
}

#[test]
fn a_locked_folder_is_refused_until_the_lock_is_dropped() {
    on_every_disk(|disk, dir| {
        let lock = disk.lock_dir(dir).unwrap();
        assert_eq!(kind_of(disk.lock_dir(dir)), DiskErrorKind::Locked);
        drop(lock);
        disk.lock_dir(dir).unwrap();
    });
}

#[test]
fn preallocation_never_shortens_a_file() {
    on_every_disk(|disk, dir| {
        let file = create(disk, &dir.join("file"), b"abc");
        file.preallocate(2).unwrap();
        assert_eq!(file.read_all(3).unwrap(), b"abc");
        file.preallocate(10_000).unwrap();
        assert!([3, 10_000].contains(&file.len().unwrap()));
        assert!(disk.free_bytes(dir).unwrap() > 0);
    });
}

#[test]
fn a_real_folder_in_use_names_the_process_that_holds_it() {
    let folder = tempfile::tempdir().unwrap();
    let _lock = RealDisk::new().lock_dir(folder.path()).unwrap();
    let error = RealDisk::new().lock_dir(folder.path()).unwrap_err();
    let sentence = error.to_string();
    assert!(sentence.contains(&format!("by process {}", std::process::id())), "{sentence}");
    assert!(sentence.contains("choose another folder"), "{sentence}");
    assert_eq!(RealDisk::new().list(folder.path()).unwrap(), [LOCK_FILE_NAME]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_device_is_told_from_other_failures() {
    let full = RealDisk::new().open(Path::new("/dev/full"), OpenMode::Existing).unwrap();
    assert_eq!(kind_of(full.write_at(0, b"x")), DiskErrorKind::NoSpace);
    let folder = tempfile::tempdir().unwrap();
    let file = RealDisk::new().open(&folder.path().join("huge"), OpenMode::New).unwrap();
    file.write_at(0, b"abc").unwrap();
    // More than any device of ours: refused, and the length is as before.
    let refused = kind_of(file.preallocate(1 << 60));
    assert!([DiskErrorKind::NoSpace, DiskErrorKind::Other].contains(&refused), "{refused:?}");
    assert_eq!(file.len().unwrap(), 3);
}

#[test]
fn what_a_real_disk_lends_is_what_was_written_and_grows_with_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = create(&RealDisk::new(), &folder.path().join("file"), b"first");
    file.sync().unwrap();
    let lent = file.lend(0, 5).expect("the file has five bytes");
    file.append(b" second").unwrap();
    file.sync().unwrap();
    assert_eq!((*lent).as_ref(), b"first");
    assert_eq!((*file.lend(0, 12).expect("it has grown")).as_ref(), b"first second");
    drop(file);
    assert_eq!((*lent).as_ref(), b"first", "also when the file is closed");
}

#[test]
fn bytes_beyond_the_end_are_not_lent() {
    let folder = tempfile::tempdir().unwrap();
    let file = create(&RealDisk::new(), &folder.path().join("file"), b"abc");
    assert!(file.lend(0, 4).is_none());
    assert!(file.lend(0, u64::MAX).is_none());
    assert!(file.lend(0, 0).is_none(), "nothing is no memory");
    assert!(file.lend(LENT_ALIGNMENT_BYTES, 3).is_none(), "the end lies before the beginning");
    file.set_len(LENT_ALIGNMENT_BYTES + 1).unwrap();
    assert_eq!((*file.lend(LENT_ALIGNMENT_BYTES, LENT_ALIGNMENT_BYTES + 1).unwrap()).as_ref(), [0]);
}

#[test]
fn a_file_does_not_get_shorter_than_what_was_lent() {
    let folder = tempfile::tempdir().unwrap();
    let file = create(&RealDisk::new(), &folder.path().join("file"), b"abcdef");
    drop(file.lend(0, 4).expect("the file has six bytes"));
    file.set_len(4).unwrap();
    let refused = file.set_len(3).unwrap_err();
    assert_eq!(refused.kind, DiskErrorKind::Lent);
    assert!(refused.to_string().contains("close it first"), "{refused}");
    assert_eq!(file.read_all(10).unwrap(), b"abcd");
}

#[test]
fn disks_in_memory_lend_nothing() {
    for disk in [Arc::new(MemDisk::new()) as Arc<dyn Disk>, Arc::new(FaultyDisk::new(1))] {
        disk.create_dir(Path::new("data")).unwrap();
        let file = create(&*disk, Path::new("data/file"), b"abc");
        assert!(file.lend(0, 3).is_none());
        file.set_len(0).unwrap();
    }
}

#[test]
fn a_bare_name_lies_in_the_current_folder() {
    let disk = RealDisk::new();
    disk.sync_dir(Path::new("")).unwrap();
    disk.create_dir(Path::new("src")).unwrap();
    assert!(disk.list(&PathBuf::from("src")).unwrap().contains(&"lib.rs".to_owned()));
}
