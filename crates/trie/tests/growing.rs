//! A trie grown from its leaves in key order is the trie of these leaves, wherever it settled or changed hands on the way.

use alloy_primitives::{B256, keccak256};
use alloy_rlp::Encodable as _;
use coc_trie::{GrowingTrie, MemoryNodes, NodeReader as _, NodeWriter, Trie, TrieError, Value};
use proptest::prelude::*;
use std::collections::BTreeMap;

type Map = BTreeMap<B256, Vec<u8>>;

fn key() -> impl Strategy<Value = B256> {
    let byte = prop::sample::select(vec![0x00_u8, 0x01, 0x10, 0x11, 0xff]);
    prop_oneof![
        2 => (byte.clone(), byte.clone(), byte).prop_map(|(first, middle, last)| {
            let mut key = B256::repeat_byte(middle);
            (key[0], key[31]) = (first, last);
            key
        }),
        1 => any::<u16>().prop_map(|seed| keccak256(seed.to_be_bytes())),
    ]
}

fn map() -> impl Strategy<Value = Map> {
    let value = prop_oneof![prop::collection::vec(1_u8.., 1..3), prop::collection::vec(1_u8.., 30..90)];
    prop::collection::btree_map(key(), value, 0..40)
}

fn updated(map: &Map) -> Trie {
    let changes = map.iter().map(|(key, value)| (*key, Some(Value::new(value))));
    Trie::empty().update(&MemoryNodes::new(), changes).expect("in memory")
}

/// Reads everything back from its place.
fn entries(nodes: &MemoryNodes, trie: &Trie) -> Map {
    let entries = trie.iter(nodes, &[]).map(|entry| entry.expect("sound nodes"));
    entries.map(|(key, value)| (B256::from_slice(&key), value.rlp().to_vec())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn it_is_the_trie_of_its_leaves_after_every_one(map in map()) {
        let (mut growing, mut so_far) = (GrowingTrie::default(), Map::new());
        for (key, value) in &map {
            growing.push(key, Value::new(value));
            so_far.insert(*key, value.clone());
            prop_assert_eq!(growing.trie().root_hash(), updated(&so_far).root_hash());
            prop_assert_eq!(growing.last_key(), Some(*key));
        }
    }

    #[test]
    fn it_goes_on_from_its_encoding_and_reads_the_same_from_the_nodes(
        map in map(),
        settled in prop::collection::vec(any::<bool>(), 40),
    ) {
        let (mut nodes, mut growing) = (MemoryNodes::new(), GrowingTrie::default());
        for ((key, value), settles) in map.iter().zip(settled) {
            growing.push(key, Value::new(value));
            if settles {
                growing.settle(&mut nodes).expect("memory takes all");
                growing = GrowingTrie::decode(&growing.encode()).expect("its own encoding");
            }
        }
        let stored = growing.trie().flush(&mut nodes).expect("memory takes all");
        prop_assert_eq!(stored.root_hash(), updated(&map).root_hash());
        prop_assert_eq!(entries(&nodes, &stored), map);
    }

    #[test]
    fn a_changed_encoding_is_never_a_panic(map in map(), place: prop::sample::Index, flip in 1_u8.., cut: prop::sample::Index) {
        let (mut nodes, mut growing) = (MemoryNodes::new(), GrowingTrie::default());
        map.iter().for_each(|(key, value)| growing.push(key, Value::new(value)));
        growing.settle(&mut nodes).expect("memory takes all");
        let encoded = growing.encode();
        prop_assume!(!encoded.is_empty());
        let shorter = cut.index(encoded.len());
        if let Some(other) = GrowingTrie::decode(&encoded[..shorter]) {
            prop_assert_eq!(other.encode(), &encoded[..shorter]);
        }
        let mut changed = encoded;
        let place = place.index(changed.len());
        changed[place] ^= flip;
        if let Some(other) = GrowingTrie::decode(&changed) {
            prop_assert_eq!(other.encode(), changed);
        }
    }
}

#[test]
fn memory_does_not_grow_with_the_trie() {
    let (mut nodes, mut growing) = (MemoryNodes::new(), GrowingTrie::default());
    let mut keys: Vec<B256> = (0..20_000_u32).map(|index| keccak256(index.to_be_bytes())).collect();
    keys.sort_unstable();
    for key in &keys {
        growing.push(key, Value::new([7; 70]));
        if growing.unwritten() >= 500 {
            growing.settle(&mut nodes).expect("memory takes all");
            assert_eq!(growing.unwritten(), 0);
            assert!(growing.encode().len() < 6_000, "four levels of at most fifteen children");
        }
    }
    let changes = keys.iter().map(|key| (key, Some(Value::new([7; 70]))));
    let expected = Trie::empty().update(&MemoryNodes::new(), changes).expect("in memory");
    assert_eq!(growing.trie().root_hash(), expected.root_hash());
}

#[test]
fn an_account_keeps_its_storage_across_encodings() {
    let mut nodes = MemoryNodes::new();
    let slot = (keccak256([1]), Some(Value::new([5])));
    let storage =
        Trie::empty().update(&nodes, [slot]).expect("in memory").flush(&mut nodes).expect("written");
    let mut rlp = Vec::new();
    let (root, code) = (storage.root_hash(), keccak256([]));
    let fields: [&[u8]; 4] = [&[1], &[2], root.as_slice(), code.as_slice()];
    let payload_length = fields.iter().map(|field| field.length()).sum();
    alloy_rlp::Header { list: true, payload_length }.encode(&mut rlp);
    fields.iter().for_each(|field| field.encode(&mut rlp));
    let mut growing = GrowingTrie::default();
    growing.push(&B256::repeat_byte(1), Value::account(&rlp, storage.clone()));
    growing = GrowingTrie::decode(&growing.encode()).expect("its own encoding");
    growing.push(&B256::repeat_byte(2), Value::account(&rlp, storage.clone()));
    growing.settle(&mut nodes).expect("memory takes all");
    growing = GrowingTrie::decode(&growing.encode()).expect("its own encoding");
    let trie = growing.trie().flush(&mut nodes).expect("memory takes all");
    for key in [1, 2] {
        let account = trie.get(&nodes, &[key; 32]).expect("sound nodes").expect("there");
        let found = account.storage().expect("it has storage").get(&nodes, keccak256([1]).as_slice());
        assert_eq!(found.expect("sound nodes").map(|value| value.rlp().to_vec()), Some(vec![5]));
    }
    assert!(nodes.read(trie.loc().expect("written"), &trie.root_hash()).is_ok());
}

/// Takes some records and then no more, for a while.
struct Full<'a>(&'a mut MemoryNodes, usize);

impl NodeWriter for Full<'_> {
    fn write(&mut self, record: &[u8]) -> Result<coc_trie::Loc, TrieError> {
        if self.1 == 0 {
            return Err(TrieError::Storage("no space".into()));
        }
        self.1 -= 1;
        self.0.write(record)
    }
}

#[test]
fn a_writer_without_room_can_be_asked_again() {
    let map: Map = (0..600_u32).map(|index| (keccak256(index.to_be_bytes()), vec![9; 60])).collect();
    let (mut nodes, mut growing) = (MemoryNodes::new(), GrowingTrie::default());
    map.iter().for_each(|(key, value)| growing.push(key, Value::new(value)));
    let mut tries = 0;
    while growing.settle(&mut Full(&mut nodes, 100)).is_err() {
        tries += 1;
    }
    assert!(tries > 3);
    let stored = growing.trie().flush(&mut nodes).expect("memory takes all");
    assert_eq!((entries(&nodes, &stored), stored.root_hash()), (map.clone(), updated(&map).root_hash()));
    assert!(nodes.count() < 1_000, "nothing is written twice");
}

#[test]
#[should_panic(expected = "leaves are added in key order")]
fn a_key_that_does_not_lie_behind_the_last_is_a_defect() {
    let mut growing = GrowingTrie::default();
    growing.push(&B256::repeat_byte(2), Value::new([1]));
    growing.push(&B256::repeat_byte(2), Value::new([2]));
}
