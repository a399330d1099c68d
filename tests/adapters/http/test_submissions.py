"""Transactions of many clients cross in few calls, and each learns its own outcome."""

from collections.abc import Callable, Sequence

import msgspec
import pytest

from coc.adapters.http.submissions import Submissions
from coc.primitives.limits_rpc import RPC_SUBMISSIONS_PER_CALL_MAX, RPC_SUBMISSIONS_WAITING_MAX
from coc.rpc.errors import CallError
from coc.rpc.ports import Accepted, Outcome
from tests.adapters.http.fakes import Bench, ManualLoop, call, post


def send(raw: bytes, request_id: int = 1) -> bytes:
    return call("eth_sendRawTransaction", f'["0x{raw.hex()}"]', request_id)


def test_transactions_of_one_turn_of_the_loop_cross_in_one_call() -> None:
    bench = Bench()
    clients = [bench.client() for _ in range(3)]

    for number, client in enumerate(clients):
        client.send(post(send(bytes([number, 1]))) + post(send(bytes([number, 2]))))
    bench.settle()

    assert [len(raws) for raws in bench.calls] == [6]
    assert all(client.transport.take().count(b'"result":"0x') == 2 for client in clients)


def test_a_batch_crosses_in_one_call_and_is_answered_in_its_order() -> None:
    bench = Bench()
    client = bench.client()
    raws = [b"\x01", b"no", b"\x03"]

    client.send(post(b"[" + b",".join(send(raw, n) for n, raw in enumerate(raws)) + b"]"))
    bench.settle()

    answers = msgspec.json.decode(client.transport.take().partition(b"\r\n\r\n")[2])
    assert bench.calls == [raws]
    assert [entry["id"] for entry in answers] == [0, 1, 2]
    assert ["error" in entry for entry in answers] == [False, True, False]


def test_what_comes_while_a_call_is_under_way_goes_together_with_the_next() -> None:
    bench = Bench()
    bench.answer_later = []
    client = bench.client()

    client.send(post(send(b"\x01")))
    bench.settle()
    for number in range(2, 5):
        client.send(post(send(bytes([number]))))
        bench.settle()
    assert [len(raws) for raws in bench.calls] == [1]

    bench.answer_later.pop(0)()
    bench.settle()

    assert bench.calls == [[b"\x01"], [b"\x02", b"\x03", b"\x04"]]


def test_the_next_call_is_judged_while_the_last_one_is_admitted() -> None:
    loop = ManualLoop()
    calls: list[list[bytes]] = []
    admissions: list[Callable[[], None]] = []
    outcomes: list[Outcome] = []

    def submit_many(
        raws: list[bytes], judged: Callable[[], None], done: Callable[[Sequence[Outcome]], None]
    ) -> None:
        def admit() -> None:
            judged()
            assert len(calls) == 2
            done([Accepted(raw) for raw in raws])

        calls.append(raws)
        admissions.append(admit)

    submissions = Submissions(loop.call_soon, submit_many)
    for raw in (b"a", b"b"):
        submissions.add(raw, outcomes.append)
    loop.run()
    for raw in (b"c", b"d"):
        submissions.add(raw, outcomes.append)
    loop.run()
    assert calls == [[b"a", b"b"]]

    admissions.pop()()

    assert calls == [[b"a", b"b"], [b"c", b"d"]]
    assert outcomes == [Accepted(b"a"), Accepted(b"b")]


def gathering() -> tuple[ManualLoop, Submissions, list[list[bytes]]]:
    loop, calls = ManualLoop(), list[list[bytes]]()

    def submit_many(
        raws: list[bytes], judged: Callable[[], None], done: Callable[[Sequence[Outcome]], None]
    ) -> None:
        calls.append(raws)
        judged()
        done([Accepted(raw) for raw in raws])

    return loop, Submissions(loop.call_soon, submit_many), calls


def test_one_call_is_bounded_in_transactions() -> None:
    loop, submissions, calls = gathering()
    outcomes: list[Outcome] = []

    for number in range(RPC_SUBMISSIONS_PER_CALL_MAX + 1):
        submissions.add(number.to_bytes(4, "big"), outcomes.append)
    loop.run()

    assert [len(raws) for raws in calls] == [RPC_SUBMISSIONS_PER_CALL_MAX, 1]
    assert len(outcomes) == RPC_SUBMISSIONS_PER_CALL_MAX + 1


def test_waiting_transactions_are_bounded() -> None:
    loop, submissions, calls = gathering()
    outcomes: list[Outcome] = []

    for _ in range(RPC_SUBMISSIONS_WAITING_MAX + 1):
        submissions.add(b"raw", outcomes.append)

    assert len(submissions) == RPC_SUBMISSIONS_WAITING_MAX
    (refused,) = outcomes
    assert isinstance(refused, CallError)
    assert refused.code == -32005
    loop.run()
    assert sum(len(raws) for raws in calls) == RPC_SUBMISSIONS_WAITING_MAX


def test_when_the_call_fails_every_waiting_transaction_learns_of_it() -> None:
    loop = ManualLoop()
    outcomes: list[Outcome] = []

    def failing(raws: list[bytes], judged: object, done: object) -> None:
        raise OSError("the journal cannot be written")

    submissions = Submissions(loop.call_soon, failing)
    submissions.add(b"a", outcomes.append)
    submissions.add(b"b", outcomes.append)
    loop.run()

    assert [type(outcome) for outcome in outcomes] == [OSError, OSError]


@pytest.mark.parametrize("answered", [0, 1, 3])
def test_outcomes_that_do_not_match_are_a_failure_and_no_mix_up(answered: int) -> None:
    loop = ManualLoop()
    outcomes: list[Outcome] = []

    def wrong(
        raws: list[bytes], judged: Callable[[], None], done: Callable[[Sequence[Outcome]], None]
    ) -> None:
        judged()
        done([Accepted(b"x")] * answered)

    submissions = Submissions(loop.call_soon, wrong)
    submissions.add(b"a", outcomes.append)
    submissions.add(b"b", outcomes.append)
    loop.run()

    assert [type(outcome) for outcome in outcomes] == [RuntimeError, RuntimeError]
