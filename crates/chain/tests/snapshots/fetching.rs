//! Fetching from an honest server: everything arrives, in any order and size, and the chain goes on from there.

use crate::client::Client;
use crate::world::{
    BLOCKS, all_state, decide, genesis, grow, header, large_genesis, large_server, options, server, slots,
};
use alloy_primitives::{B256, Bytes};
use coc_chain::chain::Chain;
use coc_chain::check::Check;
use coc_chain::snapshot::{Begun, SnapshotBuilder, SnapshotError};
use coc_disk::{FaultyDisk, MemDisk};
use coc_store::{MemIndex, MemOptions};
use std::path::Path;
use std::sync::Arc;

fn begin(dir: &Path, target: &B256) -> (SnapshotBuilder, Begun) {
    SnapshotBuilder::begin(&genesis("0x"), dir, &header(server(), target), &options()).expect("a new folder")
}

fn finished(dir: &Path, target: &B256, seed: u64, bytes_max: u64) {
    let mut client = Client::new(begin(dir, target).0, seed, bytes_max);
    client.run(server());
    client.builder.finish(Bytes::from_static(b"seal")).expect("complete");
}

fn open(dir: &Path) -> Chain {
    let (chain, recovered) = Chain::open(&genesis("0x"), Some(dir), &options()).expect("a chain");
    assert_eq!((recovered.created, recovered.replayed_blocks, recovered.cut_bytes), (false, 0, 0));
    chain
}

#[test]
fn a_folder_filled_by_answers_holds_all_state_of_the_block_and_executes_the_next_ones_to_equal_roots() {
    let (dir, server) = (tempfile::tempdir().expect("a folder"), large_server());
    let target = server.shared.canonical(BLOCKS - 4).expect("readable").expect("there");
    let rlp = header(server, &target);
    let (builder, begun) =
        SnapshotBuilder::begin(&large_genesis(), dir.path(), &rlp, &options()).expect("a new folder");
    assert_eq!(begun, Begun::Anew);
    let mut client = Client::new(builder, 1, 30_000);
    client.run(server);
    client.builder.finish(Bytes::from_static(b"seal")).expect("complete");
    let open = || Chain::open(&large_genesis(), Some(dir.path()), &options()).expect("a chain");
    let (chain, recovered) = open();
    assert_eq!((recovered.created, recovered.replayed_blocks, recovered.cut_bytes), (false, 0, 0));
    assert_eq!(chain.shared.head().stored.hash, target);
    assert_eq!(all_state(&chain, &target), all_state(server, &target));
    let (ours, theirs) = [&chain, server].map(|chain| chain.shared.stored(&target).unwrap().unwrap()).into();
    assert_eq!((&ours.receipts, &ours.senders), (&theirs.receipts, &theirs.senders));
    assert_eq!((&ours.seal[..], &ours.consensus_data), (&b"seal"[..], &theirs.consensus_data));
    for number in BLOCKS - 3..=BLOCKS {
        let hash = server.shared.canonical(number).expect("readable").expect("there");
        let block = server.shared.stored(&hash).expect("readable").expect("known");
        let rlp = alloy_rlp::encode(&block.block);
        // Its contract asks for hashes of blocks before the snapshot, and the root tells whether it got the same.
        assert_eq!(chain.execute(&rlp, block.consensus_data.clone()).expect("valid"), hash);
        decide(&chain, &hash);
    }
    let head = chain.shared.head().stored.hash;
    assert_eq!(all_state(&chain, &head), all_state(server, &head));
    chain.close().expect("room");
    drop(chain);
    let (chain, _) = open();
    assert_eq!(all_state(&chain, &head), all_state(server, &head));
    grow(&chain, 3);
    drop(chain);
    let (chain, recovered) = open();
    assert_eq!((recovered.replayed_blocks, chain.shared.head().number()), (1, BLOCKS + 1));
    drop(chain);
    let mut check = Check::begin(dir.path()).expect("a chain");
    while check.step(|| true).is_some() {}
    assert!(check.report().findings.is_empty(), "{:?}", check.report().findings);
    assert!(check.report().states >= 5);
}

#[test]
fn the_order_and_the_size_of_answers_do_not_matter() {
    let target = server().shared.head().stored.hash;
    for (seed, bytes_max) in [(2, 0), (3, 2_000), (4, 1 << 20)] {
        let (disk, index) = (Arc::new(MemDisk::new()), Arc::new(MemIndex::new(MemOptions::default())));
        let rlp = header(server(), &target);
        let begun = SnapshotBuilder::begin_on(&genesis("0x"), disk.clone(), index.clone(), &rlp, &options());
        let mut client = Client::new(begun.expect("nothing there").0, seed, bytes_max);
        client.run(server());
        client.builder.finish(Bytes::new()).expect("complete");
        let (chain, _) = Chain::open_on(&genesis("0x"), disk, index, &options()).expect("a chain");
        assert_eq!(all_state(&chain, &target), all_state(server(), &target), "seed {seed}");
    }
}

#[test]
fn storage_that_many_accounts_share_is_fetched_once() {
    let target = server().shared.head().stored.hash;
    let (disk, index) = (Arc::new(FaultyDisk::new(5)), Arc::new(MemIndex::new(MemOptions::default())));
    let rlp = header(server(), &target);
    let (builder, _) =
        SnapshotBuilder::begin_on(&genesis("0x"), disk, index, &rlp, &options()).expect("nothing there");
    let mut client = Client::new(builder, 5, 1 << 20);
    client.run(server());
    let (all, distinct) = slots(server(), &target);
    assert!(distinct + 150 < all, "many contracts have equal storage");
    assert_eq!(client.builder.stand().counts.slots, distinct);
}

#[test]
fn an_interrupted_fetch_goes_on_where_it_was_saved_and_asks_less() {
    let (dir, target) = (tempfile::tempdir().expect("a folder"), server().shared.head().stored.hash);
    let (builder, begun) = begin(dir.path(), &target);
    assert_eq!(begun, Begun::Anew);
    let mut client = Client::new(builder, 6, 4_000);
    while client.builder.stand().counts.accounts < 60 {
        client.step(server()).expect("honest answers are taken");
    }
    client.builder.save().expect("room");
    let (before, asked) = (client.builder.stand(), client.answers);
    drop(client);
    let (builder, begun) = begin(dir.path(), &target);
    let after = builder.stand();
    assert_eq!(begun, Begun::Resumed);
    assert_eq!((after.next, after.counts), (before.next, before.counts));
    let mut client = Client::new(builder, 7, 4_000);
    client.run(server());
    assert!(asked > 15 && client.answers > 15, "both had some of the work: {asked} and {}", client.answers);
    assert_eq!(client.builder.stand().next, None);
    client.builder.finish(Bytes::new()).expect("complete");
    let chain = open(dir.path());
    assert_eq!(all_state(&chain, &target), all_state(server(), &target));
}

#[test]
fn turning_to_a_newer_block_keeps_codes_and_storages_that_have_not_changed() {
    let (dir, server) = (tempfile::tempdir().expect("a folder"), server());
    let old = server.shared.canonical(BLOCKS - 6).expect("readable").expect("there");
    let new = server.shared.head().stored.hash;
    let mut client = Client::new(begin(dir.path(), &old).0, 8, 8_000);
    while client.builder.stand().next.is_some() {
        client.step(server).expect("honest answers are taken");
    }
    let whole = client.builder.stand().counts;
    client.builder.save().expect("room");
    drop(client);
    let (builder, begun) = begin(dir.path(), &new);
    assert_eq!((begun, builder.stand().next), (Begun::Turned, Some(B256::ZERO)));
    assert!(!builder.stand().has_surroundings, "those of the old block are of no use");
    let mut client = Client::new(builder, 9, 8_000);
    client.run(server);
    let counts = client.builder.stand().counts;
    assert_eq!(counts.codes, whole.codes, "no code is fetched again");
    assert!(counts.slots - whole.slots < 100, "only the storage of the two busy contracts is fetched again");
    client.builder.finish(Bytes::new()).expect("complete");
    let chain = open(dir.path());
    assert_eq!(all_state(&chain, &new), all_state(server, &new));
}

#[test]
fn a_chain_that_came_as_a_snapshot_serves_one_itself() {
    let target = server().shared.head().stored.hash;
    let (first, second) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    finished(first.path(), &target, 10, 50_000);
    let chain = open(first.path());
    let newer = grow(&chain, 2);
    let rlp = header(&chain, &newer);
    let (builder, _) =
        SnapshotBuilder::begin(&genesis("0x"), second.path(), &rlp, &options()).expect("a new folder");
    let mut client = Client::new(builder, 11, 50_000);
    client.run(&chain);
    client.builder.finish(Bytes::new()).expect("complete");
    assert_eq!(all_state(&open(second.path()), &newer), all_state(&chain, &newer));
}

#[test]
fn what_is_not_complete_cannot_be_finished_and_is_not_lost() {
    let (dir, target) = (tempfile::tempdir().expect("a folder"), server().shared.head().stored.hash);
    let (builder, _) = begin(dir.path(), &target);
    assert!(matches!(builder.finish(Bytes::new()), Err(SnapshotError::Incomplete(_))));
    let mut client = Client::new(begin(dir.path(), &target).0, 12, 50_000);
    while client.builder.stand().next.is_some() {
        client.step(server()).expect("honest answers are taken");
    }
    client.builder.save().expect("room");
    if !client.builder.stand().has_surroundings {
        assert!(matches!(client.builder.finish(Bytes::new()), Err(SnapshotError::Incomplete(_))));
        client = Client::new(begin(dir.path(), &target).0, 13, 50_000);
    }
    client.run(server());
    client.builder.finish(Bytes::new()).expect("complete");
    open(dir.path());
}
