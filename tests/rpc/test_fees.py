"""Prices and their history."""

from typing import Any

import pytest

from coc.primitives.limits_rpc import RPC_FEE_HISTORY_BLOCKS_MAX, RPC_FEE_HISTORY_PERCENTILES_MAX
from coc.rpc.fee_oracle import FeeOracle
from tests.rpc.fakes import FakeHeader, Node, digest


def asked_history(node: Node) -> tuple[bytes, int, list[float]]:
    asked: tuple[bytes, int, list[float]] = next(
        entry for kind, entry in reversed(node.chain.asked) if kind == "fee history"
    )
    return asked


def test_a_quiet_chain_suggests_the_default_tip() -> None:
    assert Node().ask("eth_maxPriorityFeePerGas") == hex(10**9)


def test_a_busy_chain_suggests_what_is_paid() -> None:
    node = Node()
    node.chain.extend("busy", [digest("a transaction")])

    assert node.ask("eth_maxPriorityFeePerGas") == "0x3"
    assert node.ask("eth_gasPrice") == hex(8 + 3)


def test_a_chain_before_london_has_no_base_fee_in_its_price() -> None:
    node = Node()
    head = node.chain.head
    node.chain.headers[head.hash] = FakeHeader(head.hash, head.parent_hash, 0, base_fee_per_gas=None)

    assert node.ask("eth_gasPrice") == hex(10**9)


def test_a_suggestion_is_never_below_what_the_pool_takes() -> None:
    node = Node()
    node.chain.extend("busy", [digest("a transaction")])

    assert FeeOracle(0, 50).priority_fee(node.chain) == 50


def test_a_new_head_costs_the_reading_of_one_block() -> None:
    node = Node()
    for number in range(30):
        node.chain.extend(f"block {number}", [digest(f"transaction {number}")])
    oracle = FeeOracle(0, 0)

    oracle.priority_fee(node.chain)
    assert asked_history(node)[1] == 20
    node.chain.extend("next", [digest("more")])
    oracle.priority_fee(node.chain)
    oracle.priority_fee(node.chain)

    assert [entry[1] for kind, entry in node.chain.asked if kind == "fee history"] == [20, 1]


def test_after_a_reorganisation_the_tips_are_read_again() -> None:
    node = Node()
    for number in range(3):
        node.chain.extend(f"block {number}", [digest(f"transaction {number}")])
    oracle = FeeOracle(0, 0)
    oracle.priority_fee(node.chain)

    node.chain.retreat(2)
    node.chain.extend("another")
    oracle.priority_fee(node.chain)

    assert [entry[1] for kind, entry in node.chain.asked if kind == "fee history"] == [4, 3]


def test_blob_gas_costs_nothing_before_cancun() -> None:
    node = Node()
    assert node.ask("eth_blobBaseFee") == "0x1"

    head = node.chain.head
    node.chain.headers[head.hash] = FakeHeader(head.hash, head.parent_hash, 0, excess_blob_gas=None)

    assert node.ask("eth_blobBaseFee") == "0x0"


@pytest.mark.parametrize(("count", "asked"), [("0x1", 1), (2, 2), ("0x400", 3), (hex(2**64 - 1), 3)])
def test_a_history_goes_no_further_back_than_genesis(count: Any, asked: int) -> None:
    node = Node()
    node.chain.extend("one")
    node.chain.extend("two")

    node.ask("eth_feeHistory", count, "latest", [10, 50.5])

    assert asked_history(node) == (digest("two"), asked, [10.0, 50.5])


def test_a_history_is_bounded_in_blocks() -> None:
    node = Node()
    for number in range(RPC_FEE_HISTORY_BLOCKS_MAX):
        node.chain.extend(f"block {number}")

    node.ask("eth_feeHistory", hex(RPC_FEE_HISTORY_BLOCKS_MAX + 1), "latest")

    assert asked_history(node)[1] == RPC_FEE_HISTORY_BLOCKS_MAX


def test_a_history_is_bounded_in_percentiles() -> None:
    node = Node()
    percentiles = [1] * RPC_FEE_HISTORY_PERCENTILES_MAX

    assert node.ask("eth_feeHistory", 1, "latest", percentiles)["oldestBlock"] == "0x0"
    code, message = node.refusal("eth_feeHistory", 1, "latest", [*percentiles, 1])
    assert code == -32602
    assert "RPC_FEE_HISTORY_PERCENTILES_MAX" in message


@pytest.mark.parametrize(
    ("prices", "used", "told"),
    [
        (["0x1", "0x1"], [0], False),
        (["0x0", "0x0"], [0.0], False),
        (["0x1", "0x2"], [0], True),
        (["0x1", "0x1"], [0.5], True),
        (["0x5", "0x1"], [0], True),
    ],
)
def test_a_history_speaks_of_blobs_where_there_were_some(
    prices: list[str], used: list[float], told: bool
) -> None:
    node = Node()
    node.chain.blob_market = (prices, used)

    answer = node.ask("eth_feeHistory", 1, "latest", [])

    assert (answer.get("baseFeePerBlobGas"), answer.get("blobGasUsedRatio")) == (
        (prices, used) if told else (None, None)
    )


def test_a_history_of_no_blocks_is_empty() -> None:
    assert Node().ask("eth_feeHistory", "0x0", "latest", []) == {
        "oldestBlock": "0x0",
        "baseFeePerGas": [],
        "gasUsedRatio": [],
    }


def test_a_history_up_to_a_block_that_is_not_there_is_not_found() -> None:
    assert Node().refusal("eth_feeHistory", 1, "0x9", [])[0] == -32001
