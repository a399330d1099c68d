//! A batch of changes to several tables, applied in the order of the calls, written in the order of the keys.
//!
//! Keys and values of a table lie end to end in one buffer; a small entry per change points into it. Before writing,
//! the entries are sorted by key and only the last change of each key stays. A B-tree then meets every leaf once, which
//! makes a batch of random keys several times cheaper. `delete_range` forgets the earlier changes inside its range at
//! once, so that applying all ranges first and all keys after them has the effect of the original order.

use super::Table;
use crate::StoreError;

/// Longest key in bytes: what LMDB accepts with its default build.
pub const MAX_KEY_BYTES: usize = 511;

/// Changes to be applied together by [`super::Index::write`].
#[derive(Clone, Debug, Default)]
pub struct Batch {
    tables: [TableBatch; Table::COUNT],
}

impl Batch {
    /// A batch without changes.
    pub fn new() -> Batch {
        Batch::default()
    }

    /// Sets the value under `key`.
    pub fn put(&mut self, table: Table, key: &[u8], value: &[u8]) {
        self.tables[table.slot()].push(key, Some(value));
    }

    /// Removes `key`, if it is there.
    pub fn delete(&mut self, table: Table, key: &[u8]) {
        self.tables[table.slot()].push(key, None);
    }

    /// Removes every key with `from <= key < to` (no upper bound if `to` is `None`), those put earlier in this batch
    /// included. Costs a pass over the table's earlier changes in this batch.
    pub fn delete_range(&mut self, table: Table, from: &[u8], to: Option<&[u8]>) {
        self.tables[table.slot()].cut(from, to);
    }

    /// True if applying this batch would change nothing.
    pub fn is_empty(&self) -> bool {
        self.tables.iter().all(|table| table.changes.is_empty() && table.cuts.is_empty())
    }

    /// Bytes of keys and values in this batch; what decides when a caller should write it.
    pub fn bytes(&self) -> usize {
        self.tables.iter().map(|table| table.buffer.len()).sum()
    }

    /// Sorts every table's changes and checks the keys: the form in which a store applies them.
    pub(crate) fn prepare(mut self) -> Result<Prepared, StoreError> {
        for table in Table::ALL {
            self.tables[table.slot()].sort(table)?;
        }
        Ok(Prepared { tables: self.tables })
    }
}

/// A batch whose changes are sorted, one a key.
pub(crate) struct Prepared {
    tables: [TableBatch; Table::COUNT],
}

impl Prepared {
    /// The ranges to delete from a table, before its changes are applied.
    pub(crate) fn cuts(&self, table: Table) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.tables[table.slot()].cuts.iter().map(|(from, to)| (from.as_slice(), to.as_deref()))
    }

    /// The changes of a table in rising order of keys; `None` deletes.
    pub(crate) fn changes(&self, table: Table) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let table = &self.tables[table.slot()];
        table.changes.iter().map(|change| (table.key(change), table.value(change)))
    }

    /// True if this batch has nothing for the table.
    pub(crate) fn leaves_alone(&self, table: Table) -> bool {
        let table = &self.tables[table.slot()];
        table.changes.is_empty() && table.cuts.is_empty()
    }
}

type Cut = (Vec<u8>, Option<Vec<u8>>);

#[derive(Clone, Debug, Default)]
struct TableBatch {
    buffer: Vec<u8>,
    changes: Vec<Change>,
    cuts: Vec<Cut>,
}

#[derive(Clone, Copy, Debug)]
struct Change {
    /// The first bytes of the key, padded with zeros: most comparisons end here without touching the buffer.
    prefix: u64,
    /// Where the key begins in the buffer; the value follows it. Rises with every call, so it also tells the order.
    start: usize,
    key_length: usize,
    value_length: Option<usize>,
}

impl TableBatch {
    fn push(&mut self, key: &[u8], value: Option<&[u8]>) {
        let start = self.buffer.len();
        self.buffer.extend_from_slice(key);
        self.buffer.extend_from_slice(value.unwrap_or_default());
        let value_length = value.map(<[u8]>::len);
        self.changes.push(Change { prefix: prefix_of(key), start, key_length: key.len(), value_length });
    }

    fn cut(&mut self, from: &[u8], to: Option<&[u8]>) {
        let buffer = &self.buffer;
        self.changes.retain(|change| {
            let key = key_in(buffer, change);
            key < from || to.is_some_and(|to| key >= to)
        });
        self.cuts.push((from.to_vec(), to.map(<[u8]>::to_vec)));
    }

    fn key(&self, change: &Change) -> &[u8] {
        key_in(&self.buffer, change)
    }

    fn value(&self, change: &Change) -> Option<&[u8]> {
        let start = change.start + change.key_length;
        change.value_length.map(|length| &self.buffer[start..start + length])
    }

    fn sort(&mut self, table: Table) -> Result<(), StoreError> {
        for change in &self.changes {
            let length = change.key_length;
            if length == 0 || length > MAX_KEY_BYTES {
                return Err(StoreError::KeyLength { table: table.name(), length, limit: MAX_KEY_BYTES });
            }
        }
        let buffer = &self.buffer;
        // Of equal keys the newest comes first, and is the one that `dedup_by` keeps.
        self.changes.sort_unstable_by(|a, b| {
            (a.prefix.cmp(&b.prefix))
                .then_with(|| key_in(buffer, a).cmp(key_in(buffer, b)))
                .then_with(|| b.start.cmp(&a.start))
        });
        self.changes.dedup_by(|later, kept| {
            later.prefix == kept.prefix && key_in(buffer, later) == key_in(buffer, kept)
        });
        Ok(())
    }
}

fn key_in<'a>(buffer: &'a [u8], change: &Change) -> &'a [u8] {
    &buffer[change.start..change.start + change.key_length]
}

fn prefix_of(key: &[u8]) -> u64 {
    let mut first = [0; 8];
    let length = key.len().min(8);
    first[..length].copy_from_slice(&key[..length]);
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared_changes(batch: Batch, table: Table) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        let prepared = batch.prepare().expect("keys are sound");
        prepared.changes(table).map(|(key, value)| (key.to_vec(), value.map(<[u8]>::to_vec))).collect()
    }

    #[test]
    fn changes_come_out_sorted_and_the_last_change_of_a_key_wins() {
        let mut batch = Batch::new();
        batch.put(Table::Code, b"zebra", b"1");
        batch.put(Table::Code, b"a", b"2");
        batch.put(Table::Code, b"a\0", b"3");
        batch.put(Table::Code, b"zebra crossing", b"4");
        batch.put(Table::Code, b"zebra", b"5");
        batch.delete(Table::Code, b"a");
        let expected: Vec<(Vec<u8>, Option<Vec<u8>>)> = vec![
            (b"a".to_vec(), None),
            (b"a\0".to_vec(), Some(b"3".to_vec())),
            (b"zebra".to_vec(), Some(b"5".to_vec())),
            (b"zebra crossing".to_vec(), Some(b"4".to_vec())),
        ];
        assert_eq!(expected, prepared_changes(batch, Table::Code));
    }

    #[test]
    fn a_range_takes_earlier_puts_with_it_and_leaves_later_ones() {
        let mut batch = Batch::new();
        batch.put(Table::Undo, b"b", b"before");
        batch.put(Table::Undo, b"d", b"at the end, which is outside");
        batch.delete_range(Table::Undo, b"b", Some(b"d"));
        batch.put(Table::Undo, b"c", b"after");
        let keys: Vec<_> = prepared_changes(batch, Table::Undo).into_iter().map(|(key, _)| key).collect();
        assert_eq!(vec![b"c".to_vec(), b"d".to_vec()], keys);
    }

    #[test]
    fn empty_and_overlong_keys_are_refused_with_the_limit() {
        for length in [0, MAX_KEY_BYTES + 1] {
            let mut batch = Batch::new();
            batch.put(Table::Meta, &vec![7; length], b"");
            assert!(matches!(batch.prepare(), Err(StoreError::KeyLength { limit: MAX_KEY_BYTES, .. })));
        }
    }

    #[test]
    fn an_empty_batch_says_so() {
        let mut batch = Batch::new();
        assert!(batch.is_empty());
        batch.delete_range(Table::Meta, b"", None);
        assert!(!batch.is_empty());
    }
}
