"""The operator's socket: whose it is, what a killed node leaves, and what a line may be."""

from __future__ import annotations

import asyncio
import json
import socket
import stat
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from coc.adapters.admin_client import ask_node
from coc.adapters.admin_socket import SOCKET_FILE, AdminSocket, AdminSocketFailed, socket_address
from coc.primitives.limits_commands import (
    ADMIN_CONNECTIONS_MAX,
    ADMIN_LINE_BYTES_MAX,
    CLIENT_ANSWER_BYTES_MAX,
)
from coc.rpc.dispatch import Dispatcher
from coc.rpc.ports import NoPeers
from tests.adapters.wire.stage import WAIT_SECONDS_MAX, until
from tests.rpc.test_admin import Desk, FakePeers


def door(folder: Path, dispatcher: Dispatcher | None = None) -> AdminSocket:
    return AdminSocket(folder, dispatcher or Desk(FakePeers()).dispatcher, lambda: 0)


def opened(folder: Path, use: Callable[[AdminSocket], Awaitable[None]]) -> None:
    """Run a play with a socket that answers."""

    async def play() -> None:
        made = door(folder)
        try:
            await made.start(asyncio.get_running_loop())
            await use(made)
        finally:
            made.close()

    asyncio.run(play())


def ask(folder: Path, method: str, *parameters: object) -> Awaitable[Any]:
    return asyncio.get_running_loop().run_in_executor(None, ask_node, folder, method, *parameters)


@pytest.fixture(params=["short", "long"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder with a path that fits a socket's address, and one that does not."""
    made = tmp_path / ("x" if request.param == "short" else "long" * 40)
    made.mkdir()
    return made  # type: ignore[return-value]  # nothing is to be undone


def test_a_question_is_answered_and_only_the_owner_may_ask(folder: Path) -> None:
    async def use(_: AdminSocket) -> None:
        mode = (folder / SOCKET_FILE).stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
        assert (await ask(folder, "admin_nodeInfo"))["ip"] == "203.0.113.7"
        assert await ask(folder, "admin_addPeer", "host:1") is True

    opened(folder, use)
    assert not (folder / SOCKET_FILE).exists()


def test_the_socket_of_a_killed_node_is_taken_over_and_that_of_a_living_one_is_not(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as killed, socket_address(folder) as address:
        killed.bind(address)
    assert (folder / SOCKET_FILE).exists()

    async def use(_: AdminSocket) -> None:
        assert await ask(folder, "admin_peers")
        with pytest.raises(AdminSocketFailed, match="another node listens") as caught:
            door(folder)
        assert caught.value.cure
        assert await ask(folder, "admin_peers")

    opened(folder, use)


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / SOCKET_FILE).write_text("somebody's notes")
    with pytest.raises(AdminSocketFailed):
        door(tmp_path)
    assert (tmp_path / SOCKET_FILE).read_text() == "somebody's notes"


def test_who_asks_where_no_node_runs_is_told_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(AdminSocketFailed, match="no node of a network answers") as nobody:
        ask_node(tmp_path, "admin_peers")
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(tmp_path / SOCKET_FILE))
    with pytest.raises(AdminSocketFailed, match="was killed") as dead:
        ask_node(tmp_path, "admin_peers")
    assert "coc node --data" in nobody.value.cure
    assert "coc node --data" in dead.value.cure


def test_what_the_node_refuses_is_said(tmp_path: Path) -> None:
    async def use(_: AdminSocket) -> None:
        with pytest.raises(AdminSocketFailed, match="names no peer"):
            await ask(tmp_path, "admin_addPeer", "nobody")
        with pytest.raises(AdminSocketFailed, match="eth_chainId does not exist"):
            await ask(tmp_path, "eth_chainId")

    opened(tmp_path, use)


def test_lines_are_bounded_and_so_are_those_who_send_them(tmp_path: Path) -> None:
    async def use(made: AdminSocket) -> None:
        path = str(tmp_path / SOCKET_FILE)
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"x" * (ADMIN_LINE_BYTES_MAX + 1))
        answer = json.loads(await asyncio.wait_for(reader.readline(), WAIT_SECONDS_MAX))
        assert "ADMIN_LINE_BYTES_MAX" in answer["error"]["message"]
        writer.close()
        await until(lambda: not made._connections)

        others = [await asyncio.open_unix_connection(path) for _ in range(ADMIN_CONNECTIONS_MAX)]
        await until(lambda: len(made._connections) == ADMIN_CONNECTIONS_MAX)
        late, late_writer = await asyncio.open_unix_connection(path)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(late.readexactly(1), WAIT_SECONDS_MAX)
        for _, each in (*others, (late, late_writer)):
            each.transport.abort()

    opened(tmp_path, use)


def test_lines_that_come_in_pieces_and_together_are_answered_in_order(tmp_path: Path) -> None:
    async def use(_: AdminSocket) -> None:
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / SOCKET_FILE))
        line = b'{"jsonrpc":"2.0","id":%d,"method":"admin_bans"}\n'
        writer.write((line % 1)[:10])
        await writer.drain()
        writer.write(
            (line % 1)[10:] + b"\n" + line % 2 + b'{"jsonrpc":"2.0","method":"admin_bans"}\n[' + b"\n"
        )
        ids = [
            json.loads(await asyncio.wait_for(reader.readline(), WAIT_SECONDS_MAX)).get("id")
            for _ in range(3)
        ]
        assert ids == [1, 2, None]
        writer.transport.abort()

    opened(tmp_path, use)


def test_the_longest_answer_that_there_can_be_is_read() -> None:
    longest = Desk(NoPeers()).dispatcher
    assert longest.handle(b'{"jsonrpc":"2.0","id":1,"method":"admin_peers"}', 0) is not None
    peers = 1_000  # more than may be connected
    assert peers * 1_024 < CLIENT_ANSWER_BYTES_MAX
