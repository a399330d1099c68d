"""The socket that peers dial, bound before anything else: a node that cannot listen should say so at once."""

from __future__ import annotations

import errno
import socket
from typing import ClassVar

from coc.primitives.errors import AdapterError


class WireListenFailed(AdapterError):
    """The address for peers cannot be listened on."""

    id: ClassVar[str] = "COC-WIRE-LISTEN"


def bound(host: str, port: int) -> socket.socket:
    """A socket bound to an address, which does not listen yet.

    Raises:
        WireListenFailed: the address is in use, not ours, or none.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.setblocking(False)
            listening.bind(address)
        except OSError:
            listening.close()
            raise
    except (OSError, UnicodeError) as error:
        raise _failed(host, port, error) from error
    return listening


def place_of(listening: socket.socket) -> tuple[str, int]:
    """The IP and the port that a socket is bound to."""
    host, port = listening.getsockname()[:2]
    return host, port


def _failed(host: str, port: int, error: OSError | UnicodeError) -> WireListenFailed:
    in_use = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
    why = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return WireListenFailed(
        f"{host}:{port} cannot be listened on for peers",
        why=why,
        cure=(
            "stop the program that uses it, or choose another port"
            if in_use
            else "choose an address of this machine"
        ),
    )
