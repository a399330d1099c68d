//! Block 0: its header and hash from a genesis file, its record in the log, its state in the store.

use crate::base::Base;
use crate::error::ChainError;
use crate::folder::{GENESIS_FILE, genesis_in, genesis_of};
use crate::note::GenesisNote;
use crate::record::StoredBlock;
use crate::rows::{BlockRow, MARKER, Marker};
use crate::shared::Codes;
use crate::tree::{Executed, Place};
use alloy_primitives::{B256, Bytes};
use coc_disk::Disk;
use coc_evm::genesis::Genesis;
use coc_evm::genesis_text::GenesisText;
use coc_evm::overlay::Sealed;
use coc_evm::state::WorldState;
use coc_evm::types::{Block, Body, Header};
use coc_log::BlockLog;
use coc_store::{Batch, Index, MemIndex, MemOptions, NodeFiles, Table};
use coc_trie::{MemoryNodes, Trie};
use parking_lot::RwLock;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A parsed genesis file and the block it makes.
pub(crate) struct Origin {
    pub genesis: Genesis,
    pub header: Header,
    pub hash: B256,
    accounts: Accounts,
}

/// Where the accounts of block 0 are.
enum Accounts {
    /// Here, as a state.
    Sealed(Box<Sealed>),
    /// In the genesis file of this folder: a note spared reading them.
    InFile(PathBuf),
}

/// What a log begins with.
pub(crate) struct Start {
    /// Where the record of the chain's first block lies.
    pub place: Place,
    /// That block and those before it, where it is not block 0.
    pub base: Option<Base>,
}

impl Origin {
    /// Parses a genesis file's text and computes its block's header.
    pub fn read(text: &[u8]) -> Result<Origin, ChainError> {
        let genesis = Genesis::parse(text).map_err(|error| ChainError::Genesis(error.to_string()))?;
        let (header, sealed) = genesis.seal(empty_state(Arc::new(MemoryNodes::new())))?;
        let hash = header.hash_slow();
        Ok(Origin { genesis, header, hash, accounts: Accounts::Sealed(Box::new(sealed)) })
    }

    /// [`Origin::read`], unless the folder has a note of this text.
    pub fn of(disk: &dyn Disk, dir: &Path, text: &[u8]) -> Result<Origin, ChainError> {
        let Some(note) = GenesisNote::load(disk, dir, text) else { return Origin::read(text) };
        let genesis = Genesis::parse_outline(&note.outline);
        let genesis = genesis.map_err(|error| ChainError::Genesis(error.to_string()))?;
        let header = Header { state_root: note.state_root, ..genesis.header.clone() };
        let hash = header.hash_slow();
        Ok(Origin { genesis, header, hash, accounts: Accounts::InFile(dir.into()) })
    }

    /// The note to keep of this text; none where it came from one.
    pub fn note(&self, text: &[u8]) -> Result<Option<GenesisNote>, ChainError> {
        if let Accounts::InFile(_) = self.accounts {
            return Ok(None);
        }
        let cut = GenesisText::cut(text).map_err(|error| ChainError::Genesis(error.to_string()))?;
        let (state_root, accounts) = (self.header.state_root, self.genesis.alloc.len() as u64);
        Ok(Some(GenesisNote { state_root, accounts, outline: cut.outline() }))
    }

    /// Refuses a folder that was made with another genesis. Says whether the folder's genesis file, where it has one, is `text` to
    /// the last byte.
    pub fn refuse_other(&self, dir: &Path, text: &[u8]) -> Result<bool, ChainError> {
        let Some(kept) = genesis_of(dir)? else { return Ok(true) };
        if kept == text {
            return Ok(true);
        }
        let there = Origin::read(&kept).map_err(|error| {
            ChainError::Genesis(format!(
                "{} is damaged: {error}; restore it from a copy",
                dir.join(GENESIS_FILE).display()
            ))
        })?;
        if there.hash == self.hash {
            return Ok(false);
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

    /// Makes block 0 the log's first record, unless the log begins with it, or with a snapshot, already.
    ///
    /// # Errors
    /// [`ChainError::Record`] for a log that begins with anything else.
    pub fn write_log(&self, log: &BlockLog) -> Result<Start, ChainError> {
        if let Some((base, place)) = Base::read(log)? {
            return Ok(Start { place, base: Some(base) });
        }
        Ok(Start { place: self.write_block_0(log)?, base: None })
    }

    fn write_block_0(&self, log: &BlockLog) -> Result<Place, ChainError> {
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
        let sealed = match &self.accounts {
            Accounts::Sealed(sealed) => sealed,
            Accounts::InFile(dir) => {
                let origin = Origin::read(&genesis_in(dir)?)?;
                if origin.hash != self.hash {
                    let path = dir.join(GENESIS_FILE);
                    let changed = format!("{} was changed just now; restore it from a copy", path.display());
                    return Err(ChainError::Genesis(changed));
                }
                return origin.write_store(place, nodes, index);
            }
        };
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
