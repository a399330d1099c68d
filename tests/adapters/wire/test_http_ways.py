"""Nodes that meet over HTTP where something stands between them: an end of TLS, a forward proxy, or both."""

from __future__ import annotations

import ssl
from pathlib import Path as File

import pytest

from coc.adapters.http_gossip.poster import Poster
from coc.primitives.limits_http_gossip import HTTP_GOSSIP_ANSWER_MS_MAX
from coc.primitives.limits_rpc import HTTP_HEAD_BYTES_MAX
from coc.wire.addresses import PeerAddress, Scheme
from coc.wire.http_gossip.envelope import Path
from coc.wire.kinds import BLOCK, CONSENSUS
from coc.wire.peer_book.rules import PersistentPeer
from tests.adapters.http_gossip.middlemen import ConnectProxy, TlsEnd, certified
from tests.adapters.wire.stage import HOST, Node, Stage, played

BLOCK_BYTES = 1_000_000
SECONDS_MAX = HTTP_GOSSIP_ANSWER_MS_MAX / 1_000


async def talk(stage: Stage, anna: Node, address: PeerAddress, proxy: PeerAddress | None = None) -> None:
    """Somebody dials Anna at an address, and both can say something short and something long."""
    way = None if proxy is None else (proxy.host, proxy.port)
    bert = await stage.node(2, PersistentPeer(address, anna.peer), http_proxy=way)
    await anna.notes.until(lambda: anna.is_up(bert))
    await bert.notes.until(lambda: bert.is_up(anna))
    for one, other in ((anna, bert), (bert, anna)):
        assert one.network.send(other.peer, BLOCK, bytes(BLOCK_BYTES))
        assert one.network.send(other.peer, CONSENSUS, b"vote")
        await other.notes.until(lambda other=other: len(other.notes.messages) == 2)  # type: ignore[misc]  # bound at once
        assert set(other.notes.messages) == {
            (one.peer, "BLOCK", bytes(BLOCK_BYTES)),
            (one.peer, "CONSENSUS", b"vote"),
        }
    await bert.network.close()


def test_two_nodes_meet_through_an_end_of_tls_whose_authority_is_known(
    tmp_path: File, monkeypatch: pytest.MonkeyPatch
) -> None:  # HTTP-1, HTTP-13
    tls, authority = certified(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))

    async def use(stage: Stage) -> None:
        anna = await stage.node(1, http=(HOST, 0))
        async with TlsEnd(tls, anna.network.http_port) as address:
            assert address.scheme is Scheme.HTTPS
            await talk(stage, anna, address)

    played(use)


def test_nothing_is_said_to_an_end_of_tls_that_nobody_vouches_for(tmp_path: File) -> None:  # HTTP-13
    tls, _ = certified(tmp_path)

    async def use(stage: Stage) -> None:
        anna = await stage.node(1, http=(HOST, 0))
        async with TlsEnd(tls, anna.network.http_port) as address, ConnectProxy() as proxy:
            for way in (None, (proxy.host, proxy.port)):
                with pytest.raises(ssl.SSLCertVerificationError):
                    await Poster(address, way).post(Path.OPEN, b"", SECONDS_MAX)

    played(use)


@pytest.mark.parametrize("is_tls", [False, True], ids=["http", "https"])
def test_two_nodes_meet_through_a_forward_proxy(
    tmp_path: File, monkeypatch: pytest.MonkeyPatch, *, is_tls: bool
) -> None:  # HTTP-13
    tls, authority = certified(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))

    async def use(stage: Stage) -> None:
        anna = await stage.node(1, http=(HOST, 0))
        plain = PeerAddress(HOST, anna.network.http_port, Scheme.HTTP)
        async with TlsEnd(tls, anna.network.http_port) as behind_tls:
            address, proxy = behind_tls if is_tls else plain, ConnectProxy()
            async with proxy as way:
                await talk(stage, anna, address, way)
                assert set(proxy.asked) == {address.authority.encode()}

    played(use)


def test_a_peer_behind_a_proxy_is_known_by_what_was_dialled() -> None:  # HTTP-13, WIRE-29
    async def use(stage: Stage) -> None:
        anna = await stage.node(1, http=(HOST, 0))
        address = PeerAddress("localhost", anna.network.http_port, Scheme.HTTP)
        async with ConnectProxy() as proxy:
            poster = Poster(address, (proxy.host, proxy.port))
            with pytest.raises(OSError, match="status 400"):
                await poster.post(Path.OPEN, b"", SECONDS_MAX)
            assert poster.peername == ("localhost", address.port)
            poster.close()

    played(use)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "no tunnel: HTTP/1.1 407 Proxy Auth"),
        (b"HTTP/1.1 yes\r\n\r\n", "not HTTP"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 " + b"x" * HTTP_HEAD_BYTES_MAX + b"\r\n\r\n", "no end"),
    ],
    ids=["a password is wanted", "no status", "no HTTP", "too long"],
)
def test_a_proxy_that_opens_no_tunnel_is_a_network_that_does_not_work(
    answer: bytes, told: str
) -> None:  # HTTP-13
    async def use(_: Stage) -> None:
        async with ConnectProxy(answer) as proxy:
            address = PeerAddress(HOST, proxy.port, Scheme.HTTP)
            with pytest.raises(OSError, match=told):
                await Poster(address, (proxy.host, proxy.port)).post(Path.OPEN, b"", SECONDS_MAX)

    played(use)
