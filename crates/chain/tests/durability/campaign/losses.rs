//! What is lost beside unsynced bytes: the newest writes of the index, or all of it.

use super::{Run, empty_index};
use crate::world::check;
use coc_chain::error::ChainError;
use coc_chain::rebuild::Rebuild;
use std::sync::Arc;

impl Run {
    /// The index comes back as any of its writes, the first (block 0) at least.
    pub(super) fn crash_index(&mut self) -> Result<(), String> {
        let newest = self.index.writes();
        let oldest = self.dropped_at.max(1);
        let goes_back = newest > oldest && self.dice.one_in(2);
        let write = if goes_back { oldest + self.dice.below(newest + 1 - oldest) } else { newest };
        self.totals.older_indexes += u64::from(write < newest);
        self.index = Arc::new(self.index.crashed_at(write).map_err(|error| error.to_string())?);
        self.marks.retain(|at, _| *at <= write);
        Ok(())
    }

    /// What a crash leaves is no damage: a check finds nothing, and changes nothing.
    pub(super) fn check_files(&mut self) -> Result<(), String> {
        if !self.dice.one_in(3) {
            return Ok(());
        }
        let before = self.disk.snapshot();
        let report =
            check(&self.genesis, &self.disk, self.index.clone()).map_err(|error| error.to_string())?;
        if !report.findings.is_empty() {
            return Err(format!("a check finds damage after a crash: {:?}", report.findings));
        }
        if self.disk.snapshot() != before {
            return Err("a check has changed the disk".into());
        }
        self.totals.checks += 1;
        Ok(())
    }

    /// The index is gone: the chain says so instead of beginning anew, and a rebuild brings it back, also when it is interrupted.
    pub(super) fn lose_index(&mut self) -> Result<(), String> {
        self.index = empty_index();
        self.dropped_at = 0;
        self.marks.clear();
        let before = self.disk.snapshot();
        match self.open() {
            Err(ChainError::StoreLost { .. }) => {}
            Err(error) => return Err(format!("a lost index is not told as that: {error}")),
            // Only block 0 has survived: there is nothing to lose.
            Ok(chain) if chain.shared.log.iter_from(chain.shared.log.first_position()).count() == 1 => {
                return Ok(());
            }
            Ok(_) => return Err("a chain began anew though its log has blocks".into()),
        }
        if self.acknowledged > 1 && before.is_empty() {
            return Err("the log is gone".into());
        }
        self.totals.rebuilds += 1;
        loop {
            if self.dice.one_in(2) {
                self.disk.cut_power_after(self.dice.below(40));
            }
            match self.rebuild() {
                Ok(true) => {
                    self.disk.crash();
                    return Ok(());
                }
                Ok(false) => {}
                Err(error) => self.accept(error, "rebuilding")?,
            }
            self.totals.interrupted_rebuilds += 1;
            self.disk.crash();
            if matches!(
                self.open(),
                Ok(_) | Err(ChainError::RebuildUnfinished { .. } | ChainError::StoreLost { .. })
            ) {
                self.disk.kill();
            } else {
                return Err("a half made store is not told as that".into());
            }
            self.index = if self.is_building() {
                Arc::new(self.index.crashed_at(self.index.writes()).map_err(|error| error.to_string())?)
            } else {
                empty_index()
            };
        }
    }

    fn is_building(&self) -> bool {
        let files = self.disk.snapshot();
        files.iter().any(|(path, content)| path.ends_with("rebuilding") && content == b"building")
    }

    /// Rebuilds in slices; `false` when it stopped on the way.
    fn rebuild(&mut self) -> Result<bool, ChainError> {
        let disk = Arc::new(self.disk.clone());
        let mut rebuild = Rebuild::begin_on(&self.genesis, disk, self.index.clone(), &self.options, false)?;
        loop {
            let mut left = self.dice.below(4);
            let progress = rebuild.step(|| {
                left = left.saturating_sub(1);
                left == 0
            })?;
            if progress.phase == "done" {
                return Ok(true);
            }
            if self.dice.one_in(8) {
                return Ok(false);
            }
        }
    }
}
