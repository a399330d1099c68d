//! Making a log shorter: at its end for repair, at its beginning for the disk budget.

use std::sync::atomic::Ordering;

use coc_disk::{DiskError, OpenMode};

use crate::error::LogError;
use crate::format::Position;
use crate::log::{BlockLog, Writer};
use crate::segments::segment_path;

impl BlockLog {
    /// Drops the record at a position and everything after it, durably. Their positions will name other
    /// records: for repair only, when what is above has been found to be no part of the chain.
    ///
    /// # Errors
    /// [`LogError::Dropped`], [`LogError::Beyond`] or [`LogError::Corrupt`] if no record begins there (the end
    /// of the log is allowed). Any failure of the disk poisons the log; after a restart it ends at or
    /// after the position, whole.
    pub fn cut_back(&self, position: Position) -> Result<(), LogError> {
        let mut writer = self.writer.lock();
        self.check_sound()?;
        if position == self.next_position() {
            return self.sync_locked(&writer);
        }
        self.check_boundary(position)?;
        self.cut_back_locked(&mut writer, position.0).map_err(|error| {
            self.poison(format!("cutting the log back to {position} failed: {error}"));
            error.into()
        })
    }

    fn cut_back_locked(&self, writer: &mut Writer, position: u64) -> Result<(), DiskError> {
        let mut segments = self.segments.write();
        // Newest first, each durably, so that no crash leaves a gap.
        while let Some(last) = segments.all().last().copied().filter(|last| last.base > position) {
            self.disk.remove(&segment_path(&self.dir, last.base))?;
            segments.pop();
            self.end.store(last.base, Ordering::Release);
            self.disk.sync_dir(&self.dir)?;
        }
        let Some(segment) = segments.holding(position) else { return Ok(()) };
        let file = self.disk.open(&segment_path(&self.dir, segment.base), OpenMode::Existing)?;
        file.set_len(segment.offset_of(position))?;
        file.sync()?;
        self.end.store(position, Ordering::Release);
        self.durable.store(position, Ordering::Release);
        *writer = Writer::new(segment, file);
        Ok(())
    }

    /// Removes every segment whose records are all below a position, oldest first, and returns how many
    /// bytes that freed. The segment that holds the position stays, and so does the last one.
    ///
    /// # Errors
    /// What the disk refuses; the log then begins at the oldest segment that is left.
    pub fn drop_segments_below(&self, position: Position) -> Result<u64, LogError> {
        let _writer = self.writer.lock();
        self.check_sound()?;
        let mut freed_bytes = 0;
        let mut segments = self.segments.write();
        while let [first, second, ..] = *segments.all() {
            if second.base > position.0 {
                break;
            }
            self.disk.remove(&segment_path(&self.dir, first.base)).map_err(|error| self.failed(error))?;
            segments.drop_first();
            freed_bytes += first.offset_of(second.base);
            // Each durably before the next, so that no crash leaves a gap.
            self.disk.sync_dir(&self.dir).map_err(|error| self.failed(error))?;
        }
        Ok(freed_bytes)
    }
}
