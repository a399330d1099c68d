//! Reading nodes: from the cache, from the unsynced tail, from the synced bytes that the disk lends as memory, or with one
//! positioned read; verified unless cached, and many together faster than one by one.

use super::tail::LENGTH_BYTES;
use super::{Generation, MAX_RECORD_BYTES, NodeFiles, generation};
use crate::StoreError;
use alloy_primitives::B256;
use coc_disk::DiskFile;
use coc_trie::{Loc, Node, NodeReader, TrieError};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

/// Bytes read at once: a full branch with all its locations fits (4 + 4 + 532 + 16 · 8 = 668), so only nodes with long
/// values need a second read.
const READ_AHEAD_BYTES: usize = 704;

/// Records that are looked at, checked and decoded together: enough for the lanes of a hash, and few enough to stay in the
/// processor's second cache meanwhile. Each byte looked at ahead lets the processor fetch many lines side by side; the
/// hash alone would wait for one after the other.
const BATCH_RECORDS: usize = 64;

/// What a processor fetches at a time.
const CACHE_LINE_BYTES: usize = 64;

/// Node files that keep nothing of what is read through this: for whoever reads every node once, so that nodes read often stay in
/// memory.
pub struct Apart<'a>(pub &'a NodeFiles);

impl NodeReader for Apart<'_> {
    fn read(&self, loc: Loc, hash: &B256) -> Result<Arc<Node>, TrieError> {
        match self.0.cache.get(loc) {
            Some(node) => self.0.that_node(node, loc, hash),
            None => self.0.load(loc, hash).map(Arc::new),
        }
    }
}

impl NodeReader for NodeFiles {
    fn read(&self, loc: Loc, hash: &B256) -> Result<Arc<Node>, TrieError> {
        match self.cache.get(loc) {
            Some(node) => self.that_node(node, loc, hash),
            None => Ok(self.keep(loc, self.load(loc, hash)?)),
        }
    }

    fn read_many(&self, wanted: &[(Loc, B256)]) -> Result<Vec<Arc<Node>>, TrieError> {
        let mut nodes = Vec::with_capacity(wanted.len());
        for (loc, hash) in wanted {
            nodes.push(self.cache.get(*loc).map(|node| self.that_node(node, *loc, hash)).transpose()?);
        }
        let missing: Vec<usize> = (0..nodes.len()).filter(|index| nodes[*index].is_none()).collect();
        // Those that a sync brings from the tail to the files meanwhile are found in the files.
        let generations = self.generations.read().clone();
        for some in missing.chunks(BATCH_RECORDS) {
            let places: Vec<(Loc, B256)> = some.iter().map(|index| wanted[*index]).collect();
            for (index, node) in some.iter().zip(self.load_many(&generations, &places)?) {
                nodes[*index] = Some(self.keep(wanted[*index].0, node));
            }
        }
        Ok(nodes.into_iter().flatten().collect())
    }
}

impl NodeFiles {
    /// A node that is not in the cache.
    fn load(&self, loc: Loc, hash: &B256) -> Result<Node, TrieError> {
        let (number, offset) = (generation::generation_of(loc), generation::offset_of(loc));
        let waiting = self.tail.read().record(number, offset).map(<[u8]>::to_vec);
        let node = match waiting {
            Some(record) => Node::decode_record(&record, hash),
            None => {
                let kept = self.generations.read().get(&number).cloned();
                let kept = kept.ok_or(TrieError::Missing { hash: *hash, loc })?;
                Node::decode_record(&record_in(&kept, offset)?, hash)
            }
        };
        node.map_err(|error| self.at_place(loc, error))
    }

    /// Nodes that are not in the cache.
    fn load_many(
        &self,
        generations: &BTreeMap<u16, Generation>,
        places: &[(Loc, B256)],
    ) -> Result<Vec<Node>, TrieError> {
        let windows = places.iter().map(|(loc, _)| {
            let kept = generations.get(&generation::generation_of(*loc));
            kept.and_then(|kept| kept.window.byte(generation::offset_of(*loc)))
        });
        black_box(windows.flatten().fold(0, |all, byte| all ^ byte));
        let mut records = Vec::with_capacity(places.len());
        for (loc, hash) in places {
            records.push((self.record(generations, *loc, hash)?, *hash));
        }
        let records: Vec<(&[u8], B256)> = records.iter().map(|(record, hash)| (&**record, *hash)).collect();
        let lines = records.iter().flat_map(|(record, _)| record.iter().step_by(CACHE_LINE_BYTES));
        black_box(lines.fold(0, |all, byte| all ^ byte));
        Node::decode_records(&records).map_err(|(index, error)| self.at_place(places[index].0, error))
    }

    /// The record of a node that is not in the cache, in the files or before they have it.
    fn record<'a>(
        &self,
        generations: &'a BTreeMap<u16, Generation>,
        loc: Loc,
        hash: &B256,
    ) -> Result<Cow<'a, [u8]>, TrieError> {
        let (number, offset) = (generation::generation_of(loc), generation::offset_of(loc));
        let kept = generations.get(&number).ok_or(TrieError::Missing { hash: *hash, loc })?;
        if offset >= kept.synced_bytes
            && let Some(record) = self.tail.read().record(number, offset)
        {
            return Ok(Cow::Owned(record.to_vec()));
        }
        record_in(kept, offset)
    }

    /// Caches a node that was read and checked.
    fn keep(&self, loc: Loc, node: Node) -> Arc<Node> {
        let node = Arc::new(node);
        self.cache.offer(loc, &node);
        node
    }

    fn that_node(&self, node: Arc<Node>, loc: Loc, hash: &B256) -> Result<Arc<Node>, TrieError> {
        if node.hash() == *hash { Ok(node) } else { Err(self.another_node(loc, hash)) }
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

/// The record at `offset` of a file: lent by the disk or copied.
fn record_in(kept: &Generation, offset: u64) -> Result<Cow<'_, [u8]>, TrieError> {
    match kept.window.record(offset) {
        Some(record) => Ok(Cow::Borrowed(record)),
        None => read_record(kept.file.as_ref(), offset).map(Cow::Owned).map_err(storage),
    }
}

/// The record at `offset` as a copy.
fn read_record(file: &dyn DiskFile, offset: u64) -> Result<Vec<u8>, StoreError> {
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
        return Ok(record.to_vec());
    }
    let mut record = vec![0; length];
    let there = file.read_at(offset + LENGTH_BYTES as u64, &mut record)?;
    if there < length {
        return Err(damaged(format!("a record of {length} bytes, of which the file has {there}")));
    }
    Ok(record)
}

fn storage(error: StoreError) -> TrieError {
    TrieError::Storage(Box::new(error))
}
