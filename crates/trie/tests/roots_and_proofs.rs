//! Roots of lists and large tries against alloy-trie, and proofs that prove nothing.

use alloy_primitives::{B256, Bytes, keccak256};
use alloy_trie::{HashBuilder, Nibbles, root::ordered_trie_root_with_encoder};
use coc_trie::{EMPTY_ROOT_HASH, MemoryNodes, ProofError, Trie, Value, ordered_root, verify_proof};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn key(index: u64) -> B256 {
    keccak256(index.to_be_bytes())
}

fn trie(accounts: u64) -> Trie {
    let changes = (0..accounts).map(|index| (key(index), Some(Value::new(vec![index as u8 | 1; 70]))));
    Trie::empty().update(&MemoryNodes::new(), changes).expect("in memory")
}

#[test]
fn lists_of_every_length_across_the_key_widths_have_the_root_of_alloy_trie() {
    for len in [0, 1, 2, 16, 17, 127, 128, 129, 255, 256, 257, 600] {
        for size in [1, 40] {
            let items: Vec<Vec<u8>> = (0..len).map(|index| vec![1 + (index % 200) as u8; size]).collect();
            let expected = ordered_trie_root_with_encoder(&items, |item, out| out.extend_from_slice(item));
            assert_eq!(ordered_root(&items), expected, "{len} items of {size}");
        }
    }
}

#[test]
fn a_thousand_changes_at_once_have_the_root_of_alloy_trie() {
    let nodes = MemoryNodes::new();
    let mut map: BTreeMap<B256, Vec<u8>> = (0..3_000).map(|index| (key(index), vec![1; 70])).collect();
    let put = map.iter().map(|(key, value)| (*key, Some(Value::new(value.clone()))));
    let first = Trie::empty().update(&nodes, put).expect("in memory");
    let deleted = (0..1_000).map(|index| (key(index * 2), None));
    let changed = (2_500..3_500).map(|index| (key(index), Some(Value::new(vec![2; 40]))));
    let second = first.update(&nodes, deleted.chain(changed)).expect("in memory");
    assert_eq!(first.root_hash(), alloy_root(&map));
    (0..1_000).for_each(|index| drop(map.remove(&key(index * 2))));
    (2_500..3_500).for_each(|index| drop(map.insert(key(index), vec![2; 40])));
    assert_eq!(second.root_hash(), alloy_root(&map));
}

fn alloy_root(map: &BTreeMap<B256, Vec<u8>>) -> B256 {
    let mut builder = HashBuilder::default();
    map.iter().for_each(|(key, value)| builder.add_leaf(Nibbles::unpack(key), value));
    builder.root()
}

#[test]
fn many_tries_hashed_together_have_the_roots_they_have_alone() {
    let together: Vec<Trie> = (0..200).map(|size| trie(size % 40)).collect();
    let alone: Vec<B256> = (0..200).map(|size| trie(size % 40).root_hash()).collect();
    assert_eq!(Trie::root_hashes(&together), alone);
}

#[test]
fn one_thread_and_many_build_the_same_trie() {
    let roots = [1, 4].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| {
            let (nodes, first) = (MemoryNodes::new(), trie(5_000));
            let changes = (0..5_000).map(|index| (key(index), (index % 3 > 0).then(|| Value::new([7; 50]))));
            (first.root_hash(), first.update(&nodes, changes).expect("in memory").root_hash())
        })
    });
    assert_eq!(roots[0], roots[1]);
}

#[test]
fn alloy_trie_accepts_our_proofs_of_presence_and_absence() {
    let (nodes, trie) = (MemoryNodes::new(), trie(300));
    for index in 0..400 {
        let proof = trie.prove(&nodes, key(index).as_slice()).expect("in memory");
        let value = (index < 300).then(|| vec![index as u8 | 1; 70]);
        let verdict =
            alloy_trie::proof::verify_proof(trie.root_hash(), Nibbles::unpack(key(index)), value, &proof);
        assert_eq!(verdict, Ok(()), "key {index}");
    }
}

#[test]
fn an_empty_trie_is_proved_by_nothing() {
    assert_eq!(Trie::empty().prove(&MemoryNodes::new(), &[1]).expect("nothing to read"), Vec::<Bytes>::new());
    assert_eq!(verify_proof(EMPTY_ROOT_HASH, &[1], &[]), Ok(None));
    assert_eq!(verify_proof(EMPTY_ROOT_HASH, &[1], &[Bytes::from_static(&[0x80])]), Ok(None));
    assert_eq!(verify_proof(key(0), &[1], &[]), Err(ProofError::TooShort { given: 0 }));
}

#[test]
fn a_proof_with_a_node_missing_or_left_over_is_refused() {
    let trie = trie(300);
    let (root, proof) =
        (trie.root_hash(), trie.prove(&MemoryNodes::new(), key(5).as_slice()).expect("in memory"));
    let needed = proof.len();
    let verify = |proof: &[Bytes]| verify_proof(root, key(5).as_slice(), proof);
    assert_eq!(verify(&proof), Ok(Some(vec![5; 70])));
    assert_eq!(verify(&proof[..needed - 1]), Err(ProofError::TooShort { given: needed - 1 }));
    assert_eq!(verify(&proof[1..]), Err(ProofError::HashMismatch { index: 0 }));
    let longer = [proof.as_slice(), &proof[needed - 1..]].concat();
    assert_eq!(verify(&longer), Err(ProofError::TooLong { given: needed + 1, needed }));
    assert_eq!(verify_proof(root, &[0; 33], &proof), Err(ProofError::KeyTooLong { bytes: 33 }));
}

#[test]
fn a_node_that_hashes_well_but_is_no_node_is_refused() {
    let nonsense = Bytes::from(vec![0xc1; 40]);
    let verdict = verify_proof(keccak256(&nonsense), &[1], std::slice::from_ref(&nonsense));
    assert!(matches!(verdict, Err(ProofError::Malformed { index: 0, .. })));
}

proptest! {
    #[test]
    fn a_changed_byte_anywhere_in_a_proof_is_refused(
        index in 0_u64..400,
        node: prop::sample::Index,
        place: prop::sample::Index,
        flip in 1_u8..,
    ) {
        let trie = trie(300);
        let mut proof = trie.prove(&MemoryNodes::new(), key(index).as_slice()).expect("in memory");
        let node = node.index(proof.len());
        let mut bytes = proof[node].to_vec();
        bytes[place.index(proof[node].len())] ^= flip;
        proof[node] = bytes.into();
        let verdict = verify_proof(trie.root_hash(), key(index).as_slice(), &proof);
        prop_assert_eq!(verdict, Err(ProofError::HashMismatch { index: node }));
    }
}
