//! Importing blocks of an Ethereum chain, one or many.
//!
//! Many are worked on in two places at once: one thread decodes the blocks that come next and recovers their senders on all
//! cores, while the calling thread executes, decides and flushes in order. The chain is the same as if every block had been
//! imported alone. The recovery has threads of its own: in the common pool, small work of the execution would queue behind it,
//! and the two would take turns instead of running side by side.

use crate::chain::Chain;
use crate::error::ChainError;
use alloy_primitives::{Address, B256, Bytes, U256};
use coc_evm::block::decode_block;
use coc_evm::fork::Fork;
use coc_evm::transaction::recover_senders;
use coc_evm::types::Block;
use rayon::ThreadPoolBuilder;
use std::sync::mpsc::{Receiver, sync_channel};

/// Decoded blocks that wait for their execution: enough that cores have work during a flush, few enough that the memory is that
/// of a few blocks.
const BLOCKS_AHEAD_MAX: usize = 4;

/// How far an import came.
#[derive(Debug)]
pub struct Imported {
    /// Blocks imported before the refused one.
    pub done: usize,
    /// Why the next block was refused: [`ChainError::Invalid`] or [`ChainError::UnknownParent`].
    pub refused: Option<ChainError>,
}

/// A block on its way to execution.
struct Ready {
    block: Block,
    rlp_length: usize,
    /// Its senders under the rules of this fork; nothing where one could not be recovered, which the execution then reports.
    senders: Option<(Fork, Vec<Address>)>,
}

impl Chain {
    /// Executes and decides the next block of an Ethereum chain and follows the heaviest, or newest merged, chain.
    ///
    /// Durable after [`Chain::sync`].
    pub fn import(&self, rlp: &[u8]) -> Result<B256, ChainError> {
        let hash = self.execute(rlp, Bytes::new())?;
        self.follow(&hash)?;
        Ok(hash)
    }

    /// [`Chain::import`] for blocks in order, each standing on one before it or on a known one, up to the first refused block.
    /// Flushes where it is due. Durable on return.
    ///
    /// # Errors
    /// What the log, the store or the disk says; blocks imported before stay.
    pub fn import_many<Rlp: AsRef<[u8]> + Sync>(&self, blocks: &[Rlp]) -> Result<Imported, ChainError> {
        let imported = std::thread::scope(|scope| {
            let (ahead, ready) = sync_channel(BLOCKS_AHEAD_MAX);
            // Both ends live in this scope: whichever side stops first, the other one sees it.
            scope.spawn(move || {
                let threads = (blocks.len() > 1).then(|| ThreadPoolBuilder::new().build().ok()).flatten();
                for rlp in blocks {
                    let make = || self.make_ready(rlp.as_ref());
                    let made = threads.as_ref().map_or_else(make, |threads| threads.install(make));
                    if ahead.send(made).is_err() {
                        return; // a block was refused: nobody wants the rest
                    }
                }
            });
            self.import_ready(ready)
        })?;
        self.sync()?;
        Ok(imported)
    }

    /// Decodes a block and recovers its senders. Its parent may not be known yet, so its fork is an assumption.
    fn make_ready(&self, rlp: &[u8]) -> Result<Ready, ChainError> {
        let block = decode_block(rlp)?;
        let header = &block.header;
        let fork = self.shared.schedule.rules(header.number, header.timestamp, U256::ZERO).fork;
        let senders = recover_senders(&block.body.transactions, fork).ok().map(|senders| (fork, senders));
        Ok(Ready { block, rlp_length: rlp.len(), senders })
    }

    fn import_ready(&self, ready: Receiver<Result<Ready, ChainError>>) -> Result<Imported, ChainError> {
        let mut imported = Imported { done: 0, refused: None };
        for next in ready {
            match next.and_then(|ready| self.import_one(ready)) {
                Ok(()) => imported.done += 1,
                Err(refused @ (ChainError::Invalid(_) | ChainError::UnknownParent(_))) => {
                    imported.refused = Some(refused);
                    break;
                }
                Err(failed) => return Err(failed),
            }
            if self.flush_is_due() {
                self.flush()?;
            }
        }
        Ok(imported)
    }

    fn import_one(&self, ready: Ready) -> Result<(), ChainError> {
        let header = &ready.block.header;
        let fork = self.rules_after(&header.parent_hash, header.timestamp)?.fork;
        let senders =
            ready.senders.filter(|(assumed, _)| recover_alike(*assumed, fork)).map(|(_, senders)| senders);
        let hash = self.execute_decoded(ready.block, ready.rlp_length, Bytes::new(), senders)?;
        self.follow(&hash)
    }

    /// Decides an executed block and makes it the head if it is heavier or, after the merge, higher.
    fn follow(&self, hash: &B256) -> Result<(), ChainError> {
        self.decide(hash, Bytes::new(), false)?;
        let block = self.executed(hash)?;
        let head = self.shared.head();
        let merged = block.stored.block.header.difficulty.is_zero() && block.number() > head.number();
        if merged || block.stored.total_difficulty > head.stored.total_difficulty {
            self.set_head(hash)?;
            self.set_finalized(hash, hash)?;
        }
        Ok(())
    }
}

/// Whether two forks agree on every signature: the last change was Spurious Dragon's (EIP-155).
fn recover_alike(one: Fork, other: Fork) -> bool {
    one == other || one.min(other) >= Fork::SpuriousDragon
}
