//! What takes space and gives it back: full disks, and the copier.

use super::Run;
use alloy_primitives::{B256, Bytes};
use coc_chain::chain::Chain;
use coc_chain::error::ChainError;
use coc_chain::open::marker_in;
use coc_store::MemIndex;

impl Run {
    /// On a disk without room for one more record a decision fails, and nothing is as if it had not; with room, the same succeeds.
    pub(super) fn grow_in_a_full_disk(&mut self, chain: &Chain) -> Result<Result<(), ChainError>, String> {
        let parent = self.parent();
        let block = match self.candidate(chain, &parent) {
            Ok(block) => block,
            Err(error) => return Ok(Err(error)),
        };
        self.disk.limit_bytes(Some(self.used_bytes() + self.dice.below(100)));
        let before = (chain.shared.log.next_position(), self.shown(chain));
        let refused = chain.decide(&block.hash, Bytes::new(), true);
        self.disk.limit_bytes(None);
        match refused {
            Err(error) if error.is_out_of_space() => {
                self.totals.full_disks += 1;
                if (chain.shared.log.next_position(), self.shown(chain)) != before {
                    return Err("a decision that found no room has changed something".into());
                }
            }
            other => {
                self.note_decided(block, &other);
                if other.is_ok() {
                    return Err("a decision was durable on a full disk".into());
                }
                return Ok(other);
            }
        }
        let decided = chain.decide(&block.hash, Bytes::new(), true);
        self.note_decided(block, &decided);
        Ok(decided.map(|()| self.acknowledged = self.model.len()))
    }

    /// What readers see of decided blocks.
    fn shown(&self, chain: &Chain) -> (B256, Vec<B256>, usize) {
        let tree = chain.shared.tree.read();
        let decided = tree.blocks.values().filter(|block| block.place.is_some()).count();
        (tree.head.stored.hash, tree.tail.clone(), decided)
    }

    /// Lets the copier do a little.
    pub(super) fn copy(&mut self, chain: &Chain) -> Result<(), ChainError> {
        if self.options.states_kept.is_none() || self.dice.one_in(2) {
            return Ok(());
        }
        let oldest = |index: &MemIndex| {
            let marker = marker_in(index, "").ok().flatten();
            marker.and_then(|marker| marker.lengths.first().map(|length| length.generation))
        };
        let before = (oldest(&self.index), self.index.writes());
        let flushed = self.marks.last_key_value().map(|(_, mark)| *mark);
        let done = chain.copy_some(1 + self.dice.below(12) as usize);
        // Such a write says again what the newest flush has said.
        self.marks.extend((before.1 + 1..=self.index.writes()).filter_map(|write| Some((write, flushed?))));
        self.totals.copied += u64::from(self.index.writes() > before.1);
        if oldest(&self.index) != before.0 {
            self.dropped_at = self.index.writes();
            self.totals.drops += 1;
        }
        done.map(drop)
    }

    pub(super) fn change_space(&mut self) -> Result<(), ChainError> {
        let limit = if self.dice.one_in(3) { Some(self.used_bytes() + self.dice.below(4_000)) } else { None };
        self.disk.limit_bytes(limit);
        Ok(())
    }

    fn used_bytes(&self) -> u64 {
        self.disk.snapshot().iter().map(|(_, content)| content.len() as u64).sum()
    }
}
