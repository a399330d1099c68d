//! A node store in memory: for tests, simulations and chains without a data folder.

use crate::{Loc, Node, NodeReader, NodeWriter, TrieError};
use alloy_primitives::B256;
use std::sync::{Arc, PoisonError, RwLock};

/// Records in memory; a [`Loc`] is a record's position in the order of writing, from 1.
///
/// Cloned handles share the records. Every read decodes and verifies the record, as a store on disk does on a
/// miss.
#[derive(Clone, Debug, Default)]
pub struct MemoryNodes {
    records: Arc<RwLock<Vec<Box<[u8]>>>>,
}

impl MemoryNodes {
    /// A store without records.
    pub fn new() -> MemoryNodes {
        MemoryNodes::default()
    }

    /// How many records were written.
    pub fn count(&self) -> usize {
        self.records.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The record at `loc`, if there is one.
    pub fn record(&self, loc: Loc) -> Option<Vec<u8>> {
        let records = self.records.read().unwrap_or_else(PoisonError::into_inner);
        let index = usize::try_from(loc.0).ok()?.checked_sub(1)?;
        records.get(index).map(|record| record.to_vec())
    }
}

impl NodeReader for MemoryNodes {
    fn read(&self, loc: Loc, hash: &B256) -> Result<Arc<Node>, TrieError> {
        let record = self.record(loc).ok_or(TrieError::Missing { hash: *hash, loc })?;
        Node::decode_record(&record, hash).map(Arc::new).map_err(|error| error.at(loc))
    }
}

impl NodeWriter for MemoryNodes {
    fn write(&mut self, record: &[u8]) -> Result<Loc, TrieError> {
        let mut records = self.records.write().unwrap_or_else(PoisonError::into_inner);
        records.push(record.into());
        Ok(Loc(records.len() as u64))
    }
}
