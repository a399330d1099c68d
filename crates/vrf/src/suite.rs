//! What RFC 9381 leaves to a suite, for suites of SHA-256, try-and-increment, a cofactor of 1 and the nonce of RFC 6979.

use crate::encoding::{CHALLENGE_BYTES, EVEN, OUTPUT_BYTES, POINT_BYTES, PublicKey, decompress};
use crate::error::VrfError;
use k256::elliptic_curve::consts::U32;
use k256::elliptic_curve::ff::PrimeField as _;
use k256::elliptic_curve::group::Group as _;
use k256::elliptic_curve::ops::Reduce;
use k256::elliptic_curve::sec1::{FromEncodedPoint, ToEncodedPoint};
use k256::elliptic_curve::zeroize::Zeroizing;
use k256::elliptic_curve::{CurveArithmetic, FieldBytesEncoding as _, SecretKey};
use sha2::{Digest as _, Sha256};

/// A curve of 32-byte numbers with the octet that tells its proofs from those of every other suite.
pub trait Suite:
    CurveArithmetic<FieldBytesSize = U32, AffinePoint: FromEncodedPoint<Self> + ToEncodedPoint<Self>>
{
    /// The RFC's suite_string.
    const SUITE_STRING: u8;

    /// The base point.
    fn generator() -> Point<Self> {
        Point::<Self>::generator()
    }
}

/// ECVRF-P256-SHA256-TAI.
impl Suite for p256::NistP256 {
    const SUITE_STRING: u8 = 0x01;
}

/// Our chains' suite.
impl Suite for k256::Secp256k1 {
    const SUITE_STRING: u8 = 0xFE;
}

pub(crate) type Affine<S> = <S as CurveArithmetic>::AffinePoint;
pub(crate) type Point<S> = <S as CurveArithmetic>::ProjectivePoint;
pub(crate) type Scalar<S> = <S as CurveArithmetic>::Scalar;

/// What a hash is for: the octet after the suite's (RFC 9381 sections 5.4.1.1, 5.4.3 and 5.2).
mod front {
    pub const ENCODE_TO_CURVE: u8 = 0x01;
    pub const CHALLENGE: u8 = 0x02;
    pub const OUTPUT: u8 = 0x03;
}
/// Every hash ends in it.
const BACK: u8 = 0x00;

/// The last counter that is tried: it is hashed as one octet. Half of all hashes are a point's x, so two tries are usual.
const COUNTER_MAX: u8 = u8::MAX;

/// The point of an input (section 5.4.1.1, with the public key as salt), and its bytes.
pub(crate) fn encode_to_curve<S: Suite>(
    salt: &PublicKey<S>,
    alpha: &[u8],
) -> Result<(Point<S>, [u8; POINT_BYTES]), VrfError> {
    let prefix = Sha256::new()
        .chain_update([S::SUITE_STRING, front::ENCODE_TO_CURVE])
        .chain_update(salt.compressed())
        .chain_update(alpha);
    for counter in 0..=COUNTER_MAX {
        let mut candidate = [EVEN; POINT_BYTES];
        candidate[1..].copy_from_slice(&prefix.clone().chain_update([counter, BACK]).finalize());
        if let Some(point) = decompress::<S>(&candidate) {
            return Ok((point, candidate));
        }
    }
    Err(VrfError::NoPoint)
}

/// The nonce of RFC 6979 over the point's bytes (section 5.4.2.1).
pub(crate) fn nonce<S: Suite>(secret: &SecretKey<S>, h: &[u8; POINT_BYTES]) -> Zeroizing<Scalar<S>> {
    let message = <Scalar<S> as Reduce<S::Uint>>::reduce_bytes(&Sha256::digest(h));
    let x = Zeroizing::new(secret.to_bytes());
    let k = Zeroizing::new(rfc6979::generate_k::<Sha256, U32>(
        &x,
        &S::ORDER.encode_field_bytes(),
        &message.to_repr(),
        &[],
    ));
    // It is below the order already; reducing only gives it its type.
    Zeroizing::new(<Scalar<S> as Reduce<S::Uint>>::reduce_bytes(&k))
}

/// The challenge over public key, H, gamma, U and V (section 5.4.3).
pub(crate) fn challenge<S: Suite>(points: [&[u8; POINT_BYTES]; 5]) -> [u8; CHALLENGE_BYTES] {
    let mut hash = Sha256::new().chain_update([S::SUITE_STRING, front::CHALLENGE]);
    for point in points {
        hash.update(point);
    }
    let mut c = [0; CHALLENGE_BYTES];
    c.copy_from_slice(&hash.chain_update([BACK]).finalize()[..CHALLENGE_BYTES]);
    c
}

/// A challenge as a number.
pub(crate) fn scalar_of_challenge<S: Suite>(c: &[u8; CHALLENGE_BYTES]) -> Scalar<S> {
    let mut bytes = [0; 32];
    bytes[32 - CHALLENGE_BYTES..].copy_from_slice(c);
    <Scalar<S> as Reduce<S::Uint>>::reduce_bytes(&bytes.into())
}

/// The output of a proof with this gamma (section 5.2).
pub(crate) fn output_of<S: Suite>(gamma: &[u8; POINT_BYTES]) -> [u8; OUTPUT_BYTES] {
    let hash = Sha256::new().chain_update([S::SUITE_STRING, front::OUTPUT]).chain_update(gamma);
    hash.chain_update([BACK]).finalize().into()
}
