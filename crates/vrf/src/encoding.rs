//! Bytes of points, keys and proofs: one encoding each, and nothing else is read.

use crate::error::VrfError;
use crate::suite::{Affine, Point, Scalar, Suite};
use k256::elliptic_curve::ff::PrimeField as _;
use k256::elliptic_curve::sec1::{EncodedPoint, FromEncodedPoint as _, ToEncodedPoint as _};

/// Bytes of a compressed point: the parity of y, then x (SEC 1 section 2.3.3).
pub(crate) const POINT_BYTES: usize = 33;
/// Bytes of the challenge c: half of a hash, which is as strong as the curve (RFC 9381 section 5.5).
pub(crate) const CHALLENGE_BYTES: usize = 16;
/// Bytes of the scalar s.
const SCALAR_BYTES: usize = 32;
/// Bytes of a proof: gamma, c, s.
pub const PROOF_BYTES: usize = POINT_BYTES + CHALLENGE_BYTES + SCALAR_BYTES;
/// Bytes of an output: one SHA-256.
pub const OUTPUT_BYTES: usize = 32;

/// First byte of a compressed point with an even y; an odd one is one more.
pub(crate) const EVEN: u8 = 2;
/// First byte of a point with both coordinates.
const UNCOMPRESSED: u8 = 4;

/// A public key that was checked: a point of the curve, never the one at infinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey<S: Suite> {
    point: Point<S>,
    compressed: [u8; POINT_BYTES],
}

impl<S: Suite> PublicKey<S> {
    /// Reads the 33-byte form.
    pub fn from_compressed(bytes: &[u8; POINT_BYTES]) -> Result<PublicKey<S>, VrfError> {
        let point = decompress::<S>(bytes).ok_or(VrfError::PublicKey)?;
        Ok(PublicKey { point, compressed: *bytes })
    }

    /// Reads the 64-byte form: x ‖ y.
    pub fn from_coordinates(bytes: &[u8; 64]) -> Result<PublicKey<S>, VrfError> {
        let mut tagged = [UNCOMPRESSED; 65];
        tagged[1..].copy_from_slice(bytes);
        let point = decode::<S>(&tagged).ok_or(VrfError::PublicKey)?;
        PublicKey::of(&point)
    }

    pub(crate) fn of(point: &Point<S>) -> Result<PublicKey<S>, VrfError> {
        Ok(PublicKey { point: *point, compressed: compress::<S>(point)? })
    }

    pub(crate) fn point(&self) -> &Point<S> {
        &self.point
    }

    /// The 33-byte form.
    pub fn compressed(&self) -> &[u8; POINT_BYTES] {
        &self.compressed
    }
}

/// A proof taken apart.
pub(crate) struct Decoded<S: Suite> {
    pub(crate) gamma: Point<S>,
    pub(crate) gamma_bytes: [u8; POINT_BYTES],
    pub(crate) c: [u8; CHALLENGE_BYTES],
    pub(crate) s: Scalar<S>,
}

impl<S: Suite> Decoded<S> {
    /// RFC 9381 section 5.4.4. Any 16 bytes are a challenge.
    pub(crate) fn read(proof: &[u8]) -> Result<Decoded<S>, VrfError> {
        let proof: &[u8; PROOF_BYTES] = proof.try_into().map_err(|_| VrfError::ProofLength(proof.len()))?;
        let (mut gamma_bytes, mut c, mut s) = ([0; POINT_BYTES], [0; CHALLENGE_BYTES], [0; SCALAR_BYTES]);
        gamma_bytes.copy_from_slice(&proof[..POINT_BYTES]);
        c.copy_from_slice(&proof[POINT_BYTES..POINT_BYTES + CHALLENGE_BYTES]);
        s.copy_from_slice(&proof[POINT_BYTES + CHALLENGE_BYTES..]);
        let gamma = decompress::<S>(&gamma_bytes).ok_or(VrfError::Gamma)?;
        let s = Option::from(Scalar::<S>::from_repr(s.into())).ok_or(VrfError::Scalar)?;
        Ok(Decoded { gamma, gamma_bytes, c, s })
    }
}

/// The 33 bytes of a point.
pub(crate) fn compress<S: Suite>(point: &Point<S>) -> Result<[u8; POINT_BYTES], VrfError> {
    let affine: Affine<S> = (*point).into();
    affine.to_encoded_point(true).as_bytes().try_into().map_err(|_| VrfError::Infinity)
}

/// The point of 33 bytes. SEC 1 decoders know other first bytes (5 is a point without a sign), which would be second encodings.
pub(crate) fn decompress<S: Suite>(bytes: &[u8; POINT_BYTES]) -> Option<Point<S>> {
    if bytes[0] & !1 != EVEN {
        return None;
    }
    decode::<S>(bytes)
}

fn decode<S: Suite>(bytes: &[u8]) -> Option<Point<S>> {
    let encoded = EncodedPoint::<S>::from_bytes(bytes).ok()?;
    let affine: Option<Affine<S>> = Affine::<S>::from_encoded_point(&encoded).into();
    affine.map(Point::<S>::from)
}
