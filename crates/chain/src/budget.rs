//! The disk budget: what a chain's folder may take, with a margin kept so that a full one is left in order.
//!
//! A chain whose only validator we are drops nothing of its log (nobody else could give it back), so at the budget it stops deciding
//! and says why. What was decided can still be flushed: the margin is for that.

use crate::chain::{Chain, TAIL_BYTES_MAX};
use crate::error::ChainError;

/// Bytes of the budget that deciding leaves free for flushing what is decided: nodes and rows of a full tail.
const FLUSH_MARGIN_BYTES: u64 = 4 * TAIL_BYTES_MAX;

impl Chain {
    /// Bytes of log, node files and index.
    pub fn disk_bytes(&self) -> u64 {
        let shared = &self.shared;
        shared.log.bytes() + shared.nodes.bytes() + shared.index.stats().map_or(0, |stats| stats.file_bytes)
    }

    /// Refuses to decide a block that would leave too little of the budget for its flush.
    pub(crate) fn check_budget(&self, record_bytes: u64) -> Result<(), ChainError> {
        let Some(budget) = self.shared.disk_budget_bytes else { return Ok(()) };
        let used = self.disk_bytes();
        if used + record_bytes + FLUSH_MARGIN_BYTES.min(budget / 4) > budget {
            return Err(ChainError::OverBudget { used, budget });
        }
        Ok(())
    }
}
