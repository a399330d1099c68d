//! A small ordered key-value store: tables of sorted byte keys, atomic durable batches, consistent snapshots.
//!
//! [`Index`] is all that the chain knows of it. [`MemIndex`] serves tests, the simulator and a node without a data
//! folder; [`LmdbIndex`] serves a node with one. Both pass the same conformance suite (`tests/index_contract.rs`).

mod batch;
mod lmdb;
mod memory;
mod table;

pub use batch::{Batch, MAX_KEY_BYTES};
pub use lmdb::{DEFAULT_BUDGET_BYTES, LmdbIndex, LmdbOptions, MIN_BUDGET_BYTES, READER_SLOTS, RESERVE_SHARE};
pub use memory::{MemIndex, MemOptions, MemSnapshot};
pub use table::Table;

use crate::StoreError;

/// A key with its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// An ordered store of tables. All methods may be called from any thread; writes queue behind one another.
pub trait Index: Send + Sync {
    /// The value under `key`, as of the newest write.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Up to `limit` rows with `from <= key < to` (no upper bound if `to` is `None`), as of the newest write.
    ///
    /// Rows come in rising order of keys, or in falling order from the upper end if `reverse`. Keys compare byte by
    /// byte. A bound may have any length. `from > to` is an empty range.
    fn range(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
        reverse: bool,
    ) -> Result<Vec<Row>, StoreError>;

    /// Applies a batch: all of it or nothing, and durable when this returns `Ok`.
    ///
    /// # Errors
    /// [`StoreError::NoSpace`] when disk or budget is full: nothing was written, and the next write may succeed.
    /// Any other error means that the store takes no further writes until it is opened again.
    fn write(&self, batch: Batch) -> Result<(), StoreError>;

    /// A view of the newest write that later writes do not change. Keep it for seconds, not minutes: the pages it
    /// needs cannot be reused while it lives.
    fn snapshot(&self) -> Result<Box<dyn IndexSnapshot>, StoreError>;

    /// Rows and bytes of every table, and how much of the budget is used.
    fn stats(&self) -> Result<IndexStats, StoreError>;

    /// Reads every row of every table and verifies it. Damage inside the pages of a memory-mapped store may end the
    /// process: run this in a child process when damage is suspected.
    fn check(&self) -> Result<IndexReport, StoreError>;
}

/// A consistent view of an [`Index`] at the moment it was taken.
pub trait IndexSnapshot: Send {
    /// See [`Index::get`].
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// See [`Index::range`].
    fn range(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
        reverse: bool,
    ) -> Result<Vec<Row>, StoreError>;
}

/// Size of one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableStats {
    /// The table.
    pub table: Table,
    /// Rows in it.
    pub rows: u64,
    /// Bytes it takes: pages in a store on disk, keys and values in memory.
    pub bytes: u64,
}

/// Size of a whole index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexStats {
    /// One entry a table, in the order of [`Table::ALL`].
    pub tables: Vec<TableStats>,
    /// Bytes in use by all tables.
    pub used_bytes: u64,
    /// Bytes of the file on disk, freed pages included; equal to `used_bytes` in memory.
    pub file_bytes: u64,
    /// Bytes the tables may use before writes are refused; `u64::MAX` without a limit.
    pub budget_bytes: u64,
}

/// What [`Index::check`] saw: everything it read was sound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IndexReport {
    /// Rows read and verified.
    pub rows: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
}
