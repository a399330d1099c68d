//! What the EVM asks of an overlay: accounts, code, slots and block hashes, read once and then kept.

use super::{COLLIDES, Overlay, Slot, analysed, entry_of, slot_key};
use crate::error::StateError;
use crate::fork::EMPTY_CODE_HASH;
use crate::state::slot_of;
use alloy_primitives::{Address, B256, U256};
use revm::bytecode::Bytecode;
use revm::state::{AccountInfo, EvmState};

impl revm::Database for Overlay {
    type Error = StateError;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, StateError> {
        let entry = self.entry(address)?;
        let Some(mut info) = entry.info.clone() else { return Ok(None) };
        if info.code_hash == EMPTY_CODE_HASH {
            info.code = Some(Bytecode::default());
            if info.nonce == 0 && !entry.storage.is_empty() {
                info.code_hash = COLLIDES;
            }
        }
        Ok(Some(info))
    }

    fn code_by_hash(&mut self, hash: B256) -> Result<Bytecode, StateError> {
        if let Some(code) = self.codes.get(&hash) {
            return Ok(code.clone());
        }
        let code = match analysed::kept(&hash) {
            Some(code) => code,
            None => {
                let raw = self.below.code(&hash)?;
                let code = analysed::bytecode(raw.clone(), self.knows_delegations);
                analysed::keep(hash, &raw, &code);
                code
            }
        };
        self.codes.insert(hash, code.clone());
        Ok(code)
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, StateError> {
        let entry = entry_of(&mut self.entries, &self.below, &mut self.read, address)?;
        if let Some(held) = entry.slots.get(&slot) {
            return Ok(held.value);
        }
        let key = slot_key(slot);
        let found = self.read.get(&entry.storage, &*self.below.nodes, key.as_slice())?;
        let value = slot_of(found.as_ref())?;
        entry.slots.insert(slot, Slot { key, value });
        Ok(value)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, StateError> {
        Ok(self.hashes.block_hash(number).unwrap_or_default())
    }
}

impl revm::DatabaseCommit for Overlay {
    fn commit(&mut self, changes: EvmState) {
        Overlay::commit(self, changes);
    }
}
