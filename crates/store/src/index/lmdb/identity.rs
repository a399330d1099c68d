//! Which format and which chain a folder's index has: one row in a database of its own, checked at every open.
//!
//! The row is 8 bytes of magic, the format version (`u32`, little-endian) and the genesis hash. It is written in the
//! same transaction that makes the tables, so that an index without it is not one of ours.

use super::Sheet;
use super::failure::Failures;
use crate::StoreError;
use crate::index::Table;
use alloy_primitives::B256;
use heed::types::Bytes;
use heed::{CommitOrAbort, CommitToken, Database, DatabaseOpener, Env, OnCommit, RwTxn, WithoutTls};

/// Version of the layout of tables and rows. Raise it when an older release would misread what this one writes.
pub(super) const FORMAT_VERSION: u32 = 1;

const MAGIC: [u8; 8] = *b"COCINDEX";
const DATABASE: &str = "identity";
const ROW_KEY: &[u8] = b"identity";
const ROW_BYTES: usize = MAGIC.len() + size_of::<u32>() + 32;

/// Refuses a file that is shorter than its meta page says: touching a page beyond the end would kill the process.
pub(super) fn refuse_truncated(env: &Env<WithoutTls>, failures: &Failures) -> Result<(), StoreError> {
    let page_bytes = u64::from(env.unnamed_database_stat().page_size);
    let promised = (env.info().last_page_number as u64 + 1) * page_bytes;
    let actual = env.real_disk_size().map_err(|error| failures.explain("open", error))?;
    // A new environment has its two meta pages in any case, so this never refuses an empty one.
    if actual < promised {
        return Err(failures.damaged(format!("it has {actual} bytes and needs {promised}")));
    }
    Ok(())
}

/// Checks the identity row and opens every table; makes both in an environment that is empty.
pub(super) fn open_sheets(
    env: &Env<WithoutTls>,
    genesis_hash: B256,
    failures: &Failures,
) -> Result<[Sheet; Table::COUNT], StoreError> {
    let open_all = || {
        let txn = env.write_txn()?;
        env.create_databases_and_commit(txn, |opener, txn| {
            check_identity(opener, txn, genesis_hash, failures)?;
            let mut sheets = Vec::with_capacity(Table::COUNT);
            for table in Table::ALL {
                sheets.push(opener.create_database::<Bytes, Bytes>(txn, Some(table.name()))?);
            }
            Ok::<_, Refusal>(CommitOrAbort::<_, ()>::Commit(Opened(sheets)))
        })
    };
    let sheets = open_all().map_err(|refusal| match refusal {
        Refusal::Lmdb(error) => failures.explain("open", error),
        Refusal::Ours(error) => error,
    })?;
    let sheets = sheets.unwrap_commit();
    Ok(std::array::from_fn(|place| sheets[place]))
}

fn check_identity<'e>(
    opener: &DatabaseOpener<'e, WithoutTls>,
    txn: &mut RwTxn<'e>,
    genesis_hash: B256,
    failures: &Failures,
) -> Result<(), Refusal> {
    let Some(identity) = opener.open_database::<Bytes, Bytes>(txn, Some(DATABASE))? else {
        let names = opener.open_database::<Bytes, Bytes>(txn, None)?;
        if names.is_some_and(|names| names.is_empty(txn).is_ok_and(|empty| !empty)) {
            return Err(Refusal::Ours(failures.foreign("it has tables, but no identity of ours")));
        }
        let identity = opener.create_database::<Bytes, Bytes>(txn, Some(DATABASE))?;
        identity.put(txn, ROW_KEY, &identity_row(genesis_hash))?;
        return Ok(());
    };
    match identity.get(txn, ROW_KEY)? {
        Some(row) => check_row(row, genesis_hash, failures).map_err(Refusal::Ours),
        None => Err(Refusal::Ours(failures.foreign("its identity is empty"))),
    }
}

fn identity_row(genesis_hash: B256) -> [u8; ROW_BYTES] {
    let mut row = [0; ROW_BYTES];
    row[..8].copy_from_slice(&MAGIC);
    row[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
    row[12..].copy_from_slice(genesis_hash.as_slice());
    row
}

fn check_row(row: &[u8], genesis_hash: B256, failures: &Failures) -> Result<(), StoreError> {
    let Some((version, rest)) = row.strip_prefix(&MAGIC).and_then(<[u8]>::split_first_chunk::<4>) else {
        return Err(failures.foreign("its identity does not begin with our magic"));
    };
    // The version comes first: a newer format may say everything after it differently.
    let version = u32::from_le_bytes(*version);
    if version > FORMAT_VERSION {
        return Err(failures.newer_format(version, FORMAT_VERSION));
    }
    match B256::try_from(rest) {
        Ok(found) if found == genesis_hash => Ok(()),
        Ok(found) => Err(failures.wrong_chain(found, genesis_hash)),
        Err(_) => {
            Err(failures.damaged(format!("its identity has {} bytes instead of {ROW_BYTES}", row.len())))
        }
    }
}

/// The tables inside the transaction that opens them; usable outside once it is committed.
struct Opened<'t>(Vec<Database<'t, Bytes, Bytes>>);

impl OnCommit for Opened<'_> {
    type Committed = Vec<Sheet>;

    fn on_commit(self, token: &CommitToken) -> Vec<Sheet> {
        self.0.into_iter().map(|sheet| sheet.on_commit(token)).collect()
    }
}

/// Either kind of error, while both can happen inside one transaction.
enum Refusal {
    Lmdb(heed::Error),
    Ours(StoreError),
}

impl From<heed::Error> for Refusal {
    fn from(error: heed::Error) -> Refusal {
        Refusal::Lmdb(error)
    }
}
