//! A sorted map that does what an index must do, and random changes for both.

use coc_store::{Batch, Index, IndexSnapshot, Row, Table};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// One call on a batch.
#[derive(Clone, Debug)]
pub enum Change {
    Put(Table, Vec<u8>, Vec<u8>),
    Delete(Table, Vec<u8>),
    DeleteRange(Table, Vec<u8>, Option<Vec<u8>>),
}

/// Few tables and short keys of few letters, so that changes meet; now and then a long key.
pub fn change_strategy() -> impl Strategy<Value = Change> {
    let table = prop::sample::select(vec![Table::Meta, Table::Blocks, Table::Undo]);
    let key = prop_oneof![
        8 => prop::collection::vec(0_u8..4, 1..4),
        1 => prop::collection::vec(any::<u8>(), 500..=511),
    ];
    let bound = prop_oneof![
        8 => prop::collection::vec(0_u8..4, 0..4),
        1 => prop::collection::vec(any::<u8>(), 505..520),
    ];
    let value = prop_oneof![
        8 => prop::collection::vec(any::<u8>(), 0..12),
        1 => prop::collection::vec(any::<u8>(), 4000..9000),
    ];
    (table, key, bound.clone(), prop::option::of(bound), value, 0_u8..10).prop_map(
        |(table, key, from, to, value, kind)| match kind {
            0 => Change::DeleteRange(table, from, to),
            1..=3 => Change::Delete(table, key),
            _ => Change::Put(table, key, value),
        },
    )
}

pub fn batch_of(changes: &[Change]) -> Batch {
    let mut batch = Batch::new();
    for change in changes {
        match change {
            Change::Put(table, key, value) => batch.put(*table, key, value),
            Change::Delete(table, key) => batch.delete(*table, key),
            Change::DeleteRange(table, from, to) => batch.delete_range(*table, from, to.as_deref()),
        }
    }
    batch
}

#[derive(Clone, Debug, Default)]
pub struct Model {
    tables: BTreeMap<Table, BTreeMap<Vec<u8>, Vec<u8>>>,
}

type Range<'a> = (&'a [u8], Option<&'a [u8]>, usize, bool);

/// Ranges that every comparison asks for, edges and bounds that are no keys among them.
fn ranges() -> Vec<Range<'static>> {
    static LONG: [u8; 600] = [2; 600];
    let forward: [Range<'static>; 8] = [
        (b"", None, usize::MAX, false),
        (b"", None, 3, false),
        (b"", Some(b""), 3, false),
        (b"\x01", Some(b"\x02\x01"), usize::MAX, false),
        (b"\x01\x02", Some(b"\x03"), 2, false),
        (b"\x03", Some(b"\x01"), usize::MAX, false),
        (&LONG, None, usize::MAX, false),
        (b"\x01", Some(&LONG), usize::MAX, false),
    ];
    forward.into_iter().flat_map(|range| [range, (range.0, range.1, range.2, true)]).collect()
}

impl Model {
    pub fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Put(table, key, value) => {
                    self.tables.entry(*table).or_default().insert(key.clone(), value.clone());
                }
                Change::Delete(table, key) => {
                    self.tables.entry(*table).or_default().remove(key);
                }
                Change::DeleteRange(table, from, to) => {
                    let inside = |key: &Vec<u8>| key >= from && to.as_ref().is_none_or(|to| key < to);
                    self.tables.entry(*table).or_default().retain(|key, _| !inside(key));
                }
            }
        }
    }

    pub fn rows(&self) -> u64 {
        self.tables.values().map(|rows| rows.len() as u64).sum()
    }

    fn range(&self, table: Table, (from, to, limit, reverse): Range<'_>) -> Vec<Row> {
        let Some(rows) = self.tables.get(&table) else { return Vec::new() };
        let inside = |key: &[u8]| key >= from && to.is_none_or(|to| key < to);
        let mut found: Vec<Row> = rows
            .iter()
            .filter(|(key, _)| inside(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if reverse {
            found.reverse();
        }
        found.truncate(limit);
        found
    }

    pub fn assert_equal_to(&self, index: &dyn Index) {
        for table in Table::ALL {
            for range in ranges() {
                let (from, to, limit, reverse) = range;
                let found = index.range(table, from, to, limit, reverse).expect("rows are readable");
                assert_eq!(self.range(table, range), found, "{table:?} {range:?}");
            }
            for (key, value) in self.tables.get(&table).into_iter().flatten() {
                assert_eq!(Some(value.clone()), index.get(table, key).expect("the row is readable"));
            }
            assert_eq!(None, index.get(table, b"no such key").expect("absence is readable"));
        }
    }

    pub fn assert_equal_to_snapshot(&self, snapshot: &dyn IndexSnapshot) {
        for table in Table::ALL {
            for range in ranges() {
                let (from, to, limit, reverse) = range;
                let found = snapshot.range(table, from, to, limit, reverse).expect("rows are readable");
                assert_eq!(self.range(table, range), found, "{table:?} {range:?}");
            }
            for (key, value) in self.tables.get(&table).into_iter().flatten() {
                assert_eq!(Some(value.clone()), snapshot.get(table, key).expect("the row is readable"));
            }
            assert_eq!(None, snapshot.get(table, b"no such key").expect("absence is readable"));
        }
    }
}
