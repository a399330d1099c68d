//! `TrieTests` of ethereum/tests. `CONFORMANCE_DIR` names the folder that holds `ethereum-tests`.

use alloy_primitives::{B256, hex, keccak256};
use coc_trie::{MemoryNodes, Trie, Value};
use serde_json::Value as Json;
use std::path::PathBuf;

type Change = (Vec<u8>, Option<Vec<u8>>);

/// The file as JSON, or nothing (said aloud) where there are no fixtures.
fn fixture(file: &str) -> Option<Json> {
    let Some(folder) = std::env::var_os("CONFORMANCE_DIR") else {
        println!("skipped {file}: CONFORMANCE_DIR is not set");
        return None;
    };
    let path = PathBuf::from(folder).join("ethereum-tests/TrieTests").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(serde_json::from_str(&text).expect("JSON"))
}

fn bytes(text: &str) -> Vec<u8> {
    match text.strip_prefix("0x") {
        Some(digits) => hex::decode(digits).expect("hex"),
        None => text.as_bytes().to_vec(),
    }
}

fn changes(case: &Json) -> Vec<Change> {
    let change = |key: &str, value: &Json| (bytes(key), value.as_str().map(bytes));
    match &case["in"] {
        Json::Array(list) => {
            list.iter().map(|pair| change(pair[0].as_str().expect("a key"), &pair[1])).collect()
        }
        Json::Object(map) => map.iter().map(|(key, value)| change(key, value)).collect(),
        other => panic!("neither list nor map: {other}"),
    }
}

fn root(batches: &[Vec<Change>]) -> B256 {
    let nodes = MemoryNodes::new();
    let changes =
        |batch: &Vec<Change>| batch.clone().into_iter().map(|(key, value)| (key, value.map(Value::new)));
    let trie =
        batches.iter().fold(Trie::empty(), |trie, batch| trie.update(&nodes, changes(batch)).expect("fits"));
    trie.root_hash()
}

fn check_roots(file: &str, hash_keys: bool, any_order: bool) {
    let Some(cases) = fixture(file) else { return };
    let cases = cases.as_object().expect("cases by name");
    assert!(!cases.is_empty());
    for (name, case) in cases {
        let expected = B256::from_slice(&bytes(case["root"].as_str().expect("a root")));
        let mut changes = changes(case);
        if hash_keys {
            changes.iter_mut().for_each(|(key, _)| *key = keccak256(&key).to_vec());
        }
        let one_by_one: Vec<Vec<Change>> = changes.chunks(1).map(<[Change]>::to_vec).collect();
        assert_eq!(root(&one_by_one), expected, "{file}: {name}, one by one");
        assert_eq!(root(std::slice::from_ref(&changes)), expected, "{file}: {name}, at once");
        if any_order {
            let backwards: Vec<Vec<Change>> = one_by_one.into_iter().rev().collect();
            assert_eq!(root(&backwards), expected, "{file}: {name}, backwards");
        }
    }
    println!("{file}: {} cases", cases.len());
}

#[test]
fn plain_tries_in_the_order_given_have_the_official_roots() {
    check_roots("trietest.json", false, false);
}

#[test]
fn plain_tries_in_any_order_have_the_official_roots() {
    check_roots("trieanyorder.json", false, true);
}

#[test]
fn secure_tries_in_the_order_given_have_the_official_roots() {
    check_roots("trietest_secureTrie.json", true, false);
}

#[test]
fn secure_tries_in_any_order_have_the_official_roots() {
    check_roots("trieanyorder_secureTrie.json", true, true);
    check_roots("hex_encoded_securetrie_test.json", true, true);
}

#[test]
fn the_official_neighbours_of_a_key_are_found() {
    let Some(cases) = fixture("trietestnextprev.json") else { return };
    for (name, case) in cases.as_object().expect("cases by name") {
        let nodes = MemoryNodes::new();
        let keys = case["in"].as_array().expect("keys").iter().map(|key| bytes(key.as_str().expect("text")));
        let trie =
            Trie::empty().update(&nodes, keys.map(|key| (key, Some(Value::new(*b"value"))))).expect("fits");
        let neighbours = |key: &[u8]| {
            let all: Vec<Vec<u8>> = trie.iter(&nodes, &[]).map(|entry| entry.expect("in memory").0).collect();
            let previous = all.iter().rev().find(|other| other.as_slice() < key).cloned().unwrap_or_default();
            let after = [key, &[0]].concat();
            let next = trie.iter(&nodes, &after).next().map(|entry| entry.expect("in memory").0);
            (previous, next.unwrap_or_default())
        };
        for test in case["tests"].as_array().expect("tests") {
            let [key, previous, next] = [0, 1, 2].map(|column| bytes(test[column].as_str().expect("text")));
            assert_eq!(neighbours(&key), (previous, next), "{name}: {test}");
        }
    }
}
