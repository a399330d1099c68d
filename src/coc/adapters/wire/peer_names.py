"""Peers as people write them: `[ID@]HOST:PORT`, with a scheme before it or none, or `enode://KEY@HOST:PORT`."""

from __future__ import annotations

from typing import ClassVar, Final

from coc.primitives.errors import AdapterError
from coc.primitives.types import PeerId
from coc.wire.addresses import PORT_MAX, PeerAddress, Scheme, canonical_host, packed
from coc.wire.identity import peer_id_of
from coc.wire.peer_book.rules import PersistentPeer

ENODE: Final = "enode://"
ID_BYTES: Final = 32
KEY_BYTES: Final = 64


class PeerNameInvalid(AdapterError):
    """A text that names no peer."""

    id: ClassVar[str] = "COC-PEER"


def read_peer(text: str) -> PersistentPeer:
    """Read where a peer is, and who it must be if that is said.

    Raises:
        PeerNameInvalid: it has another form.
    """
    scheme, place = _scheme_of(text)
    identity, has_identity, place = place.rpartition("@")
    address = PeerAddress(*host_and_port(place.rstrip("/")), scheme)
    if not has_identity:
        return PersistentPeer(address)
    if text.startswith(ENODE):
        return PersistentPeer(address, peer_id_of(_bytes_of(identity, KEY_BYTES, text)))
    return PersistentPeer(address, PeerId(_bytes_of(identity, ID_BYTES, text)))


def read_proxy(text: str) -> tuple[str, int]:
    """Read the URL of a forward proxy.

    Raises:
        PeerNameInvalid: it has another form, or is reached over TLS.
    """
    scheme, place = _scheme_of(text)
    if scheme is not Scheme.HTTP or "@" in place:
        raise PeerNameInvalid(
            f"{text!r} is no forward proxy that can be used",
            why="it is asked over plain HTTP, and without a password",
            cure="write http://HOST:PORT, as http://10.0.0.1:3128",
        )
    return host_and_port(place.rstrip("/"))


def read_identity(text: str) -> PeerId | None:
    """Read an id alone, or the id in whatever names a peer; None where no id is in it.

    Raises:
        PeerNameInvalid: it names no peer at all.
    """
    if len(text.removeprefix("0x")) == 2 * ID_BYTES and "@" not in text and ":" not in text:
        return PeerId(_bytes_of(text, ID_BYTES, text))
    return read_peer(text).peer


def read_ip(text: str) -> str | None:
    """An IP address in its one spelling; None where the text is none."""
    host = text.strip("[]")
    return None if packed(host) is None else canonical_host(host)


def host_and_port(text: str) -> tuple[str, int]:
    """Read HOST:PORT, where the port may be 0.

    Raises:
        PeerNameInvalid: it has another form.
    """
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdecimal()) or int(port) > PORT_MAX:
        raise PeerNameInvalid(f"{text!r} is no address", cure="write HOST:PORT, as 127.0.0.1:30303")
    return host.strip("[]"), int(port)


def _scheme_of(text: str) -> tuple[Scheme, str]:
    for scheme in (Scheme.HTTP, Scheme.HTTPS):
        if text.startswith(f"{scheme}://"):
            return scheme, text.removeprefix(f"{scheme}://")
    return Scheme.TCP, text.removeprefix(ENODE)


def _bytes_of(identity: str, size: int, text: str) -> bytes:
    try:
        raw = bytes.fromhex(identity.removeprefix("0x"))
    except ValueError:
        raw = b""
    if len(raw) != size:
        raise PeerNameInvalid(
            f"{text!r} names no peer",
            cure=f"write ID@HOST:PORT; an id has {2 * ID_BYTES} hex digits, an enode's key {2 * KEY_BYTES}",
        )
    return raw
