//! Crash campaigns on the faulty disk, and the proof that they bite.
//!
//! The chain must pass. With a one-line fault planted in it the campaign must fail:
//! `cargo test -p coc-chain --features planted-faults catches`. `COC_CRASH_RUNS` sets the number of seeds.

use crate::campaign::{Totals, crash_campaign, one_run};

/// Seeds of an ordinary run.
const RUNS_DEFAULT: u64 = 1_000;

fn runs() -> u64 {
    std::env::var("COC_CRASH_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(RUNS_DEFAULT)
}

#[test]
fn every_decided_block_and_its_state_survive_crashes_full_disks_and_failed_syncs() {
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

#[cfg(feature = "planted-faults")]
mod the_campaign_catches {
    use super::*;
    use coc_disk::planted::assert_caught;

    /// Seeds within which every fault must be caught.
    const FAULT_RUNS: u64 = 400;

    fn hunt(fault: &'static str) {
        assert_caught(fault, || crash_campaign(0..FAULT_RUNS));
    }

    #[test]
    fn a_decision_that_is_not_synced() {
        hunt("decide-without-fsync");
    }

    #[test]
    fn a_block_that_is_seen_before_it_is_durable() {
        hunt("visible-before-durable");
    }

    #[test]
    fn a_marker_written_before_its_nodes() {
        hunt("marker-before-nodes");
    }

    #[test]
    fn states_that_are_left_out_of_a_flush() {
        hunt("flush-last-root-only");
    }

    #[test]
    fn heights_written_in_a_later_batch() {
        hunt("canonical-in-a-later-batch");
    }

    #[test]
    fn a_torn_record_that_is_accepted() {
        hunt("accept-torn");
    }

    #[test]
    fn a_copy_that_is_not_synced() {
        hunt("copy-unsynced");
    }

    #[test]
    fn old_files_that_go_at_once() {
        hunt("drop-at-once");
    }

    #[test]
    fn a_turn_that_leaves_out_what_is_in_memory() {
        hunt("turn-leaves-memory");
    }
}
