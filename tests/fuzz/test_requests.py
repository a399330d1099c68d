"""Questions from strangers: calls, estimates, lists, all reading get an answer or an honest refusal."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from coc import _native
from coc.execution.predeploys import SYSTEM_CONTRACTS
from tests.fuzz.budget import tries
from tests.fuzz.chains import CONTRACTS, FORKS, GAS_CAP, SENDER, chain
from tests.fuzz.mutation import JSON_LEAVES, NUMBERS, rewritten
from tests.fuzz.refusals import judge

REFUSALS = (ValueError, _native.CallFailed)
"""What a caller may be told; everything else is a defect."""

STATUSES = {"success", "revert", "halt"}
PRECOMPILES = [f"0x{at:040x}" for at in (*range(19), 0x100)]
SYSTEM = ["0x" + contract.address.hex() for contract in SYSTEM_CONTRACTS]
ADDRESSES = st.sampled_from([*CONTRACTS, *PRECOMPILES, *SYSTEM, SENDER, "0x" + "ff" * 20])
WORDS = NUMBERS.map(lambda number: f"0x{number % 2**256:064x}")
CODES = st.sampled_from(
    ["0x", "0xef", "0xef01", "0xef0100", "0xef0100" + "44" * 20, "0xef0100" + "44" * 21, "0xef0001"]
    + ["0x" + code for code in CONTRACTS.values()]
    + ["0x30ff", "0x5f355f5260205ff3", "0x5f5f5f5f6102005f5f61ffff5af1", "0x43405f5260205ff3", "0xfe", "0x5b"]
)
QUANTITIES = NUMBERS.map(hex)
DATA = st.one_of(
    st.binary(max_size=200),
    st.lists(NUMBERS.map(lambda number: (number % 2**256).to_bytes(32, "big")), max_size=8).map(b"".join),
    st.sampled_from([bytes(24_576), bytes(49_153), b"\xff" * 130_000]),
).map(lambda data: "0x" + data.hex())


@st.composite
def requests(draw: st.DrawFn) -> Any:
    fields: dict[str, Any] = {
        "from": ADDRESSES,
        "to": ADDRESSES,
        "gas": QUANTITIES,
        "gasPrice": QUANTITIES,
        "maxFeePerGas": QUANTITIES,
        "maxPriorityFeePerGas": QUANTITIES,
        "maxFeePerBlobGas": QUANTITIES,
        "value": QUANTITIES,
        "nonce": QUANTITIES,
        "chainId": st.sampled_from(["0x539", "0x1", hex(2**64 - 1)]),
        "type": st.integers(0, 300).map(hex),
        "accessList": st.lists(
            st.fixed_dictionaries({"address": ADDRESSES, "storageKeys": st.lists(WORDS, max_size=3)}),
            max_size=3,
        ),
        "blobVersionedHashes": st.lists(WORDS, max_size=10),
        "authorizationList": st.lists(
            st.fixed_dictionaries(
                {"chainId": QUANTITIES, "address": ADDRESSES, "nonce": QUANTITIES}
                | {"yParity": st.sampled_from(["0x0", "0x1", "0xff"]), "r": WORDS, "s": WORDS}
            ),
            max_size=3,
        ),
    }
    chosen = draw(st.sets(st.sampled_from(sorted(fields)), max_size=5))
    request = {name: draw(fields[name]) for name in sorted(chosen)} | {"input": draw(DATA)}
    return draw(rewritten(st.just(request), 1)) if draw(st.integers(0, 4)) == 0 else request


SLOTS = st.dictionaries(WORDS, WORDS, max_size=3)
OVERRIDES: st.SearchStrategy[Any] = st.one_of(
    st.just({}),
    st.dictionaries(
        ADDRESSES,
        st.fixed_dictionaries(
            {},
            optional={"balance": QUANTITIES, "nonce": QUANTITIES, "code": CODES}
            | {"state": SLOTS, "stateDiff": SLOTS, "movePrecompileToAddress": ADDRESSES},
        ),
        max_size=4,
    ),
    JSON_LEAVES,
)
BLOCK_OVERRIDES: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {},
        optional={
            "number": QUANTITIES,
            "time": QUANTITIES,
            "gasLimit": QUANTITIES,
            "baseFeePerGas": QUANTITIES,
        }
        | {"prevRandao": WORDS, "feeRecipient": ADDRESSES, "blobBaseFee": QUANTITIES},
    ),
)


def text(value: Any) -> bytes:
    return json.dumps(value).encode()


@tries(1_500)
@given(st.sampled_from(FORKS), requests(), OVERRIDES, BLOCK_OVERRIDES)
def test_a_call_ends_or_is_refused(fork: str, request: Any, overrides: Any, block: Any) -> None:
    node = chain(fork)
    try:
        result = node.call(node.head.hash, text(request), text(overrides), text(block), GAS_CAP)
    except REFUSALS as refusal:
        judge(refusal)
        return
    assert result.status in STATUSES
    assert result.gas_used <= GAS_CAP
    assert bool(result.reason) == (result.status != "success")


@tries(400)
@given(st.sampled_from(FORKS), requests(), OVERRIDES)
def test_an_estimate_is_gas_with_which_the_call_succeeds_or_a_refusal(
    fork: str, request: Any, overrides: Any
) -> None:
    node = chain(fork)
    try:
        gas = node.estimate_gas(node.head.hash, text(request), text(overrides), GAS_CAP)
    except REFUSALS as refusal:
        judge(refusal)
        return
    assert gas <= GAS_CAP
    enough = request | {"gas": hex(gas)}
    assert node.call(node.head.hash, text(enough), text(overrides), b"", GAS_CAP).status == "success"


@tries(400)
@given(st.sampled_from(FORKS), requests())
def test_an_access_list_is_found_or_refused(fork: str, request: Any) -> None:
    node = chain(fork)
    try:
        found = json.loads(node.access_list_json(node.head.hash, text(request), GAS_CAP))
    except REFUSALS as refusal:
        judge(refusal)
        return
    assert {"accessList", "gasUsed"} <= set(found)


@tries(100)
@given(st.binary(max_size=40), st.binary(max_size=40), st.integers(0, 2**64 - 1))
def test_any_bytes_in_place_of_json_are_refused(one: bytes, other: bytes, gas: int) -> None:
    node = chain("osaka")
    head = node.head.hash
    for ask in (
        lambda: node.call(head, one, other, b"", GAS_CAP),
        lambda: node.call(head, b"{}", one, other, GAS_CAP),
        lambda: node.estimate_gas(head, one, other, gas % GAS_CAP),
        lambda: node.access_list_json(head, one, GAS_CAP),
        lambda: node.build(head, one, [], None),
    ):
        try:
            ask()
        except REFUSALS as refusal:
            judge(refusal)


HEIGHTS = st.one_of(st.integers(0, 3), st.integers(0, 2**64 - 1), st.just(2**64 - 1))
IDS = st.one_of(
    st.binary(min_size=20, max_size=20), st.binary(min_size=32, max_size=32), st.binary(max_size=40)
)


@tries(300)
@given(
    st.sampled_from(FORKS),
    HEIGHTS,
    HEIGHTS,
    st.lists(IDS, max_size=3),
    st.lists(st.lists(IDS, max_size=2), max_size=6),
)
def test_logs_of_any_range_are_a_list_or_a_refusal(
    fork: str, first: int, last: int, addresses: list[bytes], topics: list[list[bytes]]
) -> None:
    node = chain(fork)
    try:
        assert json.loads(node.logs_json(first, last, addresses, topics, 10)) == []
        assert node.block_logs_json(node.head.hash, addresses, topics) == b"[]"
    except ValueError as refusal:
        judge(refusal, "bytes")


@tries(300)
@given(st.sampled_from(FORKS), st.integers(0, 2**64 - 1), st.lists(st.floats(), max_size=5))
def test_fee_history_of_any_length_is_an_answer_or_a_refusal(
    fork: str, count: int, percentiles: list[float]
) -> None:
    node = chain(fork)
    try:
        answer = json.loads(node.fee_history_json(node.head.hash, count, percentiles))
    except ValueError as refusal:
        judge(refusal, "percentiles")
        return
    assert len(answer["baseFeePerGas"]) == len(answer["gasUsedRatio"]) + (count > 0)


@tries(300)
@given(st.sampled_from(FORKS), IDS, IDS, st.lists(IDS, max_size=4), st.integers(0, 2**64 - 1))
def test_whatever_is_read_is_there_or_not_there_or_refused(
    fork: str, block: bytes, account: bytes, slots: list[bytes], index: int
) -> None:
    node = chain(fork)
    for at in (node.head.hash, block):
        for ask in (
            lambda at=at: node.proof_json(at, account, slots),
            lambda at=at: node.storage(at, account, (slots or [account])[0]),
            lambda at=at: node.account(at, account),
            lambda at=at: node.accounts(at, [account, *slots]),
            lambda at=at: node.code(at, account),
            lambda at=at: node.header(at),
            lambda at=at: node.block_json(at, True),
            lambda at=at: node.uncle_json(at, index),
            lambda at=at: node.transaction_json(at, index),
            lambda at=at: node.receipt_json(at, index),
            lambda at=at: node.find_transaction(at),
            lambda at=at: node.decide(at, account) if at == block else None,
            lambda at=at: node.set_finalized(node.head.hash, at),
            lambda: node.canonical_hash(index),
        ):
            try:
                ask()
            except (ValueError, LookupError) as refusal:
                judge(refusal)
