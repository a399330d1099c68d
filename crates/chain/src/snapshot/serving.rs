//! Giving peers the pieces of a state that is still kept.

use super::payload::{StateRequest, Wish, range_bytes};
use super::surroundings::{ANCESTORS_MAX, Surroundings};
use super::{ANSWER_BYTES_MAX, CODES_MAX};
use crate::chain::Chain;
use crate::error::ChainError;
use alloy_primitives::{B256, Bytes};
use coc_evm::state::{CodeReader as _, WorldState};
use coc_evm::types::Header;
use coc_trie::{LeafRange, Trie, TrieError};

impl Chain {
    /// The ranges asked for, in order, as many as fit; none where the state is not kept. Of the last one only the beginning may
    /// fit, then it ends with its last leaf.
    ///
    /// # Errors
    /// [`ChainError::State`] and what the store says.
    pub fn state_ranges(&self, request: &StateRequest) -> Result<Vec<LeafRange>, ChainError> {
        let state = match self.shared.state(&request.block) {
            Err(ChainError::UnknownBlock(_) | ChainError::Pruned(_)) => return Ok(Vec::new()),
            found => found?,
        };
        if let Some(block) = self.shared.stored(&request.block)? {
            self.note_served(&request.block, block.block.header.number);
        }
        let mut left = request.bytes_max.min(ANSWER_BYTES_MAX);
        let mut ranges = Vec::new();
        for wish in &request.wishes {
            let range = match range_of(&state, wish, left) {
                // Dropped while we read, with the generation that it lay in.
                Err(TrieError::Missing { .. }) => return Ok(Vec::new()),
                found => found?,
            };
            let is_cut = range.end < wish.end;
            left = left.saturating_sub(range_bytes(&range));
            ranges.push(range);
            if is_cut || left == 0 {
                break;
            }
        }
        Ok(ranges)
    }

    /// The codes with these hashes, in order, as many as fit; empty ones for those that are not known.
    ///
    /// # Errors
    /// [`ChainError::State`].
    pub fn codes_of(&self, hashes: &[B256]) -> Result<Vec<Bytes>, ChainError> {
        let mut left = ANSWER_BYTES_MAX;
        let mut codes = Vec::new();
        for hash in hashes.iter().take(CODES_MAX) {
            let code = self.shared.codes.code(hash)?.unwrap_or_default();
            left = left.saturating_sub(code.len() as u64);
            codes.push(code);
            if left == 0 {
                break;
            }
        }
        Ok(codes)
    }

    /// A block with its consensus data, its receipts and the headers before it; nothing where some of that is not kept.
    ///
    /// # Errors
    /// What log or index says.
    pub fn surroundings_of(&self, block: &B256) -> Result<Option<Surroundings>, ChainError> {
        let Some(stored) = self.shared.stored(block)? else { return Ok(None) };
        let number = stored.block.header.number;
        let mut headers = Vec::new();
        let mut parent = stored.block.header.parent_hash;
        for _ in 0..number.min(ANCESTORS_MAX) {
            let Some(header) = self.header_of(&parent)? else { return Ok(None) };
            parent = header.parent_hash;
            headers.push(header);
        }
        headers.reverse();
        let block = stored.block.clone();
        let (consensus_data, receipts) = (stored.consensus_data.clone(), stored.receipts.clone());
        Ok(Some(Surroundings { headers, block, consensus_data, receipts }))
    }

    /// The header of a known block, or of one just before the snapshot that this chain began with.
    fn header_of(&self, hash: &B256) -> Result<Option<Header>, ChainError> {
        if let Some(header) = self.shared.base.as_ref().and_then(|begin| begin.base.ancestor(hash)) {
            return Ok(Some(header.clone()));
        }
        Ok(self.shared.stored(hash)?.map(|stored| stored.block.header.clone()))
    }
}

fn range_of(state: &WorldState, wish: &Wish, bytes_max: u64) -> Result<LeafRange, TrieError> {
    let nodes = &*state.nodes;
    let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
    match &wish.account {
        None => state.accounts.range(nodes, &wish.start, &wish.end, bytes_max),
        Some(account) => {
            let account = state.accounts.get(nodes, account.as_slice())?;
            let storage = account.and_then(|account| account.storage().cloned()).unwrap_or_else(Trie::empty);
            storage.range(nodes, &wish.start, &wish.end, bytes_max)
        }
    }
}
