//! The chain as its callers see it: execute a block, decide it, choose the head, flush.
//!
//! A block is **executed** first (a candidate in memory), then **decided** (its record is in the log and durable), then **flushed**
//! (its state and rows are in the store). [`Chain::import`] does the first two for blocks of an Ethereum chain.

use crate::consensus_data;
use crate::error::ChainError;
use crate::record::StoredBlock;
use crate::shared::{Lineage, Shared};
use crate::tree::{Executed, Place};
use alloy_primitives::{Address, B256, Bytes, U256};
use coc_disk::planted::is_planted;
use coc_evm::block::{Validated, check_commitments, decode_block, execute_block};
use coc_evm::error::BlockInvalid;
use coc_evm::fork::Rules;
use coc_evm::transaction::recover_sender;
use coc_evm::types::Block;
use coc_log::Position;
use coc_log::format::RECORD_HEADER_BYTES;
use rayon::prelude::*;
use std::sync::Arc;

/// Gas of decided blocks that may be unflushed: what one core executes again in about a second.
pub const TAIL_GAS_MAX: u64 = 400_000_000;
/// Log bytes of decided blocks that may be unflushed (bytes, 32 MiB): bounds memory and the read at start.
pub const TAIL_BYTES_MAX: u64 = 32 << 20;
/// Decided blocks that may be unflushed, for chains of empty blocks.
pub const TAIL_BLOCKS_MAX: usize = 256;

/// Transactions whose senders one task looks up or recovers: a recovery takes some 40 µs, a task's overhead about one.
const SENDERS_PER_TASK: usize = 8;

/// How many times those bounds the tail may grow to while flushes fail or lag, as on a disk with room for the log and none for
/// the store. Then a decision waits for a flush, and fails with it: memory and the next start stay bounded.
pub const TAILS_MAX: u64 = 4;

/// An open chain. Cloned handles are the same chain; every method may be called from any thread.
#[derive(Clone)]
pub struct Chain {
    /// Its parts.
    pub shared: Arc<Shared>,
}

impl Chain {
    /// The rules of a block on top of `parent`.
    pub fn rules_after(&self, parent: &B256, timestamp: u64) -> Result<Rules, ChainError> {
        let parent = self.shared.stored(parent)?.ok_or(ChainError::UnknownParent(*parent))?;
        Ok(self.shared.schedule.rules(parent.block.header.number + 1, timestamp, parent.total_difficulty))
    }

    /// Validates and executes the block of these bytes; afterwards it is a candidate. Executing a known block again does nothing.
    pub fn execute(&self, rlp: &[u8], consensus_data: Bytes) -> Result<B256, ChainError> {
        let block = decode_block(rlp)?;
        self.execute_decoded(block, rlp.len(), consensus_data, None)
    }

    pub(crate) fn execute_decoded(
        &self,
        block: Block,
        rlp_length: usize,
        consensus_data: Bytes,
        senders: Option<Vec<Address>>,
    ) -> Result<B256, ChainError> {
        let hash = block.header.hash_slow();
        if self.shared.tree.read().blocks.contains_key(&hash) || self.shared.row(&hash)?.is_some() {
            // The header is known; what came with it may still be another body.
            check_commitments(&block)?;
            return Ok(hash);
        }
        let parent = self.shared.parent(&block.header.parent_hash)?;
        if self.shared.is_coc {
            let withdrawals = block.body.withdrawals.as_ref().map_or(0, |list| list.len());
            consensus_data::validate(&block.header, withdrawals, &parent.header, &consensus_data)?;
            self.refuse_blobs(&block)?;
        } else if !consensus_data.is_empty() {
            return Err(
                BlockInvalid::new("COC_CONSENSUS_DATA", "an Ethereum chain has no consensus data").into()
            );
        }
        let header = &block.header;
        let calls = self.shared.engine.calls(header.number, header.beneficiary, &consensus_data)?;
        let senders = match senders {
            None if self.shared.is_coc => self.senders_of(&block)?,
            given => given,
        };
        let lineage = Lineage { shared: self.shared.clone(), from: parent.hash };
        let reads = self.shared.failed_reads.count();
        let validated = execute_block(
            &self.shared.schedule,
            &parent,
            &block,
            rlp_length,
            senders,
            (Arc::new(lineage.clone()), &lineage),
            &calls,
        );
        self.shared.failed_reads.refuse_since(reads)?;
        let validated = validated?;
        let total_difficulty = parent.total_difficulty.saturating_add(block.header.difficulty);
        self.insert(hash, block, rlp_length, consensus_data, total_difficulty, validated)?;
        Ok(hash)
    }

    /// The senders of a block's transactions, those that the pool has seen from memory. Our chains have one fork's signature rules
    /// from genesis, so a sender once recovered is right in every block.
    fn senders_of(&self, block: &Block) -> Result<Option<Vec<Address>>, ChainError> {
        let fork = self.shared.schedule.rules(block.header.number, block.header.timestamp, U256::ZERO).fork;
        let known = &self.shared.senders;
        let transactions = &block.body.transactions;
        let senders = transactions.par_iter().with_min_len(SENDERS_PER_TASK).enumerate().map(
            |(index, each)| match known.get(each.tx_hash()) {
                Some(sender) => Ok(sender),
                None => recover_sender(each, fork).map_err(|refused| refused.in_block(index)),
            },
        );
        Ok(Some(senders.collect::<Result<_, _>>()?))
    }

    /// Remembers who sent a transaction that was recovered outside a block.
    pub fn remember_sender(&self, transaction: B256, sender: Address) {
        if self.shared.is_coc {
            self.shared.senders.insert(transaction, sender);
        }
    }

    fn refuse_blobs(&self, block: &Block) -> Result<(), BlockInvalid> {
        if self.shared.schedule.blob_activations.is_empty() && block.body.has_eip4844_transactions() {
            return Err(BlockInvalid::new(
                "COC_BLOBS",
                "this chain's genesis has no blob schedule, so it takes no blob transactions",
            ));
        }
        Ok(())
    }

    pub(crate) fn insert(
        &self,
        hash: B256,
        block: Block,
        rlp_length: usize,
        consensus_data: Bytes,
        total_difficulty: U256,
        validated: Validated,
    ) -> Result<(), ChainError> {
        let Validated { executed, senders, .. } = validated;
        let parent = block.header.parent_hash;
        let codes = Arc::new(executed.codes);
        let stored = StoredBlock {
            hash,
            block,
            rlp_length,
            consensus_data,
            seal: Bytes::new(),
            senders,
            receipts: executed.receipts,
            total_difficulty,
        };
        let mut candidate = Executed {
            stored: Arc::new(stored),
            state: executed.state,
            codes: codes.clone(),
            changed: Arc::new(executed.changed.into_iter().collect()),
            place: None,
            flushed: false,
        };
        loop {
            let mut tree = self.shared.tree.write();
            if self.shared.eras.is_current(&candidate.state.nodes) {
                // Meanwhile the same block may have come on another way, and been decided and flushed: that one stays.
                if self.shared.row(&hash)?.is_none() {
                    tree.add_candidate(candidate);
                }
                break;
            }
            // An era has begun since its parent's state was taken.
            drop(tree);
            let mut appender = self.shared.nodes.appender();
            candidate.state = self.renewed(&candidate.state, &parent, &mut appender)?;
        }
        // After the block: a flush that ends meanwhile keeps only the codes of blocks that are in the tree.
        self.shared.codes.recent.write().extend(codes.iter().map(|(hash, code)| (*hash, code.clone())));
        Ok(())
    }

    /// Writes an executed block with its seal into the log. It is durable on return if `durable`, else after [`Chain::sync`].
    /// Deciding a decided block again does nothing.
    ///
    /// # Errors
    /// [`ChainError::is_out_of_space`]: nothing has changed, and the same call succeeds when there is room.
    pub fn decide(&self, hash: &B256, seal: Bytes, durable: bool) -> Result<(), ChainError> {
        let _deciding = self.shared.deciding.lock();
        let candidate = self.shared.tree.read().blocks.get(hash).cloned();
        let Some(mut block) = candidate else {
            return if self.shared.row(hash)?.is_some() {
                Ok(())
            } else {
                Err(ChainError::UnknownBlock(*hash))
            };
        };
        if block.place.is_some() {
            return Ok(());
        }
        let parent = block.stored.block.header.parent_hash;
        let parent_decided = self.shared.tree.read().blocks.get(&parent).map(|parent| parent.place.is_some());
        if parent_decided == Some(false) {
            return Err(ChainError::UnknownParent(parent));
        }
        if !seal.is_empty() {
            Arc::make_mut(&mut block.stored).seal = seal;
        }
        let record = block.stored.encode();
        self.check_budget(record.len() as u64)?;
        if self.tail_is_over(TAILS_MAX) {
            self.flush()?;
        }
        let shows_early = is_planted("visible-before-durable");
        let position =
            if shows_early { self.shared.log.next_position() } else { self.append(&record, durable)? };
        let end = position.0 + (RECORD_HEADER_BYTES + record.len()) as u64;
        block.place = Some(Place { position: position.0, end });
        self.shared.tree.write().push_tail(block, record.len() as u64);
        if shows_early {
            self.append(&record, durable)?;
        }
        Ok(())
    }

    fn append(&self, record: &[u8], durable: bool) -> Result<Position, ChainError> {
        let log = &self.shared.log;
        let is_synced = durable && !is_planted("decide-without-fsync");
        Ok(if is_synced { log.append_durable(record)? } else { log.append(record)? })
    }

    /// Makes every decided block durable.
    pub fn sync(&self) -> Result<(), ChainError> {
        Ok(self.shared.log.sync()?)
    }

    /// Makes a decided block the head; blocks that are no longer canonical leave the heights they had.
    pub fn set_head(&self, hash: &B256) -> Result<(), ChainError> {
        let _deciding = self.shared.deciding.lock();
        let head = self.executed(hash)?;
        let old = self.shared.head();
        if old.stored.hash == *hash {
            return Ok(());
        }
        let mut changes = Vec::new();
        for number in head.number() + 1..=old.number() {
            changes.push((number, None));
        }
        let (mut at, mut number) = (*hash, head.number());
        loop {
            if self.shared.canonical(number)? == Some(at) {
                break;
            }
            changes.push((number, Some(at)));
            let stored = self.shared.stored(&at)?.ok_or(ChainError::UnknownBlock(at))?;
            if number == 0 {
                break;
            }
            (at, number) = (stored.block.header.parent_hash, number - 1);
        }
        let mut tree = self.shared.tree.write();
        tree.canonical.extend(changes);
        tree.head = head;
        Ok(())
    }

    pub(crate) fn executed(&self, hash: &B256) -> Result<Executed, ChainError> {
        if let Some(block) = self.shared.tree.read().blocks.get(hash) {
            return if block.place.is_some() {
                Ok(block.clone())
            } else {
                Err(ChainError::UnknownBlock(*hash))
            };
        }
        let row = self.shared.row(hash)?.ok_or(ChainError::UnknownBlock(*hash))?;
        let stored = self.shared.stored(hash)?.ok_or(ChainError::UnknownBlock(*hash))?;
        let state = self.shared.state(hash)?;
        Ok(Executed {
            stored,
            state,
            codes: Arc::default(),
            changed: Arc::default(),
            place: Some(Place { position: row.position, end: row.position }),
            flushed: true,
        })
    }

    /// Says which blocks are safe and which are final.
    pub fn set_finalized(&self, safe: &B256, finalized: &B256) -> Result<(), ChainError> {
        for hash in [safe, finalized] {
            // Their states may be pruned.
            let in_memory = self.shared.tree.read().blocks.get(hash).map(|block| block.place.is_some());
            let is_decided = match in_memory {
                Some(is_decided) => is_decided,
                None => self.shared.row(hash)?.is_some(),
            };
            if !is_decided {
                return Err(ChainError::UnknownBlock(*hash));
            }
        }
        let mut tree = self.shared.tree.write();
        (tree.safe, tree.finalized) = (*safe, *finalized);
        Ok(())
    }

    /// Whether so much is unflushed that a flush should run.
    pub fn flush_is_due(&self) -> bool {
        self.tail_is_over(1)
    }

    fn tail_is_over(&self, times: u64) -> bool {
        let tree = self.shared.tree.read();
        tree.tail_gas >= times * TAIL_GAS_MAX
            || tree.tail_bytes >= times * TAIL_BYTES_MAX
            || tree.tail.len() as u64 >= times * TAIL_BLOCKS_MAX as u64
    }
}
