//! Node files over a disk without surprises and with single faults: appending, reopening, cutting, damage, no space.

mod node_world;

use alloy_primitives::B256;
use coc_disk::{Dice, Disk, FaultyDisk, MemDisk, OpenMode};
use coc_store::{
    Apart, GenerationLength, NodeFiles, NodeFilesOpened, NodeFilesOptions, StoreError, first_loc,
    generation_of,
};
use coc_trie::{Loc, NodeReader, Trie, TrieError};
use node_world::{DIR, GENESIS, State, grow, open, open_uncached, read_all};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const HEADER_BYTES: u64 = 64;

fn path_of(generation: u16) -> PathBuf {
    Path::new(DIR).join(format!("gen-{generation:06}.nodes"))
}

/// Flushes a trie of random keys and returns its stored form, its content, and the lengths for the marker.
fn flushed(files: &NodeFiles, seed: u64, keys: u64) -> (Trie, State, Vec<GenerationLength>) {
    let mut state = State::new();
    let trie = grow(files, &Trie::empty(), &mut state, &mut Dice::new(seed), keys).unwrap();
    let mut appender = files.appender();
    let stored = trie.flush(&mut appender).unwrap();
    let lengths = appender.sync().unwrap();
    (stored, state, lengths)
}

fn place_of(trie: &Trie) -> (B256, Loc) {
    (trie.root_hash(), trie.loc().expect("the trie was flushed"))
}

fn store_error(error: &TrieError) -> &StoreError {
    StoreError::inside(error).unwrap_or_else(|| panic!("no store error in {error}"))
}

#[test]
fn what_was_synced_is_read_back_after_a_restart() {
    let disk: Arc<dyn Disk> = Arc::new(MemDisk::new());
    let (files, opened) = open(disk.clone(), &[]).unwrap();
    assert_eq!(NodeFilesOpened::default(), opened);
    let (trie, state, lengths) = flushed(&files, 1, 300);
    assert_eq!(state, read_all(&files, &trie).unwrap());
    drop(files);

    let (hash, loc) = place_of(&trie);
    let (files, opened) = open(disk, &lengths).unwrap();
    assert_eq!(NodeFilesOpened::default(), opened, "after a graceful stop there is nothing to put in order");
    assert_eq!(state, read_all(&files, &Trie::stored(hash, loc)).unwrap());
    assert_eq!(lengths, files.lengths());
}

#[test]
fn a_record_is_readable_from_the_moment_it_is_accepted() {
    let files = open_uncached(Arc::new(MemDisk::new()), &[]).unwrap();
    let mut state = State::new();
    let trie = grow(&files, &Trie::empty(), &mut state, &mut Dice::new(2), 100).unwrap();
    let mut appender = files.appender();
    let stored = trie.flush(&mut appender).unwrap();
    assert_eq!(HEADER_BYTES, files.bytes(), "nothing was synced yet");
    assert_eq!(state, read_all(&files, &stored).unwrap());
    appender.sync().unwrap();
    assert!(files.bytes() > HEADER_BYTES);
    assert_eq!(state, read_all(&files, &stored).unwrap());
}

#[test]
fn dropping_an_appender_before_its_sync_loses_nothing_that_the_next_sync_does_not_bring() {
    let disk: Arc<dyn Disk> = Arc::new(MemDisk::new());
    let files = open_uncached(disk.clone(), &[]).unwrap();
    let mut state = State::new();
    let trie = grow(&files, &Trie::empty(), &mut state, &mut Dice::new(3), 100).unwrap();
    let stored = trie.flush(&mut files.appender()).unwrap();
    let lengths = files.appender().sync().unwrap();
    drop(files);
    let files = open_uncached(disk, &lengths).unwrap();
    assert_eq!(state, read_all(&files, &stored).unwrap());
}

#[test]
fn what_lies_beyond_the_marked_length_is_cut_and_its_place_is_used_again() {
    let disk: Arc<dyn Disk> = Arc::new(MemDisk::new());
    let (files, _) = open(disk.clone(), &[]).unwrap();
    let (first, state, marked) = flushed(&files, 4, 50);
    let (_, _, beyond) = flushed(&files, 5, 50);
    drop(files);

    let (files, opened) = open(disk, &marked).unwrap();
    assert_eq!(beyond[0].bytes - marked[0].bytes, opened.cut_bytes);
    assert_eq!(state, read_all(&files, &first).unwrap());
    let (again, other, lengths) = flushed(&files, 5, 50);
    assert_eq!(beyond, lengths, "the same records went to the same place");
    assert_eq!(other, read_all(&files, &again).unwrap());
}

#[test]
fn new_nodes_go_to_the_youngest_generation_and_old_ones_stay_where_they_are() {
    let disk: Arc<dyn Disk> = Arc::new(MemDisk::new());
    let (files, _) = open(disk.clone(), &[]).unwrap();
    let (old, mut state, _) = flushed(&files, 6, 150);
    assert_eq!(2, files.appender().start_generation().unwrap());
    let trie = grow(&files, &old, &mut state, &mut Dice::new(7), 5).unwrap();
    let mut appender = files.appender();
    let young = trie.flush(&mut appender).unwrap();
    let lengths = appender.sync().unwrap();
    drop(appender);
    assert_eq!(1, generation_of(place_of(&old).1));
    assert_eq!(2, generation_of(place_of(&young).1));
    assert_eq!(vec![1, 2], lengths.iter().map(|length| length.generation).collect::<Vec<_>>());
    drop(files);
    let (files, _) = open(disk, &lengths).unwrap();
    assert_eq!(state, read_all(&files, &young).unwrap());
}

#[test]
fn dropping_the_oldest_generation_frees_its_file_and_its_locations_are_missing_not_damaged() {
    let disk: Arc<dyn Disk> = Arc::new(MemDisk::new());
    let (files, _) = open(disk.clone(), &[]).unwrap();
    let (old, _, before) = flushed(&files, 8, 50);
    assert_eq!(None, files.drop_oldest().unwrap(), "the only generation is never dropped");
    files.appender().start_generation().unwrap();
    let (young, state, lengths) = flushed(&files, 9, 50);
    assert_eq!(Some(before[0]), files.drop_oldest().unwrap());
    assert!(!disk.exists(&path_of(1)).unwrap());
    let (hash, loc) = place_of(&old);
    assert!(matches!(files.read(loc, &hash), Err(TrieError::Missing { .. })));
    assert_eq!(state, read_all(&files, &young).unwrap());
    drop(files);
    let (files, _) = open(disk, &lengths[1..]).unwrap();
    assert_eq!(state, read_all(&files, &young).unwrap());
}

#[test]
fn all_generations_before_one_go_together_and_a_place_tells_which_it_is_in() {
    let disk: Arc<dyn Disk> = Arc::new(MemDisk::new());
    let (files, _) = open(disk.clone(), &[]).unwrap();
    for seed in 0..2 {
        flushed(&files, seed, 20);
        files.appender().start_generation().unwrap();
    }
    let before = files.appender().next_loc();
    let (young, state, _) = flushed(&files, 3, 20);
    assert!(first_loc(3) <= before && before < place_of(&young).1 && place_of(&young).1 < first_loc(4));
    files.drop_before(3).unwrap();
    assert_eq!(vec![3], files.lengths().iter().map(|length| length.generation).collect::<Vec<_>>());
    assert!(!disk.exists(&path_of(1)).unwrap() && !disk.exists(&path_of(2)).unwrap());
    files.drop_before(9).unwrap();
    assert_eq!(state, read_all(&files, &young).unwrap(), "the youngest stays");
}

#[test]
fn what_is_read_apart_is_verified_and_not_kept_in_memory() {
    let disk: Arc<dyn Disk> = Arc::new(MemDisk::new());
    let (files, _) = open(disk, &[]).unwrap();
    let (trie, _, _) = flushed(&files, 5, 200);
    let (hash, loc) = place_of(&trie);
    assert_eq!(hash, Apart(&files).read(loc, &hash).unwrap().hash());
    assert_eq!(0, files.cached_bytes());
    assert!(Apart(&files).read(loc, &B256::ZERO).is_err());
    files.read(loc, &hash).unwrap();
    assert!(files.cached_bytes() > 0);
    assert!(Apart(&files).read(loc, &B256::ZERO).is_err(), "also where memory has it");
}

#[test]
fn a_generation_that_no_marker_lists_is_removed_and_its_number_used_again() {
    let disk: Arc<dyn Disk> = Arc::new(MemDisk::new());
    let (files, _) = open(disk.clone(), &[]).unwrap();
    let (trie, state, marked) = flushed(&files, 10, 50);
    files.appender().start_generation().unwrap();
    drop(files);
    let (files, opened) = open(disk, &marked).unwrap();
    assert_eq!(vec![2], opened.removed_generations);
    assert_eq!(2, files.appender().start_generation().unwrap());
    assert_eq!(state, read_all(&files, &trie).unwrap());
}

#[test]
fn a_listed_file_that_is_missing_or_short_is_damage_and_the_error_names_file_and_cure() {
    let disk: Arc<dyn Disk> = Arc::new(MemDisk::new());
    let (files, _) = open(disk.clone(), &[]).unwrap();
    let (_, _, marked) = flushed(&files, 11, 50);
    drop(files);
    let file = disk.open(&path_of(1), OpenMode::Existing).unwrap();
    file.set_len(marked[0].bytes - 1).unwrap();
    let short = open(disk.clone(), &marked).err().unwrap();
    disk.remove(&path_of(1)).unwrap();
    let missing = open(disk, &marked).err().unwrap();
    for error in [short, missing] {
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        let sentence = error.to_string();
        assert!(sentence.contains("gen-000001.nodes") && sentence.contains("coc db rebuild"), "{sentence}");
    }
}

#[test]
fn files_of_another_chain_or_a_newer_format_are_refused_before_anything_is_changed() {
    let disk = FaultyDisk::new(1);
    let (files, _) = open(Arc::new(disk.clone()), &[]).unwrap();
    let (_, _, marked) = flushed(&files, 12, 50);
    drop(files);
    let before = disk.snapshot();
    let other = NodeFilesOptions::new(B256::repeat_byte(0x22));
    for marked in [marked.as_slice(), &[]] {
        let error = NodeFiles::open(Arc::new(disk.clone()), Path::new(DIR), other, marked).err().unwrap();
        let StoreError::WrongChain { found, .. } = error else { panic!("{error}") };
        assert_eq!(GENESIS, found);
    }
    assert_eq!(before, disk.snapshot());
    disk.flip(&path_of(1), 11, 0x80).unwrap();
    let error = open(Arc::new(disk), &marked).err().unwrap();
    assert!(matches!(error, StoreError::NewerFormat { supported: 1, .. }), "{error}");
}

#[test]
fn a_flipped_byte_anywhere_is_found_before_it_becomes_an_answer() {
    let disk = FaultyDisk::new(2);
    let (files, _) = open(Arc::new(disk.clone()), &[]).unwrap();
    let (trie, state, marked) = flushed(&files, 13, 40);
    drop(files);
    let mut found_in_records = 0;
    for offset in 0..marked[0].bytes {
        disk.flip(&path_of(1), offset, 1 << (offset % 8)).unwrap();
        match open_uncached(Arc::new(disk.clone()), &marked) {
            Ok(files) => match read_all(&files, &trie) {
                Ok(found) => assert_eq!(state, found, "byte {offset} changed an answer"),
                Err(error) => {
                    found_in_records += 1;
                    let known = matches!(error, TrieError::Missing { .. })
                        || matches!(store_error(&error), StoreError::Damaged { .. });
                    assert!(known, "byte {offset}: {error}");
                }
            },
            Err(error) => assert!(offset < HEADER_BYTES, "byte {offset}: {error}"),
        }
        disk.flip(&path_of(1), offset, 1 << (offset % 8)).unwrap();
    }
    // A file holds nothing but the header and records that the root reaches, so every flip must be seen.
    assert_eq!(marked[0].bytes - HEADER_BYTES, found_in_records);
}

#[test]
fn a_full_disk_loses_nothing_gives_its_space_back_and_the_next_sync_brings_everything() {
    let disk = FaultyDisk::new(3);
    let (files, _) = open(Arc::new(disk.clone()), &[]).unwrap();
    let (_, _, marked) = flushed(&files, 14, 20);
    disk.limit_bytes(Some(marked[0].bytes + 1000));

    let mut state = State::new();
    let trie = grow(&files, &Trie::empty(), &mut state, &mut Dice::new(15), 200).unwrap();
    let mut appender = files.appender();
    let stored = trie.flush(&mut appender).unwrap();
    for _ in 0..2 {
        let error = appender.sync().unwrap_err();
        assert!(error.is_out_of_space(), "{error}");
        let file = disk.open(&path_of(1), OpenMode::Read).unwrap();
        assert_eq!(marked[0].bytes, file.len().unwrap(), "the file is cut back to what was synced");
        assert_eq!(marked, files.lengths());
        assert_eq!(state, read_all(&files, &stored).unwrap(), "accepted records stay readable");
    }
    disk.limit_bytes(None);
    let lengths = appender.sync().unwrap();
    drop(appender);
    drop(files);
    disk.crash();
    let (files, _) = open(Arc::new(disk), &lengths).unwrap();
    assert_eq!(state, read_all(&files, &stored).unwrap());
}

#[test]
fn a_disk_that_is_full_in_the_middle_of_a_large_flush_refuses_the_record_and_takes_it_later() {
    let disk = FaultyDisk::new(4);
    let (files, _) = open(Arc::new(disk.clone()), &[]).unwrap();
    disk.limit_bytes(Some(1 << 20));
    let record = vec![7; 60_000];
    let mut appender = files.appender();
    let mut accepted = 0;
    let error = loop {
        match appender.append(&record) {
            Ok(_) => accepted += 1,
            Err(error) => break error,
        }
        assert!(accepted < 100, "the appender gathers without bound");
    };
    assert!(error.is_out_of_space(), "{error}");
    disk.limit_bytes(None);
    appender.append(&record).unwrap();
    let lengths = appender.sync().unwrap();
    assert_eq!(HEADER_BYTES + 60_004 * (accepted + 1), lengths[0].bytes);
}

#[test]
fn a_full_disk_does_not_begin_a_generation_and_leaves_no_file_behind() {
    let disk = FaultyDisk::new(5);
    let (files, _) = open(Arc::new(disk.clone()), &[]).unwrap();
    let (trie, state, _) = flushed(&files, 16, 20);
    disk.limit_files(Some(1));
    assert!(files.appender().start_generation().unwrap_err().is_out_of_space());
    disk.limit_files(None);
    disk.limit_bytes(Some(files.bytes() + 10));
    assert!(files.appender().start_generation().unwrap_err().is_out_of_space());
    assert_eq!(1, disk.list(Path::new(DIR)).unwrap().len());
    disk.limit_bytes(None);
    assert_eq!(2, files.appender().start_generation().unwrap());
    assert_eq!(state, read_all(&files, &trie).unwrap());
}

#[test]
fn after_a_failed_sync_nothing_more_is_promised_until_the_files_are_opened_again() {
    let disk = FaultyDisk::new(6);
    let (files, _) = open(Arc::new(disk.clone()), &[]).unwrap();
    let (trie, state, marked) = flushed(&files, 17, 50);
    let mut appender = files.appender();
    appender.append(&[1; 100]).unwrap();
    disk.fail_next_syncs(1);
    assert!(matches!(appender.sync(), Err(StoreError::Disk(_))));
    for _ in 0..2 {
        assert!(matches!(appender.sync(), Err(StoreError::Poisoned { .. })));
    }
    drop(appender);
    assert_eq!(marked, files.lengths());
    assert_eq!(state, read_all(&files, &trie).unwrap(), "reading goes on");
    drop(files);
    let (files, _) = open(Arc::new(disk), &marked).unwrap();
    files.appender().append(&[1; 100]).unwrap();
    files.appender().sync().unwrap();
}

#[test]
fn a_record_longer_than_any_node_is_refused() {
    let (files, _) = open(Arc::new(MemDisk::new()), &[]).unwrap();
    let error = files.appender().append(&vec![0; 65_537]).unwrap_err();
    assert!(matches!(error, StoreError::RecordLength { length: 65_537, limit: 65_536 }));
}

#[test]
fn a_node_longer_than_the_read_ahead_is_read_whole() {
    let files = open_uncached(Arc::new(MemDisk::new()), &[]).unwrap();
    let key = [5; 32];
    let value = vec![9; 50_000];
    let trie = Trie::empty().update(&files, vec![(key, Some(coc_trie::Value::new(value.clone())))]).unwrap();
    let mut appender = files.appender();
    let stored = trie.flush(&mut appender).unwrap();
    appender.sync().unwrap();
    assert_eq!(Some(value), stored.get(&files, &key).unwrap().map(|value| value.rlp().to_vec()));
}

#[test]
fn the_cache_stays_within_its_bytes_and_never_answers_for_another_node() {
    let options = NodeFilesOptions { cache_bytes: 20_000, ..NodeFilesOptions::new(GENESIS) };
    let (files, _) = NodeFiles::open(Arc::new(MemDisk::new()), Path::new(DIR), options, &[]).unwrap();
    let (trie, state, _) = flushed(&files, 18, 500);
    for _ in 0..3 {
        assert_eq!(state, read_all(&files, &trie).unwrap());
        assert!(files.cached_bytes() <= 20_000 && files.cached_bytes() > 0);
    }
    let (hash, loc) = place_of(&trie);
    files.read(loc, &hash).unwrap();
    let error = files.read(loc, &B256::ZERO).unwrap_err();
    assert!(matches!(store_error(&error), StoreError::Damaged { .. }), "{error}");
}

#[test]
fn readers_on_many_threads_see_every_flushed_state_while_the_writer_goes_on() {
    let options = NodeFilesOptions { cache_bytes: 50_000, ..NodeFilesOptions::new(GENESIS) };
    let (files, _) = NodeFiles::open(Arc::new(MemDisk::new()), Path::new(DIR), options, &[]).unwrap();
    let (to_readers, states) = std::sync::mpsc::channel::<(Trie, State)>();
    let states = std::sync::Mutex::new(states);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let next = states.lock().unwrap().recv();
                    let Ok((trie, state)) = next else { break };
                    assert_eq!(state, read_all(&files, &trie).unwrap());
                }
            });
        }
        let (mut trie, mut state, mut dice) = (Trie::empty(), State::new(), Dice::new(19));
        for round in 0..40 {
            let mut appender = files.appender();
            trie = grow(&files, &trie, &mut state, &mut dice, 20).unwrap().flush(&mut appender).unwrap();
            to_readers.send((trie.clone(), state.clone())).unwrap();
            appender.sync().unwrap();
            drop(appender);
            if round % 10 == 9 {
                files.appender().start_generation().unwrap();
            }
        }
        drop(to_readers);
    });
}
