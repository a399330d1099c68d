//! Crash campaigns on the faulty disk, and the proof that they bite.
//!
//! Without a feature the chain must pass. With one of the `mutant-…` features it has a one-line fault and the campaign must fail:
//! `cargo test -p coc-chain --features mutant-marker-before-nodes catches`, and so on. `COC_CRASH_RUNS` sets the number of seeds.

use crate::campaign::{Totals, crash_campaign, one_run};

/// Seeds of an ordinary run.
const RUNS_DEFAULT: u64 = 1_000;
/// Seeds within which every mutant must be caught.
const MUTANT_RUNS: u64 = 400;

/// Whether this build has a fault on purpose.
pub const IS_MUTANT: bool = cfg!(any(
    feature = "mutant-decide-without-fsync",
    feature = "mutant-visible-before-durable",
    feature = "mutant-marker-before-nodes",
    feature = "mutant-flush-last-root-only",
    feature = "mutant-canonical-in-a-later-batch",
    feature = "mutant-accept-torn",
    feature = "mutant-copy-unsynced",
    feature = "mutant-drop-at-once",
    feature = "mutant-turn-leaves-memory",
));

fn runs() -> u64 {
    std::env::var("COC_CRASH_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(RUNS_DEFAULT)
}

#[test]
fn every_decided_block_and_its_state_survive_crashes_full_disks_and_failed_syncs() {
    if IS_MUTANT {
        return;
    }
    let totals = crash_campaign(0..runs()).unwrap_or_else(|broken| panic!("{broken}"));
    println!("{totals:?}");
    // The campaign would prove nothing if its faults never happened.
    let met =
        [totals.torn_tails, totals.cut_nodes, totals.lost_blocks, totals.full_disks, totals.failed_syncs];
    assert!(met.into_iter().all(|count| count > runs() / 100), "too few faults: {totals:?}");
    let moved =
        [totals.power_cuts, totals.older_indexes, totals.replayed, totals.reorganisations, totals.flushes];
    assert!(moved.into_iter().all(|count| count > runs() / 10), "too little done: {totals:?}");
    let pruned = [totals.copied, totals.resumed_copies, totals.drops, totals.pruned_states];
    assert!(pruned.into_iter().all(|count| count > runs() / 50), "too little pruned: {totals:?}");
}

#[test]
fn equal_seeds_leave_equal_files() {
    for seed in 0..20 {
        assert!(one_run(seed, Totals::default()) == one_run(seed, Totals::default()), "seed {seed}");
    }
}

#[test]
fn the_campaign_catches_this_mutant() {
    if !IS_MUTANT {
        return;
    }
    // A panic in the campaign is an assertion of its model, and a catch as well.
    match std::panic::catch_unwind(|| crash_campaign(0..MUTANT_RUNS)) {
        Ok(Ok(totals)) => panic!("the mutant survived {MUTANT_RUNS} seeds: {totals:?}"),
        Ok(Err(broken)) => println!("caught: {broken}"),
        Err(_) => println!("caught by an assertion of the model"),
    }
}
