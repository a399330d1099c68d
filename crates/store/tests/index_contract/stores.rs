//! How each kind of index is opened and reopened by the tests.

use alloy_primitives::B256;
use coc_store::{Index, LmdbIndex, LmdbOptions, MemIndex, MemOptions};
use tempfile::TempDir;

/// The smallest budget that LMDB takes, so that a test fills it quickly.
const SMALL_BUDGET_BYTES: u64 = 4 << 20;

pub trait Store {
    fn open() -> Self;
    /// With a budget that a few dozen large rows fill.
    fn open_small() -> Self;
    fn index(&self) -> &dyn Index;
    /// Closes and opens again, as a restart does.
    fn reopen(&mut self);
}

pub struct MemStore {
    index: MemIndex,
}

impl MemStore {
    fn with_budget(budget_bytes: u64) -> MemStore {
        MemStore { index: MemIndex::new(MemOptions { history_writes: 100, budget_bytes }) }
    }

    pub fn memory(&self) -> &MemIndex {
        &self.index
    }
}

impl Store for MemStore {
    fn open() -> MemStore {
        MemStore::with_budget(u64::MAX)
    }

    fn open_small() -> MemStore {
        MemStore::with_budget(SMALL_BUDGET_BYTES)
    }

    fn index(&self) -> &dyn Index {
        &self.index
    }

    fn reopen(&mut self) {
        self.index = self.index.crashed_at(self.index.writes()).expect("the newest write is always known");
    }
}

pub struct LmdbStore {
    dir: TempDir,
    options: LmdbOptions,
    index: Option<LmdbIndex>,
}

impl LmdbStore {
    fn with_budget(budget_bytes: u64) -> LmdbStore {
        let dir = tempfile::tempdir().expect("a temporary folder can be made");
        let options = LmdbOptions { budget_bytes, ..LmdbOptions::new(B256::repeat_byte(1)) };
        let index = LmdbIndex::open(dir.path(), options).expect("an empty folder becomes an index");
        LmdbStore { dir, options, index: Some(index) }
    }
}

impl Store for LmdbStore {
    fn open() -> LmdbStore {
        LmdbStore::with_budget(LmdbOptions::new(B256::ZERO).budget_bytes)
    }

    fn open_small() -> LmdbStore {
        LmdbStore::with_budget(SMALL_BUDGET_BYTES)
    }

    fn index(&self) -> &dyn Index {
        self.index.as_ref().expect("open except inside reopen")
    }

    fn reopen(&mut self) {
        self.index = None;
        self.index =
            Some(LmdbIndex::open(self.dir.path(), self.options).expect("what was closed opens again"));
    }
}
