//! Looking at a data folder without changing it: whether log, index, state and canonical chain are whole and say the same.
//!
//! Phases, each of which reports what it finds and lets the next go on as far as that is possible:
//!
//! 1. **index**: every row, its checksum, its place in its table. Damage inside LMDB's pages may end the process here, so this runs
//!    in a child process.
//! 2. **log**: every record, its checksums, the block in it, and everything the index must know of it (`check_rows.rs`).
//! 3. **state**: every node that the newest [`STATES_CHECKED`] canonical states reach, each verified by its hash, and the code of
//!    every account (`check_state.rs`).
//!
//! Log and node files are opened on a [`ScratchDisk`]: a tail that a crash has torn is put in order as a start would, and is no
//! damage.

use crate::base::Base;
use crate::check_rows::RowCheck;
use crate::check_state::StateCheck;
use crate::error::ChainError;
use crate::folder::{self, INDEX_DIR, LOG_DIR, REBUILD_MARK, SNAPSHOT_FILE, STATE_DIR, genesis_in};
use crate::genesis::Origin;
use crate::open::{ChainOptions, marker_in};
use crate::record::StoredBlock;
use crate::recover::place_of;
use crate::rows::Marker;
use crate::scratch::ScratchDisk;
use coc_disk::{DirLock, Disk, RealDisk};
use coc_log::{BlockLog, LogError, LogOptions, Position};
use coc_store::{Index, LmdbIndex, LmdbOptions, NodeFiles, NodeFilesOptions};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// States from the head backwards that a check walks: those a node promises to answer about.
pub const STATES_CHECKED: u64 = 256;
/// Findings that a report holds; more are counted.
pub const FINDINGS_MAX: usize = 50;
/// Memory for decoded nodes during a check, in bytes: each node is read once.
const NODE_CACHE_BYTES: u64 = 8 << 20;
/// The file that an index is.
const INDEX_FILE: &str = "data.mdb";

/// Which part of a folder is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The folder itself: files that must or must not be there.
    Folder,
    /// The block log.
    Log,
    /// The index.
    Index,
    /// The node files.
    State,
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Part::Folder => "folder",
            Part::Log => "log",
            Part::Index => "index",
            Part::State => "state",
        })
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub part: Part,
    /// What.
    pub what: String,
}

/// What a check has seen so far.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What is wrong, the first [`FINDINGS_MAX`] of it.
    pub findings: Vec<Finding>,
    /// How much more is wrong.
    pub more_findings: u64,
    /// Whole records of the log.
    pub records: u64,
    /// Bytes of the log's records that are whole.
    pub log_bytes: u64,
    /// Bytes behind the first damage of the log.
    pub lost_log_bytes: u64,
    /// Bytes of a torn tail, which the next start cuts off: no damage.
    pub torn_bytes: u64,
    /// Blocks that the next start executes again: no damage.
    pub unflushed_blocks: u64,
    /// Rows of the index.
    pub rows: u64,
    /// Height of the newest flushed head.
    pub height: Option<u64>,
    /// States walked.
    pub states: u64,
    /// Nodes read and verified.
    pub nodes: u64,
    /// Contracts whose code was verified.
    pub codes: u64,
    /// Height of the block that the log begins with, where that is a snapshot's.
    pub base: Option<u64>,
}

impl Report {
    /// Adds a finding.
    pub(crate) fn find(&mut self, part: Part, what: impl Into<String>) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding { part, what: what.into() });
        } else {
            self.more_findings += 1;
        }
    }

    /// The value, or its error as a finding.
    pub(crate) fn seen<T>(&mut self, part: Part, read: Result<T, impl fmt::Display>) -> Option<T> {
        read.map_err(|error| self.find(part, error.to_string())).ok()
    }

    /// The command that cures what was found; `None` for a sound folder.
    pub fn cure(&self, place: &str) -> Option<String> {
        let has = |part| self.findings.iter().any(|finding| finding.part == part);
        if self.findings.is_empty() {
            None
        } else if self.base.is_some() {
            Some(format!("move {place} away and start the node anew: it fetches a newer snapshot"))
        } else if has(Part::Log) {
            Some(format!(
                "restore the folder `log` from a copy, or keep the blocks in front of the damage: \
                 coc db rebuild --cut-log --data {place}"
            ))
        } else {
            Some(format!("coc db rebuild --data {place}"))
        }
    }
}

/// How far a check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// `index`, `log`, `state` or `done`.
    pub phase: &'static str,
    /// Bytes of this phase that are through.
    pub done: u64,
    /// Bytes of this phase; of the state at most.
    pub total: u64,
}

enum Phase {
    Index,
    Log { next: Position, rows: RowCheck },
    State(Box<StateCheck>),
    Done,
}

/// A check under way.
pub struct Check {
    origin: Origin,
    disk: Arc<dyn Disk>,
    root: PathBuf,
    /// The folder whose index is opened, unless an index was given.
    dir: Option<PathBuf>,
    index: Option<Arc<dyn Index>>,
    log: Option<BlockLog>,
    marker: Option<Marker>,
    phase: Phase,
    report: Report,
    _lock: Option<DirLock>,
}

impl Check {
    /// Prepares to check a folder that no other process has open.
    ///
    /// # Errors
    /// [`ChainError::NoChain`], [`ChainError::InUse`], [`ChainError::Genesis`]: then nothing is known about the folder.
    pub fn begin(dir: &Path) -> Result<Check, ChainError> {
        let text = genesis_in(dir)?;
        let lock = folder::lock(&RealDisk::new(), dir)?;
        let disk = Arc::new(RealDisk::new());
        Self::over(Origin::read(&text)?, disk, dir.into(), Some(dir.into()), None, Some(lock))
    }

    /// Prepares to check a chain on a disk and an index of the caller's.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub fn begin_on(genesis: &[u8], disk: Arc<dyn Disk>, index: Arc<dyn Index>) -> Result<Check, ChainError> {
        Self::over(Origin::read(genesis)?, disk, PathBuf::from("/"), None, Some(index), None)
    }

    fn over(
        origin: Origin,
        disk: Arc<dyn Disk>,
        root: PathBuf,
        dir: Option<PathBuf>,
        index: Option<Arc<dyn Index>>,
        lock: Option<DirLock>,
    ) -> Result<Check, ChainError> {
        let mut report = Report::default();
        if disk.exists(&root.join(REBUILD_MARK))? {
            report.find(Part::Folder, "a rebuild was begun and not finished");
        }
        if disk.exists(&root.join(SNAPSHOT_FILE))? {
            report.find(Part::Folder, "a state was being fetched from peers, and is not complete");
        }
        let disk = Arc::new(ScratchDisk::over(disk));
        let (log, marker, phase) = (None, None, Phase::Index);
        Ok(Check { origin, disk, root, dir, index, log, marker, phase, report, _lock: lock })
    }

    /// What was seen so far.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Leaves the index out: for when looking at it has ended a process. That it is damaged is a finding.
    pub fn skip_index(&mut self) {
        if matches!(self.phase, Phase::Index) {
            self.report.find(Part::Index, "reading it ends the process");
            (self.dir, self.index) = (None, None);
            self.begin_log();
        }
    }

    /// Works until `enough` says so, or all is done; `None` when it was done before. The index is one slice.
    pub fn step(&mut self, enough: impl FnMut() -> bool) -> Option<Progress> {
        match &self.phase {
            Phase::Done => return None,
            Phase::Index => self.check_index(),
            Phase::Log { .. } => self.check_log(enough),
            Phase::State(_) => self.check_state(enough),
        }
        Some(self.progress())
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        match &self.phase {
            Phase::Index => Progress { phase: "index", done: 0, total: 0 },
            Phase::Log { next, .. } => {
                let total = self.log.as_ref().map_or(0, |log| log.next_position().0);
                Progress { phase: "log", done: next.0, total }
            }
            Phase::State(state) => Progress { phase: "state", done: state.bytes(), total: state.bytes_max() },
            Phase::Done => Progress { phase: "done", done: 0, total: 0 },
        }
    }

    fn check_index(&mut self) {
        self.open_index();
        if let Some(index) = self.index.clone() {
            let walked = index.check();
            if let Some(walked) = self.report.seen(Part::Index, walked) {
                self.report.rows = walked.rows;
            }
            self.marker = self.report.seen(Part::Index, marker_in(&*index, &self.place())).flatten();
            if self.marker.is_none() && self.report.findings.is_empty() {
                self.report.find(Part::Index, "it is empty");
            }
        }
        self.begin_log();
    }

    /// Opens the folder's index, and only if it is there: opening would make one.
    fn open_index(&mut self) {
        let Some(dir) = &self.dir else { return };
        let index_dir = dir.join(INDEX_DIR);
        if !index_dir.join(INDEX_FILE).exists() {
            self.report.find(Part::Index, "it is missing");
            return;
        }
        let opened = LmdbIndex::open(&index_dir, LmdbOptions::new(self.origin.hash));
        if let Some(index) = self.report.seen(Part::Index, opened) {
            self.index = Some(Arc::new(index));
        }
    }

    fn begin_log(&mut self) {
        let log_dir = self.root.join(LOG_DIR);
        if folder::has_no_log(&*self.disk, &log_dir).unwrap_or(true) {
            self.report.find(Part::Log, "it is missing");
            self.phase = Phase::Done;
            return;
        }
        let known_durable = self.marker.as_ref().map_or(0, |marker| marker.next_position);
        let options =
            ChainOptions { reserve_bytes: 0, ..ChainOptions::default() }.log(&self.origin, known_durable);
        match BlockLog::open(self.disk.clone(), &log_dir, options.clone()) {
            Ok((log, opened)) => {
                self.report.torn_bytes = opened.cut_bytes;
                let base = self.report.seen(Part::Log, Base::read(&log)).flatten();
                self.report.base = base.as_ref().map(|(base, _)| base.number);
                let next = base.map_or(opened.first, |(_, place)| Position(place.position));
                self.phase = Phase::Log { next, rows: RowCheck::new(self.marker.clone()) };
                self.log = Some(log);
            }
            Err(error) => {
                self.log_is_damaged(&error, &options);
                self.phase = Phase::Done;
            }
        }
    }

    /// Reports damage of the log, and how much is whole in front of it.
    fn log_is_damaged(&mut self, error: &LogError, options: &LogOptions) {
        self.report.find(Part::Log, error.to_string());
        if let Ok(found) = BlockLog::check(&*self.disk, &self.root.join(LOG_DIR), options) {
            self.report.records = found.records;
            self.report.log_bytes = found.whole_to.0 - found.first.0;
            self.report.lost_log_bytes = found.lost_bytes;
        }
    }

    fn check_log(&mut self, mut enough: impl FnMut() -> bool) {
        let (Phase::Log { next, rows }, Some(log)) = (&mut self.phase, &self.log) else { return };
        let mut damage = None;
        for record in log.iter_from(*next) {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    damage = Some(error);
                    break;
                }
            };
            let place = place_of(&record);
            self.report.records += 1;
            self.report.log_bytes += place.end - place.position;
            match StoredBlock::decode(&record.bytes) {
                Ok(block) => rows.check(self.index.as_deref(), &block, place, &mut self.report),
                Err(reason) => {
                    self.report.find(
                        Part::Log,
                        format!("the record at {} makes no sense: {reason}", place.position),
                    );
                }
            }
            *next = Position(place.end);
            if enough() {
                break;
            }
        }
        if let Some(error) = damage {
            let options = ChainOptions { reserve_bytes: 0, ..ChainOptions::default() }.log(&self.origin, 0);
            self.log_is_damaged(&error, &options);
            self.begin_state();
        } else if *next >= log.next_position() {
            let first = self.report.base.unwrap_or(self.origin.header.number);
            rows.finish(self.index.as_deref(), first, &mut self.report);
            self.begin_state();
        }
    }

    fn begin_state(&mut self) {
        self.phase = Phase::Done;
        let (Some(index), Some(log), Some(marker)) = (&self.index, &self.log, &self.marker) else { return };
        let options = NodeFilesOptions { genesis_hash: self.origin.hash, cache_bytes: NODE_CACHE_BYTES };
        let opened = NodeFiles::open(self.disk.clone(), &self.root.join(STATE_DIR), options, &marker.lengths);
        let Some((nodes, _)) = self.report.seen(Part::State, opened) else { return };
        let mut state = StateCheck::new(nodes, index.clone());
        state.add_roots(log, marker, &mut self.report);
        self.phase = Phase::State(Box::new(state));
    }

    fn check_state(&mut self, enough: impl FnMut() -> bool) {
        let Phase::State(state) = &mut self.phase else { return };
        if state.walk(enough, &mut self.report) {
            self.phase = Phase::Done;
        }
    }

    fn place(&self) -> String {
        folder::place_name(self.dir.as_ref())
    }
}
