//! What the tests of node files share: opening them, growing a trie, and reading back all that a root reaches.

use alloy_primitives::{B256, keccak256};
use coc_disk::{Dice, Disk};
use coc_store::{GenerationLength, NodeFiles, NodeFilesOpened, NodeFilesOptions, StoreError};
use coc_trie::{Trie, TrieError, Value};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The folder of the node files on every disk of these tests.
pub const DIR: &str = "/data/nodes";

/// The genesis hash of the chain that the files belong to.
pub const GENESIS: B256 = B256::repeat_byte(0x11);

pub type State = BTreeMap<[u8; 32], Vec<u8>>;

pub fn open(
    disk: Arc<dyn Disk>,
    marked: &[GenerationLength],
) -> Result<(NodeFiles, NodeFilesOpened), StoreError> {
    NodeFiles::open(disk, Path::new(DIR), NodeFilesOptions::new(GENESIS), marked)
}

/// Files without a cache, so that every read goes to the disk.
pub fn open_uncached(disk: Arc<dyn Disk>, marked: &[GenerationLength]) -> Result<NodeFiles, StoreError> {
    let options = NodeFilesOptions { cache_bytes: 0, ..NodeFilesOptions::new(GENESIS) };
    NodeFiles::open(disk, Path::new(DIR), options, marked).map(|(files, _)| files)
}

/// Changes `count` random keys of trie and model alike; one change in four deletes.
pub fn grow(
    files: &NodeFiles,
    trie: &Trie,
    state: &mut State,
    dice: &mut Dice,
    count: u64,
) -> Result<Trie, TrieError> {
    let mut changes = Vec::new();
    for _ in 0..count {
        let key = keccak256(dice.below(200).to_be_bytes()).0;
        if dice.one_in(4) {
            state.remove(&key);
            changes.push((key, None));
        } else {
            let length = 1 + dice.below(80) as usize;
            let value = dice.bytes(length);
            state.insert(key, value.clone());
            changes.push((key, Some(Value::new(value))));
        }
    }
    trie.update(files, changes)
}

/// Everything that the trie's root reaches, each node verified on the way.
pub fn read_all(files: &NodeFiles, trie: &Trie) -> Result<State, TrieError> {
    trie.iter(files, &[])
        .map(|entry| {
            let (key, value) = entry?;
            Ok((key.try_into().expect("keys have 32 bytes"), value.rlp().to_vec()))
        })
        .collect()
}
