//! The storage tries on their way: each is fetched once, however many accounts share its root, and lasts until they have it.

use super::job::Job;
use crate::error::ChainError;
use alloy_primitives::B256;
use coc_trie::{Loc, NodeReader, Trie};
use std::collections::BTreeMap;

/// Complete tries that are kept for accounts yet to come: contracts made by one factory often have equal storage.
const UNCLAIMED_MAX: usize = 16_384;

/// The storage tries that accounts wait for, and some that later ones may want.
#[derive(Default)]
pub(super) struct Storages {
    pub by_root: BTreeMap<B256, Storage>,
    /// Which trie is fetched as whose.
    asked: BTreeMap<B256, B256>,
    /// What an attempt at an older block has built, in which much is as it is now.
    pub earlier: Option<Earlier>,
}

/// One of them.
pub(super) struct Storage {
    /// The account under whose key it is fetched.
    pub account: B256,
    /// Accounts that wait for it.
    waiting: u64,
    pub stand: Stand,
}

pub(super) enum Stand {
    Open(Box<Job>),
    Written(Loc),
}

/// The accounts that an earlier attempt came to.
pub(super) struct Earlier {
    pub accounts: Trie,
    /// The first key that it did not come to.
    pub next: Option<B256>,
}

impl Storage {
    /// As an earlier process has left it.
    pub fn resumed(account: B256, stand: Stand) -> Storage {
        Storage { account, waiting: 0, stand }
    }
}

impl Storages {
    /// As an earlier process has left them: nobody waits, since the accounts are fetched again.
    pub fn resumed(by_root: BTreeMap<B256, Storage>, earlier: Option<Earlier>) -> Storages {
        Storages { by_root, asked: BTreeMap::new(), earlier }
    }

    /// Takes note that an account needs this trie; the key from which on it is to be fetched, if it is not under way yet.
    pub fn want(
        &mut self,
        account: &B256,
        root: B256,
        nodes: &dyn NodeReader,
    ) -> Result<Option<B256>, ChainError> {
        if !self.by_root.contains_key(&root) {
            let stand = match self.in_earlier(account, &root, nodes)? {
                Some(loc) => Stand::Written(loc),
                None => Stand::Open(Box::new(Job::new(root))),
            };
            self.by_root.insert(root, Storage::resumed(*account, stand));
        }
        let Some(storage) = self.by_root.get_mut(&root) else { return Ok(None) };
        storage.waiting += 1;
        match &storage.stand {
            Stand::Open(job) if storage.waiting == 1 => {
                storage.account = *account;
                self.asked.insert(*account, root);
                Ok(job.next())
            }
            _ => Ok(None),
        }
    }

    fn in_earlier(
        &self,
        account: &B256,
        root: &B256,
        nodes: &dyn NodeReader,
    ) -> Result<Option<Loc>, ChainError> {
        let Some(earlier) = &self.earlier else { return Ok(None) };
        let found = earlier.accounts.get(nodes, account.as_slice())?;
        let storage = found.as_ref().and_then(|account| account.storage());
        Ok(storage.filter(|storage| storage.root_hash() == *root).and_then(Trie::loc))
    }

    /// The trie that is fetched under the key of this account.
    pub fn fetched_as(&mut self, account: &B256) -> Option<&mut Job> {
        let root = self.asked.get(account)?;
        match &mut self.by_root.get_mut(root)?.stand {
            Stand::Open(job) => Some(job),
            Stand::Written(_) => None,
        }
    }

    /// Takes note that a trie is complete and where it lies.
    pub fn complete(&mut self, account: &B256, loc: Loc) {
        if let Some(storage) = self.asked.remove(account).and_then(|root| self.by_root.get_mut(&root)) {
            storage.stand = Stand::Written(loc);
        }
    }

    /// Where a trie lies that an account has waited for, if it is complete.
    pub fn claim(&mut self, root: &B256) -> Option<Loc> {
        let storage = self.by_root.get_mut(root)?;
        let Stand::Written(loc) = storage.stand else { return None };
        storage.waiting = storage.waiting.saturating_sub(1);
        Some(loc)
    }

    /// Forgets tries that nobody waits for once there are many.
    pub fn prune(&mut self) {
        if self.by_root.len() > UNCLAIMED_MAX {
            self.by_root.retain(|_, storage| storage.waiting > 0 || matches!(storage.stand, Stand::Open(_)));
        }
    }

    /// The tries under way.
    pub fn open(&mut self) -> impl Iterator<Item = &mut Job> {
        self.by_root.values_mut().filter_map(|storage| match &mut storage.stand {
            Stand::Open(job) => Some(job.as_mut()),
            Stand::Written(_) => None,
        })
    }
}
