"""The method table over the real Rust core: whatever is asked, the answer is a result or an honest refusal.

The guard lets defects fly, so a panic or an exception that nobody planned for fails the test.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conformance.imported_node import ImportedNode

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=150)

FORKS = ("homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople", "petersburg", "istanbul")
TIMES = ("shanghai", "cancun", "prague")
RICH = "0x" + "11" * 20
REVERTS = "0x" + "22" * 20
LOOPS = "0x" + "33" * 20
GENESIS = {
    "config": {"chainId": 1337, "berlinBlock": 0, "londonBlock": 0, "terminalTotalDifficulty": 0}
    | {f"{name}Block": 0 for name in FORKS}
    | {f"{name}Time": 0 for name in TIMES},
    "difficulty": "0x0",
    "gasLimit": "0x1c9c380",
    "alloc": {
        RICH: {"balance": "0xde0b6b3a7640000"},
        REVERTS: {"balance": "0x0", "code": "0x60206000fd"},
        LOOPS: {"balance": "0x0", "code": "0x5b600056"},
    },
}


@cache
def node() -> ImportedNode:
    return ImportedNode(msgspec.json.encode(GENESIS))


def ask(method: str, *params: Any) -> dict[str, Any]:
    body = msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    answer: dict[str, Any] = msgspec.json.decode(node().ask(body))
    assert answer.get("error", {}).get("code") != -32603
    return answer


_QUANTITIES = st.one_of(
    st.sampled_from(
        ["0x0", "0x1", "0x5208", "0x1c9c380", hex(2**64 - 1), hex(2**64), hex(2**128), hex(2**256 - 1)]
    ),
    st.integers(0, 2**256 - 1).map(hex),
)
_ADDRESSES = st.one_of(
    st.sampled_from([RICH, REVERTS, LOOPS]), st.integers(0, 0x200).map(lambda number: f"0x{number:040x}")
)
_WORDS = st.integers(0, 2**256 - 1).map(lambda number: f"0x{number:064x}")
_DATA = st.binary(max_size=100).map(lambda raw: "0x" + raw.hex())
_ACCESS_LISTS = st.lists(
    st.fixed_dictionaries({"address": _ADDRESSES, "storageKeys": st.lists(_WORDS, max_size=3)}), max_size=3
)
_AUTHORISATIONS = st.lists(
    st.fixed_dictionaries(
        {"address": _ADDRESSES} | dict.fromkeys(("chainId", "nonce", "yParity", "r", "s"), _QUANTITIES)
    ),
    max_size=2,
)
_FEES = st.one_of(
    st.fixed_dictionaries({}, optional={"gasPrice": _QUANTITIES}),
    st.fixed_dictionaries({}, optional={"maxFeePerGas": _QUANTITIES, "maxPriorityFeePerGas": _QUANTITIES}),
)
_CALLS = st.builds(
    lambda call, fees: call | fees,
    st.fixed_dictionaries(
        {},
        optional={
            "from": _ADDRESSES,
            "to": _ADDRESSES,
            "input": _DATA,
            "accessList": _ACCESS_LISTS,
            "authorizationList": _AUTHORISATIONS,
            "blobVersionedHashes": st.lists(_WORDS, max_size=3),
        }
        | dict.fromkeys(("gas", "value", "nonce", "chainId", "maxFeePerBlobGas", "type"), _QUANTITIES),
    ),
    _FEES,
)
_ACCOUNT_OVERRIDES = st.fixed_dictionaries(
    {},
    optional={
        "balance": _QUANTITIES,
        "nonce": _QUANTITIES,
        "code": _DATA,
        "movePrecompileToAddress": _ADDRESSES,
    },
)
_STATE_OVERRIDES = st.dictionaries(
    _ADDRESSES,
    st.one_of(
        _ACCOUNT_OVERRIDES,
        st.fixed_dictionaries({"state": st.dictionaries(_WORDS, _WORDS, max_size=2)}),
        st.fixed_dictionaries({"stateDiff": st.dictionaries(_WORDS, _WORDS, max_size=2)}),
    ),
    max_size=3,
)
_BLOCK_OVERRIDES = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("number", "time", "gasLimit", "baseFeePerGas", "blobBaseFee", "difficulty"), _QUANTITIES
    )
    | {"feeRecipient": _ADDRESSES, "prevRandao": _WORDS},
)


@unhurried
@given(_CALLS, _STATE_OVERRIDES, _BLOCK_OVERRIDES)
@example({"to": LOOPS, "gas": hex(2**64 - 1)}, {}, {})
@example({"to": REVERTS}, {}, {})
def test_any_call_with_any_overrides_has_an_answer(call: Any, state: Any, block: Any) -> None:
    ask("eth_call", call, "latest", state, block)


@unhurried
@given(_CALLS, _STATE_OVERRIDES)
@example({"to": LOOPS}, {})
def test_any_estimate_has_an_answer(call: Any, state: Any) -> None:
    ask("eth_estimateGas", call, "latest", state)


@unhurried
@given(_CALLS)
@example({"to": LOOPS})
def test_any_access_list_has_an_answer(call: Any) -> None:
    ask("eth_createAccessList", call)


@unhurried
@given(_ADDRESSES, st.lists(_WORDS, max_size=4))
def test_any_account_can_be_proved(address: str, slots: list[str]) -> None:
    proof = ask("eth_getProof", address, slots, "latest")["result"]

    assert [entry["key"] for entry in proof["storageProof"]] == slots


@unhurried
@given(st.binary(max_size=200))
@example(b"\x02" + b"\xc0" * 5)
@example(b"\xf8\xff")
@example(b"\x03\xf9\xff\xff")
def test_any_bytes_as_a_transaction_are_refused_with_a_sentence(raw: bytes) -> None:
    error = ask("eth_sendRawTransaction", "0x" + raw.hex())["error"]

    assert error["code"] == -32000
    assert error["message"]


@unhurried
@given(st.integers(0, 2**64 - 1), st.lists(st.floats(0, 100), max_size=5).map(sorted))
def test_any_fee_history_has_an_answer(count: int, percentiles: list[float]) -> None:
    assert "result" in ask("eth_feeHistory", hex(count), "latest", percentiles)


def test_code_that_never_ends_stops_at_the_gas_of_a_call() -> None:
    assert ask("eth_call", {"to": LOOPS})["error"]["code"] == -32000


def test_a_revert_is_told_with_its_data() -> None:
    answer = ask(
        "eth_call", {"to": RICH, "input": "0x"}, "latest", {RICH: {"code": "0x6001600052600160" + "1ffd"}}
    )

    assert answer["error"]["code"] == 3
    assert answer["error"]["data"] == "0x01"
