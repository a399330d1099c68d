//! One trie that is built from ranges: in key order they go into the growing trie, and what comes early waits.

use alloy_primitives::{B256, Bytes, U256};
use coc_trie::{EMPTY_ROOT_HASH, GrowingTrie, LAST_KEY, LeafRange, NodeWriter, Trie, TrieError, Value};
use std::collections::{BTreeMap, VecDeque};

/// Leaves that may be in memory as nodes before they are written: enough to hash many at once, some megabytes.
const UNWRITTEN_LEAVES_MAX: usize = 4_096;

/// A trie under way.
pub(super) struct Job {
    /// The root that it must come to.
    pub root: B256,
    growing: GrowingTrie,
    /// The first key of which nothing is in the trie yet; nothing when it is complete.
    next: Option<B256>,
    /// Verified ranges by their first key.
    waiting: BTreeMap<B256, Waiting>,
    waiting_bytes: usize,
}

struct Waiting {
    end: B256,
    leaves: VecDeque<(B256, Bytes)>,
}

impl Job {
    pub fn new(root: B256) -> Job {
        let next = (root != EMPTY_ROOT_HASH).then_some(B256::ZERO);
        Job::resumed(root, GrowingTrie::default(), next)
    }

    /// One that an earlier process has brought as far as `next`.
    pub fn resumed(root: B256, growing: GrowingTrie, next: Option<B256>) -> Job {
        Job { root, growing, next, waiting: BTreeMap::new(), waiting_bytes: 0 }
    }

    pub fn next(&self) -> Option<B256> {
        self.next
    }

    /// Whether anything would be lost with it.
    pub fn has_begun(&self) -> bool {
        self.growing.last_key().is_some()
    }

    /// Keeps a verified range until its turn.
    pub fn hold(&mut self, start: B256, range: LeafRange) {
        let is_over = self.next.is_none_or(|next| range.end < next);
        if is_over || self.waiting.get(&start).is_some_and(|waiting| waiting.end >= range.end) {
            return;
        }
        let leaves = range.leaves.into();
        self.waiting_bytes += bytes_of(&leaves);
        if let Some(shorter) = self.waiting.insert(start, Waiting { end: range.end, leaves }) {
            self.waiting_bytes -= bytes_of(&shorter.leaves);
        }
    }

    /// Bytes of leaves that wait.
    pub fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// Moves what waits into the trie as far as there is no gap, and as far as `ready` makes values of leaves. Returns how many.
    pub fn advance<Failure>(
        &mut self,
        mut ready: impl FnMut(&B256, &Bytes) -> Result<Option<Value>, Failure>,
    ) -> Result<u64, Failure> {
        let mut moved = 0;
        while let Some(next) = self.next {
            let Some(mut first) = self.waiting.first_entry().filter(|first| *first.key() <= next) else {
                break;
            };
            let range = first.get_mut();
            while let Some((key, value)) = range.leaves.front() {
                if *key >= next {
                    let Some(value) = ready(key, value)? else {
                        self.next = Some(*key);
                        return Ok(moved);
                    };
                    self.growing.push(key, value);
                    // Should `ready` fail later on, what is in the trie must not come again.
                    self.next = after(key);
                    moved += 1;
                }
                self.waiting_bytes -= key.len() + value.len();
                range.leaves.pop_front();
            }
            let end = range.end;
            first.remove();
            if end >= next {
                self.next = after(&end);
            }
        }
        Ok(moved)
    }

    /// Writes what is finished once it is much.
    pub fn settle_if_due(&mut self, writer: &mut dyn NodeWriter) -> Result<(), TrieError> {
        if self.growing.unwritten() >= UNWRITTEN_LEAVES_MAX { self.settle(writer) } else { Ok(()) }
    }

    /// Writes what is finished.
    pub fn settle(&mut self, writer: &mut dyn NodeWriter) -> Result<(), TrieError> {
        self.growing.settle(writer)
    }

    /// The trie of the leaves so far.
    pub fn trie(&self) -> Trie {
        self.growing.trie()
    }

    /// Its open edge as bytes, once it has settled.
    pub fn encode(&self) -> Vec<u8> {
        self.growing.encode()
    }
}

fn bytes_of(leaves: &VecDeque<(B256, Bytes)>) -> usize {
    leaves.iter().map(|(key, value)| key.len() + value.len()).sum()
}

/// The key after this one.
fn after(key: &B256) -> Option<B256> {
    (*key != LAST_KEY).then(|| (U256::from_be_bytes(key.0) + U256::ONE).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::keccak256;
    use coc_trie::MemoryNodes;

    fn leaf(byte: u8) -> (B256, Bytes) {
        (B256::repeat_byte(byte), vec![byte; 40].into())
    }

    fn range(end: u8, leaves: &[u8]) -> LeafRange {
        let leaves = leaves.iter().map(|byte| leaf(*byte)).collect();
        LeafRange { end: B256::repeat_byte(end), leaves, proof: Vec::new() }
    }

    fn all(job: &mut Job) -> u64 {
        let taken: Result<u64, ()> = job.advance(|_, value| Ok(Some(Value::new(value))));
        taken.expect("nothing fails")
    }

    fn root_of(bytes: &[u8]) -> B256 {
        let changes = bytes.iter().map(|byte| leaf(*byte)).map(|(key, value)| (key, Some(Value::new(value))));
        Trie::empty().update(&MemoryNodes::new(), changes).expect("in memory").root_hash()
    }

    #[test]
    fn ranges_in_any_order_make_the_trie_of_all_leaves() {
        let mut job = Job::new(root_of(&[1, 2, 3, 9, 0xff]));
        job.hold(after(&B256::repeat_byte(2)).expect("not the last"), range(8, &[3]));
        assert_eq!(all(&mut job), 0, "the first keys are missing");
        job.hold(after(&B256::repeat_byte(8)).expect("not the last"), range(0xff, &[9, 0xff]));
        assert!(job.waiting_bytes() > 0);
        job.hold(B256::ZERO, range(2, &[1, 2]));
        assert_eq!(all(&mut job), 5);
        assert_eq!((job.next(), job.waiting_bytes(), job.trie().root_hash()), (None, 0, job.root));
    }

    #[test]
    fn a_range_that_comes_twice_or_overlaps_changes_nothing() {
        let mut job = Job::new(keccak256([]));
        job.hold(B256::ZERO, range(2, &[1, 2]));
        job.hold(B256::ZERO, range(1, &[1]));
        assert_eq!(all(&mut job), 2);
        job.hold(B256::ZERO, range(3, &[1, 2, 3]));
        assert_eq!(all(&mut job), 1);
        assert_eq!(job.trie().root_hash(), root_of(&[1, 2, 3]));
    }

    #[test]
    fn a_leaf_that_is_not_ready_holds_up_those_behind_it_and_no_others() {
        let mut job = Job::new(keccak256([]));
        job.hold(B256::ZERO, range(9, &[1, 2, 3]));
        let two = B256::repeat_byte(2);
        let moved: Result<u64, ()> = job.advance(|key, value| Ok((*key != two).then(|| Value::new(value))));
        assert_eq!((moved, job.next()), (Ok(1), Some(two)));
        assert_eq!(all(&mut job), 2);
        assert_eq!(job.next(), after(&B256::repeat_byte(9)));
    }

    #[test]
    fn a_failure_half_way_loses_and_repeats_no_leaf() {
        let mut job = Job::new(keccak256([]));
        job.hold(B256::ZERO, range(9, &[1, 2, 3]));
        let two = B256::repeat_byte(2);
        let failed =
            job.advance(|key, value| if *key == two { Err("disk") } else { Ok(Some(Value::new(value))) });
        assert_eq!(failed, Err("disk"));
        assert_eq!(all(&mut job), 2);
        assert_eq!(job.trie().root_hash(), root_of(&[1, 2, 3]));
    }

    #[test]
    fn an_empty_trie_is_complete_from_the_start() {
        assert_eq!(Job::new(EMPTY_ROOT_HASH).next(), None);
    }
}
