//! Ranges of leaves: what is proved is exactly what the trie has between two keys, and nothing else can be proved.

mod reference;

use alloy_primitives::{B256, Bytes, keccak256};
use coc_trie::{
    EMPTY_ROOT_HASH, LAST_KEY, LeafRange, MemoryNodes, RangeError, Trie, TrieError, Value, verify_range,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

type Map = BTreeMap<B256, Vec<u8>>;

/// Keys that share long paths, lie at the ends, or are spread as hashes are.
fn key() -> impl Strategy<Value = B256> {
    let byte = prop::sample::select(vec![0x00_u8, 0x01, 0x10, 0x1f, 0x80, 0xf0, 0xff]);
    prop_oneof![
        3 => (byte.clone(), byte.clone(), byte.clone()).prop_map(|(first, middle, last)| {
            let mut key = B256::repeat_byte(middle);
            (key[0], key[31]) = (first, last);
            key
        }),
        3 => any::<u16>().prop_map(|seed| keccak256(seed.to_be_bytes())),
        1 => byte.prop_map(B256::repeat_byte),
    ]
}

/// Values that make nodes stand inside their parents, and values that make them hashed.
fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![prop::collection::vec(any::<u8>(), 1..3), prop::collection::vec(any::<u8>(), 30..90)]
}

fn map() -> impl Strategy<Value = Map> {
    prop::collection::btree_map(key(), value(), 0..24)
}

fn trie(map: &Map) -> (MemoryNodes, Trie) {
    let mut nodes = MemoryNodes::new();
    let changes = map.iter().map(|(key, value)| (*key, Some(Value::new(value))));
    let trie = Trie::empty().update(&nodes, changes).expect("in memory");
    let stored = trie.flush(&mut nodes).expect("memory takes all");
    let words = map.iter().map(|(key, value)| (key.to_vec(), value.clone())).collect();
    assert_eq!(stored.root_hash(), reference::root(&words));
    (nodes, stored)
}

fn leaves(map: &Map, start: B256, end: B256) -> Vec<(B256, Bytes)> {
    map.range(start..=end).map(|(key, value)| (*key, value.clone().into())).collect()
}

fn ordered(one: B256, other: B256) -> (B256, B256) {
    if one <= other { (one, other) } else { (other, one) }
}

proptest! {
    #[test]
    fn a_range_is_what_the_map_has_there_and_proves_itself(
        map in map(),
        one in key(),
        other in key(),
        bytes_max in 0_usize..2_000,
    ) {
        let ((nodes, trie), (start, end)) = (trie(&map), ordered(one, other));
        let range = trie.range(&nodes, &start, &end, bytes_max).expect("sound nodes");
        prop_assert_eq!(&range.leaves, &leaves(&map, start, range.end));
        let bytes: usize = range.leaves.iter().map(|(_, value)| 32 + value.len()).sum();
        prop_assert!(bytes <= bytes_max || range.leaves.len() == 1);
        if range.end < end {
            let next = map.range(range.end..).nth(1).map(|(_, value)| 32 + value.len());
            prop_assert!(next.is_some_and(|next| bytes + next > bytes_max), "it was cut for want of bytes");
        } else {
            prop_assert_eq!(range.end, end);
        }
        let has_more = map.keys().any(|key| *key > range.end);
        prop_assert_eq!(verify_range(trie.root_hash(), &start, &range), Ok(has_more));
    }

    #[test]
    fn ranges_one_after_the_other_give_the_whole_trie(map in map(), bytes_max in 0_usize..400) {
        let (nodes, trie) = trie(&map);
        let (mut found, mut start, mut has_more) = (Vec::new(), B256::ZERO, true);
        while has_more {
            let range = trie.range(&nodes, &start, &LAST_KEY, bytes_max).expect("sound nodes");
            has_more = verify_range(trie.root_hash(), &start, &range).expect("a proof");
            found.extend(range.leaves);
            start = if has_more { after(&range.end) } else { start };
        }
        prop_assert_eq!(found, leaves(&map, B256::ZERO, LAST_KEY));
    }

    #[test]
    fn a_leaf_left_out_is_found(map in map(), one in key(), other in key(), which: prop::sample::Index) {
        let ((nodes, trie), (start, end)) = (trie(&map), ordered(one, other));
        let mut range = trie.range(&nodes, &start, &end, usize::MAX).expect("sound nodes");
        prop_assume!(!range.leaves.is_empty());
        range.leaves.remove(which.index(range.leaves.len()));
        prop_assert_eq!(verify_range(trie.root_hash(), &start, &range), Err(RangeError::OtherLeaves));
    }

    #[test]
    fn a_leaf_added_is_found(map in map(), one in key(), other in key(), new in key(), value in value()) {
        let ((nodes, trie), (start, end)) = (trie(&map), ordered(one, other));
        prop_assume!(!map.contains_key(&new));
        let mut range = trie.range(&nodes, &start, &end, usize::MAX).expect("sound nodes");
        let place = range.leaves.partition_point(|(key, _)| *key < new);
        range.leaves.insert(place, (new, value.into()));
        let refused = verify_range(trie.root_hash(), &start, &range);
        if (start..=end).contains(&new) {
            prop_assert_eq!(refused, Err(RangeError::OtherLeaves));
        } else {
            prop_assert_eq!(refused, Err(RangeError::Outside { index: place }));
        }
    }

    #[test]
    fn a_changed_value_or_key_is_found(
        map in map(),
        one in key(),
        other in key(),
        which: prop::sample::Index,
        place in 0_usize..32,
        flip in 1_u8..,
    ) {
        let ((nodes, trie), (start, end)) = (trie(&map), ordered(one, other));
        let sound = trie.range(&nodes, &start, &end, usize::MAX).expect("sound nodes");
        prop_assume!(!sound.leaves.is_empty());
        let which = which.index(sound.leaves.len());
        let mut range = sound.clone();
        let mut value = range.leaves[which].1.to_vec();
        let at = place % value.len();
        value[at] ^= flip;
        range.leaves[which].1 = value.into();
        prop_assert_eq!(verify_range(trie.root_hash(), &start, &range), Err(RangeError::OtherLeaves));
        let mut range = sound;
        range.leaves[which].0[place] ^= flip;
        prop_assert!(verify_range(trie.root_hash(), &start, &range).is_err());
    }

    #[test]
    fn other_ends_than_those_proved_are_found(map in map(), one in key(), other in key(), end in key()) {
        let ((nodes, trie), (start, first)) = (trie(&map), ordered(one, other));
        let mut range = trie.range(&nodes, &start, &first, usize::MAX).expect("sound nodes");
        range.end = end;
        if end < start {
            prop_assert_eq!(verify_range(trie.root_hash(), &start, &range), Err(RangeError::Backwards));
            return Ok(());
        }
        let holds = leaves(&map, start, end) == range.leaves;
        if let Ok(has_more) = verify_range(trie.root_hash(), &start, &range) {
            prop_assert!(holds, "only a statement that is true is ever proved");
            prop_assert_eq!(has_more, map.keys().any(|key| *key > end));
        }
    }

    #[test]
    fn a_start_moved_over_a_leaf_is_found(map in map(), one in key(), other in key(), moved in key()) {
        let ((nodes, trie), (start, end)) = (trie(&map), ordered(one, other));
        let range = trie.range(&nodes, &start, &end, usize::MAX).expect("sound nodes");
        if moved <= end && verify_range(trie.root_hash(), &moved, &range).is_ok() {
            prop_assert_eq!(leaves(&map, moved, end), range.leaves);
        }
    }

    #[test]
    fn a_proof_that_is_cut_lengthened_or_out_of_order_is_refused(
        map in map(),
        one in key(),
        other in key(),
        which: prop::sample::Index,
        with: prop::sample::Index,
    ) {
        let ((nodes, trie), (start, end)) = (trie(&map), ordered(one, other));
        let sound = trie.range(&nodes, &start, &end, usize::MAX).expect("sound nodes");
        prop_assume!(!sound.proof.is_empty());
        let (which, with) = (which.index(sound.proof.len()), with.index(sound.proof.len()));
        let root = trie.root_hash();
        let mut cut = sound.clone();
        cut.proof.remove(which);
        prop_assert!(verify_range(root, &start, &cut).is_err());
        let mut longer = sound.clone();
        longer.proof.insert(which, sound.proof[with].clone());
        prop_assert!(verify_range(root, &start, &longer).is_err());
        let mut swapped = sound.clone();
        swapped.proof.swap(which, with);
        prop_assert_eq!(verify_range(root, &start, &swapped).is_ok(), swapped.proof == sound.proof);
    }

    #[test]
    fn a_changed_byte_of_a_proof_is_refused(
        map in map(),
        one in key(),
        other in key(),
        which: prop::sample::Index,
        place: prop::sample::Index,
        flip in 1_u8..,
    ) {
        let ((nodes, trie), (start, end)) = (trie(&map), ordered(one, other));
        let mut range = trie.range(&nodes, &start, &end, usize::MAX).expect("sound nodes");
        prop_assume!(!range.proof.is_empty());
        let which = which.index(range.proof.len());
        let mut node = range.proof[which].to_vec();
        let place = place.index(node.len());
        node[place] ^= flip;
        range.proof[which] = node.into();
        let refused = verify_range(trie.root_hash(), &start, &range);
        prop_assert_eq!(refused, Err(RangeError::HashMismatch { index: which }));
    }

    #[test]
    fn the_proof_of_another_trie_is_refused(map in map(), other in map(), one in key(), two in key()) {
        prop_assume!(map != other);
        let (start, end) = ordered(one, two);
        let ((nodes, trie), (_, foreign)) = (trie(&map), trie(&other));
        let range = trie.range(&nodes, &start, &end, usize::MAX).expect("sound nodes");
        let verdict = verify_range(foreign.root_hash(), &start, &range);
        prop_assert!(verdict.is_err(), "even where both tries have the same leaves there");
    }
}

fn after(key: &B256) -> B256 {
    (alloy_primitives::U256::from_be_bytes(key.0) + alloy_primitives::U256::from(1)).into()
}

fn thousand() -> Map {
    (0..1_000_u32).map(|index| (keccak256(index.to_be_bytes()), vec![1 + (index % 200) as u8; 70])).collect()
}

#[test]
fn the_whole_trie_needs_no_proof() {
    let (nodes, trie) = trie(&thousand());
    let range = trie.range(&nodes, &B256::ZERO, &LAST_KEY, usize::MAX).expect("sound nodes");
    assert_eq!((range.leaves.len(), range.proof.len()), (1_000, 0));
    assert_eq!(verify_range(trie.root_hash(), &B256::ZERO, &range), Ok(false));
}

#[test]
fn the_empty_trie_has_an_empty_range_and_no_proof() {
    let (nodes, start) = (MemoryNodes::new(), keccak256([1]));
    let range = Trie::empty().range(&nodes, &start, &LAST_KEY, 100).expect("nothing to read");
    assert_eq!(range, LeafRange { end: LAST_KEY, ..LeafRange::default() });
    assert_eq!(verify_range(EMPTY_ROOT_HASH, &start, &range), Ok(false));
    assert_eq!(
        verify_range(keccak256([2]), &start, &range),
        Err(RangeError::ProofTooShort { given: 0 }),
        "an empty answer proves nothing of another trie"
    );
}

#[test]
fn one_key_alone_is_a_range_whether_it_is_there_or_not() {
    let (map, (nodes, trie)) = (thousand(), trie(&thousand()));
    for (key, count) in [(*map.keys().nth(500).expect("many"), 1), (keccak256([9; 9]), 0)] {
        let range = trie.range(&nodes, &key, &key, 0).expect("sound nodes");
        assert_eq!((range.leaves.len(), range.end), (count, key));
        assert_eq!(verify_range(trie.root_hash(), &key, &range), Ok(true));
    }
}

#[test]
fn behind_the_last_key_there_is_nothing_and_that_can_be_proved() {
    let (map, (nodes, trie)) = (thousand(), trie(&thousand()));
    let start = after(map.last_key_value().expect("many").0);
    let range = trie.range(&nodes, &start, &LAST_KEY, 1_000).expect("sound nodes");
    assert!(range.leaves.is_empty() && !range.proof.is_empty());
    assert_eq!(verify_range(trie.root_hash(), &start, &range), Ok(false));
}

#[test]
fn leaves_out_of_order_twice_or_empty_are_named() {
    let (nodes, trie) = trie(&thousand());
    let (root, start) = (trie.root_hash(), B256::ZERO);
    let sound = trie.range(&nodes, &start, &LAST_KEY, usize::MAX).expect("sound nodes");
    let mut swapped = sound.clone();
    swapped.leaves.swap(3, 4);
    assert_eq!(verify_range(root, &start, &swapped), Err(RangeError::Unordered { index: 4 }));
    let mut twice = sound.clone();
    twice.leaves.insert(7, sound.leaves[6].clone());
    assert_eq!(verify_range(root, &start, &twice), Err(RangeError::Unordered { index: 7 }));
    let mut empty = sound;
    empty.leaves[5].1 = Bytes::new();
    assert_eq!(verify_range(root, &start, &empty), Err(RangeError::NoValue { index: 5 }));
}

#[test]
fn a_proof_is_as_short_as_two_paths() {
    let (nodes, trie) = trie(&thousand());
    let range = trie.range(&nodes, &keccak256([1]), &keccak256([2]), 5_000).expect("sound nodes");
    assert!(range.leaves.len() > 40);
    assert!(range.proof.len() <= 2 * 4, "{} nodes", range.proof.len());
}

#[test]
fn a_trie_whose_keys_are_no_hashes_has_no_ranges() {
    let nodes = MemoryNodes::new();
    let short = Trie::empty().update(&nodes, [(b"dog", Some(Value::new(b"puppy")))]).expect("in memory");
    let refused = short.range(&nodes, &B256::ZERO, &LAST_KEY, 100);
    assert!(matches!(refused, Err(TrieError::Damaged { what: "one of its keys is no hash", .. })));
}
