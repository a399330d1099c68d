//! Rows of the index: how blocks, heights, transactions and logs are found, and the marker that says what they stand for.
//!
//! | table | key | value |
//! |---|---|---|
//! | Blocks | block hash (32) | [`BlockRow`] |
//! | Canonical | height, big-endian (8) | block hash |
//! | Transactions | first 8 bytes of the hash ‖ log position (8) ‖ index in the block (4) | nothing |
//! | LogIndex | see `logs.rs` | heights |
//! | Code | code hash | code |
//! | Meta | `marker` | [`Marker`] |
//! | Meta | `snapshot` | how many codes came with the snapshot that the chain began with (8) |
//!
//! Rows of blocks that are not canonical may stay: whoever finds a transaction or a log through the index checks that its block is
//! canonical. So a reorganisation rewrites heights and nothing else.

use crate::record::StoredBlock;
use crate::tree::Place;
use alloy_primitives::{B256, U256};
use coc_store::{Batch, GenerationLength, Table};
use coc_trie::Loc;

/// Where a block lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockRow {
    /// Its height.
    pub number: u64,
    /// Its record in the log.
    pub position: u64,
    /// The root node of its state; `None` for an empty state.
    pub state: Option<Loc>,
    /// Sum of difficulties up to and including it.
    pub total_difficulty: U256,
}

impl BlockRow {
    /// The row as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(56);
        out.extend_from_slice(&self.number.to_be_bytes());
        out.extend_from_slice(&self.position.to_be_bytes());
        out.extend_from_slice(&self.state.map_or(0, |loc| loc.0).to_be_bytes());
        out.extend_from_slice(&self.total_difficulty.to_be_bytes_trimmed_vec());
        out
    }

    /// Reads a row back; `None` where it is no such row.
    pub fn decode(bytes: &[u8]) -> Option<BlockRow> {
        let word = |at: usize| Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        let loc = word(16)?;
        Some(BlockRow {
            number: word(0)?,
            position: word(8)?,
            state: (loc != 0).then_some(Loc(loc)),
            total_difficulty: U256::try_from_be_slice(bytes.get(24..)?)?,
        })
    }
}

/// Puts the row of a block and those of its transactions into a batch; its state lies at `state`.
pub fn put_block(batch: &mut Batch, block: &StoredBlock, place: Place, state: Option<Loc>) {
    let (number, position) = (block.block.header.number, place.position);
    let row = BlockRow { number, position, state, total_difficulty: block.total_difficulty };
    batch.put(Table::Blocks, block.hash.as_slice(), &row.encode());
    for (index, transaction) in (0u32..).zip(&block.block.body.transactions) {
        batch.put(Table::Transactions, &transaction_key(transaction.tx_hash(), position, index), &[]);
    }
}

/// Key of the marker in the Meta table.
pub const MARKER: &[u8] = b"marker";
/// Key of the number of codes of a snapshot in the Meta table.
pub const SNAPSHOT_CODES: &[u8] = b"snapshot";

/// The block that the store stands for, and how far its files are valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The head at the flush.
    pub head: B256,
    /// The first log position that is not in the store.
    pub next_position: u64,
    /// Valid bytes of the node files.
    pub lengths: Vec<GenerationLength>,
}

impl Marker {
    /// The marker as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::from(self.head.0);
        out.extend_from_slice(&self.next_position.to_be_bytes());
        out.extend_from_slice(&GenerationLength::encode_list(&self.lengths));
        out
    }

    /// Reads a marker back; `None` where it is no marker.
    pub fn decode(bytes: &[u8]) -> Option<Marker> {
        Some(Marker {
            head: B256::from_slice(bytes.get(..32)?),
            next_position: u64::from_be_bytes(bytes.get(32..40)?.try_into().ok()?),
            lengths: GenerationLength::decode_list(bytes.get(40..)?)?,
        })
    }
}

/// Bytes of a transaction's hash that its key begins with.
const TRANSACTION_PREFIX: usize = 8;

/// Key of a transaction.
pub fn transaction_key(hash: &B256, position: u64, index: u32) -> [u8; 20] {
    let mut key = [0u8; 20];
    key[..TRANSACTION_PREFIX].copy_from_slice(&hash[..TRANSACTION_PREFIX]);
    key[8..16].copy_from_slice(&position.to_be_bytes());
    key[16..].copy_from_slice(&index.to_be_bytes());
    key
}

/// The range of keys that a transaction's may lie in.
pub fn transaction_range(hash: &B256) -> ([u8; 20], [u8; 20]) {
    (transaction_key(hash, 0, 0), transaction_key(hash, u64::MAX, u32::MAX))
}

/// Log position and index that a transaction's key names.
pub fn transaction_place(key: &[u8]) -> Option<(u64, u32)> {
    let position = u64::from_be_bytes(key.get(8..16)?.try_into().ok()?);
    let index = u32::from_be_bytes(key.get(16..20)?.try_into().ok()?);
    Some((position, index))
}
