//! Answers that are not what the certified block says, in every part that an answer has, are refused whole: SYNC-1, SYNC-8.

use crate::client::{Client, successor};
use crate::world::{BLOCKS, DATA, all_state, genesis, header, options, server};
use alloy_primitives::{B256, Bytes};
use coc_chain::chain::Chain;
use coc_chain::snapshot::payload::{
    StateRequest, Wish, decode_ranges, encode_codes, encode_hashes, encode_ranges,
};
use coc_chain::snapshot::{Begun, GainedRange, SnapshotBuilder, SnapshotError};
use coc_disk::{Dice, MemDisk};
use coc_store::{MemIndex, MemOptions};
use coc_trie::{LAST_KEY, LeafRange};
use std::sync::Arc;

/// A builder, and where it builds.
struct Place {
    builder: SnapshotBuilder,
    disk: Arc<MemDisk>,
    index: Arc<MemIndex>,
    target: B256,
}

fn place() -> Place {
    let target = server().shared.head().stored.hash;
    let (disk, index) = (Arc::new(MemDisk::new()), Arc::new(MemIndex::new(MemOptions::default())));
    let rlp = header(server(), &target);
    let begun = SnapshotBuilder::begin_on(&genesis("0x"), disk.clone(), index.clone(), &rlp, &options());
    let (builder, begun) = begun.expect("nothing there");
    assert_eq!(begun, Begun::Anew);
    Place { builder, disk, index, target }
}

fn accounts(block: B256, start: B256, end: B256, bytes_max: u64) -> StateRequest {
    StateRequest { block, bytes_max, wishes: vec![Wish { account: None, start, end }] }
}

fn ask(request: &StateRequest) -> Vec<LeafRange> {
    server().state_ranges(request).expect("readable")
}

fn refused(builder: &mut SnapshotBuilder, request: &StateRequest, answer: &[LeafRange]) -> String {
    let before = builder.stand();
    match builder.add_state(&request.encode(), &encode_ranges(answer).into()) {
        Err(SnapshotError::Refused(why)) => {
            assert_eq!(builder.stand(), before, "nothing of a refused answer is taken");
            why
        }
        other => panic!("not refused: {other:?}"),
    }
}

/// One way to lie about ranges; `false` where this answer offers nothing to lie about.
type Lie = fn(&mut Vec<LeafRange>, &mut Dice) -> bool;

const LIES: [(&str, Lie); 9] = [
    ("leaves one out", |ranges, dice| {
        let Some(range) = some_leaves(ranges, dice) else { return false };
        let index = dice.below(range.leaves.len() as u64) as usize;
        range.leaves.remove(index);
        true
    }),
    ("adds one", |ranges, dice| {
        let Some(range) = some_leaves(ranges, dice) else { return false };
        let index = dice.below(range.leaves.len() as u64) as usize;
        let (key, value) = range.leaves[index].clone();
        let new = successor(&key);
        if new == key || range.leaves.get(index + 1).is_some_and(|(next, _)| *next == new) {
            return false;
        }
        range.leaves.insert(index + 1, (new, value));
        true
    }),
    ("makes itself rich", |ranges, dice| {
        let Some(range) = some_leaves(ranges, dice) else { return false };
        let index = dice.below(range.leaves.len() as u64) as usize;
        let mut value = range.leaves[index].1.to_vec();
        let middle = value.len() / 2;
        value[middle] ^= 1;
        range.leaves[index].1 = value.into();
        true
    }),
    ("cuts the proof", |ranges, dice| some_proof(ranges, dice).is_some_and(|proof| proof.pop().is_some())),
    ("adds to the proof", |ranges, dice| {
        let Some(proof) = some_proof(ranges, dice) else { return false };
        proof.push(proof[0].clone());
        true
    }),
    ("flips a bit of the proof", |ranges, dice| {
        let Some(proof) = some_proof(ranges, dice) else { return false };
        let mut node = proof[0].to_vec();
        node[dice.below(proof[0].len() as u64) as usize] ^= 4;
        proof[0] = node.into();
        true
    }),
    ("swaps two ranges", |ranges, _| {
        let count = ranges.len();
        let differ = count > 1 && ranges[0] != ranges[count - 1];
        if differ {
            ranges.swap(0, count - 1);
        }
        differ
    }),
    ("claims to reach further", |ranges, dice| {
        let Some(range) = some_leaves(ranges, dice).filter(|range| range.end != LAST_KEY) else {
            return false;
        };
        range.end = LAST_KEY;
        true
    }),
    ("repeats itself", |ranges, _| {
        ranges.extend(ranges.clone());
        true
    }),
];

fn some_leaves<'a>(ranges: &'a mut [LeafRange], dice: &mut Dice) -> Option<&'a mut LeafRange> {
    let index = dice.below(ranges.len() as u64) as usize;
    Some(&mut ranges[index]).filter(|range| !range.leaves.is_empty())
}

fn some_proof<'a>(ranges: &'a mut [LeafRange], dice: &mut Dice) -> Option<&'a mut Vec<Bytes>> {
    let index = dice.below(ranges.len() as u64) as usize;
    Some(&mut ranges[index].proof).filter(|proof| !proof.is_empty())
}

#[test]
fn every_lie_about_ranges_is_refused_and_the_truth_taken_afterwards() {
    let Place { builder, disk, index, target } = place();
    let (mut client, mut dice) = (Client::new(builder, 3, 6_000), Dice::new(9));
    let mut told = [0; LIES.len()];
    let mut rounds = 0;
    while client.builder.stand().next.is_some() {
        rounds += 1;
        let (request, answer) = client.question(server());
        if request.wishes.is_empty() {
            client.step(server()).expect("codes are still to come");
            continue;
        }
        let sound = decode_ranges(&answer).expect("our own encoding");
        for (index, (_, lie)) in LIES.iter().enumerate() {
            let mut ranges = sound.clone();
            if lie(&mut ranges, &mut dice) && ranges != sound {
                refused(&mut client.builder, &request, &ranges);
                told[index] += 1;
            }
        }
        let gained = client.builder.add_state(&request.encode(), &answer).expect("the truth is taken");
        client.follow(&request, gained);
        while client.builder.stand().next.is_some() && rounds % 7 == 0 && dice.one_in(3) {
            client.step(server()).expect("honest answers are taken");
        }
    }
    client.run(server());
    for (count, (name, _)) in told.iter().zip(LIES) {
        assert!(*count > 10, "it {name} {count} times");
    }
    client.builder.finish(Bytes::new()).expect("complete");
    let (chain, _) = Chain::open_on(&genesis("0x"), disk, index, &options()).expect("a chain");
    assert_eq!(all_state(&chain, &target), all_state(server(), &target));
}

#[test]
fn an_answer_from_another_state_of_the_same_chain_is_refused() {
    let Place { mut builder, target, .. } = place();
    let older = server().shared.canonical(BLOCKS - 3).expect("readable").expect("there");
    let request = accounts(target, B256::ZERO, LAST_KEY, 20_000);
    refused(&mut builder, &request, &ask(&accounts(older, B256::ZERO, LAST_KEY, 20_000)));
}

#[test]
fn an_empty_answer_and_one_that_stops_early_are_refused() {
    let Place { mut builder, target, .. } = place();
    let request = accounts(target, B256::ZERO, LAST_KEY, 20_000);
    refused(&mut builder, &request, &[]);
    let drip = ask(&accounts(target, B256::ZERO, LAST_KEY, 100));
    assert!(refused(&mut builder, &request, &drip).contains("stops before"));
    let mut nothing = ask(&accounts(target, B256::ZERO, B256::with_last_byte(1), 100));
    assert!(nothing[0].leaves.is_empty());
    assert!(refused(&mut builder, &request, &nothing).contains("before its end"));
    nothing[0].end = LAST_KEY;
    refused(&mut builder, &request, &nothing);
}

#[test]
fn bytes_that_are_no_ranges_are_refused_and_never_a_panic() {
    let Place { mut builder, target, .. } = place();
    let request = accounts(target, B256::ZERO, LAST_KEY, 5_000);
    let sound = encode_ranges(&ask(&request));
    let mut dice = Dice::new(4);
    for _ in 0..400 {
        let mut bytes = sound.clone();
        let place = dice.below(bytes.len() as u64) as usize;
        if dice.one_in(3) {
            bytes.truncate(place);
        } else {
            bytes[place] ^= 1 << dice.below(8);
        }
        let taken = builder.add_state(&request.encode(), &bytes.into());
        assert!(matches!(taken, Err(SnapshotError::Refused(_))), "{taken:?}");
    }
    assert!(builder.add_state(&request.encode(), &sound.into()).is_ok());
}

#[test]
fn what_nothing_waits_for_is_not_the_peers_fault() {
    let Place { mut builder, target, .. } = place();
    let answer: Bytes = encode_ranges(&ask(&accounts(target, B256::ZERO, LAST_KEY, 5_000))).into();
    let other = accounts(B256::repeat_byte(9), B256::ZERO, LAST_KEY, 5_000);
    for request in [other.encode(), b"nonsense".to_vec()] {
        assert!(matches!(builder.add_state(&request, &answer), Err(SnapshotError::NotWanted(_))));
    }
    let mut storage = accounts(target, B256::ZERO, LAST_KEY, 5_000);
    storage.wishes[0].account = Some(B256::repeat_byte(1));
    let gained = builder.add_state(&storage.encode(), &answer).expect("a storage that is complete already");
    assert_eq!(gained.ranges, [GainedRange { end: LAST_KEY, ..GainedRange::default() }]);
    assert_eq!(builder.stand().next, Some(B256::ZERO), "and nothing of it was looked at");
}

#[test]
fn a_code_with_another_hash_is_refused_and_one_that_is_missing_is_asked_for_again() {
    let Place { mut builder, target, .. } = place();
    let request = accounts(target, B256::ZERO, LAST_KEY, 1 << 20);
    let gained = builder.add_state(&request.encode(), &encode_ranges(&ask(&request)).into()).expect("sound");
    let codes = &gained.ranges[0].codes;
    assert!(codes.len() > 5);
    let mut answer = server().codes_of(codes).expect("readable");
    let asked = encode_hashes(codes);
    let mut lie = answer.clone();
    lie[2] = Bytes::from_static(b"another code");
    let refused = builder.add_codes(&asked, &encode_codes(&lie).into());
    assert!(matches!(refused, Err(SnapshotError::Refused(_))));
    assert_eq!(builder.stand().counts.codes, 0, "nothing of a refused answer is taken");
    answer[3] = Bytes::new();
    answer.truncate(5);
    let missing = builder.add_codes(&asked, &encode_codes(&answer).into()).expect("what there is, is taken");
    let expected: Vec<B256> = [&codes[3..4], &codes[5..]].concat();
    assert_eq!(missing, expected);
    let too_many = encode_codes(&vec![Bytes::new(); codes.len() + 1]);
    assert!(matches!(builder.add_codes(&asked, &too_many.into()), Err(SnapshotError::Refused(_))));
}

#[test]
fn surroundings_with_anything_changed_are_refused() {
    let Place { mut builder, target, .. } = place();
    let sound = server().surroundings_of(&target).expect("readable").expect("known");
    let mut refuse = |what: &str, bytes: Vec<u8>| {
        let taken = builder.add_surroundings(&bytes.into());
        assert!(matches!(taken, Err(SnapshotError::Refused(_))), "{what}: {taken:?}");
    };
    let mut lie = sound.clone();
    lie.headers.remove(0);
    refuse("a header too few", lie.encode());
    let mut lie = sound.clone();
    lie.headers[100].gas_used += 1;
    refuse("a header changed", lie.encode());
    let mut lie = sound.clone();
    lie.block.header.gas_used += 1;
    refuse("another block", lie.encode());
    let mut lie = sound.clone();
    lie.block.body.transactions.pop();
    refuse("a transaction too few", lie.encode());
    let mut lie = sound.clone();
    lie.receipts[0].cumulative_gas_used += 1;
    refuse("a receipt changed", lie.encode());
    let mut lie = sound.clone();
    lie.receipts.pop();
    refuse("a receipt too few", lie.encode());
    let mut lie = sound.clone();
    let mut data = DATA.to_vec();
    data[1] = 0x01;
    lie.consensus_data = data.into();
    refuse("other consensus data", lie.encode());
    let older = server().shared.canonical(BLOCKS - 1).expect("readable").expect("there");
    refuse("those of another block", server().surroundings_of(&older).unwrap().unwrap().encode());
    refuse("half of them", sound.encode()[..1_000].to_vec());
    assert!(!builder.stand().has_surroundings);
    builder.add_surroundings(&sound.encode().into()).expect("the truth is taken");
    assert!(builder.stand().has_surroundings);
}

#[test]
fn a_block_that_is_not_known_has_no_state_and_no_surroundings_to_serve() {
    let unknown = B256::repeat_byte(3);
    assert!(ask(&accounts(unknown, B256::ZERO, LAST_KEY, 1_000)).is_empty());
    assert!(server().surroundings_of(&unknown).expect("readable").is_none());
    let codes = server().codes_of(&[unknown]).expect("readable");
    assert_eq!(codes, [Bytes::new()]);
}
