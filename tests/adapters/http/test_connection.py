"""One connection: order, bounds, deadlines, and what each kind of request is answered."""

import gzip
from typing import Any, cast

import msgspec
import pytest

from coc.adapters.http import connection as connection_module
from coc.adapters.http.pages import Page
from coc.adapters.http.policy import AccessRules
from coc.primitives.limits_rpc import (
    HTTP_CONNECTIONS_MAX,
    HTTP_GZIP_BYTES_MIN,
    HTTP_GZIP_POOLED_BYTES_MIN,
    HTTP_IDLE_TIMEOUT_S,
    HTTP_LINGER_TIMEOUT_S,
    HTTP_READ_TIMEOUT_S,
    HTTP_REQUESTS_IN_FLIGHT_MAX,
    HTTP_REQUESTS_PER_CONNECTION_MAX,
    HTTP_SWEEP_INTERVAL_S,
    HTTP_WRITE_TIMEOUT_S,
    RPC_BODY_BYTES_MAX,
)
from tests.adapters.http.fakes import POOLED, Bench, call, post
from tests.rpc.fakes import FakeResult


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def body_of(answer: bytes) -> Any:
    return msgspec.json.decode(answer.partition(b"\r\n\r\n")[2])


def ids_in(answers: bytes) -> list[int]:
    """The ids of the JSON-RPC answers in a stream of responses, in order."""
    return [int(piece.partition(b",")[0]) for piece in answers.split(b'"id":')[1:]]


def pass_time(bench: Bench, seconds: float) -> None:
    bench.loop.now += seconds
    bench.server.sweep()


def sent_to(path: bytes, kind: bytes = b"Content-Type: application/json\r\n", body: bytes = b"{}") -> bytes:
    head = b"POST %b HTTP/1.1\r\nHost: localhost\r\n%bContent-Length: %d\r\n\r\n"
    return head % (path, kind, len(body)) + body


# ── answers ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_call_is_answered_on_a_connection_that_stays_open() -> None:
    client = Bench().client()

    answer = client.send(post(call("eth_chainId")))

    assert answer == (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 41\r\n\r\n"
        b'{"jsonrpc":"2.0","id":1,"result":"0x539"}'
    )
    assert client.send(post(call("eth_blockNumber"))).endswith(b'"result":"0x0"}')
    assert not client.is_closed()


def test_json_that_is_wrong_is_an_error_inside_a_200() -> None:
    answer = Bench().client().send(post(b"{"))

    assert status_of(answer) == 200
    assert body_of(answer)["error"]["code"] == -32700


def test_a_notification_is_answered_without_a_body() -> None:
    assert Bench().client().send(post(b'{"jsonrpc":"2.0","method":"eth_chainId"}')) == (
        b"HTTP/1.1 204 No Content\r\n\r\n"
    )


def test_pipelined_requests_are_answered_in_order_and_in_one_write() -> None:
    client = Bench().client()

    answers = client.send(b"".join(post(call("eth_chainId", request_id=n)) for n in range(20)))

    assert ids_in(answers) == list(range(20))
    assert client.transport.writes == 1


def test_an_answer_that_is_ready_waits_for_those_before_it() -> None:
    bench = Bench()
    client = bench.client()

    early = client.send(post(call("eth_call", POOLED, 1)) + post(call("eth_chainId", request_id=2)))
    bench.settle()

    assert early == b""
    assert ids_in(client.transport.take()) == [1, 2]


def test_pooled_answers_keep_their_order_whichever_ends_first() -> None:
    bench = Bench()
    client = bench.client()
    client.send(post(call("eth_call", POOLED, 1)) + post(call("eth_call", POOLED, 2)))

    bench.executor.held.reverse()
    bench.settle()

    assert ids_in(client.transport.take()) == [1, 2]


def test_a_defect_on_the_pool_becomes_an_internal_error() -> None:
    bench = Bench()
    bench.node.chain.result = ZeroDivisionError("a defect")
    client = bench.client()

    client.send(post(call("eth_call", POOLED)))
    bench.settle()

    assert body_of(client.transport.take())["error"]["code"] == -32603
    assert len(bench.node.defects) == 1


def test_waiting_for_the_node_ends_with_an_answer() -> None:
    client = Bench().client()

    assert body_of(client.send(post(call("evm_mine"))))["result"] == "0x0"


# ── who and what ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
        (b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"PUT / HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (b"DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403),
        (sent_to(b"/", b""), 415),
        (sent_to(b"/", b"Content-Type: text/plain\r\n"), 415),
        (sent_to(b"/other"), 404),
        (sent_to(b"/livez"), 405),
        (sent_to(b"/", body=b""), 400),
        (b"nonsense\r\n\r\n", 400),
    ],
)
def test_what_is_no_call_is_refused_with_a_status_and_clear_json(request_bytes: bytes, status: int) -> None:
    bench = Bench(pages={b"/livez": lambda: Page(b"ok")})

    answer = bench.client().send(request_bytes)

    assert status_of(answer) == status
    if status != 200:
        assert body_of(answer)["error"]["message"]
    assert (b"\r\nAllow: " in answer) == (status == 405)


def test_a_body_over_the_limit_is_refused_and_the_client_may_finish_sending() -> None:
    bench = Bench()
    client = bench.client()

    answer = client.send(post(b"", length=RPC_BODY_BYTES_MAX + 1))

    assert status_of(answer) == 413
    assert b"Connection: close" in answer
    assert client.transport.ended
    assert client.send(b"x" * 100_000) == b""
    assert not client.is_closed()
    pass_time(bench, HTTP_LINGER_TIMEOUT_S + 1)
    assert client.is_closed()


def test_pages_are_what_composition_hands_in() -> None:
    pages = {
        b"/livez": lambda: Page(b"alive"),
        b"/readyz": lambda: Page(b"catching up", status=503),
        b"/metrics": lambda: Page(b"coc_head 7\n", b"text/plain; version=0.0.4"),
    }
    client = Bench(pages=pages).client()

    def get(path: bytes) -> bytes:
        return client.send(b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n" % path)

    assert get(b"/livez").endswith(b"\r\n\r\nalive")
    assert status_of(get(b"/readyz?verbose=1")) == 503
    assert b"Content-Type: text/plain; version=0.0.4\r\n" in get(b"/metrics")


def test_the_front_page_suits_its_reader() -> None:
    client = Bench().client()

    for_programs = client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n")
    for_people = client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/html,*/*\r\n\r\n")

    assert body_of(for_programs)["chainId"] == 1337
    assert b"Content-Type: text/html; charset=utf-8\r\n" in for_people


def test_head_is_get_without_a_body() -> None:
    client = Bench().client()

    whole = client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    head = client.send(b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n")

    assert head == whole.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def test_a_page_of_an_allowed_origin_may_read_answers() -> None:
    bench = Bench(AccessRules(origins=frozenset({"https://dapp.example"})))
    allowed, other = b"Origin: https://dapp.example", b"Origin: https://evil.example"

    assert b"Access-Control-Allow-Origin: https://dapp.example\r\nVary: Origin\r\n" in bench.client().send(
        post(call("eth_chainId"), allowed)
    )
    assert b"Access-Control" not in bench.client().send(post(call("eth_chainId"), other))


def test_a_preflight_is_answered_for_allowed_origins_only() -> None:
    bench = Bench(AccessRules(origins=frozenset({"*"})))
    ask = b"OPTIONS / HTTP/1.1\r\nHost: localhost\r\nOrigin: https://a.example\r\n"

    answer = bench.client().send(ask + b"Access-Control-Request-Private-Network: true\r\n\r\n")
    refused = Bench().client().send(ask + b"\r\n")

    assert status_of(answer) == status_of(refused) == 204
    assert b"Access-Control-Allow-Origin: *\r\n" in answer
    assert b"Access-Control-Allow-Headers: content-type\r\n" in answer
    assert b"Access-Control-Allow-Private-Network: true\r\n" in answer
    assert b"Access-Control" not in refused


def test_an_old_client_is_told_whether_the_connection_stays() -> None:
    bench = Bench()
    body = call("eth_chainId")
    head = b"POST / HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" % len(body)

    once, more = bench.client(), bench.client()
    answer_once = once.send(head + b"\r\n" + body)
    answer_more = more.send(head + b"Connection: keep-alive\r\n\r\n" + body)

    assert b"Connection: close\r\n" in answer_once
    assert once.is_closed()
    assert b"Connection: keep-alive\r\n" in answer_more
    assert not more.is_closed()


def test_a_client_that_says_close_is_closed_after_its_answer_and_not_before() -> None:
    bench = Bench()
    client = bench.client()

    client.send(post(call("eth_call", POOLED), b"Connection: close"))
    assert not client.is_closed()
    bench.settle()

    assert body_of(client.transport.take())["result"] == "0x2a"
    assert client.is_closed()


def test_a_client_that_waits_to_send_its_body_is_told_to_go_on() -> None:
    client = Bench().client()
    body = call("eth_chainId")

    assert (
        client.send(post(b"", b"Expect: 100-continue", length=len(body))) == b"HTTP/1.1 100 Continue\r\n\r\n"
    )
    assert status_of(client.send(body)) == 200


# ── compression ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("size", [HTTP_GZIP_BYTES_MIN, HTTP_GZIP_POOLED_BYTES_MIN])
def test_a_large_answer_is_compressed_when_asked(size: int) -> None:
    bench = Bench()
    bench.node.chain.result = FakeResult("success", bytes(size))
    client = bench.client()

    client.send(post(call("eth_call", POOLED), b"Accept-Encoding: gzip, deflate"))
    bench.settle()

    head, _, body = client.transport.take().partition(b"\r\n\r\n")
    assert b"Content-Encoding: gzip" in head
    assert f"Content-Length: {len(body)}".encode() in head
    assert msgspec.json.decode(gzip.decompress(body))["result"] == "0x" + "00" * size


@pytest.mark.parametrize("header", [b"X-None: 1", b"Accept-Encoding: br", b"Accept-Encoding: gzip;q=0"])
def test_a_large_answer_is_plain_when_compression_was_not_asked_for(header: bytes) -> None:
    bench = Bench()
    bench.node.chain.result = FakeResult("success", bytes(HTTP_GZIP_BYTES_MIN))
    client = bench.client()

    client.send(post(call("eth_call", POOLED), header))
    bench.settle()

    assert b"Content-Encoding" not in client.transport.take()


def test_a_small_answer_is_never_compressed() -> None:
    answer = Bench().client().send(post(call("eth_chainId"), b"Accept-Encoding: gzip"))

    assert b"Content-Encoding" not in answer


# ── bounds ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_requests_of_one_connection_that_run_at_once_are_bounded_and_the_rest_waits() -> None:
    bench = Bench()
    client = bench.client()
    count = HTTP_REQUESTS_PER_CONNECTION_MAX + 5

    client.send(b"".join(post(call("eth_call", POOLED, n)) for n in range(count)))

    assert len(bench.executor.held) == HTTP_REQUESTS_PER_CONNECTION_MAX
    assert not client.is_read_from()
    bench.settle()
    assert ids_in(client.transport.take()) == list(range(count))
    assert client.is_read_from()
    assert bench.server.in_flight == 0


def test_requests_of_all_connections_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "HTTP_REQUESTS_IN_FLIGHT_MAX", 2)
    bench = Bench()
    clients = [bench.client() for _ in range(3)]

    answers = [client.send(post(call("eth_call", POOLED))) for client in clients]

    assert answers[:2] == [b"", b""]
    assert status_of(answers[2]) == 503
    assert b"Retry-After: 1\r\n" in answers[2]
    assert "HTTP_REQUESTS_IN_FLIGHT_MAX" in body_of(answers[2])["error"]["message"]
    bench.settle()
    assert status_of(clients[2].send(post(call("eth_chainId")))) == 200
    assert HTTP_REQUESTS_IN_FLIGHT_MAX > HTTP_REQUESTS_PER_CONNECTION_MAX


def test_connections_are_bounded_and_places_become_free_again() -> None:
    bench = Bench()
    clients = [bench.client() for _ in range(HTTP_CONNECTIONS_MAX)]

    turned_away = bench.client()

    assert status_of(turned_away.transport.take()) == 503
    assert turned_away.is_closed()
    turned_away.leave()
    clients[0].leave()
    assert status_of(bench.client().send(post(call("eth_chainId")))) == 200
    assert bench.server.connections == HTTP_CONNECTIONS_MAX


def test_a_client_that_leaves_takes_its_calls_with_it() -> None:
    bench = Bench()
    client = bench.client()
    client.send(post(b"[" + b",".join([call("eth_call", POOLED)] * 10) + b"]"))
    begun = len(bench.executor.held)

    client.leave()
    bench.settle()

    assert bench.server.in_flight == 0
    assert bench.server.connections == 0
    assert len([kind for kind, _ in bench.node.chain.asked if kind == "call"]) == begun


def test_a_client_that_does_not_read_is_not_read_from() -> None:
    bench = Bench()
    client = bench.client()

    client.connection.pause_writing()
    assert not client.is_read_from()
    client.connection.resume_writing()

    assert client.is_read_from()


# ── deadlines ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_request_that_drips_in_is_cut_off_however_often_a_byte_comes() -> None:
    bench = Bench()
    client = bench.client()
    client.send(b"POST / HTTP/1.1\r\nX: ")

    for _ in range(2):
        pass_time(bench, HTTP_READ_TIMEOUT_S / 3)
        client.send(b"a")
        assert not client.is_closed()
    pass_time(bench, HTTP_READ_TIMEOUT_S / 2)

    assert status_of(client.transport.take()) == 408
    assert client.is_closed()


def test_an_idle_connection_is_closed_without_a_word() -> None:
    bench = Bench()
    client = bench.client()
    client.send(post(call("eth_chainId")))

    pass_time(bench, HTTP_IDLE_TIMEOUT_S - 1)
    assert not client.is_closed()
    pass_time(bench, 2)

    assert client.is_closed()
    assert client.transport.take() == b""


def test_a_connection_that_waits_for_its_answer_is_not_idle() -> None:
    bench = Bench()
    client = bench.client()
    client.send(post(call("eth_call", POOLED)))

    pass_time(bench, 10 * HTTP_IDLE_TIMEOUT_S)
    bench.settle()

    assert status_of(client.transport.take()) == 200


def test_a_client_that_leaves_its_answer_unread_is_dropped() -> None:
    bench = Bench()
    client = bench.client()
    client.connection.pause_writing()

    pass_time(bench, HTTP_WRITE_TIMEOUT_S + 1)

    assert client.transport.aborted


def test_one_timer_serves_all_connections() -> None:
    bench = Bench()
    bench.server._sweep_again()

    assert [delay for delay, _ in bench.loop.later] == [HTTP_SWEEP_INTERVAL_S]


# ── stopping and handing over ───────────────────────────────────────────────────────────────────────────────


def test_a_stop_answers_what_is_under_way_and_closes_the_rest() -> None:
    bench = Bench()
    busy, idle = bench.client(), bench.client()
    busy.send(post(call("eth_call", POOLED)))

    bench.server.stop()

    assert idle.is_closed()
    assert not busy.is_closed()
    bench.settle()
    assert status_of(busy.transport.take()) == 200
    assert busy.is_closed()
    assert status_of(bench.client().transport.take()) == 503


def test_a_call_that_comes_when_the_threads_have_stopped_is_told_so() -> None:
    bench = Bench()
    bench.executor.stopped = True

    answer = bench.client().send(post(call("eth_call", POOLED)))

    assert body_of(answer)["error"] == {"code": -32002, "message": "the node is stopping"}


def test_a_connection_is_handed_to_the_protocol_it_asks_for() -> None:
    taken: list[tuple[object, bytes, bytes]] = []
    bench = Bench(
        upgrades={
            b"websocket": lambda transport, request, rest: taken.append((transport, request.path, rest))
        }
    )
    client = bench.client()

    client.send(
        b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\nrest"
    )

    assert taken == [(cast("Any", client.transport), b"/ws", b"rest")]
    assert not client.is_closed()
    assert bench.server.connections == 0


def test_an_upgrade_that_nobody_takes_stays_http() -> None:
    client = Bench().client()
    body = call("eth_chainId")
    asks = post(body, b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk")

    answers = client.send(asks + post(call("eth_blockNumber", request_id=2)))

    assert ids_in(answers) == [1, 2]


def test_an_upgrade_from_a_foreign_host_is_refused() -> None:
    taken: list[bytes] = []
    bench = Bench(upgrades={b"websocket": lambda transport, request, rest: taken.append(rest)})

    answer = bench.client().send(
        b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    )

    assert status_of(answer) == 403
    assert taken == []


def test_requests_are_counted_for_the_metrics() -> None:
    bench = Bench()
    client = bench.client()
    client.send(post(call("eth_chainId")) * 3)

    assert bench.server.requests == 3
