//! Taking in what peers send: verified first, all of it or nothing, then moved on as far as it reaches.

use super::builder::{Gained, GainedRange, SnapshotBuilder};
use super::payload::{StateRequest, decode_codes, decode_hashes, decode_ranges, range_bytes};
use super::storages::Storages;
use super::{ANSWER_BYTES_MAX, SnapshotError, Surroundings};
use crate::error::ChainError;
use crate::rows::SNAPSHOT_CODES;
use alloy_primitives::map::B256Set;
use alloy_primitives::{B256, Bytes, keccak256};
use coc_evm::fork::EMPTY_CODE_HASH;
use coc_evm::state::Account;
use coc_store::{Batch, Table};
use coc_trie::{EMPTY_ROOT_HASH, LAST_KEY, LeafRange, Trie, Value, verify_range};

/// Bytes of leaves that may wait for their turn (256 MiB): many times what a caller asks for ahead, so that only a defect meets it.
const WAITING_BYTES_MAX: usize = 256 << 20;

/// Bytes taken in after which the progress is saved: a kill costs no more than fetching these again.
const SAVED_AFTER_BYTES: u64 = 16 << 20;

impl SnapshotBuilder {
    /// Takes in the answer to a request of ranges. Nothing of it is taken in case of an error.
    ///
    /// # Errors
    /// [`SnapshotError::Refused`] where the answer does not prove itself or stops early, [`SnapshotError::NotWanted`] for an answer
    /// that nothing waits for. After [`SnapshotError::Chain`] the builder is to be begun again: it goes on from what was saved.
    pub fn add_state(&mut self, request: &[u8], answer: &Bytes) -> Result<Gained, SnapshotError> {
        let request =
            StateRequest::decode(request).map_err(|_| SnapshotError::NotWanted("it is no request"))?;
        if request.block != self.target.hash {
            return Err(SnapshotError::NotWanted("it is about another block"));
        }
        let mut ranges = decode_ranges(answer).map_err(SnapshotError::Refused)?;
        self.verify(&request, &mut ranges)?;
        if self.waiting_bytes() > WAITING_BYTES_MAX {
            return Err(SnapshotError::NotWanted("too much waits for what is missing before it"));
        }
        self.counts.bytes += answer.len() as u64;
        let mut gained = Vec::with_capacity(ranges.len());
        for (wish, range) in request.wishes.iter().zip(ranges) {
            let mut part = GainedRange { end: range.end, ..GainedRange::default() };
            match &wish.account {
                None => {
                    self.want_parts_of(&range, &mut part)?;
                    self.accounts.hold(wish.start, range);
                }
                Some(account) => self.hold_slots(account, wish.start, range)?,
            }
            gained.push(part);
        }
        self.move_on()?;
        self.save_if_due()?;
        Ok(Gained { ranges: gained, next: self.accounts.next() })
    }

    /// Takes in the answer to a request of codes: the hashes of those that are still missing.
    ///
    /// # Errors
    /// As [`add_state`](Self::add_state).
    pub fn add_codes(&mut self, request: &[u8], answer: &Bytes) -> Result<Vec<B256>, SnapshotError> {
        let hashes =
            decode_hashes(request).map_err(|_| SnapshotError::NotWanted("it is no request of codes"))?;
        let codes = decode_codes(answer).map_err(SnapshotError::Refused)?;
        if codes.len() > hashes.len() {
            return Err(SnapshotError::Refused("more codes than were asked for".into()));
        }
        let mut batch = Batch::new();
        let mut here = B256Set::default();
        for (hash, code) in hashes.iter().zip(&codes).filter(|(_, code)| !code.is_empty()) {
            if keccak256(code) != *hash {
                return Err(SnapshotError::Refused(format!("another code than that with hash {hash}")));
            }
            batch.put(Table::Code, hash.as_slice(), code);
            here.insert(*hash);
        }
        if !here.is_empty() {
            let codes = self.counts.codes + here.len() as u64;
            batch.put(Table::Meta, SNAPSHOT_CODES, &codes.to_be_bytes());
            self.parts.index.write(batch)?;
            here.iter().for_each(|hash| {
                self.codes_missing.remove(hash);
            });
            self.counts.codes = codes;
            self.counts.bytes += answer.len() as u64;
        }
        self.move_on()?;
        self.save_if_due()?;
        Ok(hashes.into_iter().filter(|hash| self.codes_missing.contains(hash)).collect())
    }

    /// Takes in the surroundings of the block.
    ///
    /// # Errors
    /// [`SnapshotError::Refused`] where they are not its own.
    pub fn add_surroundings(&mut self, answer: &Bytes) -> Result<(), SnapshotError> {
        Surroundings::verified(answer, &self.target.hash, &self.origin).map_err(SnapshotError::Refused)?;
        self.counts.bytes += answer.len() as u64;
        self.keep_surroundings(answer.clone())
    }

    /// Checks every range against the root that it must be of. One that reaches the end of its trie ends with the last key then.
    fn verify(&mut self, request: &StateRequest, ranges: &mut [LeafRange]) -> Result<(), SnapshotError> {
        if ranges.is_empty() || ranges.len() > request.wishes.len() {
            return Err(SnapshotError::Refused("another number of ranges than were asked for".into()));
        }
        let (count, mut bytes, mut is_late) = (ranges.len(), 0, false);
        let mut is_cut = count < request.wishes.len();
        for (index, (wish, range)) in request.wishes.iter().zip(ranges).enumerate() {
            let root = match &wish.account {
                None => Some(self.accounts.root),
                Some(account) => self.storages.fetched_as(account).map(|job| job.root),
            };
            let Some(root) = root else {
                // Another answer has completed this storage meanwhile: what comes now is not looked at.
                *range = LeafRange { end: LAST_KEY, ..LeafRange::default() };
                is_late = true;
                continue;
            };
            bytes += range_bytes(range);
            let has_more = verify_range(root, &wish.start, range)
                .map_err(|error| SnapshotError::Refused(format!("range {index}: {error}")))?;
            if range.end > wish.end {
                return Err(SnapshotError::Refused("a range goes on behind its end".into()));
            }
            if range.end < wish.end && has_more {
                let ends_with_a_leaf = range.leaves.last().is_some_and(|(key, _)| *key == range.end);
                if !ends_with_a_leaf || index + 1 < count {
                    return Err(SnapshotError::Refused("a range ends before its end".into()));
                }
                is_cut = true;
            }
            if !has_more {
                range.end = LAST_KEY;
            }
        }
        if is_cut && !is_late && bytes < request.bytes_max.min(ANSWER_BYTES_MAX) / 2 {
            return Err(SnapshotError::Refused("the answer stops before it has the bytes asked for".into()));
        }
        Ok(())
    }

    /// Finds out which storages and codes the accounts of a range need that are neither here nor under way.
    fn want_parts_of(&mut self, range: &LeafRange, part: &mut GainedRange) -> Result<(), SnapshotError> {
        for (key, value) in &range.leaves {
            let account = Account::decode_rlp(value).map_err(ChainError::from)?;
            if account.storage_root != EMPTY_ROOT_HASH
                && let Some(start) = self.storages.want(key, account.storage_root, &*self.nodes)?
            {
                part.storages.push((*key, start));
            }
            let code = account.code_hash;
            if code != EMPTY_CODE_HASH
                && !self.codes_missing.contains(&code)
                && self.parts.index.get(Table::Code, code.as_slice())?.is_none()
            {
                self.codes_missing.insert(code);
                part.codes.push(code);
            }
        }
        Ok(())
    }

    fn hold_slots(&mut self, account: &B256, start: B256, range: LeafRange) -> Result<(), SnapshotError> {
        let Some(job) = self.storages.fetched_as(account) else { return Ok(()) };
        job.hold(start, range);
        let moved: Result<u64, ChainError> = job.advance(|_, value| Ok(Some(Value::new(value))));
        self.counts.slots += moved?;
        let nodes = self.nodes.clone();
        let mut appender = nodes.appender();
        job.settle_if_due(&mut appender)?;
        if job.next().is_some() {
            return Ok(());
        }
        let trie = job.trie().flush(&mut appender)?;
        match trie.loc().filter(|_| trie.root_hash() == job.root) {
            Some(loc) => self.storages.complete(account, loc),
            None => return Err(self.damaged(format!("the storage of account {account} has another root"))),
        }
        Ok(())
    }

    /// Moves the accounts that have all their parts into the trie.
    fn move_on(&mut self) -> Result<(), SnapshotError> {
        let (storages, missing) = (&mut self.storages, &self.codes_missing);
        self.counts.accounts += self.accounts.advance(|_, leaf| ready(leaf, storages, missing))?;
        let nodes = self.nodes.clone();
        self.accounts.settle_if_due(&mut nodes.appender())?;
        self.storages.prune();
        Ok(())
    }

    fn waiting_bytes(&mut self) -> usize {
        let slots: usize = self.storages.open().map(|job| job.waiting_bytes()).sum();
        self.accounts.waiting_bytes() + slots
    }

    fn save_if_due(&mut self) -> Result<(), SnapshotError> {
        if self.counts.bytes >= self.saved_bytes + SAVED_AFTER_BYTES { Ok(self.save()?) } else { Ok(()) }
    }
}

/// The account as the trie is to hold it, if its parts are here.
fn ready(leaf: &Bytes, storages: &mut Storages, missing: &B256Set) -> Result<Option<Value>, ChainError> {
    let account = Account::decode_rlp(leaf)?;
    if missing.contains(&account.code_hash) {
        return Ok(None);
    }
    if account.storage_root == EMPTY_ROOT_HASH {
        return Ok(Some(Value::new(leaf)));
    }
    let loc = storages.claim(&account.storage_root);
    Ok(loc.map(|loc| Value::account(leaf, Trie::stored(account.storage_root, loc))))
}
