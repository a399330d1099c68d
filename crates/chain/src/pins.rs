//! States that are kept though they are old: those pinned by hand, and those that peers fetch.
//!
//! A peer that fetches a state asks for piece after piece. A state is kept while it was asked for within [`SERVED_IDLE_BLOCKS`], but
//! not for ever: nobody can make a node keep it for more than [`SERVED_BLOCKS`] blocks by asking.

use crate::chain::Chain;
use crate::copier::Copier;
use crate::error::ChainError;
use alloy_primitives::B256;
use coc_disk::planted::is_planted;
use coc_trie::Loc;
use std::collections::BTreeMap;

/// States that may be pinned at once: each keeps the files of its time from being dropped.
pub const PINS_MAX: usize = 16;
/// States that are kept at once because peers fetch them: the newest final one, and those before it that others began with.
pub const SERVED_MAX: usize = 4;
/// Blocks for which a state is kept after a peer has asked for it.
pub const SERVED_IDLE_BLOCKS: u64 = 256;
/// Blocks after its own for which a state is kept at most because peers ask for it.
pub const SERVED_BLOCKS: u64 = 2_048;

/// What is kept.
#[derive(Default)]
pub struct Pins {
    by_hand: BTreeMap<B256, u32>,
    /// Height of the block, and of the head when it was last asked for.
    served: BTreeMap<B256, (u64, u64)>,
}

impl Chain {
    /// Keeps the state of a known block until it is unpinned as often as it was pinned.
    ///
    /// # Errors
    /// [`ChainError::UnknownBlock`], [`ChainError::Pruned`], and [`ChainError::Limit`] with [`PINS_MAX`] blocks pinned.
    pub fn pin_state(&self, hash: &B256) -> Result<(), ChainError> {
        let mut copier = self.shared.copier.lock();
        self.shared.state(hash)?;
        let pins = &mut copier.pins.by_hand;
        if pins.len() >= PINS_MAX && !pins.contains_key(hash) {
            return Err(ChainError::Limit(format!(
                "{PINS_MAX} states are pinned already; unpin one of them"
            )));
        }
        *pins.entry(*hash).or_default() += 1;
        Ok(())
    }

    /// Undoes one [`pin_state`](Self::pin_state); nothing where there was none.
    pub fn unpin_state(&self, hash: &B256) {
        let mut copier = self.shared.copier.lock();
        if let Some(count) = copier.pins.by_hand.get_mut(hash) {
            *count -= 1;
            if *count == 0 {
                copier.pins.by_hand.remove(hash);
            }
        }
    }

    /// Notes that a peer fetches the state of a block of this height.
    pub fn note_served(&self, hash: &B256, height: u64) {
        let head = self.shared.head().number();
        let mut copier = self.shared.copier.lock();
        let served = &mut copier.pins.served;
        served.insert(*hash, (height, head));
        while served.len() > SERVED_MAX {
            let oldest = served.iter().min_by_key(|(_, (height, asked))| (*asked, *height));
            let Some(oldest) = oldest.map(|(hash, _)| *hash) else { return };
            served.remove(&oldest);
        }
    }

    /// Whether a state that lies before this place is to be kept.
    pub(crate) fn is_pinned(&self, copier: &Copier, before: Loc) -> Result<bool, ChainError> {
        if is_planted("pin-ignored") {
            return Ok(false);
        }
        let head = self.flushed_head()?.1.number;
        let is_fetched =
            |(height, asked): &(u64, u64)| head < asked + SERVED_IDLE_BLOCKS && head < height + SERVED_BLOCKS;
        let served = copier.pins.served.iter().filter(|(_, times)| is_fetched(times)).map(|(hash, _)| hash);
        for hash in copier.pins.by_hand.keys().chain(served) {
            let row = self.shared.row(hash)?;
            if row.and_then(|row| row.state).is_some_and(|loc| loc < before) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
