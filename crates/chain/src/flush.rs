//! Putting decided blocks into the store: nodes of every block, synced; then one atomic batch with rows and marker.

use crate::chain::Chain;
use crate::error::ChainError;
use crate::folder::place_name;
use crate::logs::LogRows;
use crate::open::marker_in;
use crate::pruning::PRUNING;
use crate::rows::{MARKER, Marker, put_block};
use crate::tree::Executed;
use alloy_primitives::B256;
use coc_disk::planted::is_planted;
use coc_store::{Batch, GenerationLength, Table};
use coc_trie::Trie;
use std::collections::BTreeMap;

/// Nibbles of the head's account trie that stay in memory when it was flushed, since every change goes through them: at most 273
/// nodes. Reading the nodes below again, many at once, costs less than making copies of them that let go of what is below.
const HEAD_NIBBLES_KEPT: usize = 3;

/// What is flushed: as it was at one moment.
struct Taken {
    blocks: Vec<Executed>,
    canonical: BTreeMap<u64, Option<B256>>,
    head: Executed,
}

/// Account tries of flushed blocks, by the block.
type Flushed = Vec<(B256, Trie)>;

impl Chain {
    /// Flushes every block that is decided now. Blocks decided meanwhile stay for the next flush.
    ///
    /// # Errors
    /// [`ChainError::is_out_of_space`]: nothing is lost, the chain goes on, and a later flush does it all.
    pub fn flush(&self) -> Result<(), ChainError> {
        let _flushing = self.shared.flushing.lock();
        let taken = {
            let tree = self.shared.tree.read();
            let blocks = tree.tail.iter().filter_map(|hash| tree.blocks.get(hash).cloned()).collect();
            Taken { blocks, canonical: tree.canonical.clone(), head: tree.head.clone() }
        };
        // After the blocks were chosen: the marker must not name a record that a power loss can take.
        self.shared.log.sync()?;
        if taken.blocks.is_empty() && taken.canonical.is_empty() {
            return Ok(());
        }
        let (flushed, lengths) = self.write_nodes(&taken)?;
        let mut batch = Batch::new();
        let next_position = self.put_blocks(&taken, &flushed, &mut batch)?;
        let mut heights = Batch::new();
        let splits = is_planted("canonical-in-a-later-batch");
        let target = if splits { &mut heights } else { &mut batch };
        for (number, hash) in &taken.canonical {
            match hash {
                Some(hash) => target.put(Table::Canonical, &number.to_be_bytes(), hash.as_slice()),
                None => target.delete(Table::Canonical, &number.to_be_bytes()),
            }
        }
        let marker = Marker { head: taken.head.stored.hash, next_position, lengths };
        batch.put(Table::Meta, MARKER, &marker.encode());
        batch.put(Table::Meta, PRUNING, &self.shared.copier.lock().row());
        self.shared.index.write(batch)?;
        if splits {
            self.shared.index.write(heights)?;
        }
        if is_planted("marker-before-nodes") {
            self.shared.nodes.appender().sync()?;
        }
        self.settle(flushed, &taken.canonical);
        self.take_reserve_back();
        Ok(())
    }

    /// Writes the nodes of every block, and syncs them: the tries with their places, and how long the files are now.
    fn write_nodes(&self, taken: &Taken) -> Result<(Flushed, Vec<GenerationLength>), ChainError> {
        let Taken { blocks, head, .. } = taken;
        let mut flushed = Flushed::with_capacity(blocks.len());
        let mut appender = self.shared.nodes.appender();
        let leaves_out = is_planted("flush-last-root-only");
        let left_out = if leaves_out { blocks.len().saturating_sub(1) } else { 0 };
        for block in &blocks[..left_out] {
            flushed.push((block.stored.hash, block.state.accounts.clone()));
        }
        for block in &blocks[left_out..] {
            let parent = block.stored.block.header.parent_hash;
            // What is flushed in an era is known by its place to stand on nothing older.
            let made = match self.shared.eras.is_current(&block.state.nodes) {
                true => block.state.accounts.clone(),
                false => self.renewed(&block.state, &parent, &mut appender)?.accounts,
            };
            let mut state = made.flush(&mut appender)?;
            if block.stored.hash == head.stored.hash {
                state = made.shed_below(HEAD_NIBBLES_KEPT);
            }
            flushed.push((block.stored.hash, state));
        }
        if is_planted("marker-before-nodes") {
            return Ok((flushed, self.shared.nodes.lengths()));
        }
        Ok((flushed, appender.sync()?))
    }

    /// Puts the rows of every block into a batch; returns the log position that the store then reaches to.
    fn put_blocks(&self, taken: &Taken, flushed: &Flushed, batch: &mut Batch) -> Result<u64, ChainError> {
        let mut logs = LogRows::default();
        let mut next_position = self.marker()?.map_or(0, |marker| marker.next_position);
        let first = taken.blocks.first().and_then(|block| block.place);
        let first_position = first.map_or(next_position, |place| place.position);
        for (block, (_, state)) in taken.blocks.iter().zip(flushed) {
            let Some(place) = block.place else { continue };
            next_position = next_position.max(place.end);
            put_block(batch, &block.stored, place, state.loc());
            for (hash, code) in block.codes.iter() {
                batch.put(Table::Code, hash.as_slice(), code);
            }
            logs.add(&block.stored);
        }
        logs.write(first_position, batch);
        Ok(next_position)
    }

    /// Holds space aside again once there is some; until then the next flush tries.
    fn take_reserve_back(&self) {
        if !self.shared.log.has_reserve() {
            let _ = self.shared.log.take_reserve();
        }
    }

    /// Lets go of what the store now holds.
    fn settle(&self, flushed: Flushed, canonical: &BTreeMap<u64, Option<B256>>) {
        // What nobody needs any more is freed after the lock is released: it may be many megabytes of small pieces.
        let mut gone: Vec<Executed> = Vec::new();
        let mut tree = self.shared.tree.write();
        for (hash, trie) in flushed {
            let Some(block) = tree.blocks.get_mut(&hash) else { continue };
            let state = self.shared.young_world(trie);
            let settled = Executed { state, flushed: true, ..block.clone() };
            gone.push(std::mem::replace(block, settled.clone()));
            if tree.head.stored.hash == hash {
                gone.push(std::mem::replace(&mut tree.head, settled));
            }
        }
        let head = tree.head.stored.hash;
        for (_, block) in tree.blocks.iter_mut().filter(|(hash, block)| block.flushed && **hash != head) {
            let state = block.state.with_accounts(block.state.accounts.shed_below(0));
            gone.push(std::mem::replace(block, Executed { state, ..block.clone() }));
        }
        let blocks = std::mem::take(&mut tree.blocks);
        tree.tail.retain(|hash| blocks.get(hash).is_some_and(|block| !block.flushed));
        tree.blocks = blocks;
        let rest: Vec<&Executed> = tree.tail.iter().filter_map(|hash| tree.blocks.get(hash)).collect();
        let gas = rest.iter().map(|block| block.stored.block.header.gas_used).sum();
        let bytes = rest.iter().map(|block| block.stored.rlp_length as u64).sum();
        (tree.tail_gas, tree.tail_bytes) = (gas, bytes);
        for (number, hash) in canonical {
            if tree.canonical.get(number) == Some(hash) {
                tree.canonical.remove(number);
            }
        }
        gone.extend(tree.prune());
        let mut recent = self.shared.codes.recent.write();
        recent.clear();
        for block in tree.blocks.values().filter(|block| !block.flushed) {
            recent.extend(block.codes.iter().map(|(hash, code)| (*hash, code.clone())));
        }
    }

    /// The marker of the newest flush.
    ///
    /// # Errors
    /// [`ChainError::StoreDamaged`] where its row is no marker.
    pub fn marker(&self) -> Result<Option<Marker>, ChainError> {
        marker_in(&*self.shared.index, &place_name(self.shared.dir.as_ref()))
    }
}
