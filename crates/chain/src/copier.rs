//! Giving up old states: what is still needed is carried to a young generation of node files, and the old ones are dropped.
//!
//! 1. **Copy.** A new generation is begun, and every flush goes to it. The state of the flushed head is carried there node by node, a
//!    few at each call; meanwhile the chain goes on, and its new states still name old places. So the then newest state is carried
//!    after it, at the cost of what differs, and again, until little is left.
//! 2. **Turn.** With no flush under way the rest is carried, and every state in memory is made to stand on the carried one. From here
//!    on no new state names an old place. States that stand behind this moment are of an earlier era ([`crate::eras`]).
//! 3. **Wait** until as many states as are to be kept have come after it, it is final, no pinned state is older, and nobody reads an
//!    older one. Once it is final, whatever may still become the chain stands on places that came after it.
//! 4. **Drop.** The marker is written without the old generations; then their files are removed, which needs no free space.
//!
//! Every step is in one batch with the marker that it belongs to, so a crash leaves the step before or after it, and the next start
//! goes on. A flush and a slice of this work exclude each other.

use crate::chain::Chain;
use crate::check_rows::canonical;
use crate::error::ChainError;
use crate::pins::Pins;
use crate::pruning::{Copying, PRUNING, Pruning, Root, Stage};
use crate::rows::{BlockRow, MARKER, Marker};
use crate::tree::{Executed, Tree};
use alloy_primitives::B256;
use alloy_primitives::map::B256Map;
use coc_disk::planted::is_planted;
use coc_evm::state::WorldState;
use coc_store::{Apart, Batch, NodeAppender, NodeFiles, Table};
use coc_trie::{Carry, Ground, Loc, NodeReader, Trie};

/// States that a node keeps unless it keeps all: what EIP-2935 and wallets look back.
pub const STATES_KEPT_DEFAULT: u64 = 256;
/// Bytes of node files below which copying is not worth it (64 MiB).
pub const COPY_FROM_BYTES_DEFAULT: u64 = 64 << 20;
/// Times that the newest state is carried after the last before the rest is carried in one go.
const ROUNDS_MAX: u32 = 8;
/// The part of a disk budget that node files may take before copying begins: the copy needs as much again.
const BUDGET_SHARE: u64 = 3;

/// The copier of an open chain.
#[derive(Default)]
pub struct Copier {
    /// What the store says, or will say with its next batch.
    pub record: Pruning,
    carry: Option<Carry>,
    rounds: u32,
    /// States that are kept though they are old.
    pub(crate) pins: Pins,
}

impl Copier {
    /// The copier of a store that says this.
    pub fn new(record: Pruning) -> Copier {
        Copier { record, ..Copier::default() }
    }

    /// What a batch is to say now.
    pub(crate) fn row(&mut self) -> Vec<u8> {
        if let (Stage::Copying(copying), Some(carry)) = (&mut self.record.stage, &self.carry) {
            copying.progress = carry.progress();
        }
        self.record.encode()
    }
}

impl Chain {
    /// Whether [`copy_some`](Self::copy_some) has something to do.
    ///
    /// # Errors
    /// What the index says.
    pub fn copy_is_due(&self) -> Result<bool, ChainError> {
        let Some(kept) = self.states_kept() else { return Ok(false) };
        let copier = self.shared.copier.lock();
        Ok(match &copier.record.stage {
            Stage::Idle => self.shared.nodes.bytes() >= self.copy_from_bytes(copier.record.kept_bytes),
            Stage::Copying(_) => true,
            Stage::Waiting { before, copied } => {
                let height = self.flushed_head()?.1.number;
                height >= copied.height + kept
                    && self.finalized_height()? >= copied.height
                    && !self.is_pinned(&copier, Loc(*before))?
            }
        })
    }

    /// Carries up to `nodes_max` nodes, or does the next step. `false` when there is nothing more to do before the next flush.
    ///
    /// # Errors
    /// [`ChainError::is_out_of_space`]: nothing is lost, the same call goes on when there is room.
    pub fn copy_some(&self, nodes_max: usize) -> Result<bool, ChainError> {
        if !self.copy_is_due()? {
            return Ok(false);
        }
        let _flushing = self.shared.flushing.lock();
        let mut copier = self.shared.copier.lock();
        match copier.record.stage.clone() {
            Stage::Idle => self.begin_copy(&mut copier).map(|()| true),
            Stage::Copying(copying) => self.copy(&mut copier, copying, nodes_max).map(|()| true),
            Stage::Waiting { before, copied } => self.drop_old(&mut copier, Loc(before), copied),
        }
    }

    fn states_kept(&self) -> Option<u64> {
        if is_planted("drop-at-once") { Some(0) } else { self.shared.states_kept }
    }

    fn copy_from_bytes(&self, kept_bytes: u64) -> u64 {
        let grown = self.shared.copy_from_bytes.max(2 * kept_bytes);
        let budget = self.shared.disk_budget_bytes.map_or(grown, |budget| budget / BUDGET_SHARE);
        grown.min(budget.max(kept_bytes + kept_bytes / 4))
    }

    /// The height up to which no block is taken back.
    fn finalized_height(&self) -> Result<u64, ChainError> {
        let finalized = self.shared.tree.read().finalized;
        let stored = self.shared.stored(&finalized)?.ok_or(ChainError::UnknownBlock(finalized))?;
        Ok(stored.block.header.number)
    }

    /// The marker's block, and its row.
    pub(crate) fn flushed_head(&self) -> Result<(Marker, BlockRow), ChainError> {
        let marker = self.marker()?.ok_or_else(|| self.damaged("it has no marker".into()))?;
        let row = self.shared.row(&marker.head)?;
        let row = row.ok_or_else(|| self.damaged(format!("it has no row of its head {}", marker.head)))?;
        Ok((marker, row))
    }

    /// The state of the flushed head.
    fn flushed_root(&self) -> Result<Root, ChainError> {
        let (marker, row) = self.flushed_head()?;
        let stored = self.shared.stored(&marker.head)?.ok_or(ChainError::UnknownBlock(marker.head))?;
        let loc = row.state.map_or(0, |loc| loc.0);
        Ok(Root { height: row.number, hash: stored.block.header.state_root, loc })
    }

    fn begin_copy(&self, copier: &mut Copier) -> Result<(), ChainError> {
        let target = self.flushed_root()?;
        let generation = self.shared.nodes.appender().start_generation()?;
        copier.record.stage =
            Stage::Copying(Copying { generation, target, base: None, progress: Vec::new() });
        (copier.carry, copier.rounds) = (None, 0);
        Ok(())
    }

    fn copy(&self, copier: &mut Copier, copying: Copying, nodes_max: usize) -> Result<(), ChainError> {
        let nodes = &self.shared.nodes;
        let reader = Apart(nodes);
        let target = copying.target.trie();
        let base = copying.base.map_or_else(Trie::empty, |base| base.trie());
        let is_new = copier.carry.is_none();
        if is_new {
            let resumed = Carry::resume(&target, &base, &reader, &copying.progress)?;
            copier.carry = Some(match resumed {
                Some(carry) => carry,
                None => Carry::begin(&target, &base, &reader)?,
            });
        }
        let Some(carry) = &mut copier.carry else { return Ok(()) };
        let mut appender = nodes.appender();
        let young_from = coc_store::first_loc(copying.generation);
        let mut ground = Ground { reader: &reader, writer: &mut appender, young_from };
        let Some(carried) = carry.step(&mut ground, nodes_max)? else { return Ok(()) };
        drop(appender);
        copier.carry = None;
        copier.rounds += 1;
        // What took one slice is little: the rest is as little, and nobody has to wait long for it.
        if is_new || copier.rounds >= ROUNDS_MAX {
            return self.turn(copier, copying.generation, &carried);
        }
        let base = Some(Root::of(copying.target.height, &carried));
        let target = self.flushed_root()?;
        copier.record.stage = Stage::Copying(Copying { target, base, progress: Vec::new(), ..copying });
        Ok(())
    }

    /// Makes every state in memory stand on young places alone; `carried` is one that does.
    fn turn(&self, copier: &mut Copier, generation: u16, carried: &Trie) -> Result<(), ChainError> {
        let shared = &self.shared;
        let (mut marker, head) = (self.flushed_head()?.0, self.flushed_root()?);
        let mut blocks: Vec<Executed> = {
            let tree = shared.tree.read();
            tree.blocks.values().chain([&tree.head]).cloned().collect()
        };
        blocks.sort_by_key(|block| (block.number(), block.stored.hash));
        let mut appender = shared.nodes.appender();
        let before = appender.next_loc();
        let mut young =
            Young { nodes: &shared.nodes, before, generation, head: carried.clone(), of: B256Map::default() };
        young.head = young.flushed(&head.trie(), carried, &mut appender)?;
        young.of.insert(marker.head, young.head.clone());
        let mut batch = Batch::new();
        for block in &blocks {
            young.block(block, &mut appender)?;
        }
        let flushed = blocks.iter().filter(|block| block.flushed).map(|block| block.stored.hash);
        for hash in flushed.chain([marker.head]) {
            if let (Some(row), Some(trie)) = (shared.row(&hash)?, young.of.get(&hash)) {
                let row = BlockRow { state: trie.loc(), ..row };
                batch.put(Table::Blocks, hash.as_slice(), &row.encode());
            }
        }
        let is_synced = !is_planted("copy-unsynced");
        marker.lengths = if is_synced { appender.sync()? } else { shared.nodes.lengths() };
        let stage = Stage::Waiting { before: before.0, copied: Root::of(head.height, &young.head) };
        let young_bytes = marker.lengths.iter().filter(|length| length.generation >= generation);
        let kept_bytes = young_bytes.map(|length| length.bytes).sum();
        let record = Pruning { stage, kept_bytes, ..copier.record.clone() };
        batch.put(Table::Meta, MARKER, &marker.encode());
        batch.put(Table::Meta, PRUNING, &record.encode());
        shared.index.write(batch)?;
        copier.record = record;
        let mut tree = shared.tree.write();
        shared.eras.turn(before, young.head.clone());
        self.settle_young(&mut tree, &mut young, &mut appender)
    }

    /// Gives every block in memory its state in the new era.
    fn settle_young(
        &self,
        tree: &mut Tree,
        young: &mut Young<'_>,
        appender: &mut NodeAppender<'_>,
    ) -> Result<(), ChainError> {
        let mut hashes: Vec<(u64, B256)> =
            tree.blocks.iter().map(|(hash, block)| (block.number(), *hash)).collect();
        hashes.sort_unstable();
        for (_, hash) in hashes {
            let Some(block) = tree.blocks.get_mut(&hash) else { continue };
            let trie = match is_planted("turn-leaves-memory") && !block.flushed {
                true => block.state.accounts.clone(),
                false => young.block(block, appender)?,
            };
            *block = Executed { state: self.shared.young_world(trie), ..block.clone() };
        }
        let state = self.shared.young_world(young.block(&tree.head, appender)?);
        tree.head = Executed { state, ..tree.head.clone() };
        Ok(())
    }

    /// A state that was made of one of an earlier era, in this one; `parent` is the block before its own.
    pub(crate) fn renewed(
        &self,
        state: &WorldState,
        parent: &B256,
        appender: &mut NodeAppender<'_>,
    ) -> Result<WorldState, ChainError> {
        let shared = &self.shared;
        let near = shared.tree.read().blocks.get(parent).map(|block| block.state.clone());
        let base = match near.filter(|near| shared.eras.is_current(&near.nodes)) {
            Some(near) => near.accounts,
            // The flushed head may be of an earlier era: the head has moved to a block that was left before the turn.
            None => shared.eras.young(self.flushed_root()?.trie()),
        };
        let generation = coc_store::generation_of(shared.eras.begins());
        let trie = carry_whole(&state.accounts, &base, &shared.nodes, appender, generation)?;
        Ok(shared.young_world(trie))
    }

    /// Whether no state that is to be kept stands on places before this one.
    fn kept_are_young(&self, before: Loc, kept: u64) -> Result<bool, ChainError> {
        let shared = &self.shared;
        let in_memory = {
            let tree = shared.tree.read();
            tree.blocks.values().chain([&tree.head]).all(|block| shared.eras.is_current(&block.state.nodes))
        };
        if !in_memory {
            return Ok(false);
        }
        let highest = self.flushed_head()?.1.number;
        for number in (highest + 1).saturating_sub(kept)..=highest {
            // The chain that a start would find, and the one that is shown.
            for hash in [canonical(&*shared.index, number)?, shared.canonical(number)?].into_iter().flatten()
            {
                let row = shared.row(&hash)?;
                if row.and_then(|row| row.state).is_some_and(|loc| loc < before) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Drops the generations before the place, if nothing that is to be kept is in them.
    fn drop_old(&self, copier: &mut Copier, before: Loc, copied: Root) -> Result<bool, ChainError> {
        let shared = &self.shared;
        let generation = coc_store::generation_of(before);
        if !self.kept_are_young(before, self.states_kept().unwrap_or(u64::MAX))? {
            let target = self.flushed_root()?;
            let copying = Copying { generation, target, base: Some(copied), progress: Vec::new() };
            copier.record.stage = Stage::Copying(copying);
            (copier.carry, copier.rounds) = (None, 0);
            return Ok(true);
        }
        if !shared.eras.end_earlier() {
            return Ok(false);
        }
        if is_planted("drop-before-marker") {
            shared.nodes.drop_before(generation)?;
        }
        let (mut marker, _) = self.flushed_head()?;
        marker.lengths.retain(|length| length.generation >= generation);
        let record = Pruning { floor: before.0, stage: Stage::Idle, ..copier.record.clone() };
        let mut batch = Batch::new();
        batch.put(Table::Meta, MARKER, &marker.encode());
        batch.put(Table::Meta, PRUNING, &record.encode());
        shared.index.write(batch)?;
        copier.record = record;
        shared.nodes.drop_before(generation)?;
        shared.eras.forget_earlier();
        Ok(true)
    }
}

/// States on young places, while they are made.
struct Young<'a> {
    nodes: &'a NodeFiles,
    /// Roots of flushed states are to lie here or behind: by that they are known to be young.
    before: Loc,
    generation: u16,
    head: Trie,
    of: B256Map<Trie>,
}

impl Young<'_> {
    /// The state of a block. Parents come before their children.
    fn block(&mut self, block: &Executed, appender: &mut NodeAppender<'_>) -> Result<Trie, ChainError> {
        let hash = block.stored.hash;
        if let Some(trie) = self.of.get(&hash) {
            return Ok(trie.clone());
        }
        let base = self.of.get(&block.stored.block.header.parent_hash).unwrap_or(&self.head).clone();
        let trie = if block.flushed {
            self.flushed(&block.state.accounts, &base, appender)?
        } else {
            carry_whole(&block.state.accounts, &base, self.nodes, appender, self.generation)?
        };
        self.of.insert(hash, trie.clone());
        Ok(trie)
    }

    /// A flushed state. Its root is written once more where it would lie too far in front.
    fn flushed(&self, trie: &Trie, base: &Trie, appender: &mut NodeAppender<'_>) -> Result<Trie, ChainError> {
        let trie = carry_whole(trie, base, self.nodes, appender, self.generation)?;
        let Some(loc) = trie.loc().filter(|loc| *loc < self.before) else { return Ok(trie) };
        let root = trie.root_hash();
        let node = Apart(self.nodes).read(loc, &root)?;
        Ok(Trie::stored(root, appender.append(&node.encode_record())?))
    }
}

fn carry_whole(
    trie: &Trie,
    base: &Trie,
    nodes: &NodeFiles,
    appender: &mut NodeAppender<'_>,
    generation: u16,
) -> Result<Trie, ChainError> {
    let reader = Apart(nodes);
    let mut carry = Carry::begin(trie, base, &reader)?;
    let mut ground =
        Ground { reader: &reader, writer: appender, young_from: coc_store::first_loc(generation) };
    loop {
        if let Some(carried) = carry.step(&mut ground, usize::MAX)? {
            return Ok(carried);
        }
    }
}
