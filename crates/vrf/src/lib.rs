//! A verifiable random function: ECVRF of RFC 9381 with try-and-increment, on any curve of prime order.
//!
//! The holder of a secret key has exactly one output for an input (the RFC's alpha), cannot choose it, and proves to everyone
//! who knows the public key that it is the one. A proof is 81 bytes: the point gamma (33, compressed), the challenge c (16)
//! and the scalar s (32); the output is 32 bytes.
//!
//! [`Suite`] names a curve and the octet that keeps suites apart. P-256 is ECVRF-P256-SHA256-TAI (0x01), for which the RFC has
//! vectors. Our chains use secp256k1 with 0xFE, an octet that no suite of the RFC uses: the same steps with the other curve's
//! numbers, so that a validator's key on secp256k1 serves for this too. Earlier drafts, which some verifiers in Solidity follow,
//! hash other bytes; their proofs do not hold here.
//!
//! Decoding is strict: one encoding for a point, a scalar below the order, a key that is a point of the curve. Finding the
//! point of an input takes time that depends on the input and the public key, both of which are public; whatever touches the
//! secret key or the nonce is in the curve crates' constant time.

#![forbid(unsafe_code)]

mod encoding;
mod error;
mod suite;

pub use encoding::{OUTPUT_BYTES, PROOF_BYTES, PublicKey};
pub use error::VrfError;
pub use k256::Secp256k1;
pub use p256::NistP256;
pub use suite::Suite;

use crate::encoding::{CHALLENGE_BYTES, Decoded, POINT_BYTES, compress};
use crate::suite::{Point, Scalar, challenge, encode_to_curve, nonce, output_of, scalar_of_challenge};
use k256::elliptic_curve::SecretKey;
use k256::elliptic_curve::ff::PrimeField as _;
use k256::elliptic_curve::ops::{LinearCombination as _, MulByGenerator as _};
use k256::elliptic_curve::zeroize::Zeroizing;

/// Proves the output of `alpha` under a secret key (RFC 9381 section 5.1). The same input always gives the same proof.
pub fn prove<S: Suite>(secret: &[u8; 32], alpha: &[u8]) -> Result<[u8; PROOF_BYTES], VrfError> {
    let secret = SecretKey::<S>::from_bytes(&(*secret).into()).map_err(|_| VrfError::SecretKey)?;
    let x = Zeroizing::new(*secret.to_nonzero_scalar());
    let public_key = PublicKey::<S>::of(&Point::<S>::mul_by_generator(&x))?;
    let (h, h_bytes) = encode_to_curve(&public_key, alpha)?;
    let gamma = compress::<S>(&(h * *x))?;
    let k = nonce(&secret, &h_bytes);
    let u = compress::<S>(&Point::<S>::mul_by_generator(&k))?;
    let v = compress::<S>(&(h * *k))?;
    let c = challenge::<S>([public_key.compressed(), &h_bytes, &gamma, &u, &v]);
    let s = *k + scalar_of_challenge::<S>(&c) * *x;
    let mut proof = [0; PROOF_BYTES];
    proof[..POINT_BYTES].copy_from_slice(&gamma);
    proof[POINT_BYTES..POINT_BYTES + CHALLENGE_BYTES].copy_from_slice(&c);
    proof[POINT_BYTES + CHALLENGE_BYTES..].copy_from_slice(&s.to_repr());
    Ok(proof)
}

/// Checks a proof (RFC 9381 section 5.3): the output of `alpha` under the public key.
pub fn verify<S: Suite>(
    public_key: &PublicKey<S>,
    alpha: &[u8],
    proof: &[u8],
) -> Result<[u8; OUTPUT_BYTES], VrfError> {
    let Decoded { gamma, gamma_bytes, c, s } = Decoded::<S>::read(proof)?;
    let (h, h_bytes) = encode_to_curve(public_key, alpha)?;
    let minus_c: Scalar<S> = -scalar_of_challenge::<S>(&c);
    let u = compress::<S>(&Point::<S>::lincomb(&S::generator(), &s, public_key.point(), &minus_c))?;
    let v = compress::<S>(&Point::<S>::lincomb(&h, &s, &gamma, &minus_c))?;
    if challenge::<S>([public_key.compressed(), &h_bytes, &gamma_bytes, &u, &v]) != c {
        return Err(VrfError::Mismatch);
    }
    Ok(output_of::<S>(&gamma_bytes))
}

/// The output that a proof stands for (RFC 9381 section 5.2). It says nothing about whether the proof holds: [`verify`] does.
pub fn proof_to_output<S: Suite>(proof: &[u8]) -> Result<[u8; OUTPUT_BYTES], VrfError> {
    Ok(output_of::<S>(&Decoded::<S>::read(proof)?.gamma_bytes))
}
