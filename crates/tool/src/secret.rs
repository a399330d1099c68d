//! Secret keys that test files hold, and what is made with them: addresses and signatures.

use alloy_primitives::{Address, B256, Signature, U256};
use coc_evm::json::{self, JsonError};
use secp256k1::ecdsa::RecoverableSignature;
use secp256k1::{Message, PublicKey, SecretKey};
use serde_json::Value;

/// A secret key: a number between 1 and the order of the curve.
pub fn secret_key(value: &Value, place: &str) -> Result<SecretKey, JsonError> {
    let secret = json::b256(value, place)?;
    SecretKey::from_secret_bytes(secret.0).map_err(|error| JsonError::new(place, error.to_string()))
}

/// The account a secret key stands for.
pub fn address_of(secret: &SecretKey) -> Address {
    let public = PublicKey::from_secret_key(secret).serialize_uncompressed();
    Address::from_raw_public_key(&public[1..])
}

/// A signature over a digest (RFC 6979, low s).
pub fn sign(secret: &SecretKey, digest: B256) -> Signature {
    let made = RecoverableSignature::sign_ecdsa_recoverable(Message::from_digest(digest.0), secret);
    let (id, compact) = made.serialize_compact();
    let (r, s) = (U256::from_be_slice(&compact[..32]), U256::from_be_slice(&compact[32..]));
    Signature::new(r, s, id.to_u8() & 1 == 1)
}
