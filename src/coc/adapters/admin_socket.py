"""The operator's door: JSON-RPC, a line a request, on a Unix socket in the data folder.

Whoever may read the folder's files as its owner may use it, and nobody else: the socket is made with mode
0600. A socket that a killed node left is taken over; one that answers belongs to a node that lives.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar, Final, cast

from coc.primitives.errors import AdapterError
from coc.primitives.limits_commands import ADMIN_CONNECTIONS_MAX, ADMIN_LINE_BYTES_MAX
from coc.rpc.dispatch import Dispatcher
from coc.rpc.errors import INVALID_REQUEST, CallError
from coc.rpc.exchange import Exchange, response

SOCKET_FILE: Final = "admin.sock"
_OWNER_ONLY: Final = 0o600
_PATH_BYTES_MAX: Final = 100
"""The system's address of a Unix socket has some 108; longer paths are gone around."""


class AdminSocketFailed(AdapterError):
    """The operator's socket cannot be used."""

    id: ClassVar[str] = "COC-ADMIN"


class AdminSocket:
    """Listens in one data folder."""

    def __init__(self, folder: Path, dispatcher: Dispatcher, now_ms: Callable[[], int]) -> None:
        """Bind the socket; nobody is heard before `start`.

        Raises:
            AdminSocketFailed: a node that lives listens there, or the folder takes no socket.
        """
        self._folder = folder
        self._dispatcher = dispatcher
        self._now_ms = now_ms
        self._connections: set[_Line] = set()
        self._server: asyncio.Server | None = None
        self._socket = _bound(folder)

    async def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Answer."""
        self._server = await loop.create_unix_server(lambda: _Line(self), sock=self._socket)

    def close(self) -> None:
        """Hang up, and leave no socket behind."""
        if self._server is None:
            self._socket.close()
        else:
            self._server.close()
        for line in tuple(self._connections):
            line.drop()
        with contextlib.suppress(OSError):
            (self._folder / SOCKET_FILE).unlink()

    def join(self, line: _Line) -> bool:
        """Somebody has connected; False where too many have."""
        if len(self._connections) >= ADMIN_CONNECTIONS_MAX:
            return False
        self._connections.add(line)
        return True

    def leave(self, line: _Line) -> None:
        """Somebody has gone."""
        self._connections.discard(line)

    def answer(self, line: bytes) -> bytes:
        """The line that answers a line; nothing for a notification."""
        handled = self._dispatcher.handle(line, self._now_ms())
        body = handled.body() if isinstance(handled, Exchange) else handled
        return b"" if body is None else body + b"\n"


class _Line(asyncio.Protocol):
    """One operator."""

    def __init__(self, owner: AdminSocket) -> None:
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if not self._owner.join(self):
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Answer every whole line."""
        *lines, self._held = (self._held + data).split(b"\n")
        if max(map(len, (*lines, self._held))) > ADMIN_LINE_BYTES_MAX:
            self._refuse()
            return
        for line in lines:
            if line.strip() and self._transport is not None:
                self._transport.write(self._owner.answer(line))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop's signature
        self._transport = None
        self._owner.leave(self)

    def drop(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _refuse(self) -> None:
        if self._transport is None:
            return
        limit = f"{ADMIN_LINE_BYTES_MAX} bytes (ADMIN_LINE_BYTES_MAX)"
        error = CallError(INVALID_REQUEST, f"invalid request: the line exceeds {limit}")
        self._transport.write(response(b"null", error) + b"\n")
        self._transport.close()


@contextlib.contextmanager
def socket_address(folder: Path) -> Iterator[str]:
    """What the system takes for the socket of a folder, as long as the context lasts.

    A path that is too long is named through a descriptor of its folder, where the system has such names.
    """
    path = str(folder / SOCKET_FILE)
    if len(os.fsencode(path)) <= _PATH_BYTES_MAX:
        yield path
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET_FILE}"
    finally:
        os.close(descriptor)


def _bound(folder: Path) -> socket.socket:
    try:
        with socket_address(folder) as address:
            _take_over(folder, address)
            listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            listening.setblocking(False)
            before = os.umask(0o777 & ~_OWNER_ONLY)
            try:
                listening.bind(address)
            except OSError:
                listening.close()
                raise
            finally:
                os.umask(before)
            return listening
    except OSError as error:
        raise AdminSocketFailed(
            f"{folder / SOCKET_FILE} cannot be listened on",
            why=error.strerror or str(error),
            cure="choose a data folder on a file system that takes sockets",
        ) from error


def _take_over(folder: Path, address: str) -> None:
    """Remove a socket that nobody listens on any more."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(address)
        except FileNotFoundError:
            return
        except ConnectionRefusedError:
            if (folder / SOCKET_FILE).is_socket():  # anything else makes binding fail, and stays
                (folder / SOCKET_FILE).unlink()
            return
    raise AdminSocketFailed(
        f"another node listens on {folder / SOCKET_FILE}", cure="stop it first, or choose another folder"
    )
