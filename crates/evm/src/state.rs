//! The world state at one block: accounts, slots and code, read through the Merkle tries.
//!
//! A [`WorldState`] is a handle (trie root, where nodes and code are kept): cloning is cheap, nothing changes under it. The account
//! trie's leaves carry their storage tries, so a slot is found without an index.

use crate::error::StateError;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_rlp::{BufMut, Decodable, Encodable, Header as RlpHeader};
use coc_trie::{NodeReader, Trie, Value};
use std::sync::Arc;

/// Bytes of the longest account: two for the list, nine for the nonce, 33 each for balance, root and hash.
const ENCODED_BYTES_MAX: usize = 2 + 9 + 3 * 33;

/// Where contract code is kept by hash.
pub trait CodeReader: Send + Sync {
    /// The code with this hash, or `None` where it is not known.
    fn code(&self, hash: &B256) -> Result<Option<Bytes>, StateError>;
}

/// An account as the state trie holds it (yellow paper 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Transactions sent, or contracts created.
    pub nonce: u64,
    /// Wei.
    pub balance: U256,
    /// Root of the storage trie.
    pub storage_root: B256,
    /// keccak-256 of the code.
    pub code_hash: B256,
}

impl Account {
    /// The four-item list the trie stores.
    pub fn encode_rlp(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(ENCODED_BYTES_MAX);
        self.encode_to(&mut out);
        out
    }

    fn encode_to(&self, out: &mut dyn BufMut) {
        let payload_length = self.nonce.length()
            + self.balance.length()
            + self.storage_root.length()
            + self.code_hash.length();
        RlpHeader { list: true, payload_length }.encode(out);
        self.nonce.encode(out);
        self.balance.encode(out);
        self.storage_root.encode(out);
        self.code_hash.encode(out);
    }

    /// Reads the four-item list.
    pub fn decode_rlp(mut bytes: &[u8]) -> Result<Self, StateError> {
        let damaged = |_| StateError("an account in the state trie is not a list of four items".into());
        let input = &mut bytes;
        let header = RlpHeader::decode(input).map_err(damaged)?;
        if !header.list || header.payload_length != input.len() {
            return Err(StateError("an account in the state trie is not a list of four items".into()));
        }
        Ok(Account {
            nonce: u64::decode(input).map_err(damaged)?,
            balance: U256::decode(input).map_err(damaged)?,
            storage_root: B256::decode(input).map_err(damaged)?,
            code_hash: B256::decode(input).map_err(damaged)?,
        })
    }
}

/// The world state at one block.
#[derive(Clone)]
pub struct WorldState {
    /// Accounts by keccak-256 of their address.
    pub accounts: Trie,
    /// Where trie nodes are read.
    pub nodes: Arc<dyn NodeReader>,
    /// Where code is read.
    pub codes: Arc<dyn CodeReader>,
}

impl WorldState {
    /// The account at `address` with its storage trie.
    pub fn account(&self, address: &Address) -> Result<Option<(Account, Trie)>, StateError> {
        let Some(value) = self.accounts.get(&*self.nodes, keccak256(address).as_slice())? else {
            return Ok(None);
        };
        let account = Account::decode_rlp(value.rlp())?;
        Ok(Some((account, value.storage().cloned().unwrap_or_else(Trie::empty))))
    }

    /// The value of `slot` in a storage trie; absent slots are zero.
    pub fn slot(&self, storage: &Trie, slot: &B256) -> Result<U256, StateError> {
        slot_of(storage.get(&*self.nodes, keccak256(slot).as_slice())?.as_ref())
    }

    /// The code with this hash.
    pub fn code(&self, hash: &B256) -> Result<Bytes, StateError> {
        if *hash == crate::fork::EMPTY_CODE_HASH {
            return Ok(Bytes::new());
        }
        self.codes
            .code(hash)?
            .ok_or_else(|| StateError(format!("the code with hash {hash} is missing from the store")))
    }

    /// The same places, another root.
    pub fn with_accounts(&self, accounts: Trie) -> WorldState {
        WorldState { accounts, nodes: self.nodes.clone(), codes: self.codes.clone() }
    }
}

/// The trie value of an account with its storage trie.
pub fn account_value(account: &Account, storage: Trie) -> Value {
    let mut encoded = [0; ENCODED_BYTES_MAX];
    let mut rest = &mut encoded[..];
    account.encode_to(&mut rest);
    let length = ENCODED_BYTES_MAX - rest.len();
    Value::account(&encoded[..length], storage)
}

/// What a storage trie's value says of a slot; absent slots are zero.
pub(crate) fn slot_of(found: Option<&Value>) -> Result<U256, StateError> {
    let Some(value) = found else { return Ok(U256::ZERO) };
    let mut bytes: &[u8] = value.rlp();
    U256::decode(&mut bytes).map_err(|_| StateError("a slot in a storage trie is not an RLP integer".into()))
}
