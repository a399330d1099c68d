//! The parts of a transaction that files and requests write alike in JSON: access lists (EIP-2930) and authorizations (EIP-7702).

use crate::json::{self, JsonError};
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use serde_json::Value;

/// An access list; an item without slots may leave `storageKeys` out.
pub fn access_list(value: &Value, place: &str) -> Result<AccessList, JsonError> {
    let item = |item: &Value, _: &str| {
        Ok(AccessListItem {
            address: json::address(json::field(item, "address")?, "address")?,
            storage_keys: json::maybe(item, "storageKeys", |keys, place| {
                json::list(keys, place, json::b256)
            })?
            .unwrap_or_default(),
        })
    };
    json::within(place, json::list(value, place, item)).map(AccessList)
}

/// A list of authorizations; the parity is `yParity`, or `v` in older files.
pub fn authorizations(value: &Value, place: &str) -> Result<Vec<SignedAuthorization>, JsonError> {
    json::within(place, json::list(value, place, |item, _| authorization(item)))
}

fn authorization(item: &Value) -> Result<SignedAuthorization, JsonError> {
    let number = |name: &str| json::u256(json::field(item, name)?, name);
    let inner = Authorization {
        chain_id: number("chainId")?,
        address: json::address(json::field(item, "address")?, "address")?,
        nonce: json::u64(json::field(item, "nonce")?, "nonce")?,
    };
    let parity = if json::optional(item, "yParity").is_some() { number("yParity")? } else { number("v")? };
    // A parity no signature has is still an authorization, which the EVM then skips.
    let parity = u8::try_from(parity).unwrap_or(u8::MAX);
    Ok(SignedAuthorization::new_unchecked(inner, parity, number("r")?, number("s")?))
}
