//! Reading rows through one LMDB transaction: what single reads, snapshots and the check have in common.

use super::failure::Failures;
use super::{Sheet, row};
use crate::StoreError;
use crate::index::{IndexReport, MAX_KEY_BYTES, Row, Table};
use heed::{AnyTls, RoTxn};
use std::ops::Bound;

/// Everything needed to read at one commit.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) txn: &'a RoTxn<'a, AnyTls>,
    pub(super) sheets: &'a [Sheet; Table::COUNT],
    pub(super) failures: &'a Failures,
}

impl View<'_> {
    pub(super) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if key.is_empty() || key.len() > MAX_KEY_BYTES {
            return Ok(None);
        }
        let sealed = self.sheets[table.slot()]
            .get(self.txn, key)
            .map_err(|error| self.failures.explain("read", error))?;
        sealed.map(|sealed| self.open(table, key, sealed).map(<[u8]>::to_vec)).transpose()
    }

    pub(super) fn range(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
        reverse: bool,
    ) -> Result<Vec<Row>, StoreError> {
        let Some(bounds) = key_bounds(from, to) else { return Ok(Vec::new()) };
        let sheet = &self.sheets[table.slot()];
        let gather = |found: &mut dyn Iterator<Item = heed::Result<(&[u8], &[u8])>>| {
            let mut rows = Vec::new();
            for row in found.take(limit) {
                let (key, sealed) = row.map_err(|error| self.failures.explain("read", error))?;
                rows.push((key.to_vec(), self.open(table, key, sealed)?.to_vec()));
            }
            Ok(rows)
        };
        if reverse {
            gather(
                &mut sheet
                    .rev_range(self.txn, &bounds)
                    .map_err(|error| self.failures.explain("read", error))?,
            )
        } else {
            gather(&mut sheet.range(self.txn, &bounds).map_err(|error| self.failures.explain("read", error))?)
        }
    }

    /// Reads every row of a table: keys must rise, checksums hold, a search for each key end at its row (a damaged
    /// inner page would lead it astray), and the rows be as many as the table says.
    pub(super) fn check(&self, table: Table, report: &mut IndexReport) -> Result<(), StoreError> {
        let unreadable = |error| self.failures.explain("read", error);
        let sheet = &self.sheets[table.slot()];
        let mut rows = 0;
        let mut previous: Option<&[u8]> = None;
        for row in sheet.iter(self.txn).map_err(unreadable)? {
            let (key, sealed) = row.map_err(unreadable)?;
            let value = self.open(table, key, sealed)?;
            if previous.is_some_and(|previous| previous >= key) {
                let detail = format!("keys of table {} do not rise at row {rows}", table.name());
                return Err(self.failures.damaged(detail));
            }
            if sheet.get(self.txn, key).map_err(unreadable)? != Some(sealed) {
                let detail = format!("a search in table {} does not find row {rows}", table.name());
                return Err(self.failures.damaged(detail));
            }
            previous = Some(key);
            rows += 1;
            report.bytes += (key.len() + value.len()) as u64;
        }
        let promised = sheet.len(self.txn).map_err(unreadable)?;
        if rows != promised {
            let detail = format!("table {} promises {promised} rows and has {rows}", table.name());
            return Err(self.failures.damaged(detail));
        }
        report.rows += rows;
        Ok(())
    }

    fn open<'v>(&self, table: Table, key: &[u8], sealed: &'v [u8]) -> Result<&'v [u8], StoreError> {
        row::open(table, key, sealed).ok_or_else(|| {
            self.failures.damaged(format!("a row of table {} fails its checksum", table.name()))
        })
    }
}

/// Start and end of a range of keys.
type KeyBounds<'a> = (Bound<&'a [u8]>, Bound<&'a [u8]>);

/// The range `from <= key < to` in a form that LMDB takes, `None` if no key can lie in it.
///
/// LMDB knows no empty key and none above [`MAX_KEY_BYTES`]. A longer bound is cut; every real key that equals the cut
/// bound lies below the long one.
pub(super) fn key_bounds<'a>(from: &'a [u8], to: Option<&'a [u8]>) -> Option<KeyBounds<'a>> {
    if to.is_some_and(|to| from >= to) {
        return None;
    }
    let start = match from.len() {
        0 => Bound::Unbounded,
        1..=MAX_KEY_BYTES => Bound::Included(from),
        _ => Bound::Excluded(&from[..MAX_KEY_BYTES]),
    };
    let end = match to {
        None => Bound::Unbounded,
        Some(to) if to.len() > MAX_KEY_BYTES => Bound::Included(&to[..MAX_KEY_BYTES]),
        Some(to) => Bound::Excluded(to),
    };
    match (start, end) {
        (Bound::Excluded(start), Bound::Included(end)) if start == end => None,
        bounds => Some(bounds),
    }
}
