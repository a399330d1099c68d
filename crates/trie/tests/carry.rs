//! A carried trie stands on young places alone, costs what differs from its base, and can be stopped and gone on with anywhere.

use alloy_primitives::{B256, keccak256};
use coc_trie::{Carry, EMPTY_ROOT_HASH, Ground, Loc, MemoryNodes, Node, NodeReader, Trie, TrieError, Value};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Accounts by number: their balance, and the slots of their storage.
type Map = BTreeMap<u8, (u8, BTreeMap<u8, u8>)>;
/// A change: an account, its balance (none removes it), and a slot with its value.
type Change = (u8, Option<u8>, u8, u8);

/// A store whose old part is gone.
struct YoungPart<'a>(&'a MemoryNodes, Loc);

impl NodeReader for YoungPart<'_> {
    fn read(&self, loc: Loc, hash: &B256) -> Result<Arc<Node>, TrieError> {
        if loc < self.1 { Err(TrieError::Missing { hash: *hash, loc }) } else { self.0.read(loc, hash) }
    }
}

fn key(number: u8) -> B256 {
    keccak256([number])
}

fn account(balance: u8, storage: &Trie) -> Value {
    let root = storage.root_hash();
    let fields: [&[u8]; 4] = [&[1], &[balance.max(1)], root.as_slice(), &[9; 32]];
    let mut rlp = Vec::new();
    alloy_rlp::encode_list::<_, [u8]>(&fields, &mut rlp);
    Value::account(rlp, storage.clone())
}

fn storage_value(value: u8) -> Option<Value> {
    // Short ones stand inside their parents, long ones have nodes of their own.
    (value > 0).then(|| Value::new(vec![value; if value.is_multiple_of(2) { 1 } else { 33 }]))
}

/// Changes trie and map alike.
fn change(trie: &Trie, map: &mut Map, nodes: &MemoryNodes, changes: &[Change]) -> Trie {
    let mut trie = trie.clone();
    for (number, balance, slot, value) in changes {
        let found = trie.get(nodes, key(*number).as_slice()).expect("sound nodes");
        let storage = found.and_then(|value| value.storage().cloned()).unwrap_or_default();
        let new = match balance {
            None => {
                map.remove(number);
                None
            }
            Some(balance) => {
                let entry = map.entry(*number).or_default();
                entry.0 = *balance;
                if *value > 0 {
                    entry.1.insert(*slot, *value)
                } else {
                    entry.1.remove(slot)
                };
                let storage =
                    storage.update(nodes, [(key(*slot), storage_value(*value))]).expect("sound nodes");
                Some(account(*balance, &storage))
            }
        };
        trie = trie.update(nodes, [(key(*number), new)]).expect("sound nodes");
    }
    trie
}

fn count(trie: &Trie, nodes: &dyn NodeReader) -> usize {
    let entries: Result<Vec<_>, TrieError> = trie.iter(nodes, &[]).collect();
    entries.expect("all are there").len()
}

/// Everything in a trie is in the map, and nothing is read that is not there.
fn assert_holds(trie: &Trie, nodes: &dyn NodeReader, map: &Map) {
    assert_eq!(count(trie, nodes), map.len());
    for (number, (balance, slots)) in map {
        let value = trie.get(nodes, key(*number).as_slice()).expect("it is there").expect("it was put");
        let storage = value.storage().cloned().unwrap_or_default();
        assert_eq!(value, account(*balance, &storage));
        assert_eq!(count(&storage, nodes), slots.len());
        for (slot, expected) in slots {
            assert_eq!(
                storage.get(nodes, key(*slot).as_slice()).expect("it is there"),
                storage_value(*expected)
            );
        }
    }
}

fn next_place(nodes: &MemoryNodes) -> Loc {
    Loc(nodes.count() as u64 + 1)
}

/// Carries in slices of this many nodes; each slice is by a new [`Carry`] that goes on from the progress of the one before.
fn carry(trie: &Trie, base: &Trie, nodes: &MemoryNodes, young_from: Loc, slice: usize) -> Trie {
    let mut progress = Vec::new();
    let mut writer = nodes.clone();
    loop {
        let mut carry = match Carry::resume(trie, base, nodes, &progress).expect("sound nodes") {
            Some(carry) => carry,
            None => panic!("{progress:?} was its progress"),
        };
        let mut ground = Ground { reader: nodes, writer: &mut writer, young_from };
        if let Some(carried) = carry.step(&mut ground, slice).expect("sound nodes") {
            return carried;
        }
        progress = carry.progress();
    }
}

fn changes(most: usize) -> impl Strategy<Value = Vec<Change>> {
    let change = (0..24_u8, prop::option::weighted(0.8, any::<u8>()), 0..12_u8, 0..5_u8);
    prop::collection::vec(change, 0..most)
}

proptest! {
    #[test]
    fn what_was_carried_needs_no_old_place(
        first in changes(60), later in prop::collection::vec((changes(8), any::<bool>()), 0..6), slice in 1..40_usize,
    ) {
        let (mut nodes, mut map) = (MemoryNodes::new(), Map::new());
        let mut trie = change(&Trie::empty(), &mut map, &nodes, &first).flush(&mut nodes).expect("memory");
        let young_from = next_place(&nodes);
        let mut base = carry(&trie, &Trie::empty(), &nodes, young_from, slice);
        assert_holds(&base, &YoungPart(&nodes, young_from), &map);
        for (some, is_flushed) in &later {
            // The chain goes on from the state that names old places; memory is let go of at a flush.
            trie = change(&trie, &mut map, &nodes, some);
            if *is_flushed {
                trie = trie.flush(&mut nodes).expect("memory");
                base = carry(&trie, &base, &nodes, young_from, slice);
            } else {
                let written = nodes.count();
                let mut writer = nodes.clone();
                let mut ground = Ground { reader: &nodes.clone(), writer: &mut writer, young_from };
                let mut carry = Carry::begin(&trie, &base, &nodes).expect("sound nodes");
                base = carry.step(&mut ground, usize::MAX).expect("sound nodes").expect("as many as there are");
                assert!(nodes.count() - written <= 600, "only what a removal brought up is written");
            }
            prop_assert_eq!(base.root_hash(), trie.root_hash());
            assert_holds(&base, &YoungPart(&nodes, young_from), &map);
        }
        let flushed = base.flush(&mut nodes).expect("memory");
        assert_holds(&flushed, &YoungPart(&nodes, young_from), &map);
    }
}

#[test]
fn a_state_like_its_base_costs_nothing_and_a_changed_one_what_differs() {
    let (mut nodes, mut map) = (MemoryNodes::new(), Map::new());
    let all: Vec<Change> = (0..200).map(|number| (number, Some(1), 1, 1)).collect();
    let old = change(&Trie::empty(), &mut map, &nodes, &all).flush(&mut nodes).expect("memory");
    let young_from = next_place(&nodes);
    let young = carry(&old, &Trie::empty(), &nodes, young_from, usize::MAX);
    let full = nodes.count() as u64 - young_from.0;
    assert!(full >= 400, "200 accounts with a slot each: {full}");
    let before = nodes.count();
    assert_eq!(carry(&old, &young, &nodes, young_from, usize::MAX).loc(), young.loc());
    assert_eq!(nodes.count(), before);
    let next = change(&old, &mut map, &nodes, &[(7, Some(2), 1, 1)]).flush(&mut nodes).expect("memory");
    let before = nodes.count();
    carry(&next, &young, &nodes, young_from, usize::MAX);
    assert!(nodes.count() - before <= 4, "{} nodes for one path", nodes.count() - before);
}

#[test]
fn an_empty_trie_and_progress_of_another_one_are_seen() {
    let mut nodes = MemoryNodes::new();
    let young_from = Loc(1 << 48);
    assert_eq!(carry(&Trie::empty(), &Trie::empty(), &nodes, young_from, 1).root_hash(), EMPTY_ROOT_HASH);
    let trie = change(&Trie::empty(), &mut Map::new(), &nodes, &[(1, Some(1), 0, 0), (2, Some(2), 0, 0)]);
    let trie = trie.flush(&mut nodes).expect("memory");
    for progress in [vec![vec![Loc(5); 3]], vec![vec![Loc(5); 2], vec![]], vec![vec![]; 3]] {
        let resumed = Carry::resume(&trie, &Trie::empty(), &nodes, &progress).expect("sound nodes");
        assert!(resumed.is_none(), "{progress:?}");
    }
}

#[test]
fn a_writer_that_fails_can_be_asked_again() {
    struct Full<'a>(&'a mut MemoryNodes, u32);
    impl coc_trie::NodeWriter for Full<'_> {
        fn write(&mut self, record: &[u8]) -> Result<Loc, TrieError> {
            self.1 += 1;
            if self.1 % 2 == 1 { Err(TrieError::Storage("full".into())) } else { self.0.write(record) }
        }
    }
    let (mut nodes, mut map) = (MemoryNodes::new(), Map::new());
    let all: Vec<Change> = (0..30).map(|number| (number, Some(1), 1, 3)).collect();
    let trie = change(&Trie::empty(), &mut map, &nodes, &all).flush(&mut nodes).expect("memory");
    let young_from = next_place(&nodes);
    let mut carry = Carry::begin(&trie, &Trie::empty(), &nodes).expect("sound nodes");
    let (reader, mut place) = (nodes.clone(), nodes.clone());
    let mut writer = Full(&mut place, 0);
    let carried = loop {
        let mut ground = Ground { reader: &reader, writer: &mut writer, young_from };
        if let Ok(Some(carried)) = carry.step(&mut ground, 3) {
            break carried;
        }
    };
    assert_holds(&carried, &YoungPart(&nodes, young_from), &map);
}
