"""Blocks from strangers: a chain takes them or says why not, and what it takes is what was sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coc import _native
from coc.primitives import rlp
from coc.primitives.types import UINT64_MAX
from tests.fuzz.budget import tries
from tests.fuzz.chains import CONTRACTS, FORKS, SECRET, SENDER, attributes, chain, genesis, open_chain
from tests.fuzz.mutation import EDGES, NUMBERS, misspelled, reshaped, torn
from tests.fuzz.refusals import judge_named

LATEST_FORKS = ("frontier", "byzantium", "berlin", "london", "paris", "shanghai", "cancun", "prague", "osaka")
BUILDING_FORKS = ("paris", "shanghai", "cancun", "prague", "osaka")
HEADER_FIELDS = 21
BLOCK_BYTES_MAX_OSAKA = 8 * 2**20
ADDRESSES = st.sampled_from([*CONTRACTS, SENDER, "0x" + "0" * 40, *(f"0x{at:040x}" for at in range(1, 19))])
DATA = st.one_of(
    st.binary(max_size=100),
    st.lists(NUMBERS.map(lambda number: (number % 2**256).to_bytes(32, "big")), max_size=6).map(b"".join),
)


def signed(fork: str, nonce: int, draw: Callable[..., Any]) -> _native.Transaction:
    """A transaction that can be valid, as far as drawn values let it be."""
    data = draw(DATA)
    if draw(st.integers(0, 5)) == 0:
        size = draw(st.sampled_from([1, 24_576, 24_577, 49_152, 49_153]))
        data = bytes.fromhex(f"61{min(size, 0xFFFF):04x}6000f3") + bytes(size)
    authorization = {
        "chainId": draw(st.sampled_from(["0x0", "0x539", hex(2**256 - 1)])),
        "address": draw(ADDRESSES),
        "nonce": hex(draw(st.sampled_from([0, 1, nonce + 1, 2**64 - 1]))),
        "yParity": hex(draw(st.sampled_from([0, 1, 27, 255]))),
        "r": hex(draw(NUMBERS) % 2**256),
        "s": hex(draw(NUMBERS) % 2**256),
    }
    newest = 4 if FORKS.index(fork) >= FORKS.index("prague") else 2
    request = {
        "type": hex(draw(st.integers(0, newest))),
        "to": draw(st.one_of(ADDRESSES, st.none())),
        "gas": hex(draw(st.sampled_from([21_000, 60_000, 400_000, 16_777_216, 16_777_217, 30_000_000]))),
        "value": hex(draw(st.sampled_from([0, 1, 2**64, 2**254, 2**255, 2**256 - 1]))),
        "nonce": hex(nonce),
        "input": "0x" + data.hex(),
        "chainId": "0x539",
        "accessList": [{"address": draw(ADDRESSES), "storageKeys": ["0x" + "00" * 32]}],
        "authorizationList": [authorization] * draw(st.integers(0, 3)),
        "blobVersionedHashes": ["0x01" + "22" * 31] * draw(st.integers(0, 10)),
    }
    price = hex(draw(st.sampled_from([0, 10**9, 10**10, 2**64, 2**128 - 1])))
    fees = dict.fromkeys(("gasPrice", "maxFeePerGas", "maxFeePerBlobGas"), price)
    fees["maxPriorityFeePerGas"] = hex(draw(st.sampled_from([0, 1, 10**9, 2**128 - 1])))
    if request["type"] in ("0x3", "0x4"):
        request["to"] = request["to"] or SENDER
    raw = _native.sign_transaction(SECRET, json.dumps(request | fees).encode())
    return _native.Transaction.decode(raw)


@tries(150)
@given(st.sampled_from(BUILDING_FORKS), st.data())
def test_what_one_chain_builds_another_accepts_and_ends_in_the_same_state(
    fork: str, data: st.DataObject
) -> None:
    builder, validator = open_chain(genesis(fork)), open_chain(genesis(fork))
    nonce = 0
    for _ in range(data.draw(st.integers(1, 3))):
        parent = builder.head
        chosen = [signed(fork, nonce + step, data.draw) for step in range(data.draw(st.integers(0, 4)))]
        built = builder.build(parent.hash, attributes(parent), chosen, None)
        # Ethereum chains are not sealed by us: their randomness is whatever the proposer says.
        assert validator.execute(built.block_rlp, b"") == built.hash
        assert len(built.transaction_hashes) + len(built.refused) == len(chosen)
        for node in (builder, validator):
            node.decide(built.hash, b"")
        assert validator.head.state_root == builder.head.state_root
        (nonce, _, _) = builder.accounts(built.hash, [bytes.fromhex(SENDER[2:])])[0]
        for answer in (builder.receipts_json, builder.receipts_raw, builder.block_rlp):
            assert answer(built.hash) == getattr(validator, answer.__name__)(built.hash)
        json.loads(builder.block_json(built.hash, True) or b"")


@cache
def next_block(fork: str) -> bytes:
    """A valid block on the genesis of `fork`, with transactions."""
    node = chain(fork)
    calls = [
        {"type": "0x2", "nonce": hex(nonce), "gas": "0x30000", "chainId": "0x539", "to": to, "value": "0x1"}
        | {"maxFeePerGas": "0x77359400", "maxPriorityFeePerGas": "0x1"}
        for nonce, to in enumerate(CONTRACTS)
    ]
    raws = [_native.sign_transaction(SECRET, json.dumps(call).encode()) for call in calls]
    chosen = [_native.Transaction.decode(raw) for raw in raws]
    built = open_chain(genesis(fork)).build(node.head.hash, attributes(node.head), chosen, None)
    assert len(built.transaction_hashes) == len(CONTRACTS)
    return built.block_rlp


def present(node: _native.Chain, block: bytes) -> None:
    """Both doors for blocks, which must agree."""
    try:
        accepted: bytes | None = node.execute(block, b"")
    except _native.BlockInvalid as refusal:
        judge_named(refusal)
        accepted = None
    done, refused = node.import_blocks([block])
    assert (done == 1) == (accepted is not None) == (refused is None)
    if accepted is not None:
        assert node.block_rlp(accepted) == block


BLOCKS = st.sampled_from(BUILDING_FORKS).map(lambda fork: (fork, next_block(fork)))


@tries(200)
@given(st.data())
def test_a_torn_block_is_refused_by_name(data: st.DataObject) -> None:
    fork, block = data.draw(BLOCKS)
    present(chain(fork), data.draw(torn(st.just(block))))


@tries(400)
@given(st.data())
def test_a_reshaped_block_is_refused_by_name(data: st.DataObject) -> None:
    fork, block = data.draw(BLOCKS)
    present(chain(fork), rlp.encode(data.draw(reshaped(st.just(rlp.decode(block)), 2))))


@tries(400)
@given(st.data())
def test_a_block_has_one_spelling(data: st.DataObject) -> None:
    fork, block = data.draw(BLOCKS)
    present(chain(fork), data.draw(misspelled(st.just(rlp.decode(block)))))


@tries(400)
@given(st.sampled_from(BUILDING_FORKS), st.integers(0, HEADER_FIELDS), NUMBERS)
def test_a_header_field_with_another_number_is_refused_by_name(fork: str, field: int, number: int) -> None:
    block = rlp.decode(next_block(fork))
    assert isinstance(block, list)
    assert isinstance(block[0], list)
    header = block[0]
    value: rlp.Item = number.to_bytes((number.bit_length() + 7) // 8, "big")
    if field < len(header) and len(header[field]) in (8, 20, 32, 256):
        value = number.to_bytes(33, "big")[-len(header[field]) :].rjust(len(header[field]), b"\0")
    changed = [*header[:field], value, *header[field + 1 :]]
    present(chain(fork), rlp.encode([changed, *block[1:]]))


def long_list(payload: bytes) -> bytes:
    """A list of up to 16 MiB, its length in three bytes."""
    return b"\xfa" + len(payload).to_bytes(3, "big") + payload


def test_lists_a_million_long_and_nests_a_hundred_thousand_deep_are_refused_by_name() -> None:
    block = rlp.decode(next_block("osaka"))
    assert isinstance(block, list)
    for place in range(len(block)):
        for item in (b"\xc0", b"\x80", b"\x01"):
            body = long_list(item * 1_000_000)
            present(chain("osaka"), long_list(body))
            parts = [rlp.encode(part) for part in block]
            parts[place] = body
            present(chain("osaka"), long_list(b"".join(parts)))
    deep = b"\xc0"
    for _ in range(100_000):
        deep = bytes((0xC0 + len(deep),)) + deep if len(deep) < 56 else long_list(deep)
    present(chain("osaka"), deep)


ABSURD = st.sampled_from([edge for edge in EDGES if edge < 2**64])


@tries(150)
@given(st.sampled_from(LATEST_FORKS), st.data())
def test_a_chain_from_an_absurd_genesis_answers_and_builds_or_refuses(fork: str, data: st.DataObject) -> None:
    names = ["gasLimit", "timestamp", "baseFeePerGas", "excessBlobGas", "blobGasUsed", "gasUsed", "nonce"]
    fields = {name: hex(data.draw(ABSURD)) for name in data.draw(st.sets(st.sampled_from(names), max_size=3))}
    if fork in LATEST_FORKS[:4]:
        fields["difficulty"] = hex(data.draw(st.sampled_from(EDGES)) % 2**256)
    node = open_chain(genesis(fork, **fields))
    head = node.head
    assert node.next_base_fee(head.hash) >= 0
    assert node.next_blob_base_fee(head.hash) >= 0
    json.loads(node.fee_history_json(head.hash, 2**63, [0.0, 100.0]))
    try:
        built = node.build(head.hash, attributes(head), [signed(fork, 0, data.draw)], None)
        node.execute(built.block_rlp, b"")
        node.decide(built.hash, b"")
    except _native.BlockInvalid:
        return
    json.loads(node.fee_history_json(built.hash, 2, [50.0]))
    for moment in (head.timestamp, min(head.timestamp + 2, UINT64_MAX), UINT64_MAX):
        try:
            node.build(built.hash, attributes(node.head, timestamp=moment), [], None)
        except _native.BlockInvalid:
            continue


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"timestamp": 0}, "INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT"),
        ({"extra_data": "0x" + "00" * 33}, "EXTRA_DATA_TOO_BIG"),
    ],
)
def test_nothing_is_built_that_a_validator_would_refuse(fields: dict[str, Any], code: str) -> None:
    node = open_chain(genesis("osaka"))
    with pytest.raises(_native.BlockInvalid) as caught:
        node.build(node.head.hash, attributes(node.head, **fields), [], None)
    judge_named(caught.value, code)


def test_a_known_block_with_another_body_is_refused() -> None:
    node = open_chain(genesis("osaka"))
    header, transactions, *lists = rlp.decode_list(next_block("osaka"))
    assert isinstance(transactions, list)
    node.execute(next_block("osaka"), b"")
    with pytest.raises(_native.BlockInvalid) as caught:
        node.execute(rlp.encode([header, transactions[1:], *lists]), b"")
    judge_named(caught.value, "INVALID_TRANSACTIONS_ROOT")


@pytest.mark.parametrize(
    ("fork", "spare_bytes", "code"),
    [
        ("osaka", 0, "INVALID_TRANSACTIONS_ROOT"),
        ("osaka", -1, "RLP_BLOCK_LIMIT_EXCEEDED"),
        ("prague", -1, "INVALID_TRANSACTIONS_ROOT"),
    ],
)
def test_osaka_bounds_the_bytes_of_a_block(fork: str, spare_bytes: int, code: str) -> None:
    header, _, *lists = rlp.decode_list(next_block(fork))
    fields = [b"", b"\1", b"\x52\x08", b"\1" * 20, b"", b"", b"\x1b", b"\1", b"\1"]
    empty = rlp.encode([header, [[*fields[:5], bytes(2**23 - 1024), *fields[6:]]], *lists])
    data = bytes(2**23 - 1024 + BLOCK_BYTES_MAX_OSAKA - spare_bytes - len(empty))
    block = rlp.encode([header, [[*fields[:5], data, *fields[6:]]], *lists])
    assert len(block) == BLOCK_BYTES_MAX_OSAKA - spare_bytes
    with pytest.raises(_native.BlockInvalid) as caught:
        open_chain(genesis(fork)).execute(block, b"")
    judge_named(caught.value, code)


def test_a_block_beyond_every_bound_is_refused_unread() -> None:
    with pytest.raises(_native.BlockInvalid, match="are allowed") as caught:
        chain("frontier").execute(bytes(64 * 2**20 + 1), b"")
    judge_named(caught.value, "RLP_STRUCTURES_ENCODING")
