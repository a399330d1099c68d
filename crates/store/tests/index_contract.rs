//! What every index must do, run against the one in memory and the one on LMDB.

mod index_contract {
    pub mod model;
    pub mod stores;
}

use coc_store::{Batch, Index, StoreError, Table};
use index_contract::model::{Change, Model, batch_of, change_strategy};
use index_contract::stores::{LmdbStore, MemStore, Store};
use proptest::prelude::*;

/// Cases a property: each opens stores on disk, where a case takes a few fsyncs.
const CASES: u32 = 48;

fn put(store: &dyn Index, key: &[u8], value: &[u8]) {
    let mut batch = Batch::new();
    batch.put(Table::Blocks, key, value);
    store.write(batch).expect("there is room");
}

fn agrees_with_model<S: Store>(batches: &[Vec<Change>]) {
    let mut store = S::open();
    let mut model = Model::default();
    let mut snapshots = Vec::new();
    for (number, changes) in batches.iter().enumerate() {
        snapshots.push((store.index().snapshot().expect("a slot is free"), model.clone()));
        store.index().write(batch_of(changes)).expect("there is room");
        model.apply(changes);
        model.assert_equal_to(store.index());
        for (snapshot, then) in &snapshots {
            then.assert_equal_to_snapshot(snapshot.as_ref());
        }
        if number % 3 == 2 {
            snapshots.clear();
            store.reopen();
            model.assert_equal_to(store.index());
        }
    }
    let report = store.index().check().expect("nothing is damaged");
    assert_eq!(model.rows(), report.rows);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_index_in_memory_reads_like_a_sorted_map_at_every_write_and_in_every_snapshot(
        batches in prop::collection::vec(prop::collection::vec(change_strategy(), 0..24), 1..8)
    ) {
        agrees_with_model::<MemStore>(&batches);
    }

    #[test]
    fn the_index_on_lmdb_reads_like_a_sorted_map_at_every_write_and_in_every_snapshot(
        batches in prop::collection::vec(prop::collection::vec(change_strategy(), 0..24), 1..8)
    ) {
        agrees_with_model::<LmdbStore>(&batches);
    }

    #[test]
    fn a_crash_in_memory_goes_back_to_exactly_the_write_asked_for(
        batches in prop::collection::vec(prop::collection::vec(change_strategy(), 0..24), 1..12),
        back in 0_usize..12,
    ) {
        let store = MemStore::open();
        let mut models = vec![Model::default()];
        for changes in &batches {
            store.index().write(batch_of(changes)).expect("there is room");
            let mut model = models[models.len() - 1].clone();
            model.apply(changes);
            models.push(model);
        }
        let write = batches.len().saturating_sub(back);
        let revived = store.memory().crashed_at(write as u64).expect("the history is long enough");
        models[write].assert_equal_to(&revived);
        prop_assert_eq!(write as u64, revived.writes());
        let earlier = revived.crashed_at(write as u64 / 2).expect("it can crash again");
        models[write / 2].assert_equal_to(&earlier);
        models[batches.len()].assert_equal_to(store.index());
    }
}

fn refuses_a_batch_with_a_bad_key_as_a_whole<S: Store>() {
    let store = S::open();
    put(store.index(), b"kept", b"1");
    for bad in [vec![], vec![1; 512]] {
        let mut batch = Batch::new();
        batch.put(Table::Blocks, b"kept", b"2");
        batch.put(Table::Code, &bad, b"");
        assert!(matches!(store.index().write(batch), Err(StoreError::KeyLength { table: "code", .. })));
        assert_eq!(Some(b"1".to_vec()), store.index().get(Table::Blocks, b"kept").unwrap());
        assert_eq!(None, store.index().get(Table::Code, &bad).unwrap());
    }
    let longest = vec![0xff; 511];
    put(store.index(), &longest, b"fits");
    assert_eq!(Some(b"fits".to_vec()), store.index().get(Table::Blocks, &longest).unwrap());
}

#[test]
fn a_batch_with_an_empty_or_overlong_key_changes_nothing() {
    refuses_a_batch_with_a_bad_key_as_a_whole::<MemStore>();
    refuses_a_batch_with_a_bad_key_as_a_whole::<LmdbStore>();
}

fn keeps_empty_and_large_values<S: Store>() {
    let mut store = S::open();
    let large = vec![0xab; 3 << 20];
    put(store.index(), b"large", &large);
    put(store.index(), b"empty", b"");
    store.reopen();
    assert_eq!(Some(large), store.index().get(Table::Blocks, b"large").unwrap());
    assert_eq!(Some(vec![]), store.index().get(Table::Blocks, b"empty").unwrap());
}

#[test]
fn values_of_no_bytes_and_of_megabytes_come_back_as_they_were() {
    keeps_empty_and_large_values::<MemStore>();
    keeps_empty_and_large_values::<LmdbStore>();
}

/// Fills the store until it refuses, then frees half, and expects it to take as much again.
fn survives_its_budget<S: Store>() {
    let mut store = S::open_small();
    let mut accepted = 0_u32;
    let refused = loop {
        let mut batch = Batch::new();
        batch.put(Table::Undo, &accepted.to_be_bytes(), &vec![accepted as u8; 60_000]);
        batch.put(Table::Meta, b"count", &accepted.to_be_bytes());
        match store.index().write(batch) {
            Ok(()) => accepted += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, StoreError::NoSpace { .. }), "{refused}");
    let count = store.index().get(Table::Meta, b"count").unwrap();
    assert_eq!(Some((accepted - 1).to_be_bytes().to_vec()), count, "nothing of the refused batch is there");
    let stats = store.index().stats().unwrap();
    assert!(stats.used_bytes <= stats.budget_bytes);

    let mut freeing = Batch::new();
    freeing.delete_range(Table::Undo, b"", Some(&(accepted / 2).to_be_bytes()));
    store.index().write(freeing).expect("freeing needs no free space");
    put(store.index(), b"after", &vec![1; 60_000]);
    store.reopen();
    assert_eq!(None, store.index().get(Table::Undo, &0_u32.to_be_bytes()).unwrap());
    let last = store.index().get(Table::Undo, &(accepted - 1).to_be_bytes()).unwrap();
    assert_eq!(Some(vec![(accepted - 1) as u8; 60_000]), last);
    assert_eq!(Some(vec![1; 60_000]), store.index().get(Table::Blocks, b"after").unwrap());
}

#[test]
fn a_full_budget_refuses_growth_and_loses_nothing_and_deleting_makes_room_again() {
    survives_its_budget::<MemStore>();
    survives_its_budget::<LmdbStore>();
}

fn reports_what_it_holds<S: Store>() {
    let store = S::open();
    let mut batch = Batch::new();
    for number in 0..1000_u32 {
        batch.put(Table::Canonical, &number.to_be_bytes(), &[7; 32]);
    }
    store.index().write(batch).unwrap();
    let stats = store.index().stats().unwrap();
    let canonical = stats.tables.iter().find(|entry| entry.table == Table::Canonical).unwrap();
    assert_eq!(1000, canonical.rows);
    assert!(canonical.bytes >= 36_000, "{canonical:?}");
    assert!(stats.used_bytes >= canonical.bytes && stats.used_bytes < stats.budget_bytes);
    let report = store.index().check().unwrap();
    assert_eq!((1000, 36_000), (report.rows, report.bytes));
}

#[test]
fn stats_and_check_count_the_rows_that_are_there() {
    reports_what_it_holds::<MemStore>();
    reports_what_it_holds::<LmdbStore>();
}

/// One thread writes the same number to two tables, others check that no view has them apart.
fn shows_whole_batches_to_every_reader<S: Store>() {
    const WRITES: u32 = 60;
    let store = S::open();
    let index = store.index();
    let number_in =
        |found: Option<Vec<u8>>| found.map_or(0, |bytes| u32::from_be_bytes(bytes.try_into().unwrap()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut seen = 0;
                while seen < WRITES {
                    let snapshot = index.snapshot().unwrap();
                    let first = number_in(snapshot.get(Table::Meta, b"number").unwrap());
                    let second = number_in(snapshot.get(Table::Code, b"number").unwrap());
                    assert_eq!(first, second);
                    assert!(first >= seen, "the index went back from {seen} to {first}");
                    assert!(number_in(index.get(Table::Meta, b"number").unwrap()) >= first);
                    seen = first;
                }
            });
        }
        for number in 1..=WRITES {
            let mut batch = Batch::new();
            batch.put(Table::Meta, b"number", &number.to_be_bytes());
            batch.put(Table::Code, b"number", &number.to_be_bytes());
            index.write(batch).unwrap();
        }
    });
}

#[test]
fn readers_on_other_threads_see_whole_batches_in_the_order_of_writing() {
    shows_whole_batches_to_every_reader::<MemStore>();
    shows_whole_batches_to_every_reader::<LmdbStore>();
}
