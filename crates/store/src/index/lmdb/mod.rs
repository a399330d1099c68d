//! The index on disk: LMDB, a memory-mapped copy-on-write B-tree, behind the [`Index`] trait.
//!
//! **Layout.** One environment in a folder of its own (`data.mdb`, `lock.mdb`), one named database a [`Table`], and
//! one named `identity` that says which format and chain this is (`identity.rs`). Values carry a checksum (`row.rs`).
//!
//! **Durability.** Neither `MDB_NOSYNC` nor `MDB_NOMETASYNC` nor `MDB_WRITEMAP` is set: a commit writes its pages,
//! syncs, then switches the meta page. A crash leaves the old or the new tree, never a mixture.
//!
//! **What to know of LMDB:**
//! * Keys have 1 to 511 bytes. Pages are the system's (4 KiB); a value above about half a page takes pages of its own.
//! * The map size is the hard limit of the file, sparse until used. It is the disk budget here, taken anew at every
//!   open. A file that is larger already stays, takes no growing batch, and gets the reserve on top.
//! * Deleting needs room, since changed pages are copied. A share of the budget ([`RESERVE_SHARE`]) is therefore kept
//!   for batches that do not grow the store: nothing needs free space to free space.
//! * The file never shrinks. Freed pages are used again, though not while an older snapshot lives: a reader that stays
//!   for minutes under load makes the file grow. Hence: short snapshots, and [`READER_SLOTS`] of them.
//! * A full disk shows as `ENOSPC` or, after a short write, as `EIO`; both abort the transaction and leave the last
//!   commit in place. An `EIO` while the file system has room is a real failure, and stops further writes.
//! * Flipped bits inside the tree's own pages may abort or crash the process. [`Index::check`] is to run in a child.
//! * A file must not be mapped twice by one process, hence [`StoreError::AlreadyOpen`]. Locking the folder against
//!   other nodes is the business of the caller; other processes may read.
//! * Half of every leaf stays empty when rising keys are inserted the plain way. Rows beyond the last key of a table
//!   are therefore appended (`MDB_APPEND`), which fills leaves.

mod failure;
mod identity;
mod row;
mod view;

use super::batch::Prepared;
use super::{Batch, Index, IndexReport, IndexSnapshot, IndexStats, Row, Table, TableStats};
use crate::StoreError;
use alloy_primitives::B256;
use failure::{DATA_FILE, Failures};
use heed::types::Bytes;
use heed::{AnyTls, Database, Env, EnvFlags, EnvOpenOptions, PutFlags, RoTxn, RwTxn, WithoutTls};
use std::path::Path;
use std::sync::atomic::{Ordering, fence};
use view::{View, key_bounds};

/// Concurrent reads and snapshots: each takes a slot of 64 bytes in the lock file. Far above the threads of a node.
pub const READER_SLOTS: u32 = 1024;

/// One part in this many of the budget is kept for batches that do not grow the store.
pub const RESERVE_SHARE: u64 = 8;

/// Smallest budget in bytes: a few pages a table and the copies that a change of them needs.
pub const MIN_BUDGET_BYTES: u64 = 4 << 20;

/// Default budget in bytes: more than an index of years, and only address space until used.
pub const DEFAULT_BUDGET_BYTES: u64 = 64 << 30;

/// A budget is rounded up to a multiple of this many bytes: the largest page size of the systems we run on.
const BUDGET_UNIT_BYTES: u64 = 64 << 10;

type Sheet = Database<'static, Bytes, Bytes>;

/// How to open a [`LmdbIndex`].
#[derive(Clone, Copy, Debug)]
pub struct LmdbOptions {
    /// Which chain this index belongs to.
    pub genesis_hash: B256,
    /// Bytes the file may grow to, at least [`MIN_BUDGET_BYTES`].
    pub budget_bytes: u64,
}

impl LmdbOptions {
    /// The default budget for the chain with that genesis.
    pub fn new(genesis_hash: B256) -> LmdbOptions {
        LmdbOptions { genesis_hash, budget_bytes: DEFAULT_BUDGET_BYTES }
    }
}

/// An [`Index`] in a folder on disk. Closed when it and its last snapshot are dropped.
pub struct LmdbIndex {
    env: Env<WithoutTls>,
    sheets: [Sheet; Table::COUNT],
    failures: Failures,
    /// Bytes of live pages up to which a batch may grow the store.
    growth_limit_bytes: u64,
}

impl LmdbIndex {
    /// Opens the index in folder `dir`, or makes a new one there.
    ///
    /// # Errors
    /// [`StoreError::WrongChain`], [`StoreError::NewerFormat`], [`StoreError::Foreign`], [`StoreError::Damaged`],
    /// [`StoreError::AlreadyOpen`], [`StoreError::NoSpace`] or [`StoreError::Io`].
    pub fn open(dir: &Path, options: LmdbOptions) -> Result<LmdbIndex, StoreError> {
        let failures = Failures::of(dir);
        std::fs::create_dir_all(dir).map_err(|source| failures.io("create", source))?;
        let budget_bytes = options.budget_bytes.max(MIN_BUDGET_BYTES).next_multiple_of(BUDGET_UNIT_BYTES);
        let mut opening = EnvOpenOptions::new().read_txn_without_tls();
        opening
            .map_size(map_bytes(dir, budget_bytes) as usize)
            .max_readers(READER_SLOTS)
            .max_dbs(Table::COUNT as u32 + 1);
        // SAFETY: `NO_READ_AHEAD` only advises the kernel about a map that is read in random order.
        unsafe { opening.flags(EnvFlags::NO_READ_AHEAD) };
        // SAFETY: the file is changed by LMDB alone. That no second node writes to the folder is what the caller's
        // lock is for; a file that lost its tail is refused below, before any page beyond its end can be touched.
        let env = unsafe { opening.open(dir) }.map_err(|error| failures.explain("open", error))?;
        identity::refuse_truncated(&env, &failures)?;
        let sheets = identity::open_sheets(&env, options.genesis_hash, &failures)?;
        let growth_limit_bytes = budget_bytes - budget_bytes / RESERVE_SHARE;
        Ok(LmdbIndex { env, sheets, failures, growth_limit_bytes })
    }

    /// Begins to read the newest commit.
    ///
    /// LMDB takes the number of the newest commit, then its root from one of two places that commits write in turn. A
    /// reader held up in between while two commits come finds the root of the second, perhaps before readers who come
    /// later do, so that time would run backwards for it. A reader to which that may have happened begins again.
    fn begin<'e>(
        &self,
        begin: impl Fn() -> heed::Result<RoTxn<'e, WithoutTls>>,
    ) -> heed::Result<RoTxn<'e, WithoutTls>> {
        loop {
            let txn = begin()?;
            fence(Ordering::Acquire); // the root was read before the newest number is
            if self.env.info().last_txn_id <= txn.id() + 1 {
                return Ok(txn);
            }
        }
    }

    fn reading<T>(&self, read: impl FnOnce(View<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let txn = self.begin(|| self.env.read_txn()).map_err(|error| self.failures.explain("read", error))?;
        read(View { txn: &txn, sheets: &self.sheets, failures: &self.failures })
    }

    fn apply(&self, txn: &mut RwTxn<'_>, batch: &Prepared) -> heed::Result<()> {
        let mut sealed = Vec::new();
        for table in Table::ALL {
            if batch.leaves_alone(table) {
                continue;
            }
            let sheet = &self.sheets[table.slot()];
            for (from, to) in batch.cuts(table) {
                if let Some(bounds) = key_bounds(from, to) {
                    sheet.delete_range(txn, &bounds)?;
                }
            }
            let last: Option<Vec<u8>> = sheet.last(txn)?.map(|(key, _)| key.to_vec());
            for (key, value) in batch.changes(table) {
                let Some(value) = value else {
                    sheet.delete(txn, key)?;
                    continue;
                };
                row::seal(table, key, value, &mut sealed);
                let beyond_last = last.as_deref().is_none_or(|last| key > last);
                let flags = if beyond_last { PutFlags::APPEND } else { PutFlags::empty() };
                sheet.put_with_flags(txn, flags, key, &sealed)?;
            }
        }
        Ok(())
    }

    /// Bytes of the pages that hold rows, as the transaction sees them.
    fn live_bytes(&self, txn: &RoTxn<'_, AnyTls>) -> heed::Result<u64> {
        self.sheets.iter().map(|sheet| sheet.stat(txn).map(|stat| stat.non_free_page_size() as u64)).sum()
    }
}

/// How large the file may grow: the budget or, where the file is larger already, its size and the reserve. Without
/// that not even a deletion would find room after the budget was lowered.
fn map_bytes(dir: &Path, budget_bytes: u64) -> u64 {
    let file_bytes = std::fs::metadata(dir.join(DATA_FILE)).map_or(0, |metadata| metadata.len());
    let with_reserve = file_bytes + budget_bytes / RESERVE_SHARE;
    budget_bytes.max(with_reserve.next_multiple_of(BUDGET_UNIT_BYTES))
}

impl Index for LmdbIndex {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.reading(|view| view.get(table, key))
    }

    fn range(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
        reverse: bool,
    ) -> Result<Vec<Row>, StoreError> {
        self.reading(|view| view.range(table, from, to, limit, reverse))
    }

    fn write(&self, batch: Batch) -> Result<(), StoreError> {
        let batch = batch.prepare()?;
        self.failures.refuse_if_poisoned()?;
        let written = (|| {
            let mut txn = self.env.write_txn()?;
            let before = self.live_bytes(&txn)?;
            self.apply(&mut txn, &batch)?;
            let after = self.live_bytes(&txn)?;
            if after > before && after > self.growth_limit_bytes {
                txn.abort();
                return Ok(Some(after));
            }
            txn.commit()?;
            Ok(None)
        })();
        match written {
            Ok(None) => Ok(()),
            Ok(Some(wanted)) => Err(self.failures.over_budget(wanted, self.growth_limit_bytes)),
            Err(error) => Err(self.failures.explain_write(error)),
        }
    }

    fn snapshot(&self) -> Result<Box<dyn IndexSnapshot>, StoreError> {
        let txn = self
            .begin(|| self.env.clone().static_read_txn())
            .map_err(|error| self.failures.explain("read", error))?;
        Ok(Box::new(LmdbSnapshot { txn, sheets: self.sheets, failures: self.failures.clone() }))
    }

    fn stats(&self) -> Result<IndexStats, StoreError> {
        let gather = || -> heed::Result<IndexStats> {
            let txn = self.begin(|| self.env.read_txn())?;
            let mut tables = Vec::with_capacity(Table::COUNT);
            for table in Table::ALL {
                let stat = self.sheets[table.slot()].stat(&txn)?;
                let bytes = stat.non_free_page_size() as u64;
                tables.push(TableStats { table, rows: stat.entries as u64, bytes });
            }
            Ok(IndexStats {
                used_bytes: tables.iter().map(|table| table.bytes).sum(),
                tables,
                file_bytes: self.env.real_disk_size()?,
                budget_bytes: self.growth_limit_bytes,
            })
        };
        gather().map_err(|error| self.failures.explain("read", error))
    }

    fn check(&self) -> Result<IndexReport, StoreError> {
        self.reading(|view| {
            let mut report = IndexReport::default();
            for table in Table::ALL {
                view.check(table, &mut report)?;
            }
            Ok(report)
        })
    }
}

/// A view of one commit; holds a reader slot until dropped.
struct LmdbSnapshot {
    txn: RoTxn<'static, WithoutTls>,
    sheets: [Sheet; Table::COUNT],
    failures: Failures,
}

impl IndexSnapshot for LmdbSnapshot {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        View { txn: &self.txn, sheets: &self.sheets, failures: &self.failures }.get(table, key)
    }

    fn range(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
        reverse: bool,
    ) -> Result<Vec<Row>, StoreError> {
        View { txn: &self.txn, sheets: &self.sheets, failures: &self.failures }
            .range(table, from, to, limit, reverse)
    }
}
