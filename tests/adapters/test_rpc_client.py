"""The client of a node's RPC against servers that answer well, badly, too much, or not at all."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from coc.adapters.rpc_client import NodeRefused, NodeUnreachable, RpcClient
from coc.primitives.limits_commands import CLIENT_ANSWER_BYTES_MAX

Answering = Callable[[Any], bytes]


@contextmanager
def server(answering: Answering, *, keeps_open: bool = True) -> Iterator[str]:
    """A server on this machine; what `answering` makes of a request's JSON is its answer."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1" if keeps_open else "HTTP/1.0"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer(200, answering(asked))

        def do_GET(self) -> None:
            self._answer(503, b"not ready\n")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Say nothing."""

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with HTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}"
        finally:
            listening.shutdown()
            thread.join()


@contextmanager
def client(url: str) -> Iterator[RpcClient]:
    made = RpcClient(url, timeout_s=10)
    try:
        yield made
    finally:
        made.close()


def echoed(asked: Any) -> bytes:
    """Method and parameters as the result; a batch backwards, as a server may."""
    if isinstance(asked, list):
        return b"[" + b",".join(echoed(each) for each in reversed(asked)) + b"]"
    result = [asked["method"], *asked["params"]]
    return json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}).encode()


def always(answer: object) -> Answering:
    return lambda asked: answer if isinstance(answer, bytes) else json.dumps(answer).encode()


def test_calls_and_batches_come_back_in_the_order_they_were_asked() -> None:
    with server(echoed) as url, client(url) as rpc:
        assert rpc.call("a", 1, "x") == ["a", 1, "x"]
        assert rpc.call_many([("b", [2]), ("c", [])]) == [["b", 2], ["c"]]


def test_a_connection_that_was_closed_meanwhile_is_opened_again() -> None:
    with server(echoed, keeps_open=False) as url, client(url) as rpc:
        assert [rpc.call("a"), rpc.call("b")] == [["a"], ["b"]]


def test_an_error_of_the_node_keeps_its_words_and_data() -> None:
    error = {"code": 3, "message": "execution reverted", "data": "0x0102"}
    with server(always({"id": 0, "error": error})) as url, client(url) as rpc:
        with pytest.raises(NodeRefused) as refused:
            rpc.call("eth_call")
        assert (refused.value.code, refused.value.why, refused.value.data) == (
            3,
            "execution reverted",
            b"\1\2",
        )
        assert "eth_call" in refused.value.what


def test_a_refused_call_of_a_batch_leaves_the_others() -> None:
    answers = [{"id": 1, "result": 7}, {"id": 0, "error": {"code": -32601}}]
    with server(always(answers)) as url, client(url) as rpc:
        assert rpc.call_many([("a", []), ("b", [])]) == [None, 7]


@pytest.mark.parametrize("answer", [b"<html>", b"[" * 100_000, b"", b"\xff"])
def test_what_is_no_json_is_no_node(answer: bytes) -> None:
    with server(always(answer)) as url, client(url) as rpc, pytest.raises(NodeUnreachable, match="no node"):
        rpc.call("a")


@pytest.mark.parametrize("answer", [7, [], {"id": 0}, {"error": "no"}, {"error": {"data": "0xzz"}}])
def test_an_answer_without_a_result_is_a_refusal(answer: object) -> None:
    with server(always(answer)) as url, client(url) as rpc, pytest.raises(NodeRefused):
        rpc.call("a")


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    fits = json.dumps({"result": ""}).encode()
    for size, is_taken in ((CLIENT_ANSWER_BYTES_MAX, True), (CLIENT_ANSWER_BYTES_MAX + 1, False)):
        padded = fits + b" " * (size - len(fits))
        with server(always(padded)) as url, client(url) as rpc:
            if is_taken:
                assert rpc.call("a") == ""
            else:
                with pytest.raises(NodeUnreachable, match="no node answers"):
                    rpc.call("a")


def test_a_page_is_its_status_and_text() -> None:
    with server(echoed) as url, client(url) as rpc:
        assert rpc.page("/readyz") == (503, "not ready\n")


def test_where_nobody_listens_the_address_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with client(url) as rpc, pytest.raises(NodeUnreachable, match=url):
            rpc.call("a")


@pytest.mark.parametrize("url", ["", "127.0.0.1:8545", "ftp://here", "http://", "http://here:many"])
def test_an_address_of_another_form_is_refused(url: str) -> None:
    with pytest.raises(NodeUnreachable, match="address"):
        RpcClient(url)
