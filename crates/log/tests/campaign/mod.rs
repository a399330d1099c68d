//! The crash campaign: seeded runs of a log on a disk that loses power, fills up and fails to sync.
//!
//! Each run keeps a model of what was appended and how much of it was acknowledged as durable. A run has
//! several lives; each ends in a power loss or a kill, at a random moment, and after it the log must open
//! again and hold: every acknowledged record, byte for byte; beyond those at most the ones that were
//! appended after them, whole and in order; nothing else. Equal seeds give equal runs.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use coc_disk::{Dice, Disk, DiskErrorKind, FaultyDisk};
use coc_log::{BlockLog, LogError, LogOptions, Opened, Position, Record};

const DIR: &str = "chain/log";
const LIVES_MAX: u64 = 5;
const STEPS_MAX: u64 = 30;

/// What a campaign has met, so that a test can tell that it met enough.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    pub lives: u64,
    pub kept_unsynced: u64,
    pub lost_unsynced: u64,
    pub torn_tails: u64,
    pub full_disks: u64,
    pub failed_syncs: u64,
    pub power_cuts: u64,
    pub cuts_back: u64,
    pub drops: u64,
}

/// Runs every seed; stops at the first that breaks a promise and says which.
pub fn crash_campaign(seeds: Range<u64>) -> Result<Totals, String> {
    let mut totals = Totals::default();
    for seed in seeds {
        let mut run = Run::new(seed, totals);
        run.all_lives().map_err(|broken| format!("seed {seed}: {broken}"))?;
        totals = run.totals;
    }
    Ok(totals)
}

struct Run {
    dice: Dice,
    disk: FaultyDisk,
    options: LogOptions,
    /// Every record that may be in the log, in order.
    model: Vec<Record>,
    /// How many of them must be.
    acknowledged: usize,
    /// Segments below may be gone.
    dropped_below: Position,
    /// Since the last opening: whether the kernel may have dropped written bytes without a power loss.
    sync_failed: bool,
    totals: Totals,
}

impl Run {
    fn new(seed: u64, totals: Totals) -> Self {
        let mut dice = Dice::new(seed);
        let mut options = LogOptions::new([7; 32]);
        options.segment_bytes = 300 + dice.below(5_000);
        options.reserve_bytes = if dice.one_in(2) { 0 } else { 1_000 };
        options.salt = dice.roll() as u32;
        let disk = FaultyDisk::new(dice.roll());
        let dropped_below = Position(0);
        Self {
            dice,
            disk,
            options,
            model: Vec::new(),
            acknowledged: 0,
            dropped_below,
            sync_failed: false,
            totals,
        }
    }

    fn all_lives(&mut self) -> Result<(), String> {
        for _ in 0..=self.dice.below(LIVES_MAX) {
            self.totals.lives += 1;
            self.arm();
            if let Some((log, opened)) = self.try_open()? {
                self.compare(&log, &opened, false)?;
                self.work(&log)?;
            }
            self.end_life()?;
        }
        Ok(())
    }

    /// Plans this life's faults.
    fn arm(&mut self) {
        if self.dice.one_in(2) {
            self.disk.cut_power_after(self.dice.below(80));
        }
        if self.dice.one_in(4) {
            self.disk.fail_syncs_one_in(3 + self.dice.below(20));
        }
        if self.dice.one_in(6) {
            self.disk.fail_writes_one_in(3 + self.dice.below(20));
        }
    }

    /// Opens under faults: only the planned ones may keep it from opening.
    fn try_open(&mut self) -> Result<Option<(BlockLog, Opened)>, String> {
        match self.open() {
            Ok(opened) => Ok(Some(opened)),
            Err(error) => self.accept(error, "opening").map(|()| None),
        }
    }

    fn open(&self) -> Result<(BlockLog, Opened), LogError> {
        BlockLog::open(Arc::new(self.disk.clone()), Path::new(DIR), self.options.clone())
    }

    fn work(&mut self, log: &BlockLog) -> Result<(), String> {
        for _ in 0..self.dice.below(STEPS_MAX) {
            let done = match self.dice.below(16) {
                0..=6 => self.append(log),
                7..=9 => self.sync(log),
                10 | 11 => self.append_durable(log),
                12 => self.read_one(log),
                13 => self.change_space(),
                14 => self.cut_back(log),
                _ => self.drop_segments(log),
            };
            if let Err(error) = done {
                let power_is_off = is_power_loss(&error);
                self.accept(error, "working")?;
                if power_is_off {
                    return Ok(());
                }
            }
            if log.next_position() < self.end_of(self.acknowledged) {
                return Err(format!(
                    "the log ends at {} in front of an acknowledged record",
                    log.next_position()
                ));
            }
        }
        Ok(())
    }

    fn append(&mut self, log: &BlockLog) -> Result<(), LogError> {
        let bytes = self.payload();
        let before = log.next_position();
        let appended = log.append(&bytes);
        self.note(log, before, bytes, &appended);
        appended.map(|_| ())
    }

    fn append_durable(&mut self, log: &BlockLog) -> Result<(), LogError> {
        let bytes = self.payload();
        let before = log.next_position();
        let appended = log.append_durable(&bytes);
        self.note(log, before, bytes, &appended);
        appended.map(|_| self.acknowledged = self.model.len())
    }

    /// Adds to the model what may be in the log from now on, acknowledged or not.
    fn note(
        &mut self,
        log: &BlockLog,
        before: Position,
        bytes: Vec<u8>,
        appended: &Result<Position, LogError>,
    ) {
        if let Ok(position) = appended {
            assert_eq!(*position, before, "a record is named by where the log ended");
            assert!(log.next_position() > before, "an appended record moves the end of the log");
        }
        // A write that the power loss interrupts may be whole on the platter.
        let interrupted = appended.as_ref().is_err_and(is_power_loss);
        if interrupted || log.next_position() > before {
            self.model.push(Record { position: before, bytes });
        }
    }

    fn sync(&mut self, log: &BlockLog) -> Result<(), LogError> {
        log.sync().map(|()| self.acknowledged = self.model.len())
    }

    fn read_one(&mut self, log: &BlockLog) -> Result<(), LogError> {
        let kept = self.model.partition_point(|record| record.position < log.first_position());
        // A cut that failed half-way leaves the log shorter than the model.
        let written = self.model.partition_point(|record| record.position < log.next_position());
        let Some(span) = (written - kept).checked_sub(1) else { return Ok(()) };
        let record = &self.model[kept + self.dice.below(span as u64 + 1) as usize];
        // A kernel that drops bytes after a failed sync shows so at once; else reads are exact.
        match log.read(record.position) {
            Ok(bytes) => assert_eq!(bytes, record.bytes, "a record reads as it was appended"),
            Err(LogError::Corrupt { .. }) if self.sync_failed => {}
            Err(LogError::Disk(error)) if self.sync_failed && error.kind == DiskErrorKind::UnexpectedEnd => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn change_space(&mut self) -> Result<(), LogError> {
        let used: u64 = self.disk.snapshot().iter().map(|(_, content)| content.len() as u64).sum();
        let limit = if self.dice.one_in(2) { Some(used + self.dice.below(2_000)) } else { None };
        self.disk.limit_bytes(limit);
        let files = self.disk.snapshot().len();
        self.disk.limit_files(if self.dice.one_in(4) { Some(files) } else { None });
        Ok(())
    }

    fn cut_back(&mut self, log: &BlockLog) -> Result<(), LogError> {
        let kept = self.model.partition_point(|record| record.position < log.first_position());
        let from_end = self.dice.below(4) as usize;
        let index = self.model.len().saturating_sub(from_end).max(kept);
        let position = self.model.get(index).map_or(log.next_position(), |record| record.position);
        self.acknowledged = self.acknowledged.min(index);
        match log.cut_back(position) {
            Err(LogError::Corrupt { .. }) if self.sync_failed => return Ok(()),
            done => done?,
        }
        self.totals.cuts_back += 1;
        self.model.truncate(index);
        self.acknowledged = index;
        Ok(())
    }

    fn drop_segments(&mut self, log: &BlockLog) -> Result<(), LogError> {
        let index = self.dice.below(self.acknowledged as u64 + 1) as usize;
        let position = self.end_of(index);
        self.dropped_below = self.dropped_below.max(position);
        if log.drop_segments_below(position)? > 0 {
            self.totals.drops += 1;
        }
        Ok(())
    }

    /// Ends the life, brings the machine back without faults, and compares.
    fn end_life(&mut self) -> Result<(), String> {
        let killed = self.dice.one_in(3) && self.disk.exists(Path::new(DIR)).is_ok();
        if killed {
            self.disk.kill();
        } else {
            self.disk.crash();
        }
        if self.dice.one_in(2) {
            self.disk.limit_bytes(None);
            self.disk.limit_files(None);
        }
        let (log, opened) = match self.open() {
            Err(error @ LogError::NoSpace(_)) if self.model.is_empty() => {
                return self.accept(error, "creating");
            }
            opened => opened.map_err(|error| format!("does not open after a crash: {error}"))?,
        };
        self.compare(&log, &opened, killed && !self.sync_failed)?;
        self.sync_failed = false;
        // What opening reports is durable: a second power loss must not take it back.
        drop(log);
        self.disk.crash();
        let (log, opened) = self.open().map_err(|error| format!("does not open a second time: {error}"))?;
        self.compare(&log, &opened, true)?;
        drop(log);
        self.disk.kill();
        Ok(())
    }

    /// Checks what the log holds against the model, and takes it as the new model.
    fn compare(&mut self, log: &BlockLog, opened: &Opened, nothing_lost: bool) -> Result<(), String> {
        let mut held = Vec::new();
        for record in log.iter_from(opened.first) {
            held.push(record.map_err(|error| format!("a record cannot be read: {error}"))?);
        }
        let kept = self.model.partition_point(|record| record.position < opened.first);
        let end = kept + held.len();
        if opened.first > self.dropped_below {
            return Err(format!("records from {} on are gone, nobody dropped them", self.dropped_below));
        }
        if end > self.model.len() || held != self.model[kept..end] {
            return Err("the log holds a record that was never appended there".into());
        }
        if end < self.acknowledged || (nothing_lost && end < self.model.len()) {
            return Err(format!(
                "{} of {} records survive, {} must",
                end,
                self.model.len(),
                self.acknowledged
            ));
        }
        if nothing_lost && opened.cut_bytes > 0 {
            return Err("a tail was cut though nothing was torn".into());
        }
        if opened.last != held.last().map(|record| record.position) || opened.next != log.next_position() {
            return Err(format!("opening reports what is not there: {opened:?}"));
        }
        self.totals.torn_tails += u64::from(opened.cut_bytes > 0);
        self.totals.lost_unsynced += (self.model.len() - end) as u64;
        self.totals.kept_unsynced += (end - self.acknowledged.min(end)) as u64;
        self.model.truncate(end);
        self.acknowledged = end;
        Ok(())
    }

    /// Takes note of an error that the planned faults explain; any other breaks a promise.
    fn accept(&mut self, error: LogError, doing: &str) -> Result<(), String> {
        match &error {
            LogError::NoSpace(_) => self.totals.full_disks += 1,
            LogError::Poisoned { .. } => {
                self.sync_failed = true;
                self.totals.failed_syncs += 1;
            }
            error if is_power_loss(error) => self.totals.power_cuts += 1,
            LogError::Disk(error) if error.detail.contains("injected") => {}
            _ => return Err(format!("unexpected error while {doing}: {error}")),
        }
        Ok(())
    }

    fn end_of(&self, count: usize) -> Position {
        let last = count.checked_sub(1).map(|index| &self.model[index]);
        last.map_or(Position(0), |record| Position(record.position.0 + 32 + record.bytes.len() as u64))
    }

    fn payload(&mut self) -> Vec<u8> {
        let length = match self.dice.below(8) {
            0 => 0,
            1 => self.dice.below(3_000),
            _ => self.dice.below(300),
        };
        self.dice.bytes(length as usize)
    }
}

fn is_power_loss(error: &LogError) -> bool {
    matches!(error, LogError::Disk(error) if error.kind == DiskErrorKind::PowerLost)
}
