//! Reading a node: from the cache, from the unsynced tail, or with one positioned read; verified unless cached.

use super::tail::LENGTH_BYTES;
use super::{MAX_RECORD_BYTES, NodeFiles, generation};
use crate::StoreError;
use alloy_primitives::B256;
use coc_disk::DiskFile;
use coc_trie::{Loc, Node, NodeReader, TrieError};
use std::sync::Arc;

/// Bytes read at once: a full branch with all its locations fits (4 + 4 + 532 + 16 · 8 = 668), so only nodes with long
/// values need a second read.
const READ_AHEAD_BYTES: usize = 704;

impl NodeReader for NodeFiles {
    fn read(&self, loc: Loc, hash: &B256) -> Result<Arc<Node>, TrieError> {
        if let Some(node) = self.cache.get(loc) {
            return if node.hash() == *hash { Ok(node) } else { Err(self.another_node(loc, hash)) };
        }
        let node = Arc::new(self.load(loc, hash)?);
        self.cache.insert(loc, Arc::clone(&node));
        Ok(node)
    }
}

impl NodeFiles {
    fn load(&self, loc: Loc, hash: &B256) -> Result<Node, TrieError> {
        let (number, offset) = (generation::generation_of(loc), generation::offset_of(loc));
        if let Some(record) = self.tail.read().record(number, offset) {
            return Node::decode_record(record, hash).map_err(|error| self.at_place(loc, error));
        }
        let file = match self.generations.read().get(&number) {
            Some(kept) => Arc::clone(&kept.file),
            None => return Err(TrieError::Missing { hash: *hash, loc }),
        };
        let decode =
            |record: &[u8]| Node::decode_record(record, hash).map_err(|error| self.at_place(loc, error));
        with_record(file.as_ref(), offset, decode).unwrap_or_else(|error| Err(storage(error)))
    }

    /// Names the file in an error about a record's bytes, and the cure.
    fn at_place(&self, loc: Loc, error: TrieError) -> TrieError {
        let path = generation::path(&self.dir, generation::generation_of(loc));
        storage(StoreError::damaged(&path, format!("at byte {}: {error}", generation::offset_of(loc))))
    }

    fn another_node(&self, loc: Loc, hash: &B256) -> TrieError {
        self.at_place(loc, TrieError::Damaged { hash: *hash, loc: None, what: "another node lies there" })
    }
}

/// Hands the record at `offset` to `decode`.
fn with_record<T>(
    file: &dyn DiskFile,
    offset: u64,
    decode: impl FnOnce(&[u8]) -> T,
) -> Result<T, StoreError> {
    let damaged = |detail: String| StoreError::damaged(file.path(), format!("at byte {offset}: {detail}"));
    let mut ahead = [0; READ_AHEAD_BYTES];
    let read = file.read_at(offset, &mut ahead)?;
    let Some((length, rest)) = ahead[..read].split_first_chunk::<LENGTH_BYTES>() else {
        return Err(damaged("the file ends before this record".into()));
    };
    let length = u32::from_le_bytes(*length) as usize;
    if length > MAX_RECORD_BYTES {
        return Err(damaged(format!("a record of {length} bytes, {MAX_RECORD_BYTES} are possible")));
    }
    if let Some(record) = rest.get(..length) {
        return Ok(decode(record));
    }
    let mut record = vec![0; length];
    let there = file.read_at(offset + LENGTH_BYTES as u64, &mut record)?;
    if there < length {
        return Err(damaged(format!("a record of {length} bytes, of which the file has {there}")));
    }
    Ok(decode(&record))
}

fn storage(error: StoreError) -> TrieError {
    TrieError::Storage(Box::new(error))
}
