//! Crash campaigns on the faulty disk, and the proof that they bite.
//!
//! The log must pass. With a one-line fault planted in it the campaign must fail:
//! `cargo test -p coc-log --test crashes --features planted-faults catches`.
//! `COC_CRASH_RUNS` sets the number of seeds, for nightly runs.

mod campaign;

use campaign::crash_campaign;

/// Seeds of an ordinary run: under ten seconds without optimisation.
const RUNS_DEFAULT: u64 = 4_000;

fn runs() -> u64 {
    std::env::var("COC_CRASH_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(RUNS_DEFAULT)
}

#[test]
fn every_acknowledged_record_survives_crashes_full_disks_and_failed_syncs() {
    let totals = crash_campaign(0..runs()).unwrap_or_else(|broken| panic!("{broken}"));
    println!("{totals:?}");
    // The campaign would prove nothing if its faults never happened.
    let met = [totals.torn_tails, totals.lost_unsynced, totals.full_disks, totals.failed_syncs];
    assert!(met.into_iter().all(|count| count > runs() / 100), "too few faults: {totals:?}");
    let moved = [totals.power_cuts, totals.cuts_back, totals.drops];
    assert!(moved.into_iter().all(|count| count > runs() / 100), "too little done: {totals:?}");
}

#[test]
fn equal_seeds_give_equal_campaigns() {
    assert_eq!(crash_campaign(0..50), crash_campaign(0..50));
}

#[cfg(feature = "planted-faults")]
mod the_campaign_catches {
    use super::*;
    use coc_disk::planted::assert_caught;

    fn hunt(fault: &'static str) {
        assert_caught(fault, || crash_campaign(0..runs()));
    }

    #[test]
    fn a_log_that_is_never_synced() {
        hunt("no-fsync");
    }

    #[test]
    fn a_torn_record_that_is_accepted() {
        hunt("accept-torn");
    }

    #[test]
    fn a_folder_that_is_never_synced() {
        hunt("no-dir-sync");
    }

    #[test]
    fn an_append_after_a_failed_sync() {
        hunt("append-after-failed-sync");
    }

    #[test]
    fn a_tail_that_is_taken_for_synced() {
        hunt("trust-unsynced-tail");
    }
}
