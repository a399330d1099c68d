//! For a log that does not open: how far it is whole, and cutting it there.

use std::path::Path;

use coc_disk::{Disk, DiskFile, OpenMode};

use crate::error::LogError;
use crate::format::Position;
use crate::log::BlockLog;
use crate::opening::read_segment;
use crate::options::LogOptions;
use crate::scan::scan;
use crate::segments::{Segment, segment_bases, segment_path};

/// How far a log is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// Where it begins.
    pub first: Position,
    /// Everything below is whole.
    pub whole_to: Position,
    /// Number of whole records.
    pub records: u64,
    /// Bytes in its folder's segments behind the whole part.
    pub lost_bytes: u64,
    /// The first damage; `None` if all is whole.
    pub damage: Option<LogError>,
}

impl BlockLog {
    /// Reads every record of a log that is not open and reports how far it is whole; changes nothing.
    ///
    /// # Errors
    /// [`LogError::WrongGenesis`] and [`LogError::NewerFormat`], and what the disk refuses; damage is no error here.
    pub fn check(disk: &dyn Disk, dir: &Path, options: &LogOptions) -> Result<Salvaged, LogError> {
        Ok(Walk::over(disk, dir, options)?.found)
    }

    /// Cuts a log that is not open behind its last whole record, durably, so that it opens again. What is
    /// behind the damage is removed, whole or not: only the user may ask for this.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn salvage(disk: &dyn Disk, dir: &Path, options: &LogOptions) -> Result<Salvaged, LogError> {
        let walk = Walk::over(disk, dir, options)?;
        if walk.found.damage.is_none() {
            return Ok(walk.found);
        }
        // Newest first, each durably, so that a crash leaves a log that can be salvaged again.
        for base in segment_bases(&disk.list(dir)?).into_iter().rev() {
            if walk.last_sound.is_none_or(|sound| base > sound.base) {
                disk.remove(&segment_path(dir, base))?;
                disk.sync_dir(dir)?;
            }
        }
        if let Some(sound) = walk.last_sound {
            let file = disk.open(&segment_path(dir, sound.base), OpenMode::Existing)?;
            file.set_len(sound.offset_of(walk.found.whole_to.0))?;
            file.sync()?;
        }
        Ok(walk.found)
    }
}

/// A walk over all segments, up to the first damage.
struct Walk {
    found: Salvaged,
    /// The last segment whose header is whole and which begins where the one before ends.
    last_sound: Option<Segment>,
}

impl Walk {
    fn over(disk: &dyn Disk, dir: &Path, options: &LogOptions) -> Result<Self, LogError> {
        let bases = segment_bases(&disk.list(dir)?);
        let first = Position(bases.first().copied().unwrap_or(0));
        let found = Salvaged { first, whole_to: first, records: 0, lost_bytes: 0, damage: None };
        let mut walk = Self { found, last_sound: None };
        for base in bases {
            let file = disk.open(&segment_path(dir, base), OpenMode::Read)?;
            let whole_bytes =
                if walk.found.damage.is_none() { walk.enter(&*file, base, options)? } else { 0 };
            walk.found.lost_bytes += file.len()?.saturating_sub(whole_bytes);
        }
        Ok(walk)
    }

    /// Walks one segment; returns how many bytes of its file are whole.
    fn enter(&mut self, file: &dyn DiskFile, base: u64, options: &LogOptions) -> Result<u64, LogError> {
        let whole_to = self.found.whole_to;
        if base != whole_to.0 {
            let what =
                format!("the segment begins at position {base}, but the one before ends at {whole_to}");
            self.found.damage = Some(LogError::corrupt(file.path(), 0, what));
            return Ok(0);
        }
        let segment = match read_segment(file, base, options.genesis_hash) {
            Err(damage @ LogError::Corrupt { .. }) => {
                self.found.damage = Some(damage);
                return Ok(0);
            }
            segment => segment?,
        };
        let scanned = scan(file, segment)?;
        let whole_bytes = segment.offset_of(scanned.end);
        self.found.damage = scanned.damage.map(|damage| LogError::corrupt(file.path(), whole_bytes, damage));
        self.found.whole_to = Position(scanned.end);
        self.found.records += scanned.records;
        self.last_sound = Some(segment);
        Ok(whole_bytes)
    }
}
