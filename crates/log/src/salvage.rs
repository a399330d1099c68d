//! For a log that does not open: how far it is whole, and cutting it there.

use std::path::Path;

use coc_disk::{Disk, OpenMode};

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
        let bases = segment_bases(&disk.list(dir)?);
        let first = bases.first().copied().unwrap_or(0);
        let mut found = Salvaged {
            first: Position(first),
            whole_to: Position(first),
            records: 0,
            lost_bytes: 0,
            damage: None,
        };
        for base in bases {
            let path = segment_path(dir, base);
            let length = disk.open(&path, OpenMode::Read)?.len()?;
            if found.damage.is_none() {
                found.damage = walk(disk, dir, base, options, &mut found)?;
                let whole = Segment { base, salt: 0 }.offset_of(found.whole_to.0.max(base));
                found.lost_bytes += if found.damage.is_some() { length.saturating_sub(whole) } else { 0 };
            } else {
                found.lost_bytes += length;
            }
        }
        Ok(found)
    }

    /// Cuts a log that is not open behind its last whole record, durably, so that it opens again. What is
    /// behind the damage is removed, whole or not: only the user may ask for this.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn salvage(disk: &dyn Disk, dir: &Path, options: &LogOptions) -> Result<Salvaged, LogError> {
        let found = Self::check(disk, dir, options)?;
        let Some(LogError::Corrupt { offset, .. }) = &found.damage else { return Ok(found) };
        for base in segment_bases(&disk.list(dir)?).into_iter().rev() {
            let path = segment_path(dir, base);
            let header_is_damaged = base == found.whole_to.0 && *offset < crate::format::SEGMENT_HEADER_BYTES;
            if base > found.whole_to.0 || header_is_damaged {
                disk.remove(&path)?;
                disk.sync_dir(dir)?;
                continue;
            }
            let file = disk.open(&path, OpenMode::Existing)?;
            file.set_len(Segment { base, salt: 0 }.offset_of(found.whole_to.0))?;
            file.sync()?;
            break;
        }
        Ok(found)
    }
}

/// Walks one segment, moves `found` forward, and returns the first damage.
fn walk(
    disk: &dyn Disk,
    dir: &Path,
    base: u64,
    options: &LogOptions,
    found: &mut Salvaged,
) -> Result<Option<LogError>, LogError> {
    let path = segment_path(dir, base);
    if base != found.whole_to.0 {
        let what =
            format!("the segment begins at position {base}, but the one before ends at {}", found.whole_to);
        return Ok(Some(LogError::corrupt(&path, 0, what)));
    }
    let file = disk.open(&path, OpenMode::Read)?;
    let segment = match read_segment(&*file, base, options.genesis_hash) {
        Err(damage @ LogError::Corrupt { .. }) => return Ok(Some(damage)),
        segment => segment?,
    };
    let scanned = scan(&*file, segment)?;
    found.whole_to = Position(scanned.end);
    found.records += scanned.records;
    Ok(scanned.damage.map(|damage| LogError::corrupt(&path, segment.offset_of(scanned.end), damage)))
}
