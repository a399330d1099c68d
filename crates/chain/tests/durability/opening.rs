//! A folder that is not what it should be is refused with one sentence and the command that helps, and nothing of it is lost.

use crate::ledger::Ledger;
use crate::world::{build, check, genesis, options};
use alloy_primitives::{B256, Bytes};
use coc_chain::chain::Chain;
use coc_chain::check::Check;
use coc_chain::error::ChainError;
use coc_chain::rebuild::Rebuild;
use coc_chain::rows::MARKER;
use coc_chain::stats::stats;
use coc_disk::{Dice, Disk as _, FaultyDisk, OpenMode};
use coc_store::{Batch, Index as _, MemIndex, MemOptions, Table};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A folder with `flushed` blocks in its store and `unflushed` more in its log; closed.
fn folder_with(flushed: u64, unflushed: u64) -> (tempfile::TempDir, B256) {
    let dir = tempfile::tempdir().unwrap();
    let (chain, _) = Chain::open(&genesis("0x"), Some(dir.path()), &options()).unwrap();
    let mut ledger = Ledger::at_genesis();
    let mut head = chain.shared.genesis_hash;
    let mut dice = Dice::new(1);
    for number in 1..=flushed + unflushed {
        let planned = ledger.plan(&mut dice, 3);
        let (hash, after) = build(&chain, &head, &planned, &ledger, number).unwrap();
        chain.decide(&hash, Bytes::new(), true).unwrap();
        chain.set_head(&hash).unwrap();
        (head, ledger) = (hash, after);
        if number == flushed {
            chain.flush().unwrap();
        }
    }
    (dir, head)
}

fn refusal(dir: &Path) -> ChainError {
    refusal_of(&genesis("0x"), dir)
}

fn refusal_of(genesis: &[u8], dir: &Path) -> ChainError {
    match Chain::open(genesis, Some(dir), &options()) {
        Ok(_) => panic!("the folder was taken"),
        Err(error) => error,
    }
}

/// The one sentence of a refusal: no line breaks, and each of the words in it.
fn says(error: &ChainError, words: &[&str]) {
    let sentence = error.to_string();
    assert!(!sentence.contains('\n'), "{sentence}");
    for word in words {
        assert!(sentence.contains(word), "`{word}` is missing in: {sentence}");
    }
}

fn rebuilt_head(dir: &Path) -> B256 {
    let mut rebuild = Rebuild::begin(dir, &options(), false).unwrap();
    while rebuild.step(|| true).unwrap().phase != "done" {}
    drop(rebuild);
    let mut check = Check::begin(dir).unwrap();
    while check.step(|| true).is_some() {}
    assert!(check.report().findings.is_empty(), "{:?}", check.report().findings);
    drop(check);
    let (chain, recovered) = Chain::open(&genesis("0x"), Some(dir), &options()).unwrap();
    assert_eq!(recovered.replayed_blocks, 0);
    chain.shared.head().stored.hash
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.join("log")).unwrap().flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "seg")).collect();
    found.sort();
    found
}

#[test]
fn a_folder_that_is_in_use_is_refused_and_its_holder_named() {
    let (dir, _) = folder_with(1, 0);
    let (_holder, _) = Chain::open(&genesis("0x"), Some(dir.path()), &options()).unwrap();
    let error = refusal(dir.path());
    assert!(matches!(error, ChainError::InUse { .. }));
    says(&error, &["is in use by process", "stop that process", "`--data`"]);
    assert!(matches!(Check::begin(dir.path()), Err(ChainError::InUse { .. })));
    assert!(matches!(Rebuild::begin(dir.path(), &options(), false), Err(ChainError::InUse { .. })));
}

#[test]
fn a_folder_of_somebody_elses_files_is_refused_and_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("thesis.txt"), "years of work").unwrap();
    says(&refusal(dir.path()), &["thesis.txt", "choose an empty folder", "`--data`"]);
    let names: Vec<_> = fs::read_dir(dir.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(names, ["thesis.txt"]);
}

#[test]
fn a_fresh_file_system_and_keys_are_no_strangers() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["lost+found", "keystore", "keys"] {
        fs::create_dir(dir.path().join(name)).unwrap();
    }
    Chain::open(&genesis("0x"), Some(dir.path()), &options()).unwrap();
}

#[test]
fn a_folder_of_another_genesis_is_refused_with_both_hashes() {
    let (dir, head) = folder_with(2, 0);
    let other = genesis("0x01");
    says(
        &refusal_of(&other, dir.path()),
        &["holds the chain with genesis 0x", "not 0x", "`--data`", "without `--genesis`"],
    );
    // Also where somebody has put the other file into the folder: the log knows better.
    fs::write(dir.path().join("genesis.json"), &other).unwrap();
    says(&refusal_of(&other, dir.path()), &["genesis", "`--data`"]);
    fs::write(dir.path().join("genesis.json"), genesis("0x")).unwrap();
    let (chain, _) = Chain::open(&genesis("0x"), Some(dir.path()), &options()).unwrap();
    assert_eq!(chain.shared.head().stored.hash, head);
}

#[test]
fn a_log_of_a_newer_release_is_refused_with_the_advice_to_install_that_release() {
    let (dir, _) = folder_with(2, 0);
    let segment = &segments(dir.path())[0];
    let mut content = fs::read(segment).unwrap();
    content[8..12].copy_from_slice(&9_u32.to_le_bytes());
    fs::write(segment, &content).unwrap();
    says(&refusal(dir.path()), &["log format 9", "install the release that wrote it"]);
    assert_eq!(fs::read(segment).unwrap(), content);
}

#[test]
fn node_files_of_a_newer_release_are_refused_and_can_be_rebuilt() {
    let (dir, head) = folder_with(2, 0);
    let file = dir.path().join("state/gen-000001.nodes");
    let mut content = fs::read(&file).unwrap();
    content[8..12].copy_from_slice(&9_u32.to_le_bytes());
    fs::write(&file, &content).unwrap();
    says(&refusal(dir.path()), &["format version 9", "Install the release", "`coc db rebuild`"]);
    assert_eq!(rebuilt_head(dir.path()), head);
}

#[test]
fn a_log_that_is_shorter_than_the_marker_says_is_refused_and_named() {
    let (dir, _) = folder_with(4, 0);
    let segment = segments(dir.path()).pop().unwrap();
    let length = fs::metadata(&segment).unwrap().len();
    fs::OpenOptions::new().write(true).open(&segment).unwrap().set_len(length - 1).unwrap();
    says(&refusal(dir.path()), &["were durable", ".seg", "`coc db check`", "`coc db rebuild`"]);
    let mut check = Check::begin(dir.path()).unwrap();
    while check.step(|| true).is_some() {}
    let cure = check.report().cure("DIR").unwrap();
    assert!(cure.contains("coc db rebuild --cut-log --data DIR"), "{cure}");
}

#[test]
fn a_lost_log_is_told_and_no_new_one_begun() {
    let (dir, _) = folder_with(2, 0);
    fs::remove_dir_all(dir.path().join("log")).unwrap();
    says(&refusal(dir.path()), &["block log", "is gone", "from a copy", "`--data`"]);
    assert!(!dir.path().join("log").exists());
    assert!(matches!(Rebuild::begin(dir.path(), &options(), true), Err(ChainError::LogLost { .. })));
}

#[test]
fn a_lost_index_is_told_and_rebuilt_to_the_same_head() {
    let (dir, head) = folder_with(3, 2);
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    let error = refusal(dir.path());
    assert!(matches!(error, ChainError::StoreLost { .. }));
    says(&error, &["is lost", &format!("`coc db rebuild --data {}`", dir.path().display())]);
    assert_eq!(rebuilt_head(dir.path()), head);
}

#[test]
fn lost_node_files_are_told_and_rebuilt_to_the_same_head() {
    let (dir, head) = folder_with(3, 2);
    fs::remove_dir_all(dir.path().join("state")).unwrap();
    says(&refusal(dir.path()), &["gen-000001.nodes", "missing", "`coc db rebuild`"]);
    assert_eq!(rebuilt_head(dir.path()), head);
}

#[test]
fn a_rebuild_that_was_interrupted_is_told_and_gone_on_with() {
    let (dir, head) = folder_with(6, 0);
    let mut rebuild = Rebuild::begin(dir.path(), &options(), false).unwrap();
    while rebuild.step(|| true).unwrap().height < 2 {}
    drop(rebuild);
    let error = refusal(dir.path());
    assert!(matches!(error, ChainError::RebuildUnfinished { .. }));
    says(&error, &["only half made", "go on with `coc db rebuild --data"]);
    let mut again = Rebuild::begin(dir.path(), &options(), false).unwrap();
    assert_eq!(again.step(|| true).unwrap().phase, "building", "the log is not read twice");
    drop(again);
    assert_eq!(rebuilt_head(dir.path()), head);
}

#[test]
fn a_log_that_is_damaged_as_well_is_found_before_the_store_is_touched() {
    let (dir, _) = folder_with(40, 0);
    let first = &segments(dir.path())[0];
    let mut content = fs::read(first).unwrap();
    let middle = content.len() / 2;
    content[middle] ^= 1;
    fs::write(first, &content).unwrap();
    let index_before = fs::read(dir.path().join("index/data.mdb")).unwrap();
    let mut rebuild = Rebuild::begin(dir.path(), &options(), false).unwrap();
    let error = loop {
        match rebuild.step(|| true) {
            Ok(progress) => assert_eq!(progress.phase, "reading"),
            Err(error) => break error,
        }
    };
    says(&error, &["the block log is damaged", "from a copy", "`coc db rebuild --cut-log --data"]);
    assert_eq!(fs::read(dir.path().join("index/data.mdb")).unwrap(), index_before);
    assert!(!dir.path().join("rebuilding").exists());
    drop(rebuild);
    let mut cutting = Rebuild::begin(dir.path(), &options(), true).unwrap();
    let kept = cutting.cut.clone().unwrap().records;
    while cutting.step(|| true).unwrap().phase != "done" {}
    drop(cutting);
    let (chain, _) = Chain::open(&genesis("0x"), Some(dir.path()), &options()).unwrap();
    assert_eq!(chain.shared.head().number() + 1, kept);
    assert!(kept > 0 && kept < 41);
}

#[test]
fn a_folder_without_a_chain_is_told_by_check_rebuild_and_stats() {
    let dir = tempfile::tempdir().unwrap();
    for error in [
        Check::begin(dir.path()).err().unwrap(),
        Rebuild::begin(dir.path(), &options(), false).err().unwrap(),
        stats(dir.path()).err().unwrap(),
    ] {
        says(&error, &["holds no chain", "genesis.json"]);
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

/// A chain of two flushed blocks on a disk and an index in memory.
fn world_in_memory() -> (FaultyDisk, Arc<MemIndex>) {
    let (disk, index) = (FaultyDisk::new(1), Arc::new(MemIndex::new(MemOptions::default())));
    let (chain, _) =
        Chain::open_on(&genesis("0x"), Arc::new(disk.clone()), index.clone(), &options()).unwrap();
    let ledger = Ledger::at_genesis();
    let planned = ledger.plan(&mut Dice::new(4), 3);
    let (hash, _) = build(&chain, &chain.shared.genesis_hash, &planned, &ledger, 1).unwrap();
    chain.decide(&hash, Bytes::new(), true).unwrap();
    chain.set_head(&hash).unwrap();
    chain.flush().unwrap();
    (disk, index)
}

fn put(index: &MemIndex, table: Table, key: &[u8], value: &[u8]) {
    let mut batch = Batch::new();
    batch.put(table, key, value);
    index.write(batch).unwrap();
}

#[test]
fn a_marker_that_is_none_is_damage_and_costs_no_node_files() {
    for broken in [&[][..], &[1; 39], &[7; 40], &[7; 45]] {
        let (disk, index) = world_in_memory();
        put(&index, Table::Meta, MARKER, broken);
        let before = disk.snapshot();
        let opened = Chain::open_on(&genesis("0x"), Arc::new(disk.clone()), index.clone(), &options());
        let error = opened.err().expect("a broken marker is refused");
        assert!(matches!(error, ChainError::StoreDamaged { .. }), "{error}");
        says(&error, &["marker", "`coc db rebuild"]);
        assert_eq!(disk.snapshot(), before);
        let report = check(&genesis("0x"), &disk, index).unwrap();
        assert!(!report.findings.is_empty());
    }
}

#[test]
fn rows_that_contradict_the_log_are_damage_and_no_answer() {
    let (disk, index) = world_in_memory();
    let blocks = index.range(Table::Blocks, &[], None, 2, false).unwrap();
    let [(one, first), (two, second)] = &blocks[..] else { panic!("two blocks have rows") };
    put(&index, Table::Blocks, one, second);
    put(&index, Table::Blocks, two, first);
    let opened = Chain::open_on(&genesis("0x"), Arc::new(disk.clone()), index.clone(), &options());
    says(&opened.err().expect("swapped rows are refused"), &["is damaged", "`coc db rebuild"]);
    let report = check(&genesis("0x"), &disk, index).unwrap();
    assert!(report.findings.len() >= 2, "{:?}", report.findings);
}

#[test]
fn a_missing_height_is_damage_and_not_an_unknown_block() {
    let (disk, index) = world_in_memory();
    let mut batch = Batch::new();
    batch.delete(Table::Canonical, &0_u64.to_be_bytes());
    index.write(batch).unwrap();
    let (chain, _) =
        Chain::open_on(&genesis("0x"), Arc::new(disk.clone()), index.clone(), &options()).unwrap();
    let error = chain.shared.canonical(0).unwrap_err();
    says(&error, &["no block at height 0", "`coc db rebuild"]);
    assert!(chain.shared.canonical(2).unwrap().is_none());
    assert!(!check(&genesis("0x"), &disk, index).unwrap().findings.is_empty());
}

#[test]
fn what_a_start_cut_from_the_node_files_is_reported() {
    let (disk, index) = world_in_memory();
    let path = Path::new("/state/gen-000001.nodes");
    let file = disk.open(path, OpenMode::Existing).unwrap();
    file.append(&[9; 100]).unwrap();
    let stray = disk.open(Path::new("/state/gen-000002.nodes"), OpenMode::New).unwrap();
    stray.append(&[0; 10]).unwrap();
    let (_, recovered) = Chain::open_on(&genesis("0x"), Arc::new(disk.clone()), index, &options()).unwrap();
    assert_eq!((recovered.cut_node_bytes, recovered.removed_generations), (100, vec![2]));
}
