"""Transactions from strangers: read, judged and signed without a panic, in one encoding only."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coc import _native
from coc.primitives import rlp
from tests.fuzz.budget import tries
from tests.fuzz.chains import FORKS, SECRET, SENDER, chain
from tests.fuzz.corpus import transactions
from tests.fuzz.mutation import NUMBERS, misspelled, reshaped, rewritten, torn
from tests.fuzz.refusals import judge_named

RAW = st.deferred(lambda: st.sampled_from(transactions()))
STANDINGS = (0, 1, 2)
TRANSACTION_BYTES_MAX = 128 * 1_024


def split(raw: bytes) -> tuple[bytes, rlp.Item]:
    """Type byte, if there is one, and the list after it."""
    return (raw[:1], rlp.decode(raw[1:])) if raw[0] < 0x80 else (b"", rlp.decode(raw))


@st.composite
def hostile(draw: st.DrawFn) -> bytes:
    kind, item = split(draw(RAW))
    kind = draw(st.sampled_from([kind, kind, kind, b"", b"\1", b"\2", b"\3", b"\4", b"\5", b"\x7f"]))
    return kind + rlp.encode(draw(reshaped(st.just(item))))


def read(raw: bytes) -> _native.Transaction | None:
    try:
        return _native.Transaction.decode(raw)
    except _native.TransactionInvalid as refusal:
        judge_named(refusal)
        return None


def look_at(transaction: _native.Transaction, raw: bytes) -> None:
    assert transaction.raw == raw, "what decodes has no second spelling"
    kind, item = split(raw)
    assert kind + rlp.encode(item) == raw
    assert _native.keccak256(raw) == transaction.hash
    shown = json.loads(transaction.json())
    assert int(shown["gas"], 16) == transaction.gas_limit
    assert transaction.max_cost >= transaction.value
    assert all(len(authority) == 20 for authority in transaction.authorities)


@tries(400)
@given(torn(RAW))
def test_torn_bytes_are_a_transaction_in_its_one_encoding_or_refused(raw: bytes) -> None:
    transaction = read(raw)
    if transaction is not None:
        look_at(transaction, raw)


@tries(800)
@given(hostile())
def test_a_reshaped_transaction_is_read_in_its_one_encoding_or_refused(raw: bytes) -> None:
    transaction = read(raw)
    if transaction is not None:
        look_at(transaction, raw)


@tries(400)
@given(RAW, st.data())
def test_a_misspelled_transaction_is_refused(raw: bytes, data: st.DataObject) -> None:
    kind, item = split(raw)
    spelled = kind + data.draw(misspelled(st.just(item)))
    transaction = read(spelled)
    if transaction is not None:
        look_at(transaction, spelled)


@tries(400)
@given(st.sampled_from(FORKS), st.lists(st.one_of(hostile(), RAW, torn(RAW)), max_size=5))
def test_the_door_of_the_pool_answers_for_each_of_many(fork: str, raws: list[bytes]) -> None:
    node = chain(fork)
    answers = node.admit(node.head.hash, raws)
    assert len(answers) == len(raws)
    for answer in answers:
        if isinstance(answer, _native.TransactionInvalid):
            continue
        transaction, standing, code, sentence, _, _, _ = answer
        assert standing in STANDINGS
        assert bool(code) == bool(sentence) == (standing != 0)
        assert node.classify(node.head.hash, [transaction])[0][:2] == (standing, code)


WORD = "0x" + "11" * 32
AUTHORIZATION = {"chainId": "0x1", "address": SENDER, "nonce": "0x0", "yParity": "0x0", "r": WORD, "s": WORD}
REQUEST = {
    "type": "0x2",
    "from": SENDER,
    "to": SENDER,
    "gas": "0x5208",
    "gasPrice": "0x7",
    "maxFeePerGas": "0x7",
    "maxPriorityFeePerGas": "0x1",
    "maxFeePerBlobGas": "0x1",
    "value": "0x0",
    "input": "0x",
    "nonce": "0x0",
    "chainId": "0x539",
    "accessList": [{"address": SENDER, "storageKeys": [WORD]}],
    "blobVersionedHashes": ["0x01" + "22" * 31],
    "authorizationList": [AUTHORIZATION],
}


@tries(600)
@given(st.integers(0, 5), rewritten(st.just(REQUEST)))
def test_what_is_signed_can_be_read_again_and_the_rest_is_refused(kind: int, request: Any) -> None:
    if isinstance(request, dict) and kind < 5:
        request = request | {"type": hex(kind)}
    try:
        raw = _native.sign_transaction(SECRET, json.dumps(request).encode())
    except ValueError:
        return
    transaction = _native.Transaction.decode(raw)
    assert "0x" + transaction.sender.hex() == SENDER
    look_at(transaction, raw)


@tries(100)
@given(st.binary(max_size=70), st.binary(max_size=70), NUMBERS)
def test_keys_and_signatures_of_any_length_are_used_or_refused(one: bytes, other: bytes, number: int) -> None:
    word = (number % 2**256).to_bytes(32, "big")
    calls: tuple[Callable[[], bytes], ...] = (
        lambda: _native.address_of(one),
        lambda: _native.public_key_of(word),
        lambda: _native.sign(word, other),
        lambda: _native.recover_public_key(word, (word + word + other)[:65]),
        lambda: _native.recover_public_key(one, other),
        lambda: _native.scrypt_mix(one, number % 2**63),
    )
    for call in calls:
        try:
            assert isinstance(call(), bytes)
        except ValueError:
            continue


def test_a_transaction_is_bounded_in_bytes() -> None:
    def sized(count: int) -> bytes:
        call = {"type": "0x0", "gas": "0x5208", "gasPrice": "0x7", "nonce": "0x0", "chainId": "0x539"}
        call |= {"to": SENDER, "input": "0x" + "00" * count}
        return _native.sign_transaction(SECRET, json.dumps(call).encode())

    room = TRANSACTION_BYTES_MAX - len(sized(TRANSACTION_BYTES_MAX - 1_024)) + TRANSACTION_BYTES_MAX - 1_024
    assert _native.Transaction.decode(sized(room)).size == TRANSACTION_BYTES_MAX
    with pytest.raises(_native.TransactionInvalid) as caught:
        _native.Transaction.decode(sized(room + 1))
    judge_named(caught.value, "TRANSACTION_TOO_LARGE")
