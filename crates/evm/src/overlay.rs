//! What a block has changed so far, on top of its parent's state.
//!
//! The EVM reads through an [`Overlay`] and commits each transaction's changes into it; [`Overlay::seal_into`] then turns all that
//! changed since the last sealing into a new [`WorldState`]. Accounts and slots read once stay here for the rest of the block,
//! with the hashes of their names, by which both tries are searched. What a block is known to need can be read ahead, on all
//! cores, with [`Overlay::preload`].

use crate::error::StateError;
use crate::fork::{EMPTY_CODE_HASH, Fork, Rules};
use crate::state::{Account, WorldState, account_value};
use crate::storage_only::COLLIDES;
use alloy_primitives::map::{AddressMap, AddressSet, B256Map, HashMap};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_rlp::Encodable;
use coc_trie::{Loc, Node, NodeReader, NodesRead, Trie, Value, keccak256_many};
use rayon::prelude::*;
use revm::bytecode::Bytecode;
use revm::state::{AccountInfo, EvmState};
use std::sync::Arc;

mod analysed;
mod reads;

/// Storage tries with fewer changed slots than this are updated on the calling thread: handing them out costs more.
const PARALLEL_ACCOUNTS_MIN: usize = 64;
/// Accounts read ahead by one core at a time, at least: neighbours in the trie, which share most of their path, and
/// whose nodes are fetched and checked side by side.
const PRELOADED_PER_TASK: usize = 64;
/// Tasks a core that reading ahead is split into where there is enough: a core that is late leaves the rest to others.
const PRELOADING_TASKS: usize = 4;

/// Names the ancestors of the block that is being executed.
pub trait BlockHashes: Send + Sync {
    /// Hash of the ancestor at `number`, which is one of the 256 before the block.
    fn block_hash(&self, number: u64) -> Option<B256>;
}

/// No ancestors: for single transactions outside a chain.
pub struct NoBlockHashes;

impl BlockHashes for NoBlockHashes {
    fn block_hash(&self, _number: u64) -> Option<B256> {
        None
    }
}

struct Entry {
    /// keccak-256 of the address: the account's key in the trie.
    key: B256,
    info: Option<AccountInfo>,
    /// Storage trie in the state below; empty once the storage was wiped.
    storage: Trie,
    slots: HashMap<U256, Slot>,
    dirty_slots: Vec<U256>,
    dirty: bool,
}

/// A slot's value, and keccak-256 of its number: its key in the storage trie.
#[derive(Clone, Copy)]
struct Slot {
    key: B256,
    value: U256,
}

/// The changes of one block over the state below it.
pub struct Overlay {
    knows_delegations: bool,
    below: WorldState,
    hashes: Arc<dyn BlockHashes>,
    entries: AddressMap<Entry>,
    codes: B256Map<Bytecode>,
    new_codes: B256Map<Bytes>,
    dirty: Vec<Address>,
    /// What was read ahead of the tries below: sealing goes down the same paths.
    read: NodesRead,
}

/// What an overlay became when it was sealed.
pub struct Sealed {
    /// The state with all changes applied.
    pub state: WorldState,
    /// Code that was deployed, by hash.
    pub codes: B256Map<Bytes>,
    /// Accounts that changed, ascending.
    pub changed: Vec<Address>,
}

impl Overlay {
    /// No changes yet over `below`.
    pub fn new(below: WorldState, hashes: Arc<dyn BlockHashes>) -> Self {
        Overlay {
            knows_delegations: true,
            below,
            hashes,
            entries: AddressMap::default(),
            codes: B256Map::default(),
            new_codes: B256Map::default(),
            dirty: Vec::new(),
            read: NodesRead::default(),
        }
    }

    /// Takes the code that `rules` see: before Prague nothing is a delegation (EIP-7702), whatever its bytes.
    pub fn follow(&mut self, rules: &Rules) {
        self.knows_delegations = rules.at_least(Fork::Prague);
    }

    fn entry(&mut self, address: Address) -> Result<&mut Entry, StateError> {
        entry_of(&mut self.entries, &self.below, &mut self.read, address)
    }

    /// Reads these accounts ahead, on all cores. What is here already stays as it is.
    pub fn preload(&mut self, addresses: impl IntoIterator<Item = Address>) -> Result<(), StateError> {
        let is_new = |address: &Address| !self.entries.contains_key(address);
        let wanted: AddressSet = addresses.into_iter().filter(is_new).collect();
        let wanted: Vec<Address> = wanted.into_iter().collect();
        let names: Vec<&[u8]> = wanted.iter().map(|address| address.as_slice()).collect();
        let mut keyed: Vec<(B256, Address)> = keccak256_many(&names).into_iter().zip(wanted).collect();
        keyed.sort_unstable_by_key(|(key, _)| *key);
        let below = &self.below;
        let share = keyed.len().div_ceil(PRELOADING_TASKS * rayon::current_num_threads());
        let tasks = keyed.par_chunks(share.max(PRELOADED_PER_TASK));
        let loaded: Result<Vec<_>, StateError> = tasks.map(|some| load_many(below, some)).collect();
        for (entries, nodes) in loaded? {
            self.entries.extend(entries);
            self.read.extend(nodes);
        }
        Ok(())
    }

    /// Adds `amount` wei to `address`, creating the account where it does not exist and `amount` is not zero.
    pub fn add_balance(&mut self, address: Address, amount: U256) -> Result<(), StateError> {
        if amount.is_zero() {
            return Ok(());
        }
        let entry = self.entry(address)?;
        let info = entry.info.get_or_insert_with(AccountInfo::default);
        info.balance = info.balance.saturating_add(amount);
        self.mark(address);
        Ok(())
    }

    /// Lets go of an account that is there and empty (EIP-161).
    pub fn clear_if_empty(&mut self, address: Address) -> Result<(), StateError> {
        let is_empty = self.entry(address)?.info.as_ref().is_some_and(AccountInfo::is_empty);
        if is_empty { self.remove(address) } else { Ok(()) }
    }

    /// Takes the whole balance of `address` away and returns it.
    pub fn drain_balance(&mut self, address: Address) -> Result<U256, StateError> {
        let entry = self.entry(address)?;
        let Some(info) = entry.info.as_mut() else { return Ok(U256::ZERO) };
        let balance = std::mem::take(&mut info.balance);
        self.mark(address);
        Ok(balance)
    }

    /// Nonce, balance and code hash as of now.
    pub fn info(&mut self, address: Address) -> Result<Option<AccountInfo>, StateError> {
        Ok(self.entry(address)?.info.clone())
    }

    /// Overwrites an account as a whole (dev methods, state overrides, test fixtures).
    pub fn set_account(
        &mut self,
        address: Address,
        nonce: u64,
        balance: U256,
        code: Option<Bytes>,
    ) -> Result<(), StateError> {
        if let Some(code) = code {
            let hash = if code.is_empty() { EMPTY_CODE_HASH } else { keccak256(&code) };
            self.remember_code(hash, analysed::bytecode(code, self.knows_delegations));
            self.entry(address)?.info.get_or_insert_with(AccountInfo::default).code_hash = hash;
        }
        let info = self.entry(address)?.info.get_or_insert_with(AccountInfo::default);
        (info.nonce, info.balance) = (nonce, balance);
        info.code = None;
        self.mark(address);
        Ok(())
    }

    /// Removes an account as a whole.
    pub fn remove(&mut self, address: Address) -> Result<(), StateError> {
        let entry = self.entry(address)?;
        entry.info = None;
        entry.wipe();
        self.mark(address);
        Ok(())
    }

    /// Forgets every slot of an account.
    pub fn wipe_storage(&mut self, address: Address) -> Result<(), StateError> {
        let entry = self.entry(address)?;
        entry.wipe();
        self.mark(address);
        Ok(())
    }

    /// Overwrites one slot.
    pub fn set_slot(&mut self, address: Address, slot: U256, value: U256) -> Result<(), StateError> {
        self.entry(address)?.write(slot, value);
        self.mark(address);
        Ok(())
    }

    /// Every account that was read or written, with its slots that were: the only names of what a transition can have changed,
    /// since the tries know accounts and slots by the hashes of their names alone.
    pub fn touched(&self) -> impl Iterator<Item = (Address, impl Iterator<Item = U256>)> {
        self.entries.iter().map(|(address, entry)| (*address, entry.slots.keys().copied()))
    }

    fn mark(&mut self, address: Address) {
        if let Some(entry) = self.entries.get_mut(&address)
            && !entry.dirty
        {
            entry.dirty = true;
            self.dirty.push(address);
        }
    }

    fn remember_code(&mut self, hash: B256, code: Bytecode) {
        if hash != EMPTY_CODE_HASH {
            self.new_codes.entry(hash).or_insert_with(|| code.original_bytes());
            self.codes.insert(hash, code);
        }
    }

    /// Takes over what one transaction changed.
    pub fn commit(&mut self, changes: EvmState) {
        for (address, account) in changes {
            if !account.is_touched() {
                continue;
            }
            let Ok(entry) = entry_of(&mut self.entries, &self.below, &mut self.read, address) else {
                continue; // the EVM read this account through us a moment ago, so it is always here
            };
            let changed;
            if account.is_selfdestructed() || (account.is_empty() && !account.is_created()) {
                changed = entry.info.take().is_some() | !entry.slots.is_empty();
                entry.wipe();
            } else {
                let created = account.is_created();
                if created {
                    entry.wipe();
                }
                let mut info = account.info;
                if info.code_hash == COLLIDES {
                    info.code_hash = EMPTY_CODE_HASH;
                }
                let mut wrote = false;
                for (slot, value) in account.storage {
                    if value.is_changed() || (created && !value.present_value().is_zero()) {
                        entry.write(slot, value.present_value());
                        wrote = true;
                    }
                }
                let code = info.code.take();
                changed = created || wrote || entry.info.as_ref() != Some(&info);
                let code_hash = info.code_hash;
                let new_code = entry.info.as_ref().is_none_or(|old| old.code_hash != code_hash);
                entry.info = Some(info);
                if new_code && let Some(code) = code {
                    self.remember_code(code_hash, code);
                }
            }
            if changed {
                self.mark(address);
            }
        }
    }

    /// Applies everything changed since the last sealing to the tries below and stands on the result from now on.
    pub fn seal_into(&mut self) -> Result<Sealed, StateError> {
        let mut dirty = std::mem::take(&mut self.dirty);
        dirty.sort_unstable();
        // `entries` is walked once: borrowing many entries mutably at the same time needs one pass.
        let mut work: Vec<&mut Entry> = self.entries.values_mut().filter(|entry| entry.dirty).collect();
        let nodes = self.read.before(&*self.below.nodes);
        let seal = |entry: &mut &mut Entry| entry.seal(&nodes);
        let changes: Result<Vec<_>, StateError> = if work.len() >= PARALLEL_ACCOUNTS_MIN {
            work.par_iter_mut().with_min_len(16).map(seal).collect()
        } else {
            work.iter_mut().map(seal).collect()
        };
        let accounts = self.below.accounts.update(&nodes, changes?)?;
        self.below = self.below.with_accounts(accounts);
        Ok(Sealed { state: self.below.clone(), codes: std::mem::take(&mut self.new_codes), changed: dirty })
    }
}

fn entry_of<'a>(
    entries: &'a mut AddressMap<Entry>,
    below: &WorldState,
    read: &mut NodesRead,
    address: Address,
) -> Result<&'a mut Entry, StateError> {
    use alloy_primitives::map::hash_map::Entry as Place;
    match entries.entry(address) {
        Place::Occupied(occupied) => Ok(occupied.into_mut()),
        Place::Vacant(vacant) => {
            let key = keccak256(address);
            let found = read.get(&below.accounts, &*below.nodes, key.as_slice())?;
            Ok(vacant.insert(Entry::of(key, found.as_ref())?))
        }
    }
}

/// Accounts with their names, and the nodes that were read to find them.
type Loaded = (Vec<(Address, Entry)>, Vec<(Loc, Arc<Node>)>);

/// Accounts by keys that are sorted.
fn load_many(below: &WorldState, keyed: &[(B256, Address)]) -> Result<Loaded, StateError> {
    let keys: Vec<B256> = keyed.iter().map(|(key, _)| *key).collect();
    let mut entries = Vec::with_capacity(keyed.len());
    let mut unreadable = None;
    let nodes = below.accounts.get_many(&*below.nodes, &keys, |index, value| {
        let (key, address) = keyed[index];
        match Entry::of(key, value) {
            Ok(entry) => entries.push((address, entry)),
            Err(error) => unreadable = Some(error),
        }
    })?;
    unreadable.map_or(Ok((entries, nodes)), Err)
}

impl Entry {
    /// The account that the trie has at `key`.
    fn of(key: B256, found: Option<&Value>) -> Result<Entry, StateError> {
        let (info, storage) = match found {
            None => (None, Trie::empty()),
            Some(value) => {
                let account = Account::decode_rlp(value.rlp())?;
                let info = AccountInfo {
                    balance: account.balance,
                    nonce: account.nonce,
                    code_hash: account.code_hash,
                    code: None,
                    ..AccountInfo::default()
                };
                (Some(info), value.storage().cloned().unwrap_or_else(Trie::empty))
            }
        };
        Ok(Entry { key, info, storage, slots: HashMap::default(), dirty_slots: Vec::new(), dirty: false })
    }

    fn wipe(&mut self) {
        self.storage = Trie::empty();
        self.slots.clear();
        self.dirty_slots.clear();
    }

    fn write(&mut self, slot: U256, value: U256) {
        self.slots.entry(slot).or_insert_with(|| Slot { key: slot_key(slot), value }).value = value;
        self.dirty_slots.push(slot);
    }

    /// The change this entry makes to the account trie; afterwards it is clean and stands on its new storage trie.
    fn seal(&mut self, nodes: &dyn NodeReader) -> Result<(B256, Option<Value>), StateError> {
        self.dirty = false;
        let Some(info) = &self.info else {
            self.dirty_slots.clear();
            return Ok((self.key, None));
        };
        if !self.dirty_slots.is_empty() {
            self.dirty_slots.sort_unstable();
            self.dirty_slots.dedup();
            let held = self.dirty_slots.drain(..).filter_map(|slot| self.slots.get(&slot));
            let changes =
                held.map(|slot| (slot.key, (!slot.value.is_zero()).then(|| slot_value(slot.value))));
            self.storage = self.storage.update(nodes, changes)?;
        }
        let account = Account {
            nonce: info.nonce,
            balance: info.balance,
            storage_root: self.storage.root_hash(),
            code_hash: info.code_hash,
        };
        Ok((self.key, Some(account_value(&account, self.storage.clone()))))
    }
}

fn slot_key(slot: U256) -> B256 {
    keccak256(slot.to_be_bytes::<32>())
}

fn slot_value(value: U256) -> Value {
    let mut rlp = Vec::with_capacity(33);
    value.encode(&mut rlp);
    Value::new(rlp)
}
