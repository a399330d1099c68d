//! Crash campaigns on the faulty disk, and the proof that they bite.
//!
//! Log and mark must pass. With a one-line fault planted in one of them its campaign must fail:
//! `cargo test -p coc-wal --features planted-faults catches`.
//! `COC_CRASH_RUNS` sets the number of seeds, for nightly runs.

mod campaign;

use campaign::{log, mark};

/// Seeds of an ordinary run: some ten seconds without optimisation.
const RUNS_DEFAULT: u64 = 2_000;

fn runs() -> u64 {
    std::env::var("COC_CRASH_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(RUNS_DEFAULT)
}

#[test]
fn every_acknowledged_record_survives_crashes_full_disks_and_failed_syncs() {
    let totals = log::campaign(0..runs()).unwrap_or_else(|broken| panic!("{broken}"));
    println!("{totals:?}");
    // The campaign would prove nothing if its faults never happened.
    let met = [totals.torn_tails, totals.lost_unsynced, totals.full_disks, totals.failed_syncs];
    assert!(met.into_iter().all(|count| count > runs() / 50), "too few faults: {totals:?}");
    let moved = [totals.power_cuts, totals.heights, totals.lost_heights, totals.retries, totals.grown];
    assert!(moved.into_iter().all(|count| count > runs() / 50), "too little done: {totals:?}");
    assert!(totals.refused < runs() / 50, "refusing is for devices that failed: {totals:?}");
}

#[test]
fn the_mark_never_goes_back_whatever_is_cut_off_on_the_way() {
    let totals = mark::campaign(0..runs()).unwrap_or_else(|broken| panic!("{broken}"));
    println!("{totals:?}");
    let met =
        [totals.power_cuts, totals.failed_syncs, totals.kept_unacknowledged, totals.lost_unacknowledged];
    assert!(met.into_iter().all(|count| count > runs() / 50), "too few faults: {totals:?}");
    assert!(totals.refused < runs() / 50, "refusing is for devices that failed: {totals:?}");
}

#[test]
fn equal_seeds_leave_equal_files() {
    for seed in 0..50 {
        assert_eq!(log::files_after(seed), log::files_after(seed), "seed {seed}");
        assert_eq!(mark::files_after(seed), mark::files_after(seed), "seed {seed}");
    }
}

#[cfg(feature = "planted-faults")]
mod the_campaign_catches {
    use super::*;
    use coc_disk::planted::assert_caught;

    /// Seeds within which every fault must be caught.
    const FAULT_RUNS: u64 = 2_000;

    fn hunt(fault: &'static str) {
        assert_caught(fault, || log::campaign(0..FAULT_RUNS));
    }

    #[test]
    fn a_log_that_is_never_synced() {
        hunt("wal-without-fsync");
    }

    #[test]
    fn a_torn_record_that_is_accepted() {
        hunt("wal-torn-record-accepted");
    }

    #[test]
    fn a_tail_that_is_taken_for_synced() {
        hunt("wal-unsynced-tail-trusted");
    }

    #[test]
    fn records_that_are_not_written_again() {
        hunt("wal-not-written-again");
    }

    #[test]
    fn a_predecessor_that_is_not_looked_at() {
        hunt("wal-predecessor-unchecked");
    }

    #[test]
    fn a_generation_taken_from_the_start() {
        hunt("wal-generation-taken-from-the-start");
    }

    #[test]
    fn a_mark_that_is_never_synced() {
        assert_caught("mark-without-fsync", || mark::campaign(0..FAULT_RUNS));
    }
}
