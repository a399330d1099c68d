//! The trie against a map: whatever is done to both, they hold the same and the root is that of the yellow
//! paper.

mod reference;

use coc_trie::{EMPTY_ROOT_HASH, MemoryNodes, Trie, Value, verify_proof};
use proptest::prelude::*;
use std::collections::BTreeMap;

type Map = BTreeMap<Vec<u8>, Vec<u8>>;
type Change = (Vec<u8>, Option<Vec<u8>>);

/// Short keys over few bytes, so that they share paths, begin one another and meet again.
fn key() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop::sample::select(vec![0x00, 0x01, 0x10, 0x11, 0x1f, 0xf0, 0xff]);
    prop_oneof![
        4 => prop::collection::vec(byte.clone(), 0..4),
        2 => prop::collection::vec(byte.clone(), 31..=32),
        1 => byte.prop_map(|byte| alloy_primitives::keccak256([byte]).to_vec()),
    ]
}

/// Values that make nodes stand inside their parents, and values that make them hashed.
fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 1..4),
        prop::collection::vec(any::<u8>(), 28..36),
        prop::collection::vec(any::<u8>(), 50..300),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    (key(), prop::option::weighted(0.6, value()))
}

fn batches() -> impl Strategy<Value = Vec<Vec<Change>>> {
    prop::collection::vec(prop::collection::vec(change(), 0..12), 1..8)
}

fn apply(map: &mut Map, batch: &[Change]) {
    for (key, value) in batch {
        match value {
            Some(value) => drop(map.insert(key.clone(), value.clone())),
            None => drop(map.remove(key)),
        }
    }
}

fn update(trie: &Trie, nodes: &MemoryNodes, batch: &[Change]) -> Trie {
    let changes = batch.iter().map(|(key, value)| (key, value.clone().map(Value::new)));
    trie.update(nodes, changes).expect("sound nodes")
}

fn entries(trie: &Trie, nodes: &MemoryNodes, from: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let entries = trie.iter(nodes, from).map(|entry| entry.expect("sound nodes"));
    entries.map(|(key, value)| (key, value.rlp().to_vec())).collect()
}

fn assert_holds(trie: &Trie, nodes: &MemoryNodes, map: &Map) {
    assert_eq!(trie.root_hash(), reference::root(map));
    for (key, value) in map {
        let found = trie.get(nodes, key).expect("sound nodes");
        assert_eq!(found.as_ref().map(Value::rlp), Some(value.as_slice()), "key {key:02x?}");
    }
    assert!(entries(trie, nodes, &[]).into_iter().eq(map.clone()));
}

proptest! {
    #[test]
    fn every_batch_of_changes_leads_to_the_root_and_the_values_of_the_map(batches in batches()) {
        let (nodes, mut trie, mut map) = (MemoryNodes::new(), Trie::empty(), Map::new());
        for batch in &batches {
            trie = update(&trie, &nodes, batch);
            apply(&mut map, batch);
            assert_holds(&trie, &nodes, &map);
        }
    }

    #[test]
    fn a_trie_reads_and_changes_the_same_after_every_flush(
        batches in batches(),
        flushed in prop::collection::vec(any::<bool>(), 8),
    ) {
        let (mut nodes, mut trie, mut map) = (MemoryNodes::new(), Trie::empty(), Map::new());
        for (batch, is_flushed) in batches.iter().zip(flushed) {
            trie = update(&trie, &nodes, batch);
            apply(&mut map, batch);
            if is_flushed {
                let flushed = trie.flush(&mut nodes).expect("memory takes all");
                trie = flushed.loc().map_or_else(Trie::empty, |loc| Trie::stored(trie.root_hash(), loc));
            }
            assert_holds(&trie, &nodes, &map);
        }
    }

    #[test]
    fn a_trie_is_the_same_whatever_of_it_is_let_go(
        batches in batches(),
        kept in prop::collection::vec(0_usize..6, 8),
    ) {
        let (mut nodes, mut trie, mut map) = (MemoryNodes::new(), Trie::empty(), Map::new());
        for (batch, kept) in batches.iter().zip(kept) {
            trie = update(&trie, &nodes, batch);
            prop_assert_eq!(trie.shed_below(kept).loc(), trie.loc(), "what is not written stays");
            apply(&mut map, batch);
            let stored = trie.flush(&mut nodes).expect("memory takes all");
            trie = trie.shed_below(kept);
            prop_assert_eq!(trie.loc(), stored.loc());
            assert_holds(&trie, &nodes, &map);
            let written = nodes.count();
            trie.flush(&mut nodes).expect("nothing to write");
            prop_assert_eq!(nodes.count(), written);
        }
    }

    #[test]
    fn an_old_trie_keeps_its_values_whatever_becomes_of_the_new(batches in batches()) {
        let (mut nodes, mut history) = (MemoryNodes::new(), vec![(Trie::empty(), Map::new())]);
        for batch in &batches {
            let (trie, map) = history.last().expect("the empty one at least");
            let (trie, mut map) = (update(trie, &nodes, batch), map.clone());
            apply(&mut map, batch);
            trie.flush(&mut nodes).expect("memory takes all");
            history.push((trie, map));
        }
        for (trie, map) in &history {
            assert_holds(trie, &nodes, map);
        }
    }

    #[test]
    fn one_batch_and_its_changes_one_by_one_come_to_the_same(
        batch in prop::collection::vec(change(), 0..40),
    ) {
        let nodes = MemoryNodes::new();
        let at_once = update(&Trie::empty(), &nodes, &batch);
        let one_by_one = batch.chunks(1).fold(Trie::empty(), |trie, change| update(&trie, &nodes, change));
        prop_assert_eq!(at_once.root_hash(), one_by_one.root_hash());
    }

    #[test]
    fn proofs_show_present_values_and_absent_keys(
        batch in prop::collection::vec(change(), 0..20),
        asked in prop::collection::vec(key(), 4),
        is_flushed: bool,
    ) {
        let (mut nodes, mut map) = (MemoryNodes::new(), Map::new());
        let mut trie = update(&Trie::empty(), &nodes, &batch);
        apply(&mut map, &batch);
        if is_flushed {
            trie = trie.flush(&mut nodes).expect("memory takes all");
        }
        for key in map.keys().chain(&asked) {
            let proof = trie.prove(&nodes, key).expect("sound nodes");
            prop_assert_eq!(verify_proof(trie.root_hash(), key, &proof), Ok(map.get(key).cloned()));
        }
    }

    #[test]
    fn entries_start_where_asked(batch in prop::collection::vec(change(), 0..20), from in key()) {
        let (nodes, mut map) = (MemoryNodes::new(), Map::new());
        let trie = update(&Trie::empty(), &nodes, &batch);
        apply(&mut map, &batch);
        let expected: Vec<_> = map.range(from.clone()..).map(|(k, v)| (k.clone(), v.clone())).collect();
        prop_assert_eq!(entries(&trie, &nodes, &from), expected);
    }

    #[test]
    fn deleting_every_key_leaves_the_empty_root(
        batch in prop::collection::vec(change(), 0..30),
        is_flushed: bool,
    ) {
        let mut nodes = MemoryNodes::new();
        let mut trie = update(&Trie::empty(), &nodes, &batch);
        if is_flushed {
            trie = trie.flush(&mut nodes).expect("memory takes all");
        }
        let deletions: Vec<Change> = batch.into_iter().map(|(key, _)| (key, None)).collect();
        let emptied = update(&trie, &nodes, &deletions);
        prop_assert_eq!(emptied.root_hash(), EMPTY_ROOT_HASH);
        prop_assert!(emptied.is_empty());
    }

    #[test]
    fn changes_that_change_nothing_write_nothing(
        batch in prop::collection::vec(change(), 0..20),
        absent in key(),
    ) {
        let (mut nodes, mut map) = (MemoryNodes::new(), Map::new());
        let trie = update(&Trie::empty(), &nodes, &batch);
        let trie = trie.flush(&mut nodes).expect("memory takes all");
        apply(&mut map, &batch);
        let written = nodes.count();
        let mut same: Vec<Change> = map.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect();
        if !map.contains_key(&absent) {
            same.push((absent, None));
        }
        update(&trie, &nodes, &same).flush(&mut nodes).expect("memory takes all");
        prop_assert_eq!(nodes.count(), written);
    }
}
