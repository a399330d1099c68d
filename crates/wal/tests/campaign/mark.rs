//! The mark's campaign. The model is what was saved last with success, and what was tried since: after every crash the
//! mark is one of these, and what opening reports stays.

use std::ops::Range;
use std::path::Path;

use coc_disk::{Dice, Disk, DiskError, DiskErrorKind, FaultyDisk};
use coc_wal::{MARK_BYTES_MAX, Mark, WalError};

use super::{Files, arm};

const DIR: &str = "validator";
const NAME: &str = "mark";
const LIVES_MAX: u64 = 5;
const STEPS_MAX: u64 = 12;

/// What a campaign has met, so that a test can tell that it met enough.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    pub lives: u64,
    pub saves: u64,
    pub kept_unacknowledged: u64,
    pub lost_unacknowledged: u64,
    pub failed_syncs: u64,
    pub power_cuts: u64,
    pub refused: u64,
}

struct Run {
    dice: Dice,
    disk: FaultyDisk,
    held: Option<Vec<u8>>,
    /// Saves since then that failed, one of which may be there nevertheless.
    tried: Vec<Vec<u8>>,
    /// Whether writes may fail half-way in this life: one that the power loss ended may have, too.
    writes_fail: bool,
    /// Whether the device may have left a sector half written.
    write_failed: bool,
    totals: Totals,
}

/// Runs every seed; stops at the first that breaks a promise and says which.
pub fn campaign(seeds: Range<u64>) -> Result<Totals, String> {
    let mut totals = Totals::default();
    for seed in seeds {
        let mut run = Run::new(seed, totals);
        run.all_lives().map_err(|broken| format!("seed {seed}: {broken}"))?;
        totals = run.totals;
    }
    Ok(totals)
}

/// The files that a seed leaves.
pub fn files_after(seed: u64) -> Result<Files, String> {
    let mut run = Run::new(seed, Totals::default());
    run.all_lives()?;
    Ok(run.disk.snapshot())
}

impl Run {
    fn new(seed: u64, totals: Totals) -> Self {
        let mut dice = Dice::new(seed);
        let disk = FaultyDisk::new(dice.roll());
        Self { dice, disk, held: None, tried: Vec::new(), writes_fail: false, write_failed: false, totals }
    }

    fn all_lives(&mut self) -> Result<(), String> {
        for _ in 0..=self.dice.below(LIVES_MAX) {
            self.totals.lives += 1;
            self.writes_fail = arm(&self.disk, &mut self.dice, 30);
            match self.open() {
                Ok((mark, found)) => {
                    self.meet(found)?;
                    self.work(mark)?;
                }
                Err(error) => self.accept(&error)?,
            }
            if !self.end_life()? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn open(&mut self) -> Result<(Mark, Option<Vec<u8>>), WalError> {
        Mark::open(&self.disk, Path::new(DIR), NAME, self.dice.roll())
    }

    fn work(&mut self, mut mark: Mark) -> Result<(), String> {
        for _ in 0..self.dice.below(STEPS_MAX) {
            let length = 8 + self.dice.below(MARK_BYTES_MAX as u64 - 7) as usize;
            let payload = self.dice.bytes(length);
            match mark.save(&payload) {
                Ok(()) => {
                    (self.held, self.write_failed) = (Some(payload), false);
                    self.tried.clear();
                    self.totals.saves += 1;
                }
                Err(error) => {
                    self.accept(&error)?;
                    self.tried.push(payload);
                }
            }
            if mark.payload() != self.held.as_deref() {
                return Err("a mark that was not saved is shown".into());
            }
        }
        Ok(())
    }

    /// Ends the life and looks twice; `false` when the file was refused, with reason.
    fn end_life(&mut self) -> Result<bool, String> {
        if self.dice.one_in(3) && self.disk.exists(Path::new(DIR)).is_ok() {
            self.disk.kill();
        } else {
            self.disk.crash();
        }
        for _ in 0..2 {
            match self.open() {
                Ok((_, found)) => self.meet(found)?,
                Err(WalError::MarkDamaged { .. }) if self.write_failed => {
                    self.totals.refused += 1;
                    return Ok(false);
                }
                Err(error) => return Err(format!("does not open after a crash: {error}")),
            }
            self.disk.crash();
        }
        self.write_failed = false;
        Ok(true)
    }

    fn meet(&mut self, found: Option<Vec<u8>>) -> Result<(), String> {
        if found == self.held {
            self.totals.lost_unacknowledged += u64::from(!self.tried.is_empty());
        } else if found.as_ref().is_some_and(|found| self.tried.contains(found)) {
            self.totals.kept_unacknowledged += 1;
        } else {
            return Err("the mark is neither the one saved last nor one tried since".into());
        }
        self.held = found;
        self.tried.clear();
        Ok(())
    }

    /// Takes note of an error that the planned faults explain; any other breaks a promise.
    fn accept(&mut self, error: &WalError) -> Result<(), String> {
        match error {
            WalError::NotDurable { .. } => self.totals.failed_syncs += 1,
            WalError::Disk(DiskError { kind: DiskErrorKind::PowerLost, .. }) => {
                self.write_failed |= self.writes_fail;
                self.totals.power_cuts += 1;
            }
            WalError::Disk(DiskError { kind: DiskErrorKind::Other, .. }) => self.write_failed = true,
            other => return Err(format!("unexpected error: {other}")),
        }
        Ok(())
    }
}
