"""What stands between a node and one that serves HTTP: an end of TLS, and a forward proxy."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from coc.wire.addresses import PeerAddress, Scheme
from tests.adapters.wire.stage import HOST

CHUNK_BYTES = 65_536


class Middleman:
    """A server that does something with each connection, until it is left."""

    scheme = Scheme.HTTP

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.tls = tls
        self.server: asyncio.Server | None = None
        self.tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> PeerAddress:
        self.server = await asyncio.start_server(self.serve, HOST, 0, ssl=self.tls)
        return PeerAddress(HOST, self.server.sockets[0].getsockname()[1], self.scheme)

    async def __aexit__(self, *_: object) -> None:
        assert self.server is not None
        self.server.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            await self.handle(reader, writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            pass  # however it ends, it ends
        finally:
            writer.transport.abort()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise NotImplementedError


async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, place: tuple[str, int]) -> None:
    """Pass bytes on in both directions, until one side ends."""
    there, behind = await asyncio.open_connection(*place)
    try:
        tasks = [asyncio.ensure_future(_pass(reader, behind)), asyncio.ensure_future(_pass(there, writer))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        behind.transport.abort()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK_BYTES):
        writer.write(data)
        await writer.drain()


class TlsEnd(Middleman):
    """Where TLS ends in front of a server."""

    scheme = Scheme.HTTPS

    def __init__(self, tls: ssl.SSLContext, port: int) -> None:
        super().__init__(tls)
        self.port = port

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await join(reader, writer, (HOST, self.port))


class ConnectProxy(Middleman):
    """Opens tunnels; or gives an answer, and hangs up."""

    def __init__(self, answer: bytes = b"") -> None:
        super().__init__()
        self.answer = answer
        self.asked: list[bytes] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, authority, _ = head.split(b"\r\n")[0].split(b" ")
        assert method == b"CONNECT"
        self.asked.append(authority)
        host, _, port = authority.decode().rpartition(":")
        if self.answer:
            writer.write(self.answer)
            writer.write_eof()
            await reader.read()
        else:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await join(reader, writer, (host, int(port)))


def certified(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's side of TLS on loopback, and the file with the authority that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority of a test")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    authority, both = folder / "authority.pem", folder / "server.pem"
    authority.write_bytes(certificate.public_bytes(Encoding.PEM))
    both.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + authority.read_bytes()
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(both)
    return tls, authority
