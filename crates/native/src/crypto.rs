//! keccak-256 and secp256k1.

use crate::errors::{exactly, value_error};
use alloy_primitives::{Address, B256, U256};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use secp256k1::ecdsa::RecoverableSignature;
use secp256k1::{Message, PublicKey, SecretKey};

/// keccak-256 of `data`.
#[pyfunction]
pub fn keccak256<'py>(py: Python<'py>, data: &[u8]) -> Bound<'py, PyBytes> {
    PyBytes::new(py, alloy_primitives::keccak256(data).as_slice())
}

fn secret_key(secret: &[u8]) -> PyResult<SecretKey> {
    let bytes = exactly::<32>(secret, "a secret key")?;
    SecretKey::from_secret_bytes(bytes)
        .map_err(|_| value_error("a secret key is between 1 and the order of secp256k1"))
}

fn uncompressed(secret: &[u8]) -> PyResult<[u8; 64]> {
    let public = PublicKey::from_secret_key(&secret_key(secret)?).serialize_uncompressed();
    exactly::<64>(&public[1..], "a public key")
}

/// The 64-byte public key of a secret key.
#[pyfunction]
pub fn public_key_of<'py>(py: Python<'py>, secret: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    Ok(PyBytes::new(py, &uncompressed(secret)?))
}

/// The address of a secret key.
#[pyfunction]
pub fn address_of<'py>(py: Python<'py>, secret: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    Ok(PyBytes::new(py, Address::from_raw_public_key(&uncompressed(secret)?).as_slice()))
}

/// A 65-byte signature r ‖ s ‖ y parity over a 32-byte digest (RFC 6979, low s).
#[pyfunction]
pub fn sign<'py>(py: Python<'py>, secret: &[u8], digest: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let message = Message::from_digest(exactly::<32>(digest, "a digest")?);
    let signature = RecoverableSignature::sign_ecdsa_recoverable(message, &secret_key(secret)?);
    let (id, compact) = signature.serialize_compact();
    let mut out = [0u8; 65];
    out[..64].copy_from_slice(&compact);
    out[64] = id.to_u8();
    Ok(PyBytes::new(py, &out))
}

/// Half the order of the curve: with an s above it a signature is the second form of another one (EIP-2).
const S_MAX: U256 = U256::from_limbs([
    0xdfe9_2f46_681b_20a0,
    0x5d57_6e73_57a4_501d,
    0xffff_ffff_ffff_ffff,
    0x7fff_ffff_ffff_ffff,
]);

/// The 64-byte public key that made a 65-byte signature in its one form, that with the low s.
#[pyfunction]
pub fn recover_public_key<'py>(
    py: Python<'py>,
    digest: &[u8],
    signature: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let digest = B256::from(exactly::<32>(digest, "a digest")?);
    let bytes = exactly::<65>(signature, "a signature")?;
    if bytes[64] > 1 {
        return Err(value_error("the last byte of a signature is the y parity, 0 or 1"));
    }
    let (r, s) = (U256::from_be_slice(&bytes[..32]), U256::from_be_slice(&bytes[32..64]));
    if s > S_MAX {
        return Err(value_error("the signature has a high s; only its other form is taken"));
    }
    let key = coc_evm::transaction::recover_public_key(&digest, r, s, bytes[64] == 1)
        .ok_or_else(|| value_error("no key could have made the signature"))?;
    Ok(PyBytes::new(py, &key))
}
