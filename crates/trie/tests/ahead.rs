//! Many keys in one descent: the same answers as one by one, every stored node asked for once, and damage named.

use alloy_primitives::{B256, keccak256};
use coc_trie::{Loc, MemoryNodes, Node, NodeReader, NodesRead, Trie, TrieError, Value};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts what is asked from it.
struct Counting {
    nodes: MemoryNodes,
    reads: AtomicUsize,
}

impl Counting {
    fn over(nodes: MemoryNodes) -> Counting {
        Counting { nodes, reads: AtomicUsize::new(0) }
    }

    fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }
}

impl NodeReader for Counting {
    fn read(&self, loc: Loc, hash: &B256) -> Result<Arc<Node>, TrieError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.nodes.read(loc, hash)
    }
}

fn key(index: u64) -> B256 {
    keccak256(index.to_be_bytes())
}

fn put(keys: impl Iterator<Item = u64>, length: usize) -> impl Iterator<Item = (B256, Option<Value>)> {
    keys.map(move |index| (key(index), Some(Value::new(vec![index as u8 | 1; length]))))
}

/// A trie of keys 0 to `count`, flushed, so that only its root's place is in memory.
fn stored(count: u64) -> (Trie, MemoryNodes) {
    let mut nodes = MemoryNodes::new();
    let trie = Trie::empty().update(&nodes, put(0..count, 70)).expect("in memory");
    (trie.flush(&mut nodes).expect("memory takes all"), nodes)
}

/// Sorted keys, and the values that one descent finds for them.
fn get_many(trie: &Trie, reader: &dyn NodeReader, keys: &[Vec<u8>]) -> Vec<Option<Vec<u8>>> {
    let mut found = vec![None; keys.len()];
    let mut calls = 0;
    trie.get_many(reader, keys, |index, value| {
        calls += 1;
        found[index] = value.map(|value| value.rlp().to_vec());
    })
    .expect("sound nodes");
    assert_eq!(calls, keys.len(), "each key is answered once");
    found
}

proptest! {
    #[test]
    fn many_keys_have_the_values_that_they_have_one_by_one(
        flushed in proptest::collection::btree_map(proptest::collection::vec(0..4_u8, 1..5), 1..40_u8, 0..60),
        changed in proptest::collection::btree_map(proptest::collection::vec(0..4_u8, 1..5), 0..40_u8, 0..20),
        asked in proptest::collection::vec(proptest::collection::vec(0..4_u8, 0..6), 0..40),
    ) {
        let mut nodes = MemoryNodes::new();
        let change = |map: &BTreeMap<Vec<u8>, u8>| {
            map.iter().map(|(key, length)| (key.clone(), (*length > 0).then(|| Value::new(vec![7; *length as usize])))).collect::<Vec<_>>()
        };
        let trie = Trie::empty().update(&nodes, change(&flushed)).expect("in memory");
        let trie = trie.flush(&mut nodes).expect("memory takes all");
        let trie = trie.update(&nodes, change(&changed)).expect("sound nodes");
        let mut asked = asked;
        asked.sort();
        let one_by_one: Vec<_> = asked
            .iter()
            .map(|key| trie.get(&nodes, key).expect("sound nodes").map(|value| value.rlp().to_vec()))
            .collect();
        prop_assert_eq!(&get_many(&trie, &nodes, &asked), &one_by_one);
        let mut read = NodesRead::default();
        for (key, expected) in asked.iter().zip(&one_by_one) {
            let value = read.get(&trie, &nodes, key).expect("sound nodes");
            prop_assert_eq!(&value.map(|value| value.rlp().to_vec()), expected);
        }
    }
}

#[test]
fn an_update_through_the_nodes_read_asks_for_none_of_them_again() {
    let (trie, nodes) = stored(5_000);
    let reader = Counting::over(nodes.clone());
    let mut keys: Vec<B256> = (0..5_000).step_by(7).map(key).collect();
    keys.sort();
    let mut read = NodesRead::default();
    read.extend(trie.get_many(&reader, &keys, |_, value| assert!(value.is_some())).expect("sound nodes"));
    let asked = reader.reads();
    let changes = || put((0..5_000).step_by(7), 60);
    let through = trie.update(&read.before(&reader), changes()).expect("sound nodes");
    assert_eq!(reader.reads(), asked);
    assert_eq!(through.root_hash(), trie.update(&nodes, changes()).expect("sound nodes").root_hash());
}

#[test]
fn a_key_looked_up_again_is_answered_by_the_nodes_read() {
    let (trie, nodes) = stored(300);
    let reader = Counting::over(nodes);
    let mut read = NodesRead::default();
    let first = read.get(&trie, &reader, key(8).as_slice()).expect("sound nodes");
    let asked = reader.reads();
    assert!(asked > 1 && first.is_some());
    assert_eq!(read.get(&trie, &reader, key(8).as_slice()).expect("sound nodes"), first);
    assert_eq!(reader.reads(), asked);
}

#[test]
fn a_node_read_is_no_answer_for_another_hash_at_its_place() {
    let (trie, nodes) = stored(300);
    let (root, loc) = (trie.root_hash(), trie.loc().expect("flushed"));
    let mut read = NodesRead::default();
    read.get(&trie, &nodes, key(1).as_slice()).expect("sound nodes");
    let through = read.before(&nodes);
    assert!(through.read(loc, &root).is_ok());
    assert!(through.read(loc, &B256::repeat_byte(1)).is_err());
    assert!(through.read_many(&[(loc, root), (loc, B256::repeat_byte(1))]).is_err());
}

#[test]
fn records_checked_together_are_the_nodes_they_are_alone_and_a_damaged_one_is_named() {
    let (trie, nodes) = stored(400);
    let mut records = Vec::new();
    let mut ahead = vec![(trie.loc().expect("flushed"), trie.root_hash())];
    while let Some((loc, hash)) = ahead.pop() {
        records.push((nodes.record(loc).expect("written"), hash));
        if let coc_trie::NodeKind::Branch { children, .. } = nodes.read(loc, &hash).expect("sound").kind() {
            ahead.extend(children.iter().filter_map(|(_, child)| match child {
                coc_trie::Child::Stored { hash, loc } => Some((*loc, *hash)),
                _ => None,
            }));
        }
    }
    let together = |records: &[(Vec<u8>, B256)]| {
        let records: Vec<(&[u8], B256)> = records.iter().map(|(record, hash)| (&**record, *hash)).collect();
        Node::decode_records(&records)
    };
    let decoded = together(&records).expect("sound");
    assert_eq!(decoded.len(), records.len());
    for (node, (record, hash)) in decoded.iter().zip(&records) {
        assert_eq!(node.hash(), *hash);
        assert_eq!(node.encode_record(), *record);
    }
    for at in [0, 1, 7, 8, 100, records.len() - 1] {
        for byte in [0, 4, records[at].0.len() - 1] {
            let mut damaged = records.clone();
            damaged[at].0[byte] ^= 0x40;
            let alone = Node::decode_record(&damaged[at].0, &damaged[at].1);
            match together(&damaged) {
                Ok(nodes) => {
                    assert_eq!(nodes[at].encode_record(), alone.expect("as together").encode_record())
                }
                Err((index, error)) => {
                    assert_eq!(index, at);
                    assert_eq!(error.to_string(), alone.expect_err("as together").to_string());
                }
            }
        }
    }
}
