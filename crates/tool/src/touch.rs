//! What paying an account nothing does to it: before Spurious Dragon it comes to be, from then on it goes if it is empty (EIP-161).

use alloy_primitives::{Address, U256};
use coc_evm::error::StateError;
use coc_evm::fork::Fork;
use coc_evm::overlay::Overlay;

/// Pays `address` nothing under the rules of `fork`.
pub fn touch(overlay: &mut Overlay, address: Address, fork: Fork) -> Result<(), StateError> {
    match overlay.info(address)? {
        None if fork < Fork::SpuriousDragon => overlay.set_account(address, 0, U256::ZERO, None),
        Some(info) if info.is_empty() && fork >= Fork::SpuriousDragon => overlay.remove(address),
        _ => Ok(()),
    }
}
