"""The server on a real socket: keep-alive, many clients, large answers, and a graceful stop."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec

from coc.adapters.http.containment import contain_everything
from coc.adapters.http.policy import AccessRules
from coc.adapters.http.server import HttpPorts, HttpServer
from coc.primitives.limits_rpc import RPC_BODY_BYTES_MAX
from tests.adapters.http.fakes import POOLED, call, post
from tests.rpc.fakes import FakeResult, Node


async def answer_of(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.split(b"\r\n") if line.startswith(b"Content-Length: "))
    return await reader.readexactly(int(length.partition(b": ")[2]))


def served(use: Callable[[HttpServer, Node, int], Awaitable[None]]) -> None:
    """Run a server on a free port while `use` talks to it."""

    async def run() -> None:
        node = Node(contain_everything)
        with ThreadPoolExecutor(2) as executor:
            ports = HttpPorts(node.dispatcher, node.submit_many, executor, AccessRules(), ("coc/test", 1337))
            server = HttpServer(asyncio.get_running_loop(), ports)
            port = await server.listen("127.0.0.1", 0)
            try:
                await use(server, node, port)
            finally:
                server.stop()
                server.abort()

    asyncio.run(run())


def test_a_connection_serves_call_after_call() -> None:
    async def use(server: HttpServer, node: Node, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in range(5):
            writer.write(post(call("eth_call", POOLED, number)))
            assert msgspec.json.decode(await answer_of(reader)) == {
                "jsonrpc": "2.0",
                "id": number,
                "result": "0x2a",
            }
        writer.close()
        await writer.wait_closed()

    served(use)


def test_many_clients_are_served_at_once() -> None:
    async def one(port: int, number: int) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(post(call("eth_call", POOLED, number)) + post(call("eth_chainId", request_id=number)))
        first = msgspec.json.decode(await answer_of(reader))
        second = msgspec.json.decode(await answer_of(reader))
        writer.close()
        await writer.wait_closed()
        assert (first["result"], second["result"]) == ("0x2a", "0x539")
        assert first["id"] == second["id"]
        answered: int = first["id"]
        return answered

    async def use(server: HttpServer, node: Node, port: int) -> None:
        answered = await asyncio.gather(*(one(port, number) for number in range(40)))
        assert answered == list(range(40))
        assert server.requests == 80

    served(use)


def test_an_answer_larger_than_the_socket_buffers_arrives_whole() -> None:
    async def use(server: HttpServer, node: Node, port: int) -> None:
        node.chain.result = FakeResult("success", bytes(8_000_000))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(post(call("eth_call", POOLED)))
        assert len(await answer_of(reader)) > 16_000_000
        writer.close()
        await writer.wait_closed()

    served(use)


def test_a_client_whose_body_is_too_large_sees_the_refusal() -> None:
    async def use(server: HttpServer, node: Node, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(post(bytes(RPC_BODY_BYTES_MAX + 1)))
        assert b"RPC_BODY_BYTES_MAX" in await answer_of(reader)
        writer.transport.abort()

    served(use)


def test_a_body_of_the_largest_size_is_read() -> None:
    async def use(server: HttpServer, node: Node, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(post(call("eth_chainId").ljust(RPC_BODY_BYTES_MAX)))
        assert b"0x539" in await answer_of(reader)
        writer.close()
        await writer.wait_closed()

    served(use)


def test_a_stop_lets_a_running_call_finish() -> None:
    async def use(server: HttpServer, node: Node, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(post(call("eth_call", POOLED)))
        while not server.requests:  # noqa: ASYNC110 - the server counts, it does not signal
            await asyncio.sleep(0)
        server.stop()
        assert b"0x2a" in await answer_of(reader)
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()

    served(use)
