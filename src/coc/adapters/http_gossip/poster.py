"""One connection of ours to an HTTP server, kept alive: a request at a time, and its whole answer.

httptools finds the structure of an answer; the bounds are ours. What goes wrong is an OSError, since to a
caller a proxy that talks nonsense is a network that does not work.
"""

from __future__ import annotations

import asyncio
import ssl

import httptools

from coc.adapters.http_gossip.faults import HttpFailed, PostRefused
from coc.adapters.http_gossip.proxy import open_tunnel
from coc.primitives.limits_http_gossip import HTTP_GOSSIP_LETTER_BYTES_MAX
from coc.primitives.limits_rpc import HTTP_HEAD_BYTES_MAX
from coc.wire.addresses import PeerAddress, Scheme
from coc.wire.http_gossip.envelope import Path

_CHUNK_BYTES = 65_536
_OK = 200
_CONTENT_TYPE = b"application/octet-stream"


class _Answer:
    """An answer while it comes, as httptools tells it."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._taken_bytes = 0
        self.body = b""
        self.is_whole = False
        self.keeps_alive = False
        self.status = 0

    def feed(self, data: bytes) -> None:
        self._taken_bytes += len(data)
        if self._taken_bytes > HTTP_HEAD_BYTES_MAX + HTTP_GOSSIP_LETTER_BYTES_MAX:
            raise HttpFailed("the answer is longer than any of ours")
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise HttpFailed(f"the answer is not HTTP: {error}") from error

    def on_body(self, part: bytes) -> None:
        self.body += part

    def on_message_complete(self) -> None:
        self.is_whole = True
        self.status = self._parser.get_status_code()
        self.keeps_alive = self._parser.should_keep_alive()


class Poster:
    """Posts to one server, directly or through a forward proxy; connects when it must."""

    def __init__(self, address: PeerAddress, proxy: tuple[str, int] | None = None) -> None:
        """Not connected yet."""
        self._address = address
        self._proxy = proxy
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    @property
    def peername(self) -> tuple[str, int]:
        """The IP and port that the last connection went to; behind a proxy, what was dialled."""
        if self._writer is None or self._proxy is not None:
            return (self._address.host, self._address.port)
        name = self._writer.get_extra_info("peername")
        return (str(name[0]), int(name[1]))

    async def post(self, path: Path, body: bytes, seconds_max: float) -> bytes:
        """The body of the answer.

        Raises:
            OSError: no connection, no answer in time, or no answer of ours; the connection is closed.
        """
        try:
            async with asyncio.timeout(seconds_max):
                return await self._post(path, body)
        except PostRefused:
            raise
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Hang up."""
        writer, self._reader, self._writer = self._writer, None, None
        if writer is not None:
            writer.transport.abort()

    async def _post(self, path: Path, body: bytes) -> bytes:
        reader, writer = await self._connected()
        writer.write(
            b"POST %b HTTP/1.1\r\nHost: %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n"
            % (path.value, self._host(), _CONTENT_TYPE, len(body))
            + body
        )
        await writer.drain()
        answer = _Answer()
        while not answer.is_whole:
            data = await reader.read(_CHUNK_BYTES)
            if not data:
                raise HttpFailed("the server hung up before its answer was whole")
            answer.feed(data)
        if not answer.keeps_alive:
            self.close()
        if answer.status != _OK:
            raise PostRefused(answer.status, answer.body)
        return answer.body

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is None or self._writer is None or self._reader.at_eof():
            self.close()
            self._reader, self._writer = await self._connect()
        return self._reader, self._writer

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port = self._address.host, self._address.port
        tls = ssl.create_default_context() if self._address.scheme is Scheme.HTTPS else None
        if self._proxy is None:
            return await asyncio.open_connection(host, port, ssl=tls)
        reader, writer = await open_tunnel(self._proxy, self._host())
        if tls is not None:
            try:
                await writer.start_tls(tls, server_hostname=host)
            except BaseException:
                writer.transport.abort()
                raise
        return reader, writer

    def _host(self) -> bytes:
        return self._address.authority.encode("idna" if not self._address.host.isascii() else "ascii")
