//! Records of the log under damage: whatever the bytes, a block or a sentence, and no block in two spellings.

use alloy_primitives::{Address, B256, Bytes, Log, U256, hex, logs_bloom};
use coc_chain::record::StoredBlock;
use coc_evm::block::decode_block;
use coc_evm::types::{Outcome, Receipt};
use proptest::prelude::*;
use std::path::Path;

/// Blocks of every fork with transactions, as the kept vectors have them.
fn blocks() -> Vec<StoredBlock> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/blocktests");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the vectors are there").flatten() {
        let text = std::fs::read(entry.path()).expect("a vector is readable");
        let tests: serde_json::Value = serde_json::from_slice(&text).expect("a vector is JSON");
        let tests = tests.as_object().expect("a vector is an object");
        let blocks = tests.values().flat_map(|test| test["blocks"].as_array().expect("a list"));
        let rlps = blocks.filter_map(|block| hex::decode(block["rlp"].as_str()?).ok());
        let with_transactions = rlps.filter_map(|rlp| stored(&rlp)).filter(|block| !block.senders.is_empty());
        found.extend(with_transactions.take(1));
    }
    assert!(found.len() > 20, "most networks have a block with transactions");
    found
}

fn stored(rlp: &[u8]) -> Option<StoredBlock> {
    let block = decode_block(rlp).ok()?;
    let count = block.body.transactions.len();
    let receipt = |index: usize| {
        let topics = vec![B256::repeat_byte(7); index % 5];
        let logs =
            vec![Log::new(Address::repeat_byte(1), topics, Bytes::from(vec![index as u8; index % 40]))?];
        Some(Receipt {
            tx_type: 0,
            outcome: if index.is_multiple_of(2) {
                Outcome::Root(B256::repeat_byte(9))
            } else {
                Outcome::Status(true)
            },
            cumulative_gas_used: 21_000 * (index as u64 + 1),
            bloom: logs_bloom(&logs),
            logs,
            gas_used: 21_000,
            created: None,
        })
    };
    Some(StoredBlock {
        hash: block.header.hash_slow(),
        rlp_length: rlp.len(),
        senders: vec![Address::repeat_byte(2); count],
        receipts: (0..count).map(receipt).collect::<Option<_>>()?,
        consensus_data: Bytes::from_static(b"consensus data"),
        seal: Bytes::from_static(b"seal"),
        total_difficulty: U256::from(12_345_678),
        block,
    })
}

#[test]
fn a_record_of_every_fork_is_read_back_as_it_was() {
    for block in blocks() {
        let record = block.encode();
        let again = StoredBlock::decode(&record).expect("what was encoded decodes");
        assert_eq!(
            (again.hash, &again.block, again.rlp_length),
            (block.hash, &block.block, block.rlp_length)
        );
        assert_eq!((&again.senders, &again.seal), (&block.senders, &block.seal));
        assert_eq!(again.receipts.len(), block.receipts.len());
        assert_eq!(again.encode(), record);
    }
}

/// A change to some bytes of a record, at a place given as a part of its length.
#[derive(Clone, Debug)]
enum Damage {
    Flip(f64, u8),
    Cut(f64, usize),
    Insert(f64, Vec<u8>),
    Repeat(f64, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let place = 0.0..1.0;
    prop_oneof![
        (place.clone(), 1u8..).prop_map(|(at, mask)| Damage::Flip(at, mask)),
        (place.clone(), 1usize..200).prop_map(|(at, length)| Damage::Cut(at, length)),
        (place.clone(), prop::collection::vec(any::<u8>(), 1..60))
            .prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (place, 1usize..200).prop_map(|(at, length)| Damage::Repeat(at, length)),
    ]
}

fn suffer(record: &mut Vec<u8>, damage: &Damage) {
    if record.is_empty() {
        return;
    }
    let (Damage::Flip(at, _) | Damage::Cut(at, _) | Damage::Insert(at, _) | Damage::Repeat(at, _)) = damage;
    let at = (record.len() as f64 * at) as usize;
    let end = |length: usize| (at + length).min(record.len());
    match damage {
        Damage::Flip(_, mask) => record[at] ^= mask,
        Damage::Cut(_, length) => drop(record.drain(at..end(*length))),
        Damage::Insert(_, bytes) => drop(record.splice(at..at, bytes.iter().copied())),
        Damage::Repeat(_, length) => {
            let piece = record[at..end(*length)].to_vec();
            drop(record.splice(at..at, piece));
        }
    }
}

fn judge(record: &[u8]) -> Result<(), TestCaseError> {
    match StoredBlock::decode(record) {
        Ok(block) => prop_assert_eq!(block.encode(), record, "what decodes has no second spelling"),
        Err(reason) => prop_assert!(!reason.is_empty()),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_a_record_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        judge(&bytes)?;
    }

    #[test]
    fn a_damaged_record_is_another_record_or_refused(damages in prop::collection::vec(damage(), 1..4)) {
        for block in blocks() {
            let mut record = block.encode();
            damages.iter().for_each(|damage| suffer(&mut record, damage));
            judge(&record)?;
        }
    }
}
