"""A hello proves who sends it, on one channel, for one chain and one side; nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coc.primitives import rlp
from coc.primitives.keccak import keccak256
from coc.primitives.limits_wire import WIRE_HANDSHAKE_MESSAGE_BYTES_MAX
from coc.primitives.secp256k1 import public_key_of, secret_of
from coc.wire.errors import Reason, RemoteError
from coc.wire.identity import (
    PROTOCOL_VERSION,
    ChainFacts,
    HandshakeRole,
    Offer,
    Roles,
    hello_digest,
    verify_hello,
)
from tests.wire.fakes import CHAIN, OFFER, OTHER_CHAIN, OTHER_FORKS, identity, unhurried

STATIC_KEY = b"s" * 32
DIALLER, ACCEPTOR = HandshakeRole.INITIATOR, HandshakeRole.RESPONDER
ANNA = identity(11)
BERT = identity(12)


def hello(chain: ChainFacts = CHAIN, static_key: bytes = STATIC_KEY, role: HandshakeRole = DIALLER) -> bytes:
    return ANNA.hello(chain, static_key, role, OFFER)


def refusal(payload: bytes, chain: ChainFacts = CHAIN, role: HandshakeRole = DIALLER) -> Reason:
    with pytest.raises(RemoteError) as caught:
        verify_hello(payload, chain, STATIC_KEY, role)
    return caught.value.reason


def changed(place: int, value: rlp.Encodable) -> bytes:
    fields: list[rlp.Encodable] = [*rlp.decode_list(hello())]
    fields[place] = value
    return rlp.encode(fields)


def test_a_hello_tells_who_it_is_and_what_it_offers() -> None:  # WIRE-4
    proven = verify_hello(hello(), CHAIN, STATIC_KEY, DIALLER)

    assert proven.peer == ANNA.peer
    assert bytes(ANNA.peer) == keccak256(public_key_of(secret_of((11).to_bytes(32, "big"))))
    assert proven.public_key == ANNA.public_key
    assert proven.offer == Offer(19_781, Roles.FULL)
    assert len(hello()) < WIRE_HANDSHAKE_MESSAGE_BYTES_MAX - 100


def test_roles_of_a_later_release_are_kept_and_mean_nothing() -> None:
    proven = verify_hello(changed(5, 0x8000_0001), CHAIN, STATIC_KEY, DIALLER)

    assert Roles.VALIDATOR in proven.offer.roles
    assert Roles.STORAGE not in proven.offer.roles


def test_what_is_signed_names_chain_version_channel_and_side() -> None:  # WIRE-5
    digests = {
        hello_digest(CHAIN, STATIC_KEY, DIALLER),
        hello_digest(OTHER_CHAIN, STATIC_KEY, DIALLER),
        hello_digest(OTHER_FORKS, STATIC_KEY, DIALLER),
        hello_digest(CHAIN, b"t" * 32, DIALLER),
        hello_digest(CHAIN, STATIC_KEY, ACCEPTOR),
        hello_digest(CHAIN, STATIC_KEY, DIALLER, version=PROTOCOL_VERSION + 1),
    }

    assert len(digests) == 6
    assert hello_digest(CHAIN, STATIC_KEY, DIALLER) == keccak256(
        b"COC/wire/hello/1\0" + b"g" * 32 + b"f" * 32 + b"\0\1" + STATIC_KEY + b"\0"
    )


def test_a_hello_copied_into_another_channel_is_not_proven() -> None:  # WIRE-5
    assert refusal(hello(static_key=b"t" * 32)) is Reason.IDENTITY_NOT_PROVEN


def test_a_hello_sent_back_to_the_other_side_is_not_proven() -> None:  # WIRE-5
    assert refusal(hello(), role=ACCEPTOR) is Reason.IDENTITY_NOT_PROVEN


def test_another_ones_key_in_the_hello_is_not_proven() -> None:
    assert refusal(changed(1, BERT.public_key)) is Reason.IDENTITY_NOT_PROVEN


@pytest.mark.parametrize("signature", [bytes(65), b"\xff" * 65, b"\1" * 64 + b"\7"])
def test_a_signature_that_no_key_made_is_not_proven(signature: bytes) -> None:
    assert refusal(changed(6, signature)) is Reason.IDENTITY_NOT_PROVEN


def test_the_version_is_read_before_all_that_may_differ_in_it() -> None:  # WIRE-7
    assert refusal(rlp.encode([PROTOCOL_VERSION + 1, [[b"quite"], b"different"]])) is Reason.OTHER_VERSION
    assert refusal(rlp.encode([])) is Reason.OTHER_VERSION


def test_another_genesis_and_other_forks_have_reasons_of_their_own() -> None:  # WIRE-7
    assert refusal(hello(OTHER_CHAIN)) is Reason.OTHER_GENESIS
    assert refusal(hello(OTHER_FORKS)) is Reason.OTHER_FORKS


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x80",
        rlp.encode([PROTOCOL_VERSION]),
        changed(1, bytes(63)),
        changed(2, bytes(31)),
        changed(4, 65_536),
        changed(5, 2**32),
        changed(6, bytes(64)),
        hello() + b"\0",
        rlp.encode([*rlp.decode_list(hello()), b""]),
        rlp.encode([PROTOCOL_VERSION, bytes(WIRE_HANDSHAKE_MESSAGE_BYTES_MAX)]),
    ],
)
def test_anything_else_is_no_hello(payload: bytes) -> None:
    assert refusal(payload) is Reason.PROTOCOL_BROKEN


@unhurried()
@given(st.binary(max_size=400))
def test_whatever_comes_proves_nothing_without_a_key(payload: bytes) -> None:
    with pytest.raises(RemoteError):
        verify_hello(payload, CHAIN, STATIC_KEY, DIALLER)


@unhurried()
@given(st.integers(0, len(hello()) * 8 - 1))
def test_no_bit_of_a_hello_can_be_changed_and_still_speak_for_another(bit: int) -> None:
    payload = bytearray(hello())
    payload[bit // 8] ^= 1 << bit % 8
    try:
        proven = verify_hello(bytes(payload), CHAIN, STATIC_KEY, DIALLER)
    except RemoteError:
        return
    # Port and roles are not signed: Noise keeps others from changing them on the way.
    assert proven.peer == ANNA.peer
