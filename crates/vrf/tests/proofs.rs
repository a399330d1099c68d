//! What a proof is worth: it holds for one key and one input, in one encoding, and nothing beside it holds.

use alloy_primitives::hex;
use coc_vrf::{NistP256, PROOF_BYTES, PublicKey, Secp256k1, Suite, VrfError, proof_to_output, prove, verify};
use k256::elliptic_curve::sec1::ToEncodedPoint as _;
use k256::elliptic_curve::{FieldBytesEncoding as _, SecretKey};
use proptest::prelude::*;

const SECRET: [u8; 32] = [7; 32];
/// Where the scalar of a proof begins.
const SCALAR: usize = 33 + 16;

fn public_key<S: Suite>(secret: &[u8; 32]) -> PublicKey<S> {
    let secret = SecretKey::<S>::from_bytes(&(*secret).into()).unwrap();
    let bytes = secret.public_key().as_affine().to_encoded_point(true).as_bytes().try_into().unwrap();
    PublicKey::from_compressed(&bytes).unwrap()
}

fn order<S: Suite>() -> [u8; 32] {
    S::ORDER.encode_field_bytes().into()
}

fn no_bit_of_a_proof_can_be_flipped<S: Suite>() {
    let key = public_key::<S>(&SECRET);
    let proof = prove::<S>(&SECRET, b"input").unwrap();
    for bit in 0..PROOF_BYTES * 8 {
        let mut flipped = proof;
        flipped[bit / 8] ^= 1 << (bit % 8);
        let error = verify(&key, b"input", &flipped).unwrap_err();
        let part = bit / 8;
        let expected = match part {
            0..33 => [VrfError::Gamma, VrfError::Mismatch],
            33..SCALAR => [VrfError::Mismatch; 2],
            _ => [VrfError::Scalar, VrfError::Mismatch],
        };
        assert!(expected.contains(&error), "bit {bit}: {error}");
    }
}

#[test]
fn no_bit_of_a_proof_on_p256_can_be_flipped() {
    no_bit_of_a_proof_can_be_flipped::<NistP256>();
}

#[test]
fn no_bit_of_a_proof_on_secp256k1_can_be_flipped() {
    no_bit_of_a_proof_can_be_flipped::<Secp256k1>();
}

#[test]
fn another_key_another_input_and_another_suite_are_refused() {
    let key = public_key::<Secp256k1>(&SECRET);
    let proof = prove::<Secp256k1>(&SECRET, b"input").unwrap();
    assert_eq!(verify(&public_key::<Secp256k1>(&[8; 32]), b"input", &proof), Err(VrfError::Mismatch));
    for other in [&b"input "[..], b"inpu", b"", b"Input"] {
        assert_eq!(verify(&key, other, &proof), Err(VrfError::Mismatch));
    }
    assert!(verify(&public_key::<NistP256>(&SECRET), b"input", &proof).is_err());
    assert!(verify(&key, b"input", &proof).is_ok());
}

#[test]
fn a_proof_of_another_length_is_refused() {
    let key = public_key::<Secp256k1>(&SECRET);
    let longer = [&prove::<Secp256k1>(&SECRET, b"input").unwrap()[..], &[0]].concat();
    for length in [0, 1, 33, PROOF_BYTES - 1, PROOF_BYTES + 1] {
        let refusal = Err(VrfError::ProofLength(length));
        assert_eq!(verify(&key, b"input", &longer[..length]), refusal);
        assert_eq!(proof_to_output::<Secp256k1>(&longer[..length]), refusal);
    }
}

fn only_scalars_below_the_order_are_read<S: Suite>() {
    let proof = prove::<S>(&SECRET, b"input").unwrap();
    let with = |scalar: &[u8; 32]| {
        let mut changed = proof;
        changed[SCALAR..].copy_from_slice(scalar);
        proof_to_output::<S>(&changed)
    };
    let mut below = order::<S>();
    below[31] -= 1;
    assert!(with(&below).is_ok());
    assert_eq!(with(&order::<S>()), Err(VrfError::Scalar));
    assert_eq!(with(&[0xFF; 32]), Err(VrfError::Scalar));
}

#[test]
fn a_scalar_not_below_the_order_is_refused_on_either_curve() {
    only_scalars_below_the_order_are_read::<NistP256>();
    only_scalars_below_the_order_are_read::<Secp256k1>();
}

fn only_one_first_byte_is_read<S: Suite>() {
    let mut proof = prove::<S>(&SECRET, b"input").unwrap();
    let mut key = *public_key::<S>(&SECRET).compressed();
    let [honest_gamma, honest_key] = [proof[0], key[0]];
    for first in 0..=u8::MAX {
        [proof[0], key[0]] = [first; 2];
        let is_point = first == 2 || first == 3;
        assert_eq!(proof_to_output::<S>(&proof).is_ok(), is_point, "{first}");
        assert_eq!(PublicKey::<S>::from_compressed(&key).is_ok(), is_point, "{first}");
    }
    [proof[0], key[0]] = [honest_gamma, honest_key];
    assert!(verify(&PublicKey::<S>::from_compressed(&key).unwrap(), b"input", &proof).is_ok());
}

#[test]
fn a_point_has_one_encoding() {
    only_one_first_byte_is_read::<NistP256>();
    only_one_first_byte_is_read::<Secp256k1>();
}

#[test]
fn a_coordinate_beyond_the_field_is_no_second_name_of_a_point() {
    // On secp256k1 x = 1 is a point's, and p + 1 is another way to write it.
    let mut one = [0; 33];
    [one[0], one[32]] = [2, 1];
    assert!(PublicKey::<Secp256k1>::from_compressed(&one).is_ok());
    let mut beyond = [0xFF; 33];
    beyond[0] = 2;
    beyond[28..].copy_from_slice(&[0xFE, 0xFF, 0xFF, 0xFC, 0x30]);
    assert_eq!(PublicKey::<Secp256k1>::from_compressed(&beyond), Err(VrfError::PublicKey));
}

#[test]
fn both_forms_of_a_key_are_one_key_and_points_off_the_curve_are_none() {
    let key = public_key::<Secp256k1>(&SECRET);
    let secret = SecretKey::<Secp256k1>::from_bytes(&SECRET.into()).unwrap();
    let point = secret.public_key().as_affine().to_encoded_point(false);
    let mut coordinates: [u8; 64] = point.as_bytes()[1..].try_into().unwrap();
    assert_eq!(PublicKey::<Secp256k1>::from_coordinates(&coordinates), Ok(key));
    coordinates[63] ^= 1;
    assert_eq!(PublicKey::<Secp256k1>::from_coordinates(&coordinates), Err(VrfError::PublicKey));
    assert_eq!(PublicKey::<Secp256k1>::from_coordinates(&[0; 64]), Err(VrfError::PublicKey));
    assert_eq!(PublicKey::<Secp256k1>::from_compressed(&[0; 33]), Err(VrfError::PublicKey));
}

#[test]
fn a_proof_whose_nonce_was_zero_is_refused() {
    // Its U and V are the point at infinity, whose encoding is a single byte that no honest prover hashes.
    let proof = hex!(
        "036ddd112341e5e633ab7e1f48f65e52037afff9acd09078356e22a2d217022d6081a9dffb32127ffdcb043d381cd24de4"
        "4ed03885ab6362f587af5f159525168295e8abbe1d80fcc7a4bbd110ef909eae"
    );
    assert_eq!(verify(&public_key::<Secp256k1>(&SECRET), b"input", &proof), Err(VrfError::Infinity));
}

#[test]
fn secrets_are_between_one_and_the_order() {
    for secret in [[0; 32], order::<Secp256k1>(), [0xFF; 32]] {
        assert_eq!(prove::<Secp256k1>(&secret, b""), Err(VrfError::SecretKey));
    }
    let mut largest = order::<Secp256k1>();
    largest[31] -= 1;
    let proof = prove::<Secp256k1>(&largest, b"").unwrap();
    assert!(verify(&public_key::<Secp256k1>(&largest), b"", &proof).is_ok());
}

fn holds<S: Suite>(secret: &[u8; 32], alpha: &[u8]) -> Result<(), TestCaseError> {
    let proof = prove::<S>(secret, alpha).unwrap();
    let output = verify(&public_key::<S>(secret), alpha, &proof);
    prop_assert_eq!(output, proof_to_output::<S>(&proof));
    prop_assert!(output.is_ok());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_proved_verifies_and_gives_one_output(
        secret in any::<[u8; 32]>().prop_map(|mut bytes| { bytes[0] &= 0x7F; bytes[31] |= 1; bytes }),
        alpha in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        holds::<NistP256>(&secret, &alpha)?;
        holds::<Secp256k1>(&secret, &alpha)?;
    }

    #[test]
    fn bytes_that_are_no_proof_are_refused(mut bytes in prop::collection::vec(any::<u8>(), PROOF_BYTES)) {
        prop_assert!(verify(&public_key::<Secp256k1>(&SECRET), b"input", &bytes).is_err());
        bytes[0] = 2 + bytes[0] % 2;
        prop_assert!(verify(&public_key::<Secp256k1>(&SECRET), b"input", &bytes).is_err());
    }
}
