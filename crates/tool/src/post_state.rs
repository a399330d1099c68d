//! The state after a transition as an `alloc` object.
//!
//! The tries know accounts and slots by the hashes of their names alone; the names come from the state before and from what
//! the transition touched, and no others can have changed.

use alloy_primitives::{Address, B256, U256, hex};
use coc_evm::error::StateError;
use coc_evm::genesis::GenesisAccount;
use coc_evm::overlay::Overlay;
use coc_evm::state::{Account, WorldState};
use coc_trie::Trie;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Names of accounts and of their slots.
pub type Names = BTreeMap<Address, BTreeSet<U256>>;

/// The names in an allocation and in an overlay.
pub fn names(alloc: &[GenesisAccount], overlay: &Overlay) -> Names {
    let mut names = Names::new();
    for account in alloc {
        names.entry(account.address).or_default().extend(account.storage.iter().map(|(slot, _)| *slot));
    }
    for (address, slots) in overlay.touched() {
        names.entry(address).or_default().extend(slots);
    }
    names
}

/// The accounts of `state` that have one of `names`.
pub fn alloc(state: &WorldState, names: &Names) -> Result<Value, StateError> {
    let mut accounts = Map::new();
    for (address, slots) in names {
        if let Some((account, storage)) = state.account(address)? {
            accounts.insert(format!("{address:#x}"), entry(state, &account, &storage, slots)?);
        }
    }
    Ok(Value::Object(accounts))
}

fn entry(
    state: &WorldState,
    account: &Account,
    storage: &Trie,
    slots: &BTreeSet<U256>,
) -> Result<Value, StateError> {
    let mut entry = Map::new();
    let code = state.code(&account.code_hash)?;
    if !code.is_empty() {
        entry.insert("code".into(), hex::encode_prefixed(&code).into());
    }
    let mut values = Map::new();
    for slot in slots {
        let value = state.slot(storage, &B256::from(*slot))?;
        if !value.is_zero() {
            values.insert(B256::from(*slot).to_string(), B256::from(value).to_string().into());
        }
    }
    if !values.is_empty() {
        entry.insert("storage".into(), Value::Object(values));
    }
    entry.insert("balance".into(), format!("{:#x}", account.balance).into());
    if account.nonce != 0 {
        entry.insert("nonce".into(), format!("{:#x}", account.nonce).into());
    }
    Ok(Value::Object(entry))
}
