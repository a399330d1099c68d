//! Old states are given up and the newest stay; pins, readers and archives keep more; the disk stays bounded.

use crate::ledger::Ledger;
use crate::world::{build, check, genesis, options, read_all};
use alloy_primitives::{B256, Bytes};
use coc_chain::chain::Chain;
use coc_chain::error::ChainError;
use coc_chain::open::ChainOptions;
use coc_chain::pins::{PINS_MAX, SERVED_BLOCKS, SERVED_IDLE_BLOCKS, SERVED_MAX};
use coc_chain::pruning::Stage;
#[cfg(feature = "planted-faults")]
use coc_disk::planted::assert_caught;
use coc_disk::{Dice, FaultyDisk};
use coc_store::{MemIndex, MemOptions, generation_of};
use std::sync::Arc;

const STATES_KEPT: u64 = 10;
/// Nodes carried at a call.
const SLICE_NODES: usize = 20;

/// A chain that grows, and what its states must be.
struct Grown {
    chain: Chain,
    disk: FaultyDisk,
    index: Arc<MemIndex>,
    options: ChainOptions,
    dice: Dice,
    /// Transactions of a block.
    transactions_max: u64,
    blocks: Vec<(B256, Ledger)>,
    /// Whether blocks are final when they are decided.
    finalizes: bool,
}

impl Grown {
    fn new(states_kept: Option<u64>) -> Grown {
        Grown::on(FaultyDisk::new(1), states_kept)
    }

    fn on(disk: FaultyDisk, states_kept: Option<u64>) -> Grown {
        let (disk, index) = (disk, Arc::new(MemIndex::new(MemOptions::default())));
        let options = ChainOptions { states_kept, copy_from_bytes: 0, ..options() };
        let chain = open(&disk, &index, &options);
        let blocks = vec![(chain.shared.genesis_hash, Ledger::at_genesis())];
        let (dice, transactions_max) = (Dice::new(7), 6);
        Grown { chain, disk, index, options, dice, transactions_max, blocks, finalizes: true }
    }

    /// Adds blocks; after each the copier works for a slice.
    fn grow(&mut self, count: usize) {
        for _ in 0..count {
            self.add_block();
            self.chain.copy_some(SLICE_NODES).expect("there is room");
        }
    }

    /// Adds a block and flushes it.
    fn add_block(&mut self) {
        let (parent, before) = self.blocks.last().expect("block 0").clone();
        let planned = before.plan_without_contracts(&mut self.dice, self.transactions_max);
        let mark = self.blocks.len() as u64;
        let (hash, after) = build(&self.chain, &parent, &planned, &before, mark).expect("it is valid");
        self.chain.decide(&hash, Bytes::new(), true).expect("there is room");
        self.chain.set_head(&hash).expect("it is decided");
        if self.finalizes {
            self.chain.set_finalized(&hash, &hash).expect("it is decided");
        }
        self.chain.flush().expect("there is room");
        self.blocks.push((hash, after));
    }

    /// Grows until the copier's next step is to drop files.
    fn grow_until_files_can_be_dropped(&mut self) {
        loop {
            self.add_block();
            let is_waiting = matches!(self.chain.shared.copier.lock().record.stage, Stage::Waiting { .. });
            if is_waiting && self.chain.copy_is_due().expect("the index can be read") {
                return;
            }
            self.chain.copy_some(SLICE_NODES).expect("there is room");
        }
    }

    /// Grows until a state was carried and the old files wait for their end.
    fn grow_until_files_wait(&mut self) {
        while !matches!(self.chain.shared.copier.lock().record.stage, Stage::Waiting { .. }) {
            self.grow(1);
        }
    }

    fn reopen(&mut self) {
        self.chain.close().expect("there is room");
        self.chain = open(&self.disk, &self.index, &self.options);
    }

    /// How many of the newest states are there, each right value by value; the others are pruned.
    fn states(&self) -> usize {
        let is_there = |(hash, ledger): &&(B256, Ledger)| match self.chain.shared.state(hash) {
            Err(ChainError::Pruned(_)) => false,
            _ => ledger.verify(&self.chain, hash).map(|()| true).expect("the state is whole"),
        };
        self.blocks.iter().rev().take_while(is_there).count()
    }

    fn oldest_generation(&self) -> u16 {
        self.chain.shared.nodes.lengths()[0].generation
    }
}

fn open(disk: &FaultyDisk, index: &Arc<MemIndex>, options: &ChainOptions) -> Chain {
    Chain::open_on(&genesis("0x"), Arc::new(disk.clone()), index.clone(), options).expect("it opens").0
}

#[test]
fn the_newest_states_are_kept_and_older_ones_given_up_with_their_files() {
    let mut grown = Grown::new(Some(STATES_KEPT));
    for _ in 0..20 {
        grown.grow(10);
        assert!(grown.states() >= grown.blocks.len().min(STATES_KEPT as usize));
    }
    assert!(grown.oldest_generation() > 3, "{} generations went", grown.oldest_generation() - 1);
    assert!(grown.states() < grown.blocks.len() / 2, "{} states are there", grown.states());
    let (first, _) = grown.blocks[1];
    let refused = grown.chain.shared.state(&first).map(drop).expect_err("it is old").to_string();
    assert!(refused.contains("missing trie node") && refused.contains("--archive"), "{refused}");
    let before = grown.states();
    grown.reopen();
    assert_eq!(grown.states(), before);
    grown.grow(10);
    read_all(&grown.chain).expect("the head's state is whole");
}

/// A branch is left behind, a start knows its states by their rows alone, files are turned, and the head goes back to the branch.
fn go_back_to_a_branch_that_was_left_before_a_turn(seed: u64) {
    let mut grown = Grown::new(Some(STATES_KEPT));
    // Most accounts stay as they were for long: both branches name the same old nodes.
    (grown.dice, grown.finalizes, grown.transactions_max) = (Dice::new(seed), false, 1);
    (0..3).for_each(|_| grown.add_block());
    let branching = grown.blocks.len();
    let main = grown.blocks.clone();
    grown.add_block();
    let left = grown.blocks.split_off(branching).remove(0);
    (0..2).for_each(|_| grown.add_block());
    grown.reopen();
    grown.grow_until_files_wait();
    grown.chain.set_head(&left.0).expect("it is decided");
    grown.chain.flush().expect("there is room");
    grown.reopen();
    assert_eq!(grown.chain.shared.head().stored.hash, left.0);
    let generation = grown.oldest_generation();
    (grown.blocks, grown.finalizes) = (main, true);
    while grown.oldest_generation() == generation {
        grown.grow(1);
    }
    assert!(grown.states() >= STATES_KEPT as usize);
    read_all(&grown.chain).expect("the head's state is whole");
}

#[test]
fn a_block_on_a_branch_that_was_left_before_a_turn_stands_on_nothing_that_goes() {
    (0..20).for_each(go_back_to_a_branch_that_was_left_before_a_turn);
}

#[test]
fn node_files_stay_bounded_while_state_is_overwritten() {
    let (mut pruned, mut archive) = (Grown::new(Some(STATES_KEPT)), Grown::new(None));
    let mut most = [0; 2];
    for half in &mut most {
        for _ in 0..30 {
            pruned.grow(10);
            archive.grow(10);
            *half = pruned.chain.shared.nodes.bytes().max(*half);
        }
    }
    let all = archive.chain.shared.nodes.bytes();
    assert!(most[1] < all / 3, "{most:?} bytes at most, {all} with every state");
    assert!(most[1] < most[0] * 5 / 4, "they grow on: {most:?}");
    assert_eq!(archive.states(), archive.blocks.len(), "an archive keeps every state");
    assert_eq!(archive.oldest_generation(), 1);
}

#[test]
fn a_check_finds_a_pruned_chain_sound_at_every_stage() {
    let mut grown = Grown::new(Some(STATES_KEPT));
    let mut stages = [0; 3];
    for _ in 0..60 {
        grown.grow(1);
        stages[match grown.chain.shared.copier.lock().record.stage {
            Stage::Idle => 0,
            Stage::Copying(_) => 1,
            Stage::Waiting { .. } => 2,
        }] += 1;
        let report = check(&genesis("0x"), &grown.disk, grown.index.clone()).expect("it can be checked");
        assert!(report.findings.is_empty(), "{:?}", report.findings);
        assert!(report.states >= STATES_KEPT.min(grown.blocks.len() as u64));
    }
    assert!(stages.into_iter().all(|times| times > 0), "{stages:?}");
}

/// Loses power at each write of the step that drops files, and starts again: the newest states must be there.
fn power_losses_of_a_drop() -> Result<u32, String> {
    let mut lost = 0;
    for (seed, write) in (0..12).flat_map(|seed| (0..4).map(move |write| (seed, write))) {
        let mut grown = Grown::on(FaultyDisk::new(seed), Some(STATES_KEPT));
        grown.grow_until_files_can_be_dropped();
        grown.disk.cut_power_after(write);
        lost += u32::from(grown.chain.copy_some(SLICE_NODES).is_err());
        grown.disk.crash();
        let genesis = genesis("0x");
        let opened =
            Chain::open_on(&genesis, Arc::new(grown.disk.clone()), grown.index.clone(), &grown.options);
        grown.chain = opened.map_err(|error| error.to_string())?.0;
        if grown.states() < STATES_KEPT as usize {
            return Err(format!("{} states are left", grown.states()));
        }
    }
    Ok(lost)
}

#[test]
fn no_power_loss_while_files_are_dropped_takes_a_state_that_is_kept() {
    assert!(power_losses_of_a_drop().expect("all is kept") > 10);
}

#[cfg(feature = "planted-faults")]
#[test]
fn a_power_loss_catches_files_that_go_before_the_marker_says_so() {
    assert_caught("drop-before-marker", power_losses_of_a_drop);
}

/// Pins a state, lets the chain grow far beyond it, and reads it.
fn pinned_state_after_long() -> Result<Grown, String> {
    let mut grown = Grown::new(Some(STATES_KEPT));
    grown.grow(15);
    let (pinned, ledger) = grown.blocks[15].clone();
    grown.chain.pin_state(&pinned).map_err(|error| error.to_string())?;
    grown.grow(150);
    ledger.verify(&grown.chain, &pinned)?;
    Ok(grown)
}

#[test]
fn a_pinned_state_stays_until_it_is_unpinned_as_often() {
    let mut grown = pinned_state_after_long().expect("it is pinned");
    let (pinned, ledger) = grown.blocks[15].clone();
    grown.chain.pin_state(&pinned).expect("it is there");
    grown.chain.unpin_state(&pinned);
    grown.grow(150);
    ledger.verify(&grown.chain, &pinned).expect("one pin is left");
    grown.chain.unpin_state(&pinned);
    grown.chain.unpin_state(&pinned);
    grown.grow(150);
    assert!(matches!(grown.chain.shared.state(&pinned), Err(ChainError::Pruned(_))));
    assert!(matches!(grown.chain.pin_state(&pinned), Err(ChainError::Pruned(_))));
}

#[cfg(feature = "planted-faults")]
#[test]
fn a_read_of_a_pinned_state_catches_a_pin_that_is_ignored() {
    assert_caught("pin-ignored", || pinned_state_after_long().map(drop));
}

#[test]
fn states_after_the_final_block_stay_however_many_there_are() {
    let mut grown = Grown::new(Some(STATES_KEPT));
    grown.grow(15);
    let (last_final, ledger) = grown.blocks[15].clone();
    grown.finalizes = false;
    grown.grow(150);
    ledger.verify(&grown.chain, &last_final).expect("a branch may still be built on it");
    assert!(grown.states() >= 150, "and any of those after it may be the next to be built on");
    grown.finalizes = true;
    grown.grow(150);
    assert!(matches!(grown.chain.shared.state(&last_final), Err(ChainError::Pruned(_))));
}

#[test]
fn as_many_states_as_the_limit_says_can_be_pinned() {
    let mut grown = Grown::new(Some(STATES_KEPT));
    grown.grow(PINS_MAX + 1);
    let hashes: Vec<B256> = grown.blocks.iter().map(|(hash, _)| *hash).collect();
    let newest = &hashes[hashes.len() - PINS_MAX.min(STATES_KEPT as usize)..];
    newest.iter().for_each(|hash| grown.chain.pin_state(hash).expect("it is there"));
    grown.chain.pin_state(&newest[0]).expect("it is pinned already");
    assert!(matches!(grown.chain.pin_state(&B256::ZERO), Err(ChainError::UnknownBlock(_))));
}

#[test]
fn a_state_that_peers_fetch_stays_while_they_ask_but_not_for_ever() {
    let mut grown = Grown::new(Some(STATES_KEPT));
    grown.grow(15);
    let fetched = grown.blocks[15].clone();
    let mut asked_to = 0;
    let is_there = |grown: &Grown| grown.chain.shared.state(&fetched.0).is_ok();
    while is_there(&grown) && asked_to < SERVED_BLOCKS + 400 {
        grown.chain.note_served(&fetched.0, 15);
        grown.grow(100);
        asked_to = grown.blocks.len() as u64;
    }
    assert!((SERVED_BLOCKS..SERVED_BLOCKS + 400).contains(&asked_to), "given up at block {asked_to}");
    let (other, number) = (grown.blocks.last().expect("the head").0, grown.blocks.len() as u64 - 1);
    grown.chain.note_served(&other, number);
    grown.grow(SERVED_IDLE_BLOCKS as usize - 50);
    assert!(grown.chain.shared.state(&other).is_ok(), "a peer may still ask for it");
    grown.grow(200);
    assert!(matches!(grown.chain.shared.state(&other), Err(ChainError::Pruned(_))));
    let newest: Vec<B256> = grown.blocks.iter().rev().take(SERVED_MAX + 1).map(|(hash, _)| *hash).collect();
    newest.iter().for_each(|hash| grown.chain.note_served(hash, grown.blocks.len() as u64));
    grown.grow(200);
    let kept = newest.iter().filter(|hash| grown.chain.shared.state(hash).is_ok()).count();
    assert!(kept >= SERVED_MAX, "{kept} of those asked for last");
}

#[test]
fn who_reads_an_older_state_reads_it_to_its_end() {
    let mut grown = Grown::new(Some(STATES_KEPT));
    grown.grow(3);
    let (hash, _) = grown.blocks[3];
    let taken = grown.chain.shared.state(&hash).expect("it is the newest");
    let generation = generation_of(taken.accounts.loc().expect("it was flushed"));
    grown.grow(100);
    let entries: Result<Vec<_>, _> = taken.accounts.iter(&*taken.nodes, &[]).collect();
    assert!(entries.expect("all are there").len() > 5);
    assert!(grown.oldest_generation() <= generation, "files go when it is let go of");
    drop(taken);
    grown.grow(40);
    assert!(grown.oldest_generation() > generation);
}

#[test]
fn a_block_that_is_executed_twice_at_once_stays_decided() {
    let mut grown = Grown::new(None);
    let (parent, before) = grown.blocks[0].clone();
    let planned = before.plan_without_contracts(&mut grown.dice, 3);
    let (hash, after) = build(&grown.chain, &parent, &planned, &before, 1).expect("it is valid");
    let second = grown.chain.shared.tree.read().blocks[&hash].clone();
    grown.chain.decide(&hash, Bytes::new(), true).expect("there is room");
    grown.chain.shared.tree.write().add_candidate(second);
    grown.chain.set_head(&hash).expect("it is decided");
    grown.blocks.push((hash, after));
    grown.grow(2);
    grown.reopen();
    assert_eq!(grown.states(), 4);
}
