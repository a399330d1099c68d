//! What a caller may pretend: another environment, other accounts.

use crate::simulate::SimulateError;
use alloy_primitives::Address;
use coc_evm::json::{self, JsonError};
use coc_evm::overlay::Overlay;
use coc_evm::types::Header;
use serde_json::{Map, Value};

/// Parses the JSON of overrides; nothing is no override.
pub fn parse(text: &[u8]) -> Result<Value, JsonError> {
    if text.is_empty() {
        return Ok(Value::Null);
    }
    let overrides: Value =
        serde_json::from_slice(text).map_err(|error| JsonError::new("overrides", error.to_string()))?;
    match overrides {
        Value::Object(_) | Value::Null => Ok(overrides),
        _ => Err(JsonError::new("overrides", "are not an object")),
    }
}

/// A member that is an object where it is there.
fn object_of<'a>(account: &'a Value, name: &str) -> Result<Option<&'a Map<String, Value>>, JsonError> {
    let wrong = || JsonError::new(name, "is not an object");
    json::optional(account, name).map(|value| value.as_object().ok_or_else(wrong)).transpose()
}

/// Changes the environment of a call (execution-apis `BlockOverrides`).
pub fn apply_to_header(header: &mut Header, overrides: &Value) -> Result<(), JsonError> {
    if let Some(number) = json::maybe(overrides, "number", json::u64)? {
        header.number = number;
    }
    if let Some(time) = json::maybe(overrides, "time", json::u64)? {
        header.timestamp = time;
    }
    if let Some(gas_limit) = json::maybe(overrides, "gasLimit", json::u64)? {
        header.gas_limit = gas_limit;
    }
    if let Some(recipient) = json::maybe(overrides, "feeRecipient", json::address)? {
        header.beneficiary = recipient;
    }
    if let Some(random) = json::maybe(overrides, "prevRandao", json::b256)? {
        header.mix_hash = random;
    }
    if let Some(fee) = json::maybe(overrides, "baseFeePerGas", json::u64)? {
        header.base_fee_per_gas = Some(fee);
    }
    Ok(())
}

/// Changes the accounts a call sees (execution-apis `StateOverride`).
pub fn apply_to_state(overlay: &mut Overlay, overrides: &Value) -> Result<(), SimulateError> {
    let Some(accounts) = overrides.as_object() else { return Ok(()) };
    for (address, account) in accounts {
        let address = json::address(&Value::String(address.clone()), "state override")?;
        if !account.is_object() {
            return Err(JsonError::new(format!("state override of {address}"), "is not an object").into());
        }
        let info = overlay.info(address)?.unwrap_or_default();
        let nonce = json::maybe(account, "nonce", json::u64)?.unwrap_or(info.nonce);
        let balance = json::maybe(account, "balance", json::u256)?.unwrap_or(info.balance);
        let code = json::maybe(account, "code", json::bytes)?;
        overlay.set_account(address, nonce, balance, code)?;
        if let Some(slots) = object_of(account, "state")? {
            overlay.wipe_storage(address)?;
            override_slots(overlay, address, slots)?;
        }
        if let Some(slots) = object_of(account, "stateDiff")? {
            override_slots(overlay, address, slots)?;
        }
    }
    Ok(())
}

fn override_slots(
    overlay: &mut Overlay,
    address: Address,
    slots: &Map<String, Value>,
) -> Result<(), SimulateError> {
    for (slot, value) in slots {
        let slot = json::b256(&Value::String(slot.clone()), "slot")?;
        overlay.set_slot(address, slot.into(), json::b256(value, "slot value")?.into())?;
    }
    Ok(())
}
