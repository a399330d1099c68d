//! The index in memory: sorted maps, and for each recent write what undoes it.
//!
//! The undo records serve two ends with one mechanism. A **snapshot** of an earlier write reads through the records
//! of the writes since: the oldest record that knows a key says what the snapshot saw, else the current map does.
//! A **crash** in the simulator goes back to any earlier write by applying the records in reverse
//! ([`MemIndex::crashed_at`]). A record lives as long as a snapshot or the asked-for history needs it; without either
//! none is made, and a write costs what the maps cost.

use super::batch::Prepared;
use super::{Batch, Index, IndexReport, IndexSnapshot, IndexStats, Row, Table, TableStats};
use crate::StoreError;
use parking_lot::RwLock;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

/// The name under which errors speak of this store.
const NAME: &str = "the index in memory";

/// How a [`MemIndex`] behaves.
#[derive(Clone, Copy, Debug)]
pub struct MemOptions {
    /// How many writes back [`MemIndex::crashed_at`] can go; 0 outside the simulator.
    pub history_writes: usize,
    /// Bytes of keys and values beyond which a growing write is refused.
    pub budget_bytes: u64,
}

impl Default for MemOptions {
    fn default() -> MemOptions {
        MemOptions { history_writes: 0, budget_bytes: u64::MAX }
    }
}

/// An [`Index`] in memory. A write is "durable" at once: it is a crash point of its own.
pub struct MemIndex {
    shared: Arc<RwLock<State>>,
}

impl MemIndex {
    /// An empty index at write 0.
    pub fn new(options: MemOptions) -> MemIndex {
        MemIndex { shared: Arc::new(RwLock::new(State::empty(options))) }
    }

    /// How many batches were written so far: the name of the newest crash point.
    pub fn writes(&self) -> u64 {
        self.shared.read().writes
    }

    /// The index as it stood after the write of that number, as a process would find it that starts after a crash.
    /// This index is left as it is; the new one can be crashed again to what is left of the history.
    ///
    /// # Errors
    /// [`StoreError::HistoryGone`] when the history kept does not reach back that far.
    pub fn crashed_at(&self, write: u64) -> Result<MemIndex, StoreError> {
        let state = self.shared.read();
        let oldest = state.writes - state.undo.len() as u64;
        if write < oldest || write > state.writes {
            return Err(StoreError::HistoryGone { wanted: write, oldest, newest: state.writes });
        }
        let mut revived = State::empty(state.options);
        revived.tables = state.tables.clone();
        revived.undo = state.undo.clone();
        revived.writes = state.writes;
        while revived.writes > write {
            revived.undo_newest();
        }
        revived.used_bytes = revived.tables.iter().flatten().map(|(key, value)| row_bytes(key, value)).sum();
        Ok(MemIndex { shared: Arc::new(RwLock::new(revived)) })
    }
}

impl Index for MemIndex {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.shared.read().tables[table.slot()].get(key).cloned())
    }

    fn range(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
        reverse: bool,
    ) -> Result<Vec<Row>, StoreError> {
        let state = self.shared.read();
        Ok(state.range_at(state.writes, table, from, to, limit, reverse))
    }

    fn write(&self, batch: Batch) -> Result<(), StoreError> {
        self.shared.write().apply(&batch.prepare()?)
    }

    fn snapshot(&self) -> Result<Box<dyn IndexSnapshot>, StoreError> {
        let mut state = self.shared.write();
        let write = state.writes;
        *state.snapshots.entry(write).or_default() += 1;
        Ok(Box::new(MemSnapshot { shared: Arc::clone(&self.shared), write }))
    }

    fn stats(&self) -> Result<IndexStats, StoreError> {
        let state = self.shared.read();
        let tables = Table::ALL.map(|table| {
            let rows = &state.tables[table.slot()];
            let bytes = rows.iter().map(|(key, value)| row_bytes(key, value)).sum();
            TableStats { table, rows: rows.len() as u64, bytes }
        });
        Ok(IndexStats {
            tables: tables.to_vec(),
            used_bytes: state.used_bytes,
            file_bytes: state.used_bytes,
            budget_bytes: state.options.budget_bytes,
        })
    }

    fn check(&self) -> Result<IndexReport, StoreError> {
        let state = self.shared.read();
        let rows = state.tables.iter().map(|rows| rows.len() as u64).sum();
        Ok(IndexReport { rows, bytes: state.used_bytes })
    }
}

/// What a [`MemIndex`] held when the snapshot was taken.
pub struct MemSnapshot {
    shared: Arc<RwLock<State>>,
    write: u64,
}

impl IndexSnapshot for MemSnapshot {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let state = self.shared.read();
        let slot = table.slot();
        let known_since = state.undo_since(self.write).find_map(|undo| undo[slot].get(key));
        Ok(known_since.unwrap_or(&state.tables[slot].get(key).cloned()).clone())
    }

    fn range(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
        reverse: bool,
    ) -> Result<Vec<Row>, StoreError> {
        Ok(self.shared.read().range_at(self.write, table, from, to, limit, reverse))
    }
}

impl Drop for MemSnapshot {
    fn drop(&mut self) {
        let mut state = self.shared.write();
        if let Some(count) = state.snapshots.get_mut(&self.write) {
            *count -= 1;
            if *count == 0 {
                state.snapshots.remove(&self.write);
            }
        }
        state.forget_old_undo();
    }
}

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// What each key touched by one write held before it.
type Undo = [BTreeMap<Vec<u8>, Option<Vec<u8>>>; Table::COUNT];

struct State {
    options: MemOptions,
    tables: [Rows; Table::COUNT],
    used_bytes: u64,
    writes: u64,
    /// The newest writes' undo records, oldest first; the last belongs to write number `writes`.
    undo: VecDeque<Undo>,
    /// How many live snapshots stand at which write.
    snapshots: BTreeMap<u64, usize>,
}

impl State {
    fn empty(options: MemOptions) -> State {
        State {
            options,
            tables: Default::default(),
            used_bytes: 0,
            writes: 0,
            undo: VecDeque::new(),
            snapshots: BTreeMap::new(),
        }
    }

    fn apply(&mut self, batch: &Prepared) -> Result<(), StoreError> {
        let before = self.used_bytes;
        let mut undo = Undo::default();
        for table in Table::ALL {
            let slot = table.slot();
            for (from, to) in batch.cuts(table) {
                let doomed: Vec<_> =
                    in_bounds(&self.tables[slot], from, to).map(|(key, _)| key.clone()).collect();
                for key in doomed {
                    self.set(&mut undo, slot, &key, None);
                }
            }
            for (key, value) in batch.changes(table) {
                self.set(&mut undo, slot, key, value);
            }
        }
        if self.used_bytes > self.options.budget_bytes && self.used_bytes > before {
            let detail = format!("{} of {} bytes would be used", self.used_bytes, self.options.budget_bytes);
            self.restore(&undo);
            self.used_bytes = before;
            return Err(StoreError::NoSpace { file: NAME.into(), detail });
        }
        self.writes += 1;
        if self.records_undo() {
            self.undo.push_back(undo);
        }
        self.forget_old_undo();
        Ok(())
    }

    fn set(&mut self, undo: &mut Undo, slot: usize, key: &[u8], value: Option<&[u8]>) {
        let old = match value {
            Some(value) => {
                self.used_bytes += row_bytes(key, value);
                self.tables[slot].insert(key.to_vec(), value.to_vec())
            }
            None => self.tables[slot].remove(key),
        };
        self.used_bytes -= old.as_ref().map_or(0, |old| row_bytes(key, old));
        if self.records_undo() {
            // A key cut and then put in one batch must keep what stood there before the batch.
            undo[slot].entry(key.to_vec()).or_insert(old);
        }
    }

    /// Whether anybody could ask for what a write replaces: a snapshot, the history, or the write itself when refused.
    fn records_undo(&self) -> bool {
        !self.snapshots.is_empty() || self.options.history_writes > 0 || self.options.budget_bytes < u64::MAX
    }

    fn undo_newest(&mut self) {
        if let Some(undo) = self.undo.pop_back() {
            self.restore(&undo);
            self.writes -= 1;
        }
    }

    fn restore(&mut self, undo: &Undo) {
        for (rows, olds) in self.tables.iter_mut().zip(undo) {
            for (key, old) in olds {
                match old {
                    Some(value) => rows.insert(key.clone(), value.clone()),
                    None => rows.remove(key),
                };
            }
        }
    }

    fn forget_old_undo(&mut self) {
        let of_snapshots = self.snapshots.keys().next().map_or(0, |oldest| self.writes - oldest);
        let needed = of_snapshots.max(self.options.history_writes as u64);
        while self.undo.len() as u64 > needed {
            self.undo.pop_front();
        }
    }

    /// The undo records of the writes after `write`, oldest first.
    fn undo_since(&self, write: u64) -> impl DoubleEndedIterator<Item = &Undo> {
        let since = usize::try_from(self.writes - write).unwrap_or(usize::MAX);
        self.undo.range(self.undo.len().saturating_sub(since)..)
    }

    fn range_at(
        &self,
        write: u64,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
        reverse: bool,
    ) -> Vec<Row> {
        let slot = table.slot();
        let mut then: BTreeMap<&Vec<u8>, &Option<Vec<u8>>> = BTreeMap::new();
        for undo in self.undo_since(write).rev() {
            then.extend(in_bounds(&undo[slot], from, to));
        }
        let unchanged = in_bounds(&self.tables[slot], from, to).filter(|(key, _)| !then.contains_key(key));
        let restored = then.iter().filter_map(|(key, old)| old.as_ref().map(|value| (*key, value)));
        if reverse {
            merge(unchanged.rev(), restored.rev(), limit, |a, b| a > b)
        } else {
            merge(unchanged, restored, limit, |a, b| a < b)
        }
    }
}

fn row_bytes(key: &[u8], value: &[u8]) -> u64 {
    (key.len() + value.len()) as u64
}

fn in_bounds<'a, V>(
    rows: &'a BTreeMap<Vec<u8>, V>,
    from: &[u8],
    to: Option<&[u8]>,
) -> impl DoubleEndedIterator<Item = (&'a Vec<u8>, &'a V)> {
    // A map panics at an inverted range; to a caller it is just empty.
    let to = to.map(|to| to.max(from));
    rows.range::<[u8], _>((Bound::Included(from), to.map_or(Bound::Unbounded, Bound::Excluded)))
}

/// The first `limit` rows of two sequences without a common key, each in the order that `comes_first` defines.
fn merge<'a>(
    left: impl Iterator<Item = (&'a Vec<u8>, &'a Vec<u8>)>,
    right: impl Iterator<Item = (&'a Vec<u8>, &'a Vec<u8>)>,
    limit: usize,
    comes_first: fn(&[u8], &[u8]) -> bool,
) -> Vec<Row> {
    let (mut left, mut right) = (left.peekable(), right.peekable());
    let mut rows = Vec::new();
    while rows.len() < limit {
        let take_left = match (left.peek(), right.peek()) {
            (Some((a, _)), Some((b, _))) => comes_first(a, b),
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => break,
        };
        let next = if take_left { left.next() } else { right.next() };
        rows.extend(next.map(|(key, value)| (key.clone(), value.clone())));
    }
    rows
}
