//! From what the files hold to the chain as it was: stand on the store's marker, then execute what the log has beyond it.
//!
//! The head after a start is the marker's, moved by every later record that is higher, or heavier before the merge, in the order of
//! the log: a rule of the log's content alone, so that two starts from equal files stand on equal heads.

use crate::chain::Chain;
use crate::error::ChainError;
use crate::folder;
use crate::open::Recovered;
use crate::record::StoredBlock;
use crate::shared::Lineage;
use crate::tree::{Executed, Place, Tree};
use coc_evm::block::execute_block;
use coc_evm::error::ExecuteError;
use coc_log::format::RECORD_HEADER_BYTES;
use coc_log::{Position, Record};
use coc_trie::Trie;
use std::sync::Arc;

/// Where a record that was read ends.
pub(crate) fn place_of(record: &Record) -> Place {
    let position = record.position.0;
    Place { position, end: position + (RECORD_HEADER_BYTES + record.bytes.len()) as u64 }
}

impl Chain {
    /// Makes the marker's block the head and everything else forgotten; returns where the log goes on.
    ///
    /// # Errors
    /// [`ChainError::StoreDamaged`] where marker, rows, log and state do not fit together.
    pub(crate) fn stand_on_marker(&self) -> Result<Position, ChainError> {
        let shared = &self.shared;
        let marker = self.marker()?.ok_or_else(|| self.damaged("it has no marker".into()))?;
        let head = marker.head;
        let row =
            shared.row(&head)?.ok_or_else(|| self.damaged(format!("it has no row of its head {head}")))?;
        let stored = shared.record(row.position)?;
        if stored.hash != head
            || stored.block.header.number != row.number
            || row.position >= marker.next_position
        {
            return Err(self.damaged(format!("the row of its head {head} names another record of the log")));
        }
        let root = stored.block.header.state_root;
        let state = row.state.map_or_else(Trie::empty, |loc| Trie::stored(root, loc));
        if state.root_hash() != root {
            return Err(self.damaged(format!("it has no state of its head {head}")));
        }
        let gone = || self.damaged(format!("the state of its head {head} is no longer kept"));
        // Reads the path to one leaf: files that are not there, or are another chain's, show now and not at the first block.
        state.get(&*shared.nodes, root.as_slice())?;
        let place = Some(Place { position: row.position, end: marker.next_position });
        let state = shared.world(state).ok_or_else(gone)?;
        let head =
            Executed { stored, state, codes: Arc::default(), changed: Arc::default(), place, flushed: true };
        *shared.tree.write() = Tree::new(head);
        Ok(Position(marker.next_position))
    }

    /// Executes what the log has beyond the marker and flushes it, if the disk has room for it.
    pub(crate) fn replay_tail(&self, recovered: &mut Recovered) -> Result<(), ChainError> {
        let marked = self.marker()?.map_or(0, |marker| marker.next_position);
        for record in self.shared.log.iter_from(Position(marked)) {
            recovered.replayed_blocks += u64::from(self.replay(&record?)?);
            if self.flush_is_due() && !recovered.store_is_full {
                self.flush_if_there_is_room(recovered)?;
            }
        }
        if recovered.replayed_blocks > 0 {
            self.flush_if_there_is_room(recovered)?;
        }
        Ok(())
    }

    /// A full disk must not keep a node from starting: it can answer, and its user can see why it does not go on.
    fn flush_if_there_is_room(&self, recovered: &mut Recovered) -> Result<(), ChainError> {
        match self.flush() {
            Err(error) if error.is_out_of_space() => recovered.store_is_full = true,
            done => {
                done?;
                recovered.store_is_full = false;
            }
        }
        Ok(())
    }

    /// Executes a block that the log has and the store lacks; `false` where the store has it.
    pub(crate) fn replay(&self, record: &Record) -> Result<bool, ChainError> {
        let shared = &self.shared;
        let place = place_of(record);
        let odd = |reason: String| ChainError::Record { position: place.position, reason };
        let stored = StoredBlock::decode(&record.bytes).map_err(odd)?;
        let hash = stored.hash;
        if shared.row(&hash)?.is_some() {
            return Ok(false);
        }
        let parent = stored.block.header.parent_hash;
        if shared.stored(&parent)?.is_none() {
            return Err(odd(format!("it holds block {hash}, whose parent {parent} is not before it")));
        }
        let parent = shared.parent(&parent)?;
        let (number, beneficiary) = (stored.block.header.number, stored.block.header.beneficiary);
        let calls = shared
            .engine
            .calls(number, beneficiary, &stored.consensus_data)
            .map_err(|invalid| odd(format!("its block {hash} breaks a rule: {invalid}")))?;
        let lineage = Lineage { shared: shared.clone(), from: parent.hash };
        let reads = shared.failed_reads.count();
        let executed = execute_block(
            &shared.schedule,
            &parent,
            &stored.block,
            stored.rlp_length,
            Some(stored.senders.clone()),
            (Arc::new(lineage.clone()), &lineage),
            &calls,
        );
        shared.failed_reads.refuse_since(reads)?;
        let executed = match executed {
            Ok(validated) => validated.executed,
            Err(ExecuteError::Invalid(invalid)) => {
                return Err(odd(format!("its block {hash} breaks a rule: {invalid}")));
            }
            Err(ExecuteError::State(error)) => return Err(error.into()),
        };
        let header = &stored.block.header;
        let head = shared.head();
        let heavier = stored.total_difficulty > head.stored.total_difficulty;
        let longer = header.difficulty.is_zero() && header.number > head.number();
        shared.codes.recent.write().extend(executed.codes.iter().map(|(hash, code)| (*hash, code.clone())));
        let block = Executed {
            stored: Arc::new(stored),
            state: executed.state,
            codes: Arc::new(executed.codes),
            changed: Arc::default(),
            place: Some(place),
            flushed: false,
        };
        shared.tree.write().push_tail(block, record.bytes.len() as u64);
        if heavier || longer {
            self.set_head(&hash)?;
            self.set_finalized(&hash, &hash)?;
        }
        Ok(true)
    }

    /// The error of a store that contradicts itself.
    pub(crate) fn damaged(&self, what: String) -> ChainError {
        ChainError::StoreDamaged { place: folder::place_name(self.shared.dir.as_ref()), what }
    }
}
