//! Crash campaigns on the faulty disk, and the proof that they bite.
//!
//! Without a feature the log must pass. With one of the `mutant-…` features the log has a one-line fault and the
//! campaign must fail: `cargo test -p coc-log --test crashes --features mutant-no-fsync`, and so on.
//! `COC_CRASH_RUNS` sets the number of seeds, for nightly runs.

mod campaign;

use campaign::crash_campaign;

/// Seeds of an ordinary run: under ten seconds without optimisation.
const RUNS_DEFAULT: u64 = 4_000;

fn runs() -> u64 {
    std::env::var("COC_CRASH_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(RUNS_DEFAULT)
}

#[cfg(not(any(
    feature = "mutant-no-fsync",
    feature = "mutant-accept-torn",
    feature = "mutant-no-dir-sync",
    feature = "mutant-append-after-failed-sync",
    feature = "mutant-trust-unsynced-tail"
)))]
mod sound {
    use super::*;

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
}

#[cfg(any(
    feature = "mutant-no-fsync",
    feature = "mutant-accept-torn",
    feature = "mutant-no-dir-sync",
    feature = "mutant-append-after-failed-sync",
    feature = "mutant-trust-unsynced-tail"
))]
#[test]
fn the_campaign_catches_this_mutant() {
    // A panic in the campaign is an assertion of its model, and a catch as well.
    match std::panic::catch_unwind(|| crash_campaign(0..runs())) {
        Ok(Ok(totals)) => panic!("the mutant survived {} seeds: {totals:?}", runs()),
        Ok(Err(broken)) => println!("caught: {broken}"),
        Err(_) => println!("caught by an assertion of the model"),
    }
}
