//! Records: accounts keep their storage through a flush, damage is refused, what was written is not written
//! again.

use alloy_primitives::{B256, keccak256};
use coc_trie::{
    Child, EMPTY_ROOT_HASH, Loc, MemoryNodes, Node, NodeKind, NodeWriter, Trie, TrieError, Value,
};
use proptest::prelude::*;

fn account_rlp(nonce: u8, storage_root: B256) -> Vec<u8> {
    let mut rlp = vec![0xf8, 68, nonce, 0x80, 0xa0];
    rlp.extend(storage_root);
    rlp.push(0xa0);
    rlp.extend(alloy_primitives::KECCAK256_EMPTY);
    rlp
}

fn key(index: u64) -> B256 {
    keccak256(index.to_be_bytes())
}

fn storage(slots: u64) -> Trie {
    let changes = (0..slots).map(|slot| (key(slot), Some(Value::new(vec![1 + slot as u8]))));
    Trie::empty().update(&MemoryNodes::new(), changes).expect("in memory")
}

fn state(accounts: u64) -> Trie {
    let changes = (0..accounts).map(|index| {
        let storage = storage(index % 4);
        (key(index), Some(Value::account(account_rlp(1, storage.root_hash()), storage)))
    });
    Trie::empty().update(&MemoryNodes::new(), changes).expect("in memory")
}

#[test]
fn an_account_brings_its_storage_back_from_the_store() {
    let mut nodes = MemoryNodes::new();
    let flushed = state(50).flush(&mut nodes).expect("memory takes all");
    let reopened = Trie::stored(flushed.root_hash(), flushed.loc().expect("not empty"));
    for index in 0..50 {
        let account = reopened.get(&nodes, key(index).as_slice()).expect("sound").expect("present");
        let storage = account.storage().cloned().unwrap_or_default();
        assert_eq!(account.rlp(), account_rlp(1, storage.root_hash()));
        for slot in 0..index % 4 {
            let value = storage.get(&nodes, key(slot).as_slice()).expect("sound").expect("present");
            assert_eq!(value.rlp(), [1 + slot as u8]);
        }
    }
}

#[test]
fn a_changed_account_keeps_the_storage_it_did_not_change() {
    let mut nodes = MemoryNodes::new();
    let flushed = state(10).flush(&mut nodes).expect("memory takes all");
    let old = flushed.get(&nodes, key(3).as_slice()).expect("sound").expect("present");
    let storage = old.storage().expect("three slots").clone();
    let richer = Value::account(account_rlp(2, storage.root_hash()), storage.clone());
    let written = nodes.count();
    let changed = flushed.update(&nodes, [(key(3), Some(richer))]).expect("sound");
    let changed = changed.flush(&mut nodes).expect("memory takes all");
    let new = changed.get(&nodes, key(3).as_slice()).expect("sound").expect("present");
    assert_eq!(new.storage().and_then(Trie::loc), storage.loc());
    assert!(nodes.count() - written <= 3, "the account and the branches above it");
}

#[test]
fn an_account_whose_storage_is_missing_or_another_is_not_flushed() {
    let mut nodes = MemoryNodes::new();
    let named = storage(3).root_hash();
    let without = Value::new(account_rlp(1, named));
    let trie = Trie::empty().update(&nodes, [(key(1), Some(without))]).expect("in memory");
    assert!(
        matches!(trie.flush(&mut nodes), Err(TrieError::StorageTrieMissing { named: root }) if root == named)
    );
    let other = Value::account(account_rlp(1, named), storage(2));
    let trie = Trie::empty().update(&nodes, [(key(1), Some(other))]).expect("in memory");
    assert!(matches!(trie.flush(&mut nodes), Err(TrieError::StorageRootMismatch { .. })));
    assert_eq!(nodes.count(), 0);
}

#[test]
fn a_second_flush_writes_nothing() {
    let mut nodes = MemoryNodes::new();
    let trie = state(100);
    let first = trie.flush(&mut nodes).expect("memory takes all");
    let written = nodes.count();
    let second = trie.flush(&mut nodes).expect("memory takes all");
    assert_eq!((nodes.count(), second.loc()), (written, first.loc()));
}

#[test]
fn an_account_near_the_top_lets_the_depth_of_its_storage_go() {
    let mut nodes = MemoryNodes::new();
    let storage = storage(200);
    let account = Value::account(account_rlp(1, storage.root_hash()), storage);
    let trie = Trie::empty().update(&nodes, [(key(1), Some(account))]).expect("in memory");
    trie.flush(&mut nodes).expect("memory takes all");
    let nothing = MemoryNodes::new();
    let slot_without_store = |trie: &Trie| {
        let account = trie.get(&nothing, key(1).as_slice()).expect("in memory").expect("present");
        account.storage().expect("200 slots").get(&nothing, key(7).as_slice())
    };
    assert_eq!(slot_without_store(&trie).expect("in memory"), Some(Value::new([8])));
    let shed = trie.shed_below(1);
    assert!(matches!(slot_without_store(&shed), Err(TrieError::Missing { .. })));
    let account = shed.get(&nodes, key(1).as_slice()).expect("sound").expect("present");
    let slot = account.storage().expect("200 slots").get(&nodes, key(7).as_slice());
    assert_eq!(slot.expect("sound"), Some(Value::new([8])));
}

/// Takes this many records and then is full.
struct Full {
    nodes: MemoryNodes,
    room: usize,
}

impl NodeWriter for Full {
    fn write(&mut self, record: &[u8]) -> Result<Loc, TrieError> {
        self.room = self.room.checked_sub(1).ok_or_else(|| TrieError::Storage("full".into()))?;
        self.nodes.write(record)
    }
}

#[test]
fn a_flush_that_failed_half_way_is_finished_by_the_next() {
    let trie = state(60);
    let mut whole = MemoryNodes::new();
    trie.flush(&mut whole).expect("memory takes all");
    let again = state(60);
    let mut full = Full { nodes: MemoryNodes::new(), room: 30 };
    assert!(matches!(again.flush(&mut full), Err(TrieError::Storage(_))));
    assert_eq!(again.loc(), None);
    full.room = usize::MAX;
    let flushed = again.flush(&mut full).expect("room again");
    assert_eq!(full.nodes.count(), whole.count());
    assert_eq!(flushed.iter(&full.nodes, &[]).filter(Result::is_ok).count(), 60);
}

#[test]
fn a_trie_from_another_store_is_missed_not_misread() {
    let nodes = MemoryNodes::new();
    let foreign = Trie::stored(key(1), Loc(77));
    assert!(matches!(foreign.get(&nodes, &[1]), Err(TrieError::Missing { loc: Loc(77), .. })));
    assert_eq!(foreign.iter(&nodes, &[]).count(), 1, "one error ends the entries");
}

#[test]
fn the_empty_trie_needs_no_store() {
    let nodes = MemoryNodes::new();
    let empty = Trie::stored(EMPTY_ROOT_HASH, Loc(0));
    assert!(empty.is_empty());
    assert_eq!(empty.get(&nodes, &[1]).expect("nothing to read"), None);
    assert_eq!(empty.flush(&mut MemoryNodes::new()).expect("nothing to write").root_hash(), EMPTY_ROOT_HASH);
}

#[test]
fn a_key_longer_than_a_hash_is_refused() {
    let nodes = MemoryNodes::new();
    let long = [1; 33];
    let error = TrieError::KeyTooLong { bytes: 33 }.to_string();
    let put = Trie::empty().update(&nodes, [(long, Some(Value::new(*b"x")))]);
    assert_eq!(put.expect_err("too long").to_string(), error);
    assert_eq!(Trie::empty().get(&nodes, &long).expect_err("too long").to_string(), error);
}

#[test]
fn a_record_that_names_the_storage_of_no_account_is_refused() {
    let leaf =
        Trie::empty().update(&MemoryNodes::new(), [(key(1), Some(Value::new([7; 40])))]).expect("in memory");
    let mut nodes = MemoryNodes::new();
    let loc = leaf.flush(&mut nodes).expect("memory takes all").loc().expect("not empty");
    let mut record = nodes.record(loc).expect("written");
    assert!(Node::decode_record(&record, &leaf.root_hash()).is_ok());
    record.extend(9_u64.to_le_bytes());
    assert!(matches!(Node::decode_record(&record, &leaf.root_hash()), Err(TrieError::Damaged { .. })));
}

/// A record of every shape, with the hash of its node.
fn records() -> Vec<(B256, Vec<u8>)> {
    let mut nodes = MemoryNodes::new();
    let prefixed =
        (0..4).map(|index| ([[0xab; 30].as_slice(), &[index, index]].concat(), Some(Value::new([9; 40]))));
    let extension = Trie::empty().update(&nodes, prefixed).expect("in memory");
    let roots = [extension, state(40)];
    for root in &roots {
        root.flush(&mut nodes).expect("memory takes all");
    }
    let records = (1..=nodes.count() as u64).filter_map(|place| nodes.record(Loc(place)));
    let encoding = |record: &[u8]| 4..4 + u32::from_le_bytes(record[..4].try_into().expect("four")) as usize;
    records.map(|record| (keccak256(&record[encoding(&record)]), record)).collect()
}

#[test]
fn records_of_every_shape_are_read_back_to_the_same_record() {
    let mut shapes = [false; 3];
    for (hash, record) in records() {
        let node = Node::decode_record(&record, &hash).expect("sound");
        assert_eq!((node.hash(), node.encode_record()), (hash, record));
        shapes[match node.kind() {
            NodeKind::Leaf { .. } => 0,
            NodeKind::Extension { child, .. } => {
                assert!(matches!(**child, Child::Stored { .. }));
                1
            }
            NodeKind::Branch { .. } => 2,
        }] = true;
    }
    assert_eq!(shapes, [true; 3]);
}

#[test]
fn a_record_cut_anywhere_or_with_a_tail_is_refused() {
    for (hash, record) in records() {
        for end in 0..record.len() {
            assert!(Node::decode_record(&record[..end], &hash).is_err(), "cut at {end}");
        }
        let longer = [record.as_slice(), &5_u64.to_le_bytes()].concat();
        assert!(Node::decode_record(&longer, &hash).is_err());
    }
}

proptest! {
    #[test]
    fn a_changed_byte_in_length_or_encoding_is_refused(
        which: prop::sample::Index,
        place: prop::sample::Index,
        flip in 1_u8..,
    ) {
        let records = records();
        let (hash, mut record) = which.get(&records).clone();
        let encoding_end = 4 + u32::from_le_bytes(record[..4].try_into().expect("four")) as usize;
        record[place.index(encoding_end)] ^= flip;
        let refused = matches!(Node::decode_record(&record, &hash), Err(TrieError::Damaged { .. }));
        prop_assert!(refused);
    }

    #[test]
    fn arbitrary_bytes_are_refused_without_a_panic(
        rlp in prop::collection::vec(any::<u8>(), 0..80),
        tail in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let record = [&(rlp.len() as u32).to_le_bytes()[..], &rlp, &tail].concat();
        let _ = Node::decode_record(&record, &keccak256(&rlp));
        let _ = Node::decode_record(&tail, &keccak256(&rlp));
    }
}
