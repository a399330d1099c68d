"""Calls, estimates and access lists: what crosses to the native side, and how failures are told."""

from typing import Any

import msgspec
import pytest

from coc.primitives.limits_rpc import RPC_CALL_GAS_MAX
from coc.rpc.reverts import revert_reason
from tests.rpc.fakes import ALICE, BOB, CallFailed, FakeResult, Node, TransactionInvalid, digest

ALICE_TEXT, BOB_TEXT = "0x" + ALICE.hex(), "0x" + BOB.hex()
WORD = "0x" + "07".rjust(64, "0")


def abi_string(text: bytes) -> bytes:
    return (
        (32).to_bytes(32, "big") + len(text).to_bytes(32, "big") + text.ljust(-(-len(text) // 32) * 32, b"\0")
    )


REVERT_REASON = bytes.fromhex("08c379a0") + abi_string(b"not yours")
PANIC_OVERFLOW = bytes.fromhex("4e487b71") + (0x11).to_bytes(32, "big")


def request_sent(node: Node) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(node.chain.asked[-1][1][1])
    return decoded


def test_a_call_returns_the_output() -> None:
    assert Node().ask("eth_call", {"to": ALICE_TEXT}, "latest") == "0x2a"


def test_a_call_crosses_in_canonical_form_with_the_gas_cap() -> None:
    node = Node()
    sent = {
        "from": ALICE_TEXT.upper().replace("0X", "0x"),
        "to": BOB_TEXT,
        "gas": "0x5208",
        "value": "0x0",
        "data": "0xAB",
        "type": "0x7f",
        "accessList": [{"address": BOB_TEXT, "storageKeys": [WORD]}],
        "unknown": {"a": 1},
        "nonce": None,
    }

    node.ask("eth_call", sent, "latest")

    _, (block, _, overrides, block_overrides, gas_cap) = node.chain.asked[-1]
    assert block == digest("genesis")
    assert request_sent(node) == {
        "from": ALICE_TEXT,
        "to": BOB_TEXT,
        "gas": "0x5208",
        "value": "0x0",
        "input": "0xab",
        "accessList": [{"address": BOB_TEXT, "storageKeys": [WORD]}],
    }
    assert (overrides, block_overrides, gas_cap) == (b"{}", b"{}", RPC_CALL_GAS_MAX)


@pytest.mark.parametrize(
    "call",
    [
        {"to": "0x12"},
        {"gas": 21000},
        {"gas": "0x05208"},
        {"value": "1"},
        {"data": "0x1", "input": "0x1"},
        {"data": "0x11", "input": "0x22"},
        {"gasPrice": "0x1", "maxFeePerGas": "0x1"},
        {"maxFeePerGas": "0x1", "maxPriorityFeePerGas": "0x2"},
        {"accessList": {}},
        {"accessList": [{"address": ALICE_TEXT, "storageKeys": ["0x1"]}]},
        {"accessList": [{}]},
        {"blobVersionedHashes": ["0x01"]},
        {"authorizationList": [{"address": ALICE_TEXT}]},
        {"nonce": "0x10000000000000000"},
        [],
        None,
        "0x",
    ],
)
def test_a_malformed_call_object_is_an_invalid_parameter(call: Any) -> None:
    for method in ("eth_call", "eth_estimateGas", "eth_createAccessList"):
        assert Node().refusal(method, call)[0] == -32602


def test_input_and_data_may_both_be_sent_when_they_agree() -> None:
    node = Node()

    node.ask("eth_call", {"data": "0x11", "input": "0x11"})

    assert request_sent(node) == {"input": "0x11"}


def test_an_authorisation_crosses_whole() -> None:
    node = Node()
    authorisation = {
        "chainId": "0x1",
        "address": BOB_TEXT,
        "nonce": "0x0",
        "yParity": "0x1",
        "r": "0x5",
        "s": "0x6",
    }

    node.ask("eth_call", {"to": BOB_TEXT, "authorizationList": [authorisation]})

    assert request_sent(node)["authorizationList"] == [authorisation]


def test_overrides_cross_in_canonical_form() -> None:
    node = Node()
    state = {ALICE_TEXT: {"balance": "0x1", "nonce": "0x2", "code": "0x60", "stateDiff": {WORD: WORD}}}
    block = {"number": "0x9", "time": "0x5", "coinbase": BOB_TEXT, "baseFee": "0x0", "random": WORD}

    node.ask("eth_call", {"to": BOB_TEXT}, "latest", state, block)

    _, (_, _, overrides, block_overrides, _) = node.chain.asked[-1]
    assert msgspec.json.decode(overrides) == state
    assert msgspec.json.decode(block_overrides) == {
        "number": "0x9",
        "time": "0x5",
        "feeRecipient": BOB_TEXT,
        "baseFeePerGas": "0x0",
        "prevRandao": WORD,
    }


@pytest.mark.parametrize(
    ("state", "block"),
    [
        ({"0x12": {}}, {}),
        ({ALICE_TEXT: {"balance": 5}}, {}),
        ({ALICE_TEXT: {"blance": "0x5"}}, {}),
        ({ALICE_TEXT: {"state": {}, "stateDiff": {}}}, {}),
        ({ALICE_TEXT: {"state": {"0x1": WORD}}}, {}),
        ({ALICE_TEXT: []}, {}),
        ([], {}),
        ({}, {"number": 5}),
        ({}, {"nmber": "0x5"}),
        ({}, []),
    ],
)
def test_malformed_overrides_are_invalid_parameters(state: Any, block: Any) -> None:
    assert Node().refusal("eth_call", {"to": BOB_TEXT}, "latest", state, block)[0] == -32602


def test_a_revert_is_error_3_with_its_data_and_reason() -> None:
    node = Node()
    node.chain.result = FakeResult("revert", REVERT_REASON)

    error = node.request("eth_call", {"to": BOB_TEXT})["error"]

    assert error == {
        "code": 3,
        "message": "execution reverted: not yours",
        "data": "0x" + REVERT_REASON.hex(),
    }


def test_a_revert_without_data_is_error_3_too() -> None:
    node = Node()
    node.chain.result = FakeResult("revert")

    assert node.request("eth_call", {"to": BOB_TEXT})["error"] == {
        "code": 3,
        "message": "execution reverted",
        "data": "0x",
    }


def test_a_halt_is_a_server_error_with_the_reason() -> None:
    node = Node()
    node.chain.result = FakeResult("halt", reason="out of gas")

    assert node.refusal("eth_call", {"to": BOB_TEXT}) == (-32000, "out of gas")


def test_a_call_that_cannot_begin_is_a_server_error() -> None:
    node = Node()
    node.chain.result = TransactionInvalid("have 0, want 5", "INSUFFICIENT_FUNDS")

    assert node.refusal("eth_call", {"to": BOB_TEXT}) == (
        -32000,
        "insufficient funds for gas * price + value: have 0, want 5",
    )


@pytest.mark.parametrize("method", ["eth_call", "eth_estimateGas"])
def test_a_request_that_the_native_side_cannot_read_is_an_invalid_parameter(method: str) -> None:
    node = Node()
    node.chain.result = node.chain.estimate = ValueError("number: wider than 64 bits")

    assert node.refusal(method, {"to": BOB_TEXT}) == (-32602, "number: wider than 64 bits")


def test_a_failed_estimate_tells_a_revert_from_a_halt() -> None:
    node = Node()

    node.chain.estimate = CallFailed("execution reverted: not yours", REVERT_REASON)
    assert node.refusal("eth_estimateGas", {"to": BOB_TEXT}) == (3, "execution reverted: not yours")
    node.chain.estimate = CallFailed("execution reverted")
    assert node.refusal("eth_estimateGas", {"to": BOB_TEXT})[0] == 3
    node.chain.estimate = CallFailed("gas required exceeds allowance (50000000)")
    assert node.refusal("eth_estimateGas", {"to": BOB_TEXT})[0] == -32000


def test_an_estimate_is_a_quantity_on_the_head_by_default() -> None:
    node = Node()

    assert node.ask("eth_estimateGas", {"to": BOB_TEXT}) == "0x5208"
    assert node.ask("eth_createAccessList", {"to": BOB_TEXT}) == {"accessList": [], "gasUsed": "0x5208"}


def test_solidity_reasons_are_read() -> None:
    assert revert_reason(REVERT_REASON) == "not yours"
    assert revert_reason(PANIC_OVERFLOW) == "arithmetic underflow or overflow"
    assert revert_reason(bytes.fromhex("4e487b71") + (0x99).to_bytes(32, "big")) == "unknown panic code: 0x99"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x08\xc3",
        REVERT_REASON[:4],
        REVERT_REASON[:40],
        REVERT_REASON[:68],
        PANIC_OVERFLOW[:20],
        REVERT_REASON[:4] + b"\xff" * 64,
        REVERT_REASON[:4] + (32).to_bytes(32, "big") + b"\xff" * 32,
        b"\x12\x34\x56\x78" + bytes(64),
    ],
)
def test_revert_data_that_lies_about_itself_has_no_reason(data: bytes) -> None:
    assert revert_reason(data) is None
