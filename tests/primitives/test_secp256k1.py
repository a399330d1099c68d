"""Keys and signatures: known answers, round trips, refusals."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coc.primitives import secp256k1
from coc.primitives.checksum import format_checked, parse_checked
from coc.primitives.errors import HexInvalid
from coc.primitives.keccak import keccak256
from coc.primitives.types import Hash32, Signature

SECRETS = st.integers(1, secp256k1.ORDER - 1).map(
    lambda number: secp256k1.secret_of(number.to_bytes(32, "big"))
)
DIGESTS = st.binary(min_size=32, max_size=32).map(Hash32)


def test_the_hash_of_nothing_is_the_known_one() -> None:
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"


@settings(deadline=None)
@given(SECRETS, DIGESTS)
def test_who_signed_is_recovered_from_the_signature(secret: secp256k1.Secret, digest: Hash32) -> None:
    signature = secp256k1.sign(secret, digest)
    assert secp256k1.recover_address(digest, signature) == secp256k1.address_of(secret)
    assert int.from_bytes(signature[32:64], "big") <= secp256k1.ORDER // 2


@settings(deadline=None)
@given(DIGESTS, st.binary(max_size=70).map(Signature))
def test_bytes_that_are_no_signature_are_refused_or_name_some_account(
    digest: Hash32, signature: Signature
) -> None:
    try:
        address = secp256k1.recover_address(digest, signature)
    except secp256k1.SignatureInvalid:
        return
    assert len(address) == 20


@pytest.mark.parametrize(
    "raw", [b"", b"\1" * 31, b"\1" * 33, b"\0" * 32, secp256k1.ORDER.to_bytes(32, "big"), b"\xff" * 32]
)
def test_bytes_that_are_no_private_key_are_refused_and_never_repeated(raw: bytes) -> None:
    with pytest.raises(secp256k1.SecretInvalid) as caught:
        secp256k1.secret_of(raw)
    assert raw.hex() not in str(caught.value) or not raw


# EIP-55's own examples
CHECKED = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]


@pytest.mark.parametrize("text", CHECKED)
def test_checksums_are_those_of_eip_55(text: str) -> None:
    assert format_checked(parse_checked(text)) == text


def test_one_mistyped_case_is_noticed_and_one_case_alone_is_fine() -> None:
    text = CHECKED[2]
    assert parse_checked(text.lower()) == parse_checked(text) == parse_checked("0x" + text[2:].upper())
    with pytest.raises(HexInvalid, match="checksum"):
        parse_checked(text.replace("A", "a", 1))


def test_the_second_form_of_a_signature_is_refused() -> None:
    """Who carries a vote could else rewrite it without the key: r, -s and the other parity."""
    secret = secp256k1.secret_of(bytes(31) + b"\x07")
    digest = keccak256(b"a vote")
    signature = secp256k1.sign(secret, digest)
    high_s = secp256k1.ORDER - int.from_bytes(signature[32:64], "big")
    second = Signature(signature[:32] + high_s.to_bytes(32, "big") + bytes([1 - signature[64]]))
    assert secp256k1.recover_address(digest, signature) == secp256k1.address_of(secret)
    with pytest.raises(secp256k1.SignatureInvalid):
        secp256k1.recover_address(digest, second)
