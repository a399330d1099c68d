//! The crash campaign: seeded lives of a whole chain on a disk that loses power, fills up and fails to sync, with an index that
//! comes back as any of its earlier writes.
//!
//! A model keeps every record that may be in the log, how many must be, the head that each write of the index stands for, and the
//! state after every block. Each life ends in a power loss or a kill at a random moment. After it the chain must open and hold every
//! acknowledged block, no part of a block, the head that follows from what survived, its ancestors at their heights, and the state
//! of every block, value by value.

mod judge;
mod losses;
mod space;

use crate::ledger::{Ledger, Planned};
use crate::world::{build, genesis, options};
use alloy_primitives::{B256, Bytes};
use coc_chain::chain::Chain;
use coc_chain::error::ChainError;
use coc_chain::open::ChainOptions;
use coc_chain::pruning::Stage;
use coc_disk::{Dice, DiskError, DiskErrorKind, FaultyDisk};
use coc_log::LogError;
use coc_store::{MemIndex, MemOptions, StoreError};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

const LIVES_MAX: u64 = 4;
const STEPS_MAX: u64 = 14;
/// Transactions in a block.
const TRANSACTIONS_MAX: u64 = 3;
/// Steps of a life in which states are pruned: so many more that they get there.
const PRUNING_STEPS_MAX: u64 = 60;
/// States that such a life keeps.
pub const STATES_KEPT: u64 = 12;
/// Blocks behind the head that a new one may stand on.
const BRANCH_DEPTH_MAX: u64 = 3;

/// What a campaign has met, so that a test can tell that it met enough.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    pub lives: u64,
    pub blocks: u64,
    pub verified_states: u64,
    pub flushes: u64,
    pub reorganisations: u64,
    pub replayed: u64,
    pub torn_tails: u64,
    pub cut_nodes: u64,
    pub lost_blocks: u64,
    pub older_indexes: u64,
    pub rebuilds: u64,
    pub interrupted_rebuilds: u64,
    pub checks: u64,
    pub full_disks: u64,
    pub failed_syncs: u64,
    pub power_cuts: u64,
    pub copied: u64,
    pub resumed_copies: u64,
    pub drops: u64,
    pub pruned_states: u64,
}

/// Runs every seed; stops at the first that breaks a promise and says which.
pub fn crash_campaign(seeds: Range<u64>) -> Result<Totals, String> {
    let mut totals = Totals::default();
    for seed in seeds {
        totals = one_run(seed, totals)?.0;
    }
    Ok(totals)
}

/// Names and contents of all files of a disk.
type Files = Vec<(PathBuf, Vec<u8>)>;

/// One seed: the totals with it, and the files it leaves.
pub fn one_run(seed: u64, totals: Totals) -> Result<(Totals, Files), String> {
    let mut run = Run::new(seed, totals);
    run.all_lives().map_err(|broken| format!("seed {seed}, life {}: {broken}", run.life))?;
    Ok((run.totals, run.disk.snapshot()))
}

/// A block that was decided, or may have been.
#[derive(Clone, Debug)]
struct Decided {
    hash: B256,
    parent: B256,
    number: u64,
}

/// What a write of the index stands for.
#[derive(Clone, Copy, Debug)]
struct Mark {
    head: B256,
    /// Records of the log that it covers.
    records: usize,
}

struct Run {
    dice: Dice,
    disk: FaultyDisk,
    index: Arc<MemIndex>,
    options: ChainOptions,
    genesis: Vec<u8>,
    life: u64,
    /// Every record that may be in the log, in order; block 0 is the first.
    model: Vec<Decided>,
    /// How many of them must be.
    acknowledged: usize,
    ledgers: BTreeMap<B256, Ledger>,
    head: B256,
    /// By the number of the index's write.
    marks: BTreeMap<u64, Mark>,
    blocks_made: u64,
    /// The highest head there was.
    highest: u64,
    /// The newest write of the index after which node files were dropped: an older one would name what is gone.
    dropped_at: u64,
    totals: Totals,
}

impl Run {
    fn new(seed: u64, totals: Totals) -> Run {
        let mut dice = Dice::new(seed);
        let mut options = options();
        options.log_segment_bytes = 1_000 + dice.below(8_000);
        options.log_salt = Some(dice.roll() as u32);
        options.reserve_bytes = if dice.one_in(2) { 0 } else { 2_000 };
        options.states_kept = dice.one_in(4).then_some(STATES_KEPT);
        options.copy_from_bytes = 0;
        let disk = FaultyDisk::new(dice.roll());
        Run {
            dice,
            disk,
            index: empty_index(),
            options,
            genesis: genesis("0x"),
            life: 0,
            model: Vec::new(),
            acknowledged: 0,
            ledgers: BTreeMap::new(),
            head: B256::ZERO,
            marks: BTreeMap::new(),
            blocks_made: 0,
            highest: 0,
            dropped_at: 0,
            totals,
        }
    }

    fn all_lives(&mut self) -> Result<(), String> {
        for life in 0..=self.dice.below(LIVES_MAX) {
            (self.life, self.totals.lives) = (life, self.totals.lives + 1);
            self.arm();
            match self.open() {
                Ok(chain) => {
                    self.meet(&chain)?;
                    self.work(&chain)?;
                }
                Err(error) => self.accept(error, "opening")?,
            }
            self.end_life()?;
        }
        Ok(())
    }

    /// Plans this life's faults.
    fn arm(&mut self) {
        if self.dice.one_in(2) {
            self.disk.cut_power_after(self.dice.below(60));
        }
        if self.dice.one_in(6) {
            self.disk.fail_syncs_one_in(5 + self.dice.below(20));
        }
    }

    fn open(&mut self) -> Result<Chain, ChainError> {
        let opened =
            Chain::open_on(&self.genesis, Arc::new(self.disk.clone()), self.index.clone(), &self.options);
        let (chain, recovered) = opened?;
        if let Stage::Copying(copying) = &chain.shared.copier.lock().record.stage {
            self.totals.resumed_copies += u64::from(!copying.progress.is_empty());
        }
        self.totals.replayed += recovered.replayed_blocks;
        self.totals.torn_tails += u64::from(recovered.cut_bytes > 0);
        self.totals.cut_nodes += u64::from(recovered.cut_node_bytes > 0);
        Ok(chain)
    }

    fn work(&mut self, chain: &Chain) -> Result<(), String> {
        let steps_max = if self.options.states_kept.is_some() { PRUNING_STEPS_MAX } else { STEPS_MAX };
        for _ in 0..self.dice.below(steps_max) {
            let done = match self.dice.below(16) {
                0..=8 => self.grow(chain),
                9 => self.grow_in_a_full_disk(chain)?,
                10 | 11 => self.flush(chain),
                12 => chain.sync().map(|()| self.acknowledged = self.model.len()),
                13 => self.turn(chain),
                14 => self.try_a_candidate(chain),
                _ => self.change_space(),
            };
            self.note_writes();
            let done = done.and_then(|()| self.copy(chain));
            if let Err(error) = done {
                let is_end = !error.is_out_of_space();
                self.accept(error, "working")?;
                if is_end {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Makes a block, decides it, and mostly makes it the head.
    fn grow(&mut self, chain: &Chain) -> Result<(), ChainError> {
        let parent = self.parent();
        let block = self.candidate(chain, &parent)?;
        let is_durable = !self.dice.one_in(5);
        let decided = chain.decide(&block.hash, Bytes::new(), is_durable);
        self.note_decided(block.clone(), &decided);
        decided?;
        if is_durable {
            self.acknowledged = self.model.len();
        }
        if parent == self.head || self.dice.one_in(2) {
            self.totals.reorganisations += u64::from(parent != self.head);
            chain.set_head(&block.hash)?;
            chain.set_finalized(&block.hash, &block.hash)?;
            self.head = block.hash;
        }
        Ok(())
    }

    fn flush(&mut self, chain: &Chain) -> Result<(), ChainError> {
        let flushed = chain.flush();
        // A flush that got as far as the index has synced the log on its way.
        if flushed.is_ok() {
            self.acknowledged = self.model.len();
            self.totals.flushes += 1;
        }
        flushed
    }

    /// Makes some recent decided block the head.
    fn turn(&mut self, chain: &Chain) -> Result<(), ChainError> {
        let back = self.dice.below(BRANCH_DEPTH_MAX + 1) as usize;
        let block = self.model[self.model.len().saturating_sub(1 + back)].hash;
        chain.set_head(&block)?;
        chain.set_finalized(&block, &block)?;
        self.totals.reorganisations += 1;
        self.head = block;
        Ok(())
    }

    /// Builds a block that is never decided.
    fn try_a_candidate(&mut self, chain: &Chain) -> Result<(), ChainError> {
        let parent = self.parent();
        self.candidate(chain, &parent).map(|_| ())
    }

    /// The head mostly, else one of its ancestors.
    fn parent(&mut self) -> B256 {
        let mut parent = self.head;
        if self.dice.one_in(4) {
            for _ in 0..self.dice.below(BRANCH_DEPTH_MAX + 1) {
                parent = self.decided(&parent).map_or(parent, |block| block.parent);
            }
        }
        parent
    }

    fn candidate(&mut self, chain: &Chain, parent: &B256) -> Result<Decided, ChainError> {
        let before = self.ledgers[parent].clone();
        let planned: Vec<Planned> = before.plan(&mut self.dice, TRANSACTIONS_MAX);
        self.blocks_made += 1;
        self.totals.blocks += 1;
        let (hash, after) = build(chain, parent, &planned, &before, self.blocks_made)?;
        self.ledgers.insert(hash, after);
        let number = self.decided(parent).map_or(0, |parent| parent.number) + 1;
        Ok(Decided { hash, parent: *parent, number })
    }

    fn decided(&self, hash: &B256) -> Option<&Decided> {
        self.model.iter().find(|block| block.hash == *hash && block.number > 0)
    }

    /// Adds to the model what may be in the log from now on, acknowledged or not.
    fn note_decided(&mut self, block: Decided, decided: &Result<(), ChainError>) {
        if decided.as_ref().is_ok() || decided.as_ref().is_err_and(|error| !error.is_out_of_space()) {
            self.model.push(block);
        }
    }

    /// Learns what the writes of the index since the last look stand for.
    fn note_writes(&mut self) {
        self.highest = self.highest.max(self.decided(&self.head).map_or(0, |head| head.number));
        let known = self.marks.last_key_value().map_or(0, |(write, _)| *write);
        for write in known + 1..=self.index.writes() {
            self.marks.insert(write, Mark { head: self.head, records: self.model.len() });
        }
    }

    /// Ends the life, brings the machine back without faults, and compares.
    fn end_life(&mut self) -> Result<(), String> {
        self.note_writes();
        self.disk.crash();
        self.disk.limit_bytes(None);
        self.crash_index()?;
        if self.index.writes() > 0 {
            self.check_files()?;
            if self.dice.one_in(8) {
                self.lose_index()?;
            }
        }
        let chain = self.open().map_err(|error| format!("does not open after a crash: {error}"))?;
        self.meet(&chain)?;
        // What opening reports is durable: a second power loss must not take it back.
        drop(chain);
        self.disk.crash();
        let chain = self.open().map_err(|error| format!("does not open a second time: {error}"))?;
        self.meet(&chain)?;
        drop(chain);
        self.disk.kill();
        Ok(())
    }

    /// Takes note of an error that the planned faults explain; any other breaks a promise.
    fn accept(&mut self, error: ChainError, doing: &str) -> Result<(), String> {
        if error.is_out_of_space() {
            self.totals.full_disks += 1;
            return Ok(());
        }
        // A branch that was left so long ago cannot be gone on with.
        if matches!(error, ChainError::Pruned(_)) && self.options.states_kept.is_some() {
            return Ok(());
        }
        match kind(&error) {
            Some(DiskErrorKind::PowerLost) => self.totals.power_cuts += 1,
            Some(DiskErrorKind::SyncFailed) => self.totals.failed_syncs += 1,
            _ => return Err(format!("unexpected error while {doing}: {error}")),
        }
        Ok(())
    }
}

/// An index without rows that can be crashed to any of its writes.
fn empty_index() -> Arc<MemIndex> {
    Arc::new(MemIndex::new(MemOptions { history_writes: 1 << 20, ..MemOptions::default() }))
}

/// What the disk said, where it was the disk.
fn kind(error: &ChainError) -> Option<DiskErrorKind> {
    match error {
        ChainError::Log(LogError::Poisoned { .. }) | ChainError::Store(StoreError::Poisoned { .. }) => {
            Some(DiskErrorKind::SyncFailed)
        }
        ChainError::Log(LogError::Disk(DiskError { kind, .. }))
        | ChainError::Store(StoreError::Disk(DiskError { kind, .. }))
        | ChainError::Disk(DiskError { kind, .. }) => Some(*kind),
        // Execution passes on what its reader said as a sentence.
        ChainError::State(error) if error.0.contains("power is off") => Some(DiskErrorKind::PowerLost),
        _ => None,
    }
}
