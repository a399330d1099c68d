//! Why an output cannot be proved, or a proof is refused.

use crate::encoding::PROOF_BYTES;

/// What is wrong with a key or a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VrfError {
    /// The secret key is zero, or not below the order of the curve.
    #[error("a secret key is between 1 and the order of the curve")]
    SecretKey,
    /// The public key is no point of the curve, or not in its one encoding.
    #[error("the public key is no point of the curve")]
    PublicKey,
    /// The proof has another length than a proof has.
    #[error("the proof has {0} bytes, not {PROOF_BYTES}")]
    ProofLength(usize),
    /// The proof's first part is no point of the curve, or not in its one encoding.
    #[error("the proof's gamma is no point of the curve")]
    Gamma,
    /// The proof's last part is not below the order of the curve.
    #[error("the proof's scalar is not below the order of the curve")]
    Scalar,
    /// The proof is another input's, another key's, or nobody's.
    #[error("the proof does not hold for this public key and input")]
    Mismatch,
    /// A point at infinity has no encoding of 33 bytes. Only a nonce of zero leads to one, which also gives the secret key away.
    #[error("the proof leads to the point at infinity")]
    Infinity,
    /// No counter gave a point: one input in 2^256.
    #[error("the input leads to no point of the curve")]
    NoPoint,
}
