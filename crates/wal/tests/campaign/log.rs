//! The log's campaign. The model keeps every row of records that the file may hold: for each height, what was added with
//! success, and for each call that failed, the same row with what the call would have added. After every crash the
//! log must hold the beginning of one of these rows, and of what was acknowledged as durable nothing may be missing.

use std::ops::Range;
use std::path::Path;

use coc_disk::{Dice, Disk, DiskError, DiskErrorKind, FaultyDisk};
use coc_wal::{GROWTH_BYTES, HEADER_BYTES, Opened, Wal, WalError, WalOptions};

use super::{Files, arm};

const DIR: &str = "validator";
const LIVES_MAX: u64 = 5;
const STEPS_MAX: u64 = 24;

/// What a campaign has met, so that a test can tell that it met enough.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    pub lives: u64,
    pub heights: u64,
    pub kept_unsynced: u64,
    pub lost_unsynced: u64,
    /// Times that a begun height had left nothing, and the one before was lost already.
    pub lost_heights: u64,
    pub torn_tails: u64,
    pub full_disks: u64,
    pub failed_syncs: u64,
    pub retries: u64,
    pub power_cuts: u64,
    pub grown: u64,
    pub refused: u64,
}

type Row = Vec<Vec<u8>>;

/// A row of records that the file may hold the beginning of.
#[derive(Debug, Clone)]
struct Possible {
    height: u64,
    row: Row,
}

struct Run {
    dice: Dice,
    disk: FaultyDisk,
    reserve_bytes: u64,
    /// The height at work, counted by the model alone.
    height: u64,
    /// What was added to it with success.
    row: Row,
    possible: Vec<Possible>,
    /// Of this height so many records must be there, unless a later height has left something.
    acknowledged: (u64, usize),
    sync_failed: bool,
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
        let reserve_bytes = 4_096 * dice.below(5);
        Self {
            dice,
            disk,
            reserve_bytes,
            height: 0,
            row: Row::new(),
            possible: vec![Possible { height: 0, row: Row::new() }],
            acknowledged: (0, 0),
            sync_failed: false,
            writes_fail: false,
            write_failed: false,
            totals,
        }
    }

    fn all_lives(&mut self) -> Result<(), String> {
        for _ in 0..=self.dice.below(LIVES_MAX) {
            self.totals.lives += 1;
            self.writes_fail = arm(&self.disk, &mut self.dice, 60);
            match self.open() {
                Ok((wal, opened)) => {
                    self.meet(&opened, true)?;
                    self.work(wal)?;
                }
                Err(error) => self.accept(&error)?,
            }
            if !self.end_life()? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn open(&mut self) -> Result<(Wal, Opened), WalError> {
        let options = WalOptions { reserve_bytes: self.reserve_bytes, seed: self.dice.roll() };
        Wal::open(&self.disk, Path::new(DIR), [7; 32], options)
    }

    fn work(&mut self, mut wal: Wal) -> Result<(), String> {
        for _ in 0..self.dice.below(STEPS_MAX) {
            let done = match self.dice.below(16) {
                0..=5 => self.append(&mut wal),
                6..=10 => self.append_durable(&mut wal),
                11 => self.sync(&mut wal),
                12..=14 => self.begin_height(&mut wal),
                _ => self.change_space(),
            };
            if let Err(error) = done {
                self.accept(&error)?;
                if is_power_loss(&error) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn append(&mut self, wal: &mut Wal) -> Result<(), WalError> {
        let batch = self.batch();
        let added = wal.append(&slices(&batch));
        self.note(batch, added.is_ok());
        added
    }

    /// Adds durably, and where that fails sometimes tries the very same again, as a validator does.
    fn append_durable(&mut self, wal: &mut Wal) -> Result<(), WalError> {
        let batch = self.batch();
        let mut added = wal.append_durable(&slices(&batch));
        self.note(batch.clone(), added.is_ok());
        if added.as_ref().is_err_and(|error| !is_power_loss(error)) && !self.dice.one_in(3) {
            self.totals.retries += 1;
            self.sync_failed |= matches!(added, Err(WalError::NotDurable { .. }));
            self.write_failed |= matches!(added, Err(WalError::Disk(_)));
            self.disk.limit_bytes(None);
            added = wal.append_durable(&slices(&batch));
            self.note(batch, added.is_ok());
        }
        added.map(|()| self.acknowledge())
    }

    fn sync(&mut self, wal: &mut Wal) -> Result<(), WalError> {
        wal.sync()?;
        self.acknowledge();
        Ok(())
    }

    fn begin_height(&mut self, wal: &mut Wal) -> Result<(), WalError> {
        wal.begin_height();
        self.totals.heights += 1;
        self.height += 1;
        self.row.clear();
        Ok(())
    }

    fn change_space(&mut self) -> Result<(), WalError> {
        let used: u64 = self.disk.snapshot().iter().map(|(_, content)| content.len() as u64).sum();
        let limit = if self.dice.one_in(2) { Some(used + self.dice.below(2 * GROWTH_BYTES)) } else { None };
        self.disk.limit_bytes(limit);
        Ok(())
    }

    /// One to three records, some of which take several sectors; no two are equal.
    fn batch(&mut self) -> Row {
        (0..=self.dice.below(3))
            .map(|_| {
                let length =
                    8 + if self.dice.one_in(3) { self.dice.below(3_000) } else { self.dice.below(400) };
                self.dice.bytes(length as usize)
            })
            .collect()
    }

    /// Adds to the model what the file may hold from now on.
    fn note(&mut self, batch: Row, is_added: bool) {
        let mut row = self.row.clone();
        row.extend(batch);
        if is_added {
            self.row.clone_from(&row);
        }
        self.possible.push(Possible { height: self.height, row });
    }

    /// All that was added to the height at work is durable. What failed behind it may be there as well.
    fn acknowledge(&mut self) {
        if self.row.is_empty() {
            return;
        }
        let (height, row) = (self.height, self.row.clone());
        self.possible.retain(|possible| possible.height == height && possible.row.starts_with(&row));
        self.possible.push(Possible { height, row });
        self.acknowledged = (height, self.row.len());
        self.write_failed = false;
    }

    /// Ends the life and looks twice; `false` when the file was refused, with reason.
    fn end_life(&mut self) -> Result<bool, String> {
        let killed = self.dice.one_in(3) && self.disk.exists(Path::new(DIR)).is_ok();
        if killed {
            self.disk.kill();
        } else {
            self.disk.crash();
        }
        if self.dice.one_in(2) {
            self.disk.limit_bytes(None);
        }
        let reserved = HEADER_BYTES + self.reserve_bytes;
        self.totals.grown +=
            u64::from(self.disk.snapshot().iter().any(|(_, content)| content.len() as u64 > reserved));
        let mut nothing_lost = killed && !self.sync_failed && !self.write_failed;
        for _ in 0..2 {
            match self.open() {
                Ok((_, opened)) => self.meet(&opened, nothing_lost)?,
                Err(WalError::WalDamaged { .. }) if self.write_failed => {
                    self.totals.refused += 1;
                    return Ok(false);
                }
                Err(WalError::NoSpace(_)) if self.possible.iter().all(|possible| possible.row.is_empty()) => {
                }
                Err(error) => return Err(format!("does not open after a crash: {error}")),
            }
            // What opening reports is durable: a second power loss must not take it back.
            self.disk.crash();
            nothing_lost = true;
        }
        (self.sync_failed, self.write_failed) = (false, false);
        Ok(true)
    }

    /// Checks what was found against the model, and takes it as the new model.
    fn meet(&mut self, opened: &Opened, nothing_lost: bool) -> Result<(), String> {
        let found = &opened.records;
        let (height, least) = self.acknowledged;
        let is_possible = |possible: &&Possible| {
            possible.row.starts_with(found) && (possible.height != height || found.len() >= least)
        };
        let Some(met) = self.possible.iter().rev().find(is_possible) else {
            return Err(format!(
                "{} records were found, of {} acknowledged, that were never added in this order",
                found.len(),
                least
            ));
        };
        if nothing_lost && !found.starts_with(&self.row) {
            return Err(format!("{} of {} records are lost without a fault", found.len(), self.row.len()));
        }
        if found.is_empty() && least > 0 && opened.cut_bytes == 0 {
            return Err("a height was lost to the next one, and nobody was told".into());
        }
        self.totals.kept_unsynced += u64::from(met.height == height && found.len() > least);
        self.totals.lost_unsynced += u64::from(found.len() < self.row.len());
        self.totals.lost_heights += u64::from(found.is_empty() && least > 0);
        self.totals.torn_tails += u64::from(opened.cut_bytes > 0);
        if found.is_empty() {
            // What stood there before may still come back; what is added from now on is a height of its own.
            self.height += 1;
            self.row.clear();
            return Ok(());
        }
        (self.height, self.row) = (met.height, found.clone());
        self.possible = vec![Possible { height: self.height, row: self.row.clone() }];
        self.acknowledged = (self.height, self.row.len());
        Ok(())
    }

    /// Takes note of an error that the planned faults explain; any other breaks a promise.
    fn accept(&mut self, error: &WalError) -> Result<(), String> {
        match error {
            WalError::NoSpace(_) => self.totals.full_disks += 1,
            WalError::NotDurable { .. } => {
                self.sync_failed = true;
                self.totals.failed_syncs += 1;
            }
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

fn is_power_loss(error: &WalError) -> bool {
    matches!(error, WalError::Disk(DiskError { kind: DiskErrorKind::PowerLost, .. }))
}

fn slices(row: &[Vec<u8>]) -> Vec<&[u8]> {
    row.iter().map(Vec::as_slice).collect()
}
