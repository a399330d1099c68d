"""Logs by query, and filters that follow the chain."""

from typing import Any

import msgspec
import pytest

from coc.primitives.limits_rpc import (
    RPC_FILTER_BLOCKS_MAX,
    RPC_FILTER_IDLE_MS,
    RPC_FILTERS_MAX,
    RPC_LOG_ADDRESSES_MAX,
    RPC_LOG_BLOCKS_MAX,
    RPC_LOG_ROWS_MAX,
    RPC_LOG_TOPIC_POSITIONS_MAX,
    RPC_LOG_TOPICS_MAX,
)
from coc.rpc.exchange import Exchange
from tests.rpc.fakes import ALICE, BOB, FakeTransaction, Node, StorageFailed, digest

ALICE_TEXT, BOB_TEXT = "0x" + ALICE.hex(), "0x" + BOB.hex()
TOPIC, OTHER = digest("topic"), digest("other")


def text(raw: bytes) -> str:
    return "0x" + raw.hex()


@pytest.fixture
def node() -> Node:
    node = Node()
    extend(node, "one")
    extend(node, "two")
    return node


def extend(node: Node, name: str) -> None:
    """A block with one log that carries its name."""
    header = node.chain.extend(name)
    node.chain.logs[header.hash] = [{"name": name, "removed": False}]


def names(logs: list[dict[str, Any]]) -> list[str]:
    return [log["name"] for log in logs]


# ── eth_getLogs ─────────────────────────────────────────────────────────────────────────────────────────────


def test_logs_come_from_a_range_or_from_one_block(node: Node) -> None:
    assert names(node.ask("eth_getLogs", {"fromBlock": "earliest", "toBlock": "latest"})) == ["one", "two"]
    assert names(node.ask("eth_getLogs", {"fromBlock": "0x1", "toBlock": "0x1"})) == ["one"]
    assert names(node.ask("eth_getLogs", {})) == ["two"]
    assert names(node.ask("eth_getLogs", {"blockHash": text(digest("one"))})) == ["one"]


@pytest.mark.parametrize(
    ("topics", "asked"),
    [
        (None, []),
        ([], []),
        ([None], [[]]),
        ([[]], [[]]),
        ([text(TOPIC)], [[TOPIC]]),
        ([[text(TOPIC), text(OTHER)], None], [[TOPIC, OTHER], []]),
        ([[text(TOPIC), None]], [[]]),
    ],
)
def test_topics_are_passed_on_with_any_as_an_empty_list(
    node: Node, topics: Any, asked: list[list[bytes]]
) -> None:
    node.ask("eth_getLogs", {"topics": topics, "address": [ALICE_TEXT, BOB_TEXT]})

    assert node.chain.asked[-1] == ("logs", (2, 2, [ALICE, BOB], asked, RPC_LOG_ROWS_MAX))


@pytest.mark.parametrize("address", [None, [], ALICE_TEXT, [ALICE_TEXT]])
def test_addresses_may_be_none_one_or_many(node: Node, address: Any) -> None:
    node.ask("eth_getLogs", {"address": address})

    assert node.chain.asked[-1][1][2] == ([ALICE] if address else [])


@pytest.mark.parametrize(
    "query",
    [
        [],
        "0x",
        {"fromBlock": "0x2", "toBlock": "0x1"},
        {"fromBlock": "0x1", "toBlock": "0x3"},
        {"fromBlock": 1},
        {"blockHash": text(digest("one")), "fromBlock": "0x1"},
        {"blockHash": "0x1"},
        {"address": "0x12"},
        {"address": [5]},
        {"topics": text(TOPIC)},
        {"topics": [5]},
        {"topics": ["0x1"]},
        {"topics": [[[text(TOPIC)]]]},
        {"form": "0x1"},
    ],
)
def test_a_malformed_query_is_an_invalid_parameter(node: Node, query: Any) -> None:
    assert node.refusal("eth_getLogs", query)[0] == -32602


def test_logs_of_an_unknown_block_are_an_error(node: Node) -> None:
    assert node.refusal("eth_getLogs", {"blockHash": text(digest("none"))})[0] == -32001


def test_a_query_is_bounded_in_addresses_topics_and_positions(node: Node) -> None:
    many = [text(TOPIC)] * RPC_LOG_TOPICS_MAX
    addresses = [ALICE_TEXT] * RPC_LOG_ADDRESSES_MAX
    positions = [many] * RPC_LOG_TOPIC_POSITIONS_MAX

    assert names(node.ask("eth_getLogs", {"topics": positions, "address": addresses})) == ["two"]
    for query in (
        {"topics": [[*many, text(TOPIC)]]},
        {"address": [*addresses, ALICE_TEXT]},
        {"topics": [*positions, many]},
    ):
        assert node.refusal("eth_getLogs", query)[0] == -32602


def test_a_range_is_bounded_in_blocks(node: Node) -> None:
    for number in range(RPC_LOG_BLOCKS_MAX):
        node.chain.extend(f"block {number}")
    query = {"fromBlock": "0x1", "toBlock": hex(RPC_LOG_BLOCKS_MAX)}

    assert names(node.ask("eth_getLogs", query)) == ["one", "two"]
    code, message = node.refusal("eth_getLogs", query | {"fromBlock": "0x0"})
    assert code == -32005
    assert "RPC_LOG_BLOCKS_MAX" in message


def test_an_answer_is_bounded_in_rows(node: Node) -> None:
    block = node.chain.head.hash
    node.chain.logs[block] = [{}] * RPC_LOG_ROWS_MAX
    assert len(node.ask("eth_getLogs", {})) == RPC_LOG_ROWS_MAX

    node.chain.logs[block] = [{}] * (RPC_LOG_ROWS_MAX + 1)

    assert node.refusal("eth_getLogs", {})[0] == -32005


# ── filters ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_block_filter_brings_each_new_block_once(node: Node) -> None:
    filter_id = node.ask("eth_newBlockFilter")

    assert node.ask("eth_getFilterChanges", filter_id) == []
    node.chain.extend("three")
    node.chain.extend("four")

    assert node.ask("eth_getFilterChanges", filter_id) == [text(digest("three")), text(digest("four"))]
    assert node.ask("eth_getFilterChanges", filter_id) == []


def test_a_log_filter_brings_each_new_log_once(node: Node) -> None:
    filter_id = node.ask("eth_newFilter", {"address": ALICE_TEXT})

    extend(node, "three")

    assert names(node.ask("eth_getFilterChanges", filter_id)) == ["three"]
    assert node.ask("eth_getFilterChanges", filter_id) == []
    assert node.chain.asked[-1][1][1] == [ALICE]


def test_a_reorganisation_takes_logs_back_before_it_brings_others(node: Node) -> None:
    filter_id = node.ask("eth_newFilter", {})
    extend(node, "three")
    node.ask("eth_getFilterChanges", filter_id)

    node.chain.retreat(2)
    extend(node, "two, another")

    changes = node.ask("eth_getFilterChanges", filter_id)
    assert [(log["name"], log["removed"]) for log in changes] == [
        ("three", True),
        ("two", True),
        ("two, another", False),
    ]
    assert node.ask("eth_getFilterChanges", filter_id) == []


def test_a_block_filter_follows_a_reorganisation(node: Node) -> None:
    filter_id = node.ask("eth_newBlockFilter")

    node.chain.retreat(1)
    node.chain.extend("two, another")

    assert node.ask("eth_getFilterChanges", filter_id) == [text(digest("two, another"))]


def test_a_pure_retreat_moves_a_filter_back(node: Node) -> None:
    filter_id = node.ask("eth_newFilter", {})

    node.chain.retreat(1)

    assert [log["removed"] for log in node.ask("eth_getFilterChanges", filter_id)] == [True]
    assert node.ask("eth_getFilterChanges", filter_id) == []
    extend(node, "two")
    assert names(node.ask("eth_getFilterChanges", filter_id)) == ["two"]


def test_a_log_filter_heeds_its_range(node: Node) -> None:
    filter_id = node.ask("eth_newFilter", {"fromBlock": "0x4", "toBlock": "0x5"})
    assert node.ask("eth_getFilterLogs", filter_id) == []

    for name in ("three", "four", "five", "six"):
        extend(node, name)

    assert names(node.ask("eth_getFilterChanges", filter_id)) == ["four", "five"]
    assert names(node.ask("eth_getFilterLogs", filter_id)) == ["four", "five"]


def test_a_pending_filter_brings_each_arrival_once(node: Node) -> None:
    node.pool.waiting.append(FakeTransaction(digest("earlier"), ALICE, 0))
    filter_id = node.ask("eth_newPendingTransactionFilter")

    node.pool.waiting.append(FakeTransaction(digest("later"), ALICE, 1))

    assert node.ask("eth_getFilterChanges", filter_id) == [text(digest("later"))]
    assert node.ask("eth_getFilterChanges", filter_id) == []


def test_an_uninstalled_filter_is_not_found(node: Node) -> None:
    filter_id = node.ask("eth_newBlockFilter")

    assert node.ask("eth_uninstallFilter", filter_id) is True
    assert node.ask("eth_uninstallFilter", filter_id) is False
    assert node.refusal("eth_getFilterChanges", filter_id) == (-32000, "filter not found")


def test_only_log_filters_have_logs(node: Node) -> None:
    assert node.refusal("eth_getFilterLogs", node.ask("eth_newBlockFilter"))[0] == -32000
    assert names(node.ask("eth_getFilterLogs", node.ask("eth_newFilter", {"fromBlock": "0x0"}))) == [
        "one",
        "two",
    ]


def test_a_filter_for_one_block_is_refused_with_the_cure(node: Node) -> None:
    code, message = node.refusal("eth_newFilter", {"blockHash": text(digest("one"))})

    assert code == -32602
    assert "eth_getLogs" in message


def test_a_filter_that_nobody_polls_is_forgotten(node: Node) -> None:
    polled = node.ask("eth_newBlockFilter", now_ms=0)
    idle = node.ask("eth_newBlockFilter", now_ms=0)

    node.ask("eth_getFilterChanges", polled, now_ms=RPC_FILTER_IDLE_MS - 1)

    assert node.refusal("eth_getFilterChanges", idle, now_ms=RPC_FILTER_IDLE_MS)[1] == "filter not found"
    assert node.ask("eth_getFilterChanges", polled, now_ms=RPC_FILTER_IDLE_MS) == []
    assert len(node.context.filters) == 1


def test_the_number_of_filters_is_bounded(node: Node) -> None:
    ids = [node.ask("eth_newBlockFilter") for _ in range(RPC_FILTERS_MAX)]

    code, message = node.refusal("eth_newBlockFilter")
    assert code == -32005
    assert "RPC_FILTERS_MAX" in message
    assert len(set(ids)) == RPC_FILTERS_MAX
    node.ask("eth_uninstallFilter", ids[0])
    assert node.ask("eth_newBlockFilter") not in ids


def test_one_poll_moves_a_bounded_number_of_blocks_and_loses_none(node: Node) -> None:
    filter_id = node.ask("eth_newBlockFilter")
    for number in range(RPC_FILTER_BLOCKS_MAX + 3):
        node.chain.extend(f"block {number}")

    first = node.ask("eth_getFilterChanges", filter_id)
    second = node.ask("eth_getFilterChanges", filter_id)

    assert len(first) == RPC_FILTER_BLOCKS_MAX
    assert second == [text(digest(f"block {RPC_FILTER_BLOCKS_MAX + n}")) for n in range(3)]


def test_a_filter_whose_block_is_gone_says_what_to_do(node: Node) -> None:
    filter_id = node.ask("eth_newBlockFilter")

    del node.chain.headers[digest("two")]
    node.chain.retreat(1)

    code, message = node.refusal("eth_getFilterChanges", filter_id)
    assert code == -32000
    assert "install the filter again" in message


def test_a_poll_that_fails_loses_nothing(node: Node) -> None:
    filter_id = node.ask("eth_newFilter", {})
    extend(node, "three")
    exchange = node.dispatcher.handle(
        msgspec.json.encode(
            {"jsonrpc": "2.0", "id": 1, "method": "eth_getFilterChanges", "params": [filter_id]}
        ),
        0,
    )
    assert isinstance(exchange, Exchange)

    exchange.settle(exchange.ready()[0], StorageFailed("a segment cannot be read"))

    assert names(node.ask("eth_getFilterChanges", filter_id)) == ["three"]


def test_two_polls_at_once_bring_each_log_once(node: Node) -> None:
    filter_id = node.ask("eth_newFilter", {})
    extend(node, "three")
    poll = {"jsonrpc": "2.0", "id": 1, "method": "eth_getFilterChanges", "params": [filter_id]}

    answer = node.send(msgspec.json.encode([poll, poll]))

    assert answer is not None
    brought = [names(entry["result"]) for entry in msgspec.json.decode(answer)]
    assert sorted(brought) == [[], ["three"]]
