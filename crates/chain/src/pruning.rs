//! What is remembered of pruning: which states are gone, and how far the copier is. A row of the index, always written in one batch with
//! a marker whose lengths hold every place that it names.

use alloy_primitives::B256;
use coc_trie::{Loc, Trie};

/// Key of the row in the Meta table.
pub const PRUNING: &[u8] = b"pruning";

/// Version of the row.
const VERSION: u8 = 1;

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruning {
    /// States whose root lies before this place are gone.
    pub floor: u64,
    /// Bytes of the state that was carried last, with those made on the way.
    pub kept_bytes: u64,
    /// What the copier is at.
    pub stage: Stage,
}

/// What the copier is at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// Nothing.
    #[default]
    Idle,
    /// A state is carried to the young generation.
    Copying(Copying),
    /// A state was carried, and all after it stand on its places; those before it are kept for a while.
    Waiting {
        /// States whose root lies before this place may go.
        before: u64,
        /// The state that was carried.
        copied: Root,
    },
}

/// A state on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copying {
    /// The generation that it goes to.
    pub generation: u16,
    /// The state.
    pub target: Root,
    /// A state that was carried before; nothing for the first.
    pub base: Option<Root>,
    /// How far it is ([`coc_trie::Carry::progress`]).
    pub progress: Vec<Vec<Loc>>,
}

/// A flushed state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    /// Height of its block.
    pub height: u64,
    /// Hash of its root node.
    pub hash: B256,
    /// Where that lies; zero for an empty state.
    pub loc: u64,
}

impl Root {
    /// The root of a flushed trie.
    pub fn of(height: u64, trie: &Trie) -> Root {
        Root { height, hash: trie.root_hash(), loc: trie.loc().map_or(0, |loc| loc.0) }
    }

    /// The trie.
    pub fn trie(&self) -> Trie {
        if self.loc == 0 { Trie::empty() } else { Trie::stored(self.hash, Loc(self.loc)) }
    }
}

impl Pruning {
    /// The newest state that was carried in full, if old ones wait for their end.
    pub fn copied(&self) -> Option<Root> {
        match &self.stage {
            Stage::Waiting { copied, .. } => Some(*copied),
            Stage::Copying(copying) => copying.base,
            Stage::Idle => None,
        }
    }

    /// The place from which on states stand on young places alone.
    pub fn begins(&self) -> u64 {
        match &self.stage {
            Stage::Waiting { before, .. } => *before,
            _ => self.floor,
        }
    }

    /// The row as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        put(&mut out, self.floor);
        put(&mut out, self.kept_bytes);
        match &self.stage {
            Stage::Idle => out.push(0),
            Stage::Copying(copying) => {
                out.push(1);
                put(&mut out, copying.generation.into());
                put_root(&mut out, &copying.target);
                out.push(u8::from(copying.base.is_some()));
                copying.base.iter().for_each(|base| put_root(&mut out, base));
                for places in &copying.progress {
                    put(&mut out, places.len() as u64);
                    places.iter().for_each(|loc| put(&mut out, loc.0));
                }
            }
            Stage::Waiting { before, copied } => {
                out.push(2);
                put(&mut out, *before);
                put_root(&mut out, copied);
            }
        }
        out
    }

    /// Reads a row back; `None` where it is no such row.
    pub fn decode(bytes: &[u8]) -> Option<Pruning> {
        let mut rest = bytes;
        if take::<1>(&mut rest)? != [VERSION] {
            return None;
        }
        let (floor, kept_bytes) = (word(&mut rest)?, word(&mut rest)?);
        let stage = match take::<1>(&mut rest)? {
            [0] => Stage::Idle,
            [1] => Stage::Copying(copying(&mut rest)?),
            [2] => Stage::Waiting { before: word(&mut rest)?, copied: root(&mut rest)? },
            _ => return None,
        };
        rest.is_empty().then_some(Pruning { floor, kept_bytes, stage })
    }
}

fn copying(rest: &mut &[u8]) -> Option<Copying> {
    let generation = word(rest)?.try_into().ok()?;
    let target = root(rest)?;
    let base = match take::<1>(rest)? {
        [0] => None,
        _ => Some(root(rest)?),
    };
    let mut progress = Vec::new();
    while !rest.is_empty() {
        let count = word(rest)?;
        progress.push((0..count).map(|_| word(rest).map(Loc)).collect::<Option<_>>()?);
    }
    Some(Copying { generation, target, base, progress })
}

fn put(out: &mut Vec<u8>, word: u64) {
    out.extend_from_slice(&word.to_be_bytes());
}

fn put_root(out: &mut Vec<u8>, root: &Root) {
    put(out, root.height);
    out.extend_from_slice(root.hash.as_slice());
    put(out, root.loc);
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk::<N>()?;
    *rest = left;
    Some(*taken)
}

fn word(rest: &mut &[u8]) -> Option<u64> {
    take(rest).map(u64::from_be_bytes)
}

fn root(rest: &mut &[u8]) -> Option<Root> {
    Some(Root { height: word(rest)?, hash: take(rest).map(B256::from)?, loc: word(rest)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_survives_its_encoding_and_a_torn_one_is_refused() {
        let root = Root { height: 7, hash: B256::repeat_byte(3), loc: 1 << 48 | 64 };
        let progress = vec![vec![Loc(5), Loc(6)], vec![], vec![Loc(9)]];
        let copying = Copying { generation: 2, target: root, base: Some(root), progress };
        let stages = [
            Stage::Idle,
            Stage::Copying(Copying { base: None, ..copying.clone() }),
            Stage::Copying(copying),
            Stage::Waiting { before: 8, copied: root },
        ];
        for stage in stages {
            let row = Pruning { floor: 11, kept_bytes: 12, stage };
            let encoded = row.encode();
            assert_eq!(Some(&row), Pruning::decode(&encoded).as_ref());
            assert_eq!(None, Pruning::decode(&encoded[..encoded.len() - 1]));
        }
    }
}
