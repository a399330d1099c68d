"""Random outputs: what Rust proves a second implementation verifies, and both refuse the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coc.primitives import secp256k1, vrf
from coc.primitives.vrf import VRF_PROOF_BYTES, VrfInvalid, VrfProof
from tests.primitives import plain_ecvrf
from tests.primitives.plain_ecvrf import SECP256K1

NUMBERS = st.integers(1, secp256k1.ORDER - 1)
ALPHAS = st.binary(max_size=80)
FEW = settings(deadline=None, max_examples=15)
"""The second implementation takes a second for ten proofs."""

NUMBER = 0xC0C1
SECRET = secp256k1.secret_of(NUMBER.to_bytes(32, "big"))
KEY = secp256k1.public_key_of(SECRET)
ALPHA = b"parent randomness and height"


def secret_of(number: int) -> secp256k1.Secret:
    return secp256k1.secret_of(number.to_bytes(32, "big"))


def plain_verify(key: bytes, alpha: bytes, proof: bytes) -> bytes | None:
    return plain_ecvrf.verify(SECP256K1, secp256k1.compressed(key), alpha, proof)


@FEW
@given(NUMBERS, ALPHAS)
def test_both_implementations_prove_the_same_and_accept_it(number: int, alpha: bytes) -> None:
    secret = secret_of(number)
    key = secp256k1.public_key_of(secret)
    proof = vrf.prove(secret, alpha)
    assert proof == plain_ecvrf.prove(SECP256K1, number, alpha)
    assert vrf.verify(key, alpha, proof) == vrf.output_of(proof) == plain_verify(key, alpha, proof)


@FEW
@given(NUMBERS, ALPHAS, st.integers(1, secp256k1.ORDER - 1))
def test_a_proof_with_a_nonce_of_its_own_choice_gives_no_other_output(
    number: int, alpha: bytes, k: int
) -> None:
    key = secp256k1.public_key_of(secret_of(number))
    proof = VrfProof(plain_ecvrf.prove(SECP256K1, number, alpha, k=k))
    assert vrf.verify(key, alpha, proof) == vrf.output_of(vrf.prove(secret_of(number), alpha))


@FEW
@given(st.integers(0, VRF_PROOF_BYTES * 8 - 1))
def test_both_implementations_refuse_a_proof_with_a_bit_flipped(bit: int) -> None:
    proof = bytearray(vrf.prove(SECRET, ALPHA))
    proof[bit // 8] ^= 1 << (bit % 8)
    with pytest.raises(VrfInvalid):
        vrf.verify(KEY, ALPHA, VrfProof(bytes(proof)))
    assert plain_verify(KEY, ALPHA, bytes(proof)) is None


def test_both_implementations_refuse_a_nonce_of_zero() -> None:
    proof = VrfProof(plain_ecvrf.prove(SECP256K1, NUMBER, ALPHA, k=0))
    with pytest.raises(VrfInvalid, match="infinity"):
        vrf.verify(KEY, ALPHA, proof)
    assert plain_verify(KEY, ALPHA, proof) is None


def test_a_proof_holds_for_one_key_and_one_input() -> None:
    proof = vrf.prove(SECRET, ALPHA)
    stranger = secp256k1.public_key_of(secret_of(NUMBER + 1))
    for key, alpha in ((stranger, ALPHA), (KEY, ALPHA + b"\0"), (KEY, ALPHA[:-1]), (KEY, b"")):
        with pytest.raises(VrfInvalid, match="does not hold"):
            vrf.verify(key, alpha, proof)
    assert len(proof) == VRF_PROOF_BYTES
    assert len(vrf.verify(KEY, ALPHA, proof)) == 32


@pytest.mark.parametrize("length", [0, 1, 33, 80, 82])
def test_a_proof_of_another_length_is_refused_with_its_length(length: int) -> None:
    proof = VrfProof((vrf.prove(SECRET, ALPHA) + b"\0")[:length])
    with pytest.raises(VrfInvalid, match=f"has {length} bytes, not 81"):
        vrf.verify(KEY, ALPHA, proof)
    with pytest.raises(VrfInvalid, match=f"has {length} bytes, not 81"):
        vrf.output_of(proof)


def test_a_scalar_that_is_not_below_the_order_is_refused() -> None:
    proof = vrf.prove(SECRET, ALPHA)
    below, at = (
        VrfProof(proof[:49] + scalar.to_bytes(32, "big")) for scalar in (secp256k1.ORDER - 1, secp256k1.ORDER)
    )
    assert vrf.output_of(below) == vrf.output_of(proof)
    with pytest.raises(VrfInvalid, match="scalar"):
        vrf.output_of(at)


@pytest.mark.parametrize("key", [b"", KEY[:-1], secp256k1.compressed(KEY), bytes(64), KEY[:63] + b"\xff"])
def test_bytes_that_are_no_public_key_are_refused(key: bytes) -> None:
    with pytest.raises(VrfInvalid, match="public key"):
        vrf.verify(key, ALPHA, vrf.prove(SECRET, ALPHA))
