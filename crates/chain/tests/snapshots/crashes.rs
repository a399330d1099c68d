//! Power losses and kills at any moment of a fetch (SYNC-7): what was saved is there again, what is half made is never taken for a
//! chain, and in the end all state is there.

use crate::client::Client;
use crate::world::{all_state, genesis, header, options, server};
use alloy_primitives::{B256, Bytes};
use coc_chain::chain::Chain;
use coc_chain::error::ChainError;
use coc_chain::snapshot::{Begun, Counts, SnapshotBuilder, SnapshotError};
use coc_disk::{Dice, FaultyDisk};
use coc_store::{MemIndex, MemOptions};
use std::sync::Arc;

const SEEDS: u64 = 20;
/// Changes of the disk in one life at most; a whole fetch makes some hundred.
const CHANGES_MAX: u64 = 90;

/// What the runs have met, so that the test can tell that they met enough.
#[derive(Default, Debug)]
struct Totals {
    lives: u64,
    resumed: u64,
    cuts_while_finishing: u64,
    failed_syncs: u64,
}

struct Run {
    dice: Dice,
    disk: FaultyDisk,
    index: Arc<MemIndex>,
    target: B256,
    rlp: Vec<u8>,
    /// What the last save that returned has promised.
    saved: Option<(Option<B256>, Counts)>,
}

fn how_it_ended(error: &SnapshotError) -> &ChainError {
    match error {
        SnapshotError::Chain(error) => error,
        other => panic!("an honest answer was not taken: {other}"),
    }
}

impl Run {
    fn new(seed: u64) -> Run {
        let mut dice = Dice::new(seed);
        let target = server().shared.head().stored.hash;
        let disk = FaultyDisk::new(dice.roll());
        let options = MemOptions { history_writes: 1 << 16, ..MemOptions::default() };
        let index = Arc::new(MemIndex::new(options));
        Run { dice, disk, index, target, rlp: header(server(), &target), saved: None }
    }

    fn begin(&self) -> Result<(SnapshotBuilder, Begun), ChainError> {
        let disk = Arc::new(self.disk.clone());
        SnapshotBuilder::begin_on(&genesis("0x"), disk, self.index.clone(), &self.rlp, &options())
    }

    /// One life of the machine; whether the snapshot was finished in it.
    fn live(&mut self, totals: &mut Totals) -> bool {
        totals.lives += 1;
        let syncs_fail = self.dice.one_in(8);
        if syncs_fail {
            self.disk.fail_syncs_one_in(10);
        } else if !self.dice.one_in(4) {
            self.disk.cut_power_after(self.dice.below(CHANGES_MAX));
        }
        let ended = self.work(totals);
        if ended.is_err() {
            totals.failed_syncs += u64::from(syncs_fail);
        }
        ended.is_ok_and(|is_finished| is_finished)
    }

    fn work(&mut self, totals: &mut Totals) -> Result<bool, ()> {
        let (builder, begun) = self.begin().map_err(|_| ())?;
        let stand = builder.stand();
        if let Some((next, counts)) = self.saved {
            totals.resumed += 1;
            assert_eq!(begun, Begun::Resumed, "what was saved is there");
            let reached = |next: Option<B256>| next.map_or((1, B256::ZERO), |next| (0, next));
            assert!(reached(stand.next) >= reached(next) && stand.counts.accounts >= counts.accounts);
        }
        let mut client = Client::new(builder, self.dice.roll(), 3_000);
        loop {
            let step = client.step(server());
            if let Err(error) = &step {
                how_it_ended(error);
                return Err(());
            }
            if self.dice.one_in(6) {
                client.builder.save().map_err(|_| ())?;
                let stand = client.builder.stand();
                self.saved = Some((stand.next, stand.counts));
            }
            if let Ok(false) = step {
                break;
            }
        }
        let finished = client.builder.finish(Bytes::new());
        if let Err(error) = &finished {
            how_it_ended(error);
            totals.cuts_while_finishing += 1;
            return Err(());
        }
        Ok(true)
    }

    fn end_life(&mut self) {
        self.disk.crash();
        self.disk.fail_syncs_one_in(0);
        let index = self.index.crashed_at(self.index.writes()).expect("the newest is kept");
        self.index = Arc::new(index);
    }

    fn open(&self) -> Result<Chain, ChainError> {
        let disk = Arc::new(self.disk.clone());
        Chain::open_on(&genesis("0x"), disk, self.index.clone(), &options()).map(|(chain, _)| chain)
    }

    fn run(&mut self, totals: &mut Totals) {
        loop {
            let is_finished = self.live(totals);
            self.end_life();
            match self.open() {
                Ok(chain) if chain.shared.head().number() > 0 => break,
                // Nothing of the snapshot had become durable: an empty folder is an empty folder.
                Ok(_) => assert!(self.saved.is_none() && !is_finished),
                Err(ChainError::SnapshotUnfinished { .. }) => assert!(!is_finished),
                Err(other) => panic!("a half made folder is told as that, not: {other}"),
            }
            self.end_life();
        }
        let chain = self.open().expect("as before");
        assert_eq!(chain.shared.head().stored.hash, self.target);
        assert_eq!(all_state(&chain, &self.target), all_state(server(), &self.target));
    }
}

#[test]
fn a_fetch_survives_power_losses_and_failed_syncs_at_any_moment() {
    let mut totals = Totals::default();
    for seed in 0..SEEDS {
        Run::new(seed).run(&mut totals);
    }
    assert!(totals.lives > 2 * SEEDS && totals.resumed > SEEDS / 2, "{totals:?}");
    assert!(totals.cuts_while_finishing > 0 && totals.failed_syncs > 0, "{totals:?}");
}

#[test]
fn every_moment_of_finishing_may_be_the_last() {
    let mut changes = 0;
    loop {
        let mut run = Run::new(100);
        let (builder, _) = run.begin().expect("nothing there");
        let mut client = Client::new(builder, 1, 200_000);
        client.run(server());
        client.builder.save().expect("room");
        run.disk.cut_power_after(changes);
        let finished = client.builder.finish(Bytes::new()).is_ok();
        run.end_life();
        match run.open() {
            Ok(chain) => assert_eq!(chain.shared.head().stored.hash, run.target),
            Err(ChainError::SnapshotUnfinished { .. }) => {
                assert!(!finished);
                let (builder, begun) = run.begin().expect("it goes on");
                let stand = builder.stand();
                assert_eq!((begun, stand.next, stand.has_surroundings), (Begun::Resumed, None, true));
                builder.finish(Bytes::new()).expect("all is here");
                let chain = run.open().expect("a chain");
                assert_eq!(all_state(&chain, &run.target), all_state(server(), &run.target));
            }
            Err(other) => panic!("a half made folder is told as that, not: {other}"),
        }
        if finished {
            break;
        }
        changes += 1;
    }
    assert!(changes > 8, "finishing changes the disk more often than {changes} times");
}

#[test]
fn an_index_that_has_lost_codes_costs_the_progress_and_nothing_else() {
    let mut run = Run::new(7);
    let mut client = Client::new(run.begin().expect("nothing there").0, 1, 200_000);
    client.run(server());
    client.builder.save().expect("room");
    drop(client);
    run.index = Arc::new(run.index.crashed_at(1).expect("the history is kept"));
    let (builder, begun) = run.begin().expect("it begins");
    assert_eq!((begun, builder.stand().next), (Begun::Anew, Some(B256::ZERO)));
    let mut client = Client::new(builder, 2, 200_000);
    client.run(server());
    client.builder.finish(Bytes::new()).expect("complete");
    let chain = run.open().expect("a chain");
    assert_eq!(all_state(&chain, &run.target), all_state(server(), &run.target));
}
