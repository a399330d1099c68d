//! Crash campaigns on the faulty disk, and the proof that they bite.
//!
//! Without a feature log and mark must pass. With one of the `mutant-…` features one of them has a one-line fault and its
//! campaign must fail: `cargo test -p coc-wal --features mutant-wal-without-fsync catches`, and so on.
//! `COC_CRASH_RUNS` sets the number of seeds, for nightly runs.

mod campaign;

use std::panic::catch_unwind;

use campaign::{log, mark};

/// Seeds of an ordinary run: some ten seconds without optimisation.
const RUNS_DEFAULT: u64 = 2_000;
/// Seeds within which every mutant must be caught.
const MUTANT_RUNS: u64 = 2_000;

/// Whether this build has a fault on purpose: in the log, in the mark.
const LOG_IS_MUTANT: bool = cfg!(any(
    feature = "mutant-wal-without-fsync",
    feature = "mutant-wal-torn-record-accepted",
    feature = "mutant-wal-unsynced-tail-trusted",
    feature = "mutant-wal-not-written-again",
    feature = "mutant-wal-predecessor-unchecked",
    feature = "mutant-wal-generation-taken-from-the-start"
));
const MARK_IS_MUTANT: bool = cfg!(feature = "mutant-mark-without-fsync");

fn runs() -> u64 {
    std::env::var("COC_CRASH_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(RUNS_DEFAULT)
}

#[test]
fn every_acknowledged_record_survives_crashes_full_disks_and_failed_syncs() {
    if LOG_IS_MUTANT {
        return;
    }
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
    if MARK_IS_MUTANT {
        return;
    }
    let totals = mark::campaign(0..runs()).unwrap_or_else(|broken| panic!("{broken}"));
    println!("{totals:?}");
    let met =
        [totals.power_cuts, totals.failed_syncs, totals.kept_unacknowledged, totals.lost_unacknowledged];
    assert!(met.into_iter().all(|count| count > runs() / 50), "too few faults: {totals:?}");
    assert!(totals.refused < runs() / 50, "refusing is for devices that failed: {totals:?}");
}

#[test]
fn equal_seeds_leave_equal_files() {
    if LOG_IS_MUTANT || MARK_IS_MUTANT {
        return;
    }
    for seed in 0..50 {
        assert_eq!(log::files_after(seed), log::files_after(seed), "seed {seed}");
        assert_eq!(mark::files_after(seed), mark::files_after(seed), "seed {seed}");
    }
}

#[test]
fn the_campaign_catches_this_mutant() {
    // A panic in a campaign is an assertion of its model, and a catch as well.
    let survives = |caught: std::thread::Result<Result<(), String>>| match caught {
        Ok(Ok(())) => panic!("the mutant survived {MUTANT_RUNS} seeds"),
        Ok(Err(broken)) => println!("caught: {broken}"),
        Err(_) => println!("caught by an assertion of the model"),
    };
    if LOG_IS_MUTANT {
        survives(catch_unwind(|| log::campaign(0..MUTANT_RUNS).map(|_| ())));
    }
    if MARK_IS_MUTANT {
        survives(catch_unwind(|| mark::campaign(0..MUTANT_RUNS).map(|_| ())));
    }
}
