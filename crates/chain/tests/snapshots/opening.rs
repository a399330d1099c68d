//! A folder that began with a snapshot (SYNC-15) says so, is held to what its log says, and answers about older blocks as what they
//! are: gone.

use crate::client::Client;
use crate::world::{BLOCKS, genesis, grow, header, options, server};
use alloy_primitives::{B256, Bytes};
use coc_chain::base::Base;
use coc_chain::chain::Chain;
use coc_chain::check::Check;
use coc_chain::error::ChainError;
use coc_chain::logs::LogQuery;
use coc_chain::rebuild::Rebuild;
use coc_chain::snapshot::SnapshotBuilder;
use coc_chain::stats::stats;
use coc_log::{BlockLog, LogOptions, Position};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// A folder that began with the snapshot of the server's head.
fn folder() -> (tempfile::TempDir, B256) {
    let (dir, target) = (tempfile::tempdir().expect("a folder"), server().shared.head().stored.hash);
    let rlp = header(server(), &target);
    let (builder, _) = SnapshotBuilder::begin(&genesis("0x"), dir.path(), &rlp, &options()).expect("new");
    let mut client = Client::new(builder, 1, 1 << 20);
    client.run(server());
    client.builder.finish(Bytes::new()).expect("complete");
    (dir, target)
}

fn open(dir: &Path) -> Result<Chain, ChainError> {
    Chain::open(&genesis("0x"), Some(dir), &options()).map(|(chain, _)| chain)
}

fn error_of(dir: &Path) -> String {
    let error = open(dir).err().expect("the folder is refused").to_string();
    assert!(!error.contains('\n'), "{error}");
    error
}

fn log_options() -> LogOptions {
    LogOptions { reserve_bytes: 0, ..LogOptions::new(server().shared.genesis_hash.0) }
}

/// Writes a log anew that holds these records.
fn write_log(dir: &Path, records: &[Vec<u8>]) {
    fs::remove_dir_all(dir.join("log")).expect("there");
    let (log, _) =
        BlockLog::open(Arc::new(coc_disk::RealDisk::new()), &dir.join("log"), log_options()).expect("room");
    for record in records {
        log.append_durable(record).expect("room");
    }
}

fn records(dir: &Path) -> Vec<Vec<u8>> {
    let (log, _) =
        BlockLog::open(Arc::new(coc_disk::RealDisk::new()), &dir.join("log"), log_options()).expect("a log");
    log.iter_from(Position(0)).map(|record| record.expect("whole").bytes).collect()
}

#[test]
fn blocks_before_the_snapshot_are_not_found_or_pruned_and_never_damage() {
    let (dir, target) = folder();
    let chain = open(dir.path()).expect("a chain");
    let shared = &chain.shared;
    assert_eq!(shared.canonical(BLOCKS).expect("known"), Some(target));
    for number in [BLOCKS - 1, BLOCKS - 256] {
        let hash = shared.canonical(number).expect("known").expect("its header is here");
        assert_eq!(Some(hash), server().shared.canonical(number).expect("known"));
        assert!(shared.stored(&hash).expect("readable").is_none(), "its body is not");
        assert!(matches!(shared.state(&hash), Err(ChainError::Pruned(_))));
    }
    assert_eq!(shared.canonical(BLOCKS - 257).expect("readable"), None);
    assert_eq!(shared.canonical(BLOCKS + 1).expect("readable"), None);
    assert_eq!(shared.canonical(0).expect("known"), Some(shared.genesis_hash));
    let block_0 = shared.stored(&shared.genesis_hash).expect("readable").expect("made from the genesis file");
    assert_eq!(block_0.block, server().shared.stored(&shared.genesis_hash).unwrap().unwrap().block);
    assert!(matches!(shared.state(&shared.genesis_hash), Err(ChainError::Pruned(_))));
    let unknown = B256::repeat_byte(1);
    assert!(matches!(shared.state(&unknown), Err(ChainError::UnknownBlock(_))));
}

#[test]
fn logs_of_a_range_that_begins_before_the_snapshot_are_refused_and_later_ones_found() {
    let (dir, _) = folder();
    let chain = open(dir.path()).expect("a chain");
    let open_query = LogQuery::default();
    let refused = chain.logs(BLOCKS - 1, BLOCKS, &open_query, 1_000).expect_err("not all are here");
    assert!(matches!(refused, ChainError::BeforeSnapshot { first: BLOCKS }));
    assert!(refused.to_string().contains("archive node"));
    assert!(!chain.logs(BLOCKS, BLOCKS, &open_query, 1_000).expect("kept").is_empty());
    let log = chain.shared.head().stored.receipts[0].logs.first().cloned();
    let address = log
        .or_else(|| chain.shared.head().stored.receipts.iter().find_map(|each| each.logs.first().cloned()));
    let query =
        LogQuery { addresses: vec![address.expect("a block of six has logs").address], topics: vec![] };
    assert!(!chain.logs(BLOCKS, BLOCKS, &query, 1_000).expect("kept").is_empty(), "through the index");
    let transaction = *chain.shared.head().stored.block.body.transactions[2].tx_hash();
    assert_eq!(chain.find_transaction(&transaction).expect("readable").map(|(_, index)| index), Some(2));
}

#[test]
fn a_log_whose_beginning_does_not_fit_is_refused() {
    let (dir, _) = folder();
    let sound = records(dir.path());
    let [base, block] = &sound[..] else { panic!("a base and its block") };
    assert!(Base::is_in(base) && !Base::is_in(block));
    let block_0 = server().shared.stored(&server().shared.genesis_hash).unwrap().unwrap().encode();
    for (what, wrong) in [
        ("a base without its block", vec![base.clone()]),
        ("a base before another block", vec![base.clone(), block_0]),
        ("a block without its base", vec![block.clone()]),
        ("a base that was cut", vec![base[..base.len() / 2].to_vec(), block.clone()]),
    ] {
        let (copy, _) = folder();
        write_log(copy.path(), &wrong);
        let error = error_of(copy.path());
        assert!(error.contains("`coc db check`") || error.contains("log"), "{what}: {error}");
    }
    let mut changed = base.clone();
    let place = changed.len() - 40;
    changed[place] ^= 1;
    let (copy, _) = folder();
    write_log(copy.path(), &[changed, block.clone()]);
    assert!(error_of(copy.path()).contains("is not the parent"));
}

#[test]
fn a_lost_store_cannot_be_made_from_a_log_that_begins_with_a_snapshot_and_nothing_claims_so() {
    let (dir, _) = folder();
    fs::remove_dir_all(dir.path().join("index")).expect("there");
    let error = error_of(dir.path());
    assert!(
        error.contains("begins with the snapshot of block 262") && error.contains("fetches a newer"),
        "{error}"
    );
    let rebuild = Rebuild::begin(dir.path(), &options(), false).err().expect("refused").to_string();
    assert_eq!(rebuild, error);
    assert!(!dir.path().join("rebuilding").exists());
}

#[test]
fn a_folder_that_is_only_half_fetched_is_told_by_opening_rebuilding_and_checking() {
    let (dir, target) = (tempfile::tempdir().expect("a folder"), server().shared.head().stored.hash);
    let rlp = header(server(), &target);
    drop(SnapshotBuilder::begin(&genesis("0x"), dir.path(), &rlp, &options()).expect("new"));
    assert!(error_of(dir.path()).contains("only half fetched"));
    let rebuild = Rebuild::begin(dir.path(), &options(), false).err().expect("refused");
    assert!(matches!(rebuild, ChainError::SnapshotUnfinished { .. }));
    let mut check = Check::begin(dir.path()).expect("a folder of ours");
    while check.step(|| true).is_some() {}
    assert!(check.report().findings.iter().any(|finding| finding.what.contains("fetched from peers")));
}

#[test]
fn a_check_finds_damage_behind_a_snapshot_and_names_the_cure_that_works() {
    let (dir, _) = folder();
    let file = dir.path().join("state/gen-000001.nodes");
    let mut content = fs::read(&file).expect("there");
    let middle = content.len() / 2;
    content[middle] ^= 1;
    fs::write(&file, &content).expect("room");
    let mut check = Check::begin(dir.path()).expect("a chain");
    while check.step(|| true).is_some() {}
    assert!(!check.report().findings.is_empty());
    let cure = check.report().cure("DIR").expect("there is one");
    assert!(cure.contains("fetches a newer snapshot") && !cure.contains("rebuild"), "{cure}");
}

#[test]
fn figures_count_the_blocks_behind_the_snapshot() {
    let (dir, _) = folder();
    let chain = open(dir.path()).expect("a chain");
    grow(&chain, 1);
    drop(chain);
    let figures = stats(dir.path()).expect("a chain");
    assert_eq!((figures.blocks, figures.unflushed_blocks), (1, 1));
    assert_eq!(figures.highest.map(|(number, _)| number), Some(BLOCKS + 1));
}

#[test]
fn a_snapshot_begins_over_block_0_alone_and_over_no_other_chain() {
    let (dir, target) = (tempfile::tempdir().expect("a folder"), server().shared.head().stored.hash);
    let rlp = header(server(), &target);
    drop(open(dir.path()).expect("a new chain"));
    let (builder, _) = SnapshotBuilder::begin(&genesis("0x"), dir.path(), &rlp, &options()).expect("block 0");
    let mut client = Client::new(builder, 1, 1 << 20);
    client.run(server());
    client.builder.finish(Bytes::new()).expect("complete");
    assert_eq!(open(dir.path()).expect("a chain").shared.head().stored.hash, target);
    for taken in [dir.path(), grown().path()] {
        let refused = SnapshotBuilder::begin(&genesis("0x"), taken, &rlp, &options()).err().expect("refused");
        assert!(refused.to_string().contains("holds a chain already"), "{refused}");
    }
}

/// A folder with one block of its own that is not flushed.
fn grown() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    grow(&open(dir.path()).expect("a new chain"), 0);
    dir
}

#[test]
fn another_chains_genesis_and_headers_that_are_none_are_refused() {
    let (dir, target) = folder();
    let rlp = header(server(), &target);
    let other =
        SnapshotBuilder::begin(&genesis("0x01"), dir.path(), &rlp, &options()).err().expect("refused");
    assert!(matches!(other, ChainError::Genesis(_)), "{other}");
    let new = tempfile::tempdir().expect("a folder");
    let block_0 = header(server(), &server().shared.genesis_hash);
    for wrong in [&rlp[1..], b"", &block_0, &[&rlp[..], b"x"].concat()] {
        let refused =
            SnapshotBuilder::begin(&genesis("0x"), new.path(), wrong, &options()).err().expect("refused");
        assert!(refused.to_string().contains("cannot be begun"), "{refused}");
    }
    let text = String::from_utf8(genesis("0x")).expect("text").replace("\"coc\":{},", "");
    let refused =
        SnapshotBuilder::begin(text.as_bytes(), new.path(), &rlp, &options()).err().expect("refused");
    assert!(refused.to_string().contains("Ethereum chain"), "{refused}");
}
