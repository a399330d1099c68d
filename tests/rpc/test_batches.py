"""Batches: order, notifications, bounds, and jobs that run beside each other."""

import msgspec
import pytest

from coc.primitives import limits_rpc
from coc.primitives.limits_rpc import (
    RPC_BATCH_ITEMS_MAX,
    RPC_BATCH_RESPONSE_BYTES_MAX,
    RPC_JOBS_PER_EXCHANGE_MAX,
)
from coc.rpc import exchange as exchange_module
from coc.rpc.exchange import Exchange, LoneExchange
from coc.rpc.jobs import Pooled
from tests.rpc.fakes import ALICE, FakeResult, Node

CALL = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [{"to": "0x" + ALICE.hex()}]}
CHAIN_ID = {"jsonrpc": "2.0", "id": 2, "method": "eth_chainId"}


def test_answers_come_in_the_order_of_the_calls_whatever_finishes_first() -> None:
    node = Node()
    body = msgspec.json.encode([CALL | {"id": 1}, CHAIN_ID | {"id": 2}, CALL | {"id": 3}])

    answer = node.send(body)

    assert answer is not None
    assert [entry["id"] for entry in msgspec.json.decode(answer)] == [1, 2, 3]


def test_one_bad_call_spoils_no_other() -> None:
    answer = Node().send(msgspec.json.encode([CHAIN_ID, 5, {"jsonrpc": "2.0", "id": 9}, CHAIN_ID]))

    assert answer is not None
    entries = msgspec.json.decode(answer)
    assert [entry.get("result") for entry in entries] == ["0x539", None, None, "0x539"]
    assert [entry["id"] for entry in entries] == [2, None, 9, 2]


def test_calls_are_counted_by_method_for_the_metrics() -> None:
    node = Node()

    node.send(
        msgspec.json.encode([CHAIN_ID, CHAIN_ID, CALL, {"jsonrpc": "2.0", "id": 1, "method": "eth_no"}])
    )

    assert {name: count for name, count in node.dispatcher.calls.items() if count} == {
        "eth_chainId": 2,
        "eth_call": 1,
    }


def test_notifications_leave_no_entry_and_a_batch_of_them_no_answer() -> None:
    node = Node()
    notification = {"jsonrpc": "2.0", "method": "eth_chainId"}

    assert node.send(msgspec.json.encode([notification, notification])) is None
    mixed = node.send(msgspec.json.encode([notification, CHAIN_ID]))
    assert mixed == b'[{"jsonrpc":"2.0","id":2,"result":"0x539"}]'


@pytest.mark.parametrize(
    ("items", "refused"), [(RPC_BATCH_ITEMS_MAX, False), (RPC_BATCH_ITEMS_MAX + 1, True)]
)
def test_a_batch_is_bounded_in_calls(items: int, refused: bool) -> None:
    answer = Node().send(msgspec.json.encode([CHAIN_ID] * items))

    assert answer is not None
    decoded = msgspec.json.decode(answer)
    assert isinstance(decoded, dict) == refused
    if refused:
        assert decoded["error"]["code"] == -32600
        assert "RPC_BATCH_ITEMS_MAX" in decoded["error"]["message"]


def test_a_batch_is_bounded_in_bytes_of_its_answers() -> None:
    node = Node()
    node.chain.result = FakeResult("success", bytes(RPC_BATCH_RESPONSE_BYTES_MAX // 4))
    body = msgspec.json.encode([CALL, CALL, CALL, CHAIN_ID])

    answer = node.send(body)

    assert answer is not None
    entries = msgspec.json.decode(answer)
    assert "result" in entries[0]
    assert [entry.get("error", {}).get("code") for entry in entries[2:]] == [-32003, None]
    assert len(answer) < RPC_BATCH_RESPONSE_BYTES_MAX + 1_000


def test_nothing_more_is_run_once_the_answers_fill_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange_module, "RPC_BATCH_RESPONSE_BYTES_MAX", 100)
    node = Node()
    balance = {"jsonrpc": "2.0", "id": 1, "method": "eth_getBalance", "params": ["0x" + ALICE.hex()]}

    answer = node.send(msgspec.json.encode([balance] * 10))

    assert answer is not None
    assert len([entry for entry in node.chain.asked if entry[0] == "account"]) < 10
    assert len(msgspec.json.decode(answer)) == 10


def test_a_single_answer_has_no_limit_of_its_own() -> None:
    node = Node()
    node.chain.result = FakeResult("success", bytes(RPC_BATCH_RESPONSE_BYTES_MAX))

    assert node.ask("eth_call", {"to": "0x" + ALICE.hex()}).startswith("0x00")


def test_only_a_few_pooled_calls_of_a_batch_are_out_at_once() -> None:
    handled = Node().dispatcher.handle(msgspec.json.encode([CALL] * 10), 0)
    assert isinstance(handled, Exchange)

    first = handled.ready()
    assert len(first) == RPC_JOBS_PER_EXCHANGE_MAX
    assert handled.ready() == []

    handled.settle(first[0], "0x")
    assert len(handled.ready()) == 1


def test_an_exchange_is_done_when_every_place_has_its_answer() -> None:
    handled = Node().dispatcher.handle(msgspec.json.encode([CALL, CALL]), 0)
    assert isinstance(handled, Exchange)
    tickets = handled.ready()

    done = []
    for ticket, outcome in ((tickets[1], "0x2"), (tickets[0], "0x1")):
        handled.settle(ticket, outcome)
        done.append(handled.done)

    assert done == [False, True]
    body = handled.body()
    assert body is not None
    assert [entry["result"] for entry in msgspec.json.decode(body)] == ["0x1", "0x2"]


def test_a_job_may_be_followed_by_another() -> None:
    job = Pooled(lambda: 1, lambda first: Pooled(lambda: first + 1, lambda second: second + 1))
    exchange = LoneExchange(lambda step: step(), b"1", job)

    seen = []
    while not exchange.done:
        for ticket in exchange.ready():
            assert isinstance(ticket.job, Pooled)
            seen.append(ticket.job.run())
            exchange.settle(ticket, seen[-1])

    assert seen == [1, 2]
    assert exchange.body() == b'{"jsonrpc":"2.0","id":1,"result":3}'


def test_every_limit_is_published_by_a_method() -> None:
    published = Node().ask("coc_rpcLimits")

    named = {name for name in vars(limits_rpc) if name.startswith(("RPC_", "HTTP_"))}
    assert set(published) == named
    assert published["RPC_BATCH_ITEMS_MAX"] == RPC_BATCH_ITEMS_MAX
