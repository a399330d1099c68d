//! Block 0: its header and hash from a genesis file, its record in the log, its state in the store.

use crate::error::ChainError;
use crate::folder::{GENESIS_FILE, genesis_of};
use crate::record::StoredBlock;
use crate::rows::{BlockRow, MARKER, Marker};
use crate::shared::Codes;
use crate::tree::{Executed, Place};
use alloy_primitives::{B256, Bytes};
use coc_evm::genesis::Genesis;
use coc_evm::state::WorldState;
use coc_evm::types::{Block, Body, Header};
use coc_log::BlockLog;
use coc_store::{Batch, Index, MemIndex, MemOptions, NodeFiles, Table};
use coc_trie::{MemoryNodes, Trie};
use parking_lot::RwLock;
use std::path::Path;
use std::sync::Arc;

/// A parsed genesis file and the block it makes.
pub(crate) struct Origin {
    pub genesis: Genesis,
    pub header: Header,
    pub hash: B256,
}

impl Origin {
    /// Parses a genesis file's text and computes its block's header.
    pub fn read(text: &[u8]) -> Result<Origin, ChainError> {
        let genesis = Genesis::parse(text).map_err(|error| ChainError::Genesis(error.to_string()))?;
        let (header, _) = genesis.seal(empty_state(Arc::new(MemoryNodes::new())))?;
        let hash = header.hash_slow();
        Ok(Origin { genesis, header, hash })
    }

    /// Refuses a folder that was made with another genesis.
    pub fn refuse_other(&self, dir: &Path) -> Result<(), ChainError> {
        let Some(text) = genesis_of(dir)? else { return Ok(()) };
        let there = Origin::read(&text).map_err(|error| {
            ChainError::Genesis(format!(
                "{} is damaged: {error}; restore it from a copy",
                dir.join(GENESIS_FILE).display()
            ))
        })?;
        if there.hash == self.hash {
            return Ok(());
        }
        let (dir, found, wanted) = (dir.display(), there.hash, self.hash);
        Err(ChainError::Genesis(format!(
            "{dir} holds the chain with genesis {found}, not {wanted}; use another `--data` folder, or start it without `--genesis`"
        )))
    }

    /// Block 0 as a record.
    pub fn stored(&self) -> StoredBlock {
        let header = self.header.clone();
        let withdrawals = header.withdrawals_root.map(|_| alloy_eips::eip4895::Withdrawals::default());
        let total_difficulty = header.difficulty;
        let block =
            Block { header, body: Body { transactions: Vec::new(), ommers: Vec::new(), withdrawals } };
        StoredBlock {
            hash: self.hash,
            rlp_length: alloy_rlp::encode(&block).len(),
            block,
            consensus_data: Bytes::new(),
            seal: Bytes::new(),
            senders: Vec::new(),
            receipts: Vec::new(),
            total_difficulty,
        }
    }

    /// Block 0 before anything is read: what the tree begins with.
    pub fn executed(&self, state: WorldState) -> Executed {
        Executed {
            stored: Arc::new(self.stored()),
            state,
            codes: Arc::default(),
            changed: Arc::default(),
            place: Some(Place { position: 0, end: 0 }),
            flushed: true,
        }
    }

    /// Makes block 0 the log's first record, unless it is that already: where it begins and ends.
    pub fn write_log(&self, log: &BlockLog) -> Result<Place, ChainError> {
        let first = log.first_position();
        if first == log.next_position() {
            let position = log.append_durable(&self.stored().encode())?;
            return Ok(Place { position: position.0, end: log.next_position().0 });
        }
        let mut records = log.iter_from(first);
        let found = match records.next().transpose()? {
            Some(record) => {
                StoredBlock::decode(&record.bytes)
                    .map_err(|reason| ChainError::Record { position: first.0, reason })?
                    .hash
            }
            None => B256::ZERO,
        };
        if found != self.hash {
            let reason = format!("the log begins with block {found}, not with the genesis {}", self.hash);
            return Err(ChainError::Record { position: first.0, reason });
        }
        let end = records.next().transpose()?.map_or(log.next_position(), |record| record.position);
        Ok(Place { position: first.0, end: end.0 })
    }

    /// Makes an empty store stand for block 0, whose record lies at `place`.
    pub fn write_store(
        &self,
        place: Place,
        nodes: &Arc<NodeFiles>,
        index: &dyn Index,
    ) -> Result<(), ChainError> {
        let (_, sealed) = self.genesis.seal(empty_state(nodes.clone()))?;
        let (state, lengths) = {
            let mut appender = nodes.appender();
            let state = sealed.state.accounts.flush(&mut appender)?;
            (state, appender.sync()?)
        };
        let mut batch = Batch::new();
        let (number, total_difficulty) = (self.header.number, self.header.difficulty);
        let row = BlockRow { number, position: place.position, state: state.loc(), total_difficulty };
        batch.put(Table::Blocks, self.hash.as_slice(), &row.encode());
        batch.put(Table::Canonical, &number.to_be_bytes(), self.hash.as_slice());
        for (hash, code) in &sealed.codes {
            batch.put(Table::Code, hash.as_slice(), code);
        }
        let marker = Marker { head: self.hash, next_position: place.end, lengths };
        batch.put(Table::Meta, MARKER, &marker.encode());
        Ok(index.write(batch)?)
    }
}

fn empty_state(nodes: Arc<dyn coc_trie::NodeReader>) -> WorldState {
    let codes = Codes { index: Arc::new(MemIndex::new(MemOptions::default())), recent: RwLock::default() };
    WorldState { accounts: Trie::empty(), nodes, codes: Arc::new(codes) }
}
