"""A forward proxy on the way to a peer: asked for a tunnel (CONNECT, RFC 9110), it then passes bytes on.

What goes through is what would go without it: to an https address, TLS to the peer's end. HTTP-13.
"""

from __future__ import annotations

import asyncio

from coc.adapters.http_gossip.faults import HttpFailed
from coc.primitives.limits_rpc import HTTP_HEAD_BYTES_MAX

_END_OF_HEAD = b"\r\n\r\n"


async def open_tunnel(
    proxy: tuple[str, int], authority: bytes
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to a host and port, through a proxy.

    Raises:
        OSError: there is no proxy, or it says no, or what it says is not HTTP.
    """
    reader, writer = await asyncio.open_connection(*proxy, limit=HTTP_HEAD_BYTES_MAX)
    try:
        writer.write(b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (authority, authority))
        await writer.drain()
        _verify(await reader.readuntil(_END_OF_HEAD))
    except BaseException as error:
        writer.transport.abort()
        if isinstance(error, asyncio.IncompleteReadError | asyncio.LimitOverrunError):
            raise HttpFailed("the proxy hung up, or its answer has no end") from error
        raise
    return reader, writer


def _verify(head: bytes) -> None:
    """Whether the proxy has opened the tunnel: the first line of its answer says so."""
    line = head.partition(b"\r\n")[0]
    version, _, rest = line.partition(b" ")
    status = rest[:3]
    if not version.startswith(b"HTTP/1.") or not status.isdigit():
        raise HttpFailed("the proxy's answer is not HTTP")
    if not status.startswith(b"2"):
        raise HttpFailed(f"the proxy opens no tunnel: {line[:200].decode('utf-8', 'replace')}")
