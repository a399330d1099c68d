//! Whoever fetches: keeps what is still wanted, asks in an order that the dice choose, and follows up on what answers bring.

use alloy_primitives::{B256, Bytes, U256};
use coc_chain::chain::Chain;
use coc_chain::snapshot::payload::{
    StateRequest, Wish, decode_codes, encode_codes, encode_hashes, encode_ranges,
};
use coc_chain::snapshot::{Gained, SnapshotBuilder, SnapshotError};
use coc_disk::Dice;
use coc_trie::LAST_KEY;

/// Ranges that one request asks for.
const WISHES_MAX: usize = 8;
/// How many of the wishes that are first in line one may be chosen from.
const AHEAD: usize = 5;
/// Slices that the accounts are asked for in.
const SLICES: u64 = 24;

/// A fetch under way.
pub struct Client {
    pub builder: SnapshotBuilder,
    block: B256,
    wishes: Vec<Wish>,
    codes: Vec<B256>,
    bytes_max: u64,
    dice: Dice,
    /// Answers taken in.
    pub answers: u64,
}

impl Client {
    pub fn new(builder: SnapshotBuilder, seed: u64, bytes_max: u64) -> Client {
        let stand = builder.stand();
        let wishes = stand.next.map_or(Vec::new(), slices_from);
        let (block, dice) = (stand.block, Dice::new(seed));
        Client { builder, block, wishes, codes: Vec::new(), bytes_max, dice, answers: 0 }
    }

    /// Asks once, and takes in what the server says; whether there is more to ask.
    pub fn step(&mut self, server: &Chain) -> Result<bool, SnapshotError> {
        if !self.builder.stand().has_surroundings && self.dice.one_in(4) {
            let found = server.surroundings_of(&self.block).expect("readable").expect("known");
            self.builder.add_surroundings(&found.encode().into())?;
        } else if !self.codes.is_empty() && self.dice.one_in(2) {
            self.ask_codes(server)?;
        } else if !self.wishes.is_empty() {
            let (request, answer) = self.question(server);
            let gained = self.builder.add_state(&request.encode(), &answer)?;
            self.follow(&request, gained);
        }
        self.answers += 1;
        let is_done = self.wishes.is_empty() && self.codes.is_empty();
        Ok(!is_done || !self.builder.stand().has_surroundings)
    }

    /// Asks until nothing is missing.
    pub fn run(&mut self, server: &Chain) {
        while self.step(server).expect("honest answers are taken") {}
    }

    /// Some of what is wanted, and the answer to it.
    pub fn question(&mut self, server: &Chain) -> (StateRequest, Bytes) {
        let mut wishes = Vec::new();
        for _ in 0..=self.dice.below(WISHES_MAX as u64) {
            if !self.wishes.is_empty() {
                // Mostly those that others wait for, so that work is done in the order of the keys, by and large.
                let index = self.dice.below(self.wishes.len().min(AHEAD) as u64) as usize;
                wishes.push(self.wishes.remove(index));
            }
        }
        let request = StateRequest { block: self.block, bytes_max: self.bytes_max, wishes };
        let answer = encode_ranges(&server.state_ranges(&request).expect("readable"));
        (request, answer.into())
    }

    /// Notes what an answer has left to be asked for.
    pub fn follow(&mut self, request: &StateRequest, gained: Gained) {
        let mut news: Vec<Wish> = request.wishes.iter().skip(gained.ranges.len()).cloned().collect();
        for (wish, range) in request.wishes.iter().zip(gained.ranges) {
            if range.end < wish.end {
                news.push(Wish { start: successor(&range.end), ..wish.clone() });
            }
            let storages = range.storages.iter();
            news.extend(storages.map(|(account, start)| Wish {
                account: Some(*account),
                start: *start,
                end: LAST_KEY,
            }));
            self.codes.extend(range.codes);
        }
        self.wishes.splice(0..0, news);
    }

    fn ask_codes(&mut self, server: &Chain) -> Result<(), SnapshotError> {
        let hashes: Vec<B256> = self.codes.drain(..self.codes.len().min(3)).collect();
        let answer = encode_codes(&server.codes_of(&hashes).expect("readable"));
        assert_eq!(decode_codes(&answer.clone().into()).expect("its own encoding").len(), hashes.len());
        let missing = self.builder.add_codes(&encode_hashes(&hashes), &answer.into())?;
        assert!(missing.is_empty(), "an honest server has every code of its state");
        Ok(())
    }
}

fn slices_from(next: B256) -> Vec<Wish> {
    let width = U256::MAX / U256::from(SLICES);
    let mut wishes = Vec::new();
    let mut start = next;
    for slice in 1..=SLICES {
        let end = if slice == SLICES { LAST_KEY } else { (width * U256::from(slice)).into() };
        if end > start {
            wishes.push(Wish { account: None, start, end });
            start = successor(&end);
        }
    }
    wishes
}

/// The key after this one; the last has none, and is given back.
pub fn successor(key: &B256) -> B256 {
    if *key == LAST_KEY { LAST_KEY } else { (U256::from_be_bytes(key.0) + U256::ONE).into() }
}
