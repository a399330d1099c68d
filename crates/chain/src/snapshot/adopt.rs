//! From a complete snapshot to a chain: log, rows, marker; only then is the progress forgotten.
//!
//! Every step may be repeated: as long as the file of the progress is there, no chain opens on the folder, and finishing again
//! begins with an empty log.

use super::builder::SnapshotBuilder;
use super::{SnapshotError, Surroundings};
use crate::error::ChainError;
use crate::folder::{SEGMENT_SUFFIX, SNAPSHOT_FILE};
use crate::logs::LogRows;
use crate::rows::{MARKER, Marker, put_block};
use crate::tree::Place;
use alloy_primitives::Bytes;
use coc_log::BlockLog;
use coc_store::{Batch, Table};

impl SnapshotBuilder {
    /// Makes the folder one that opens with the block as its head; `seal` is the block's, which the caller has verified.
    ///
    /// # Errors
    /// [`SnapshotError::Incomplete`] while something is missing. After another error the builder may be begun again, and finishes.
    pub fn finish(mut self, seal: Bytes) -> Result<(), SnapshotError> {
        if self.accounts.next().is_some() {
            return Err(SnapshotError::Incomplete("accounts are missing"));
        }
        let Some(surroundings) = self.surroundings.clone() else {
            return Err(SnapshotError::Incomplete("the block itself is missing"));
        };
        let (mut stored, base) = Surroundings::verified(&surroundings, &self.target.hash, &self.origin)
            .map_err(|what| self.damaged(what))?;
        stored.seal = seal;
        let state = self.accounts.trie().flush(&mut self.nodes.appender())?;
        if state.root_hash() != self.target.header.state_root {
            return Err(self.damaged(format!("the state has the root {}", state.root_hash())));
        }
        self.save()?;
        let log = self.new_log()?;
        log.append(&base.encode()).map_err(ChainError::from)?;
        let position = log.append_durable(&stored.encode()).map_err(ChainError::from)?;
        let place = Place { position: position.0, end: log.next_position().0 };
        let mut batch = Batch::new();
        put_block(&mut batch, &stored, place, state.loc());
        batch.put(Table::Canonical, &base.number.to_be_bytes(), base.hash.as_slice());
        let mut rows = LogRows::default();
        rows.add(&stored);
        rows.write(place.position, &mut batch);
        let marker = Marker { head: base.hash, next_position: place.end, lengths: self.nodes.lengths() };
        batch.put(Table::Meta, MARKER, &marker.encode());
        self.parts.index.write(batch)?;
        let (disk, root) = (&*self.parts.disk, &self.parts.root);
        disk.remove(&root.join(SNAPSHOT_FILE))?;
        disk.sync_dir(root)?;
        // Only now: to finish once more needs both files.
        disk.remove(&self.surroundings_file())?;
        Ok(disk.sync_dir(root)?)
    }

    /// An empty log, whatever there was before: block 0, or what an earlier finish has left.
    fn new_log(&self) -> Result<BlockLog, ChainError> {
        let (disk, dir) = (&self.parts.disk, self.parts.log_dir());
        disk.create_dir(&dir)?;
        // The newest first, so that a crash leaves no gap.
        for name in disk.list(&dir)?.iter().rev().filter(|name| name.ends_with(SEGMENT_SUFFIX)) {
            disk.remove(&dir.join(name))?;
            disk.sync_dir(&dir)?;
        }
        Ok(BlockLog::open(disk.clone(), &dir, self.options.log(&self.origin, 0))?.0)
    }
}
