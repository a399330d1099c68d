"""From what was typed to how a node meets its peers."""

from __future__ import annotations

from pathlib import Path

from coc.adapters.node_keys import CONSENSUS_KEY, KEYS_FOLDER, network_key
from coc.adapters.validator.service import NetworkChoices
from coc.cli.validator_key import KeySources, read_key
from coc.cli.wire_options import WireOptions
from coc.primitives.errors import CliError
from coc.primitives.types import PeerId
from coc.wire.addresses import PeerAddress, Scheme, is_usable, packed
from coc.wire.peer_book.rules import PersistentPeer


def network_choices(data: Path, sources: KeySources, wire: WireOptions) -> NetworkChoices:
    """How the node of a data folder meets its peers, and whose votes it casts.

    Whoever has a consensus key may be a validator, now or later: the set is chain state.

    Raises:
        CliError: an address cannot be read, or the key cannot.
        NodeKeyUnfit: the folder's identity cannot be used.
    """
    host, port = _host_and_port(wire.listen)
    path = sources.key_file or data / KEYS_FOLDER / CONSENSUS_KEY
    has_key = wire.signer is None and (sources.key_file is not None or path.is_file())
    consensus = read_key(path, sources.password_file) if has_key else None
    known = tuple(read_peer(text) for text in wire.peers)
    return NetworkChoices(
        host,
        port,
        network_key(data),
        known,
        consensus,
        wire.signer,
        http=None if wire.http_gossip is None else _host_and_port(wire.http_gossip),
        advertised=None if wire.advertise is None else _advertised(wire.advertise),
    )


def read_peer(text: str) -> PersistentPeer:
    """Read [ID@]HOST:PORT, with http:// or https:// before it where the peer is reached over HTTP.

    Raises:
        CliError: it has another form.
    """
    scheme, place = _scheme_of(text)
    identity, has_identity, place = place.rpartition("@")
    address = PeerAddress(*_host_and_port(place.rstrip("/")), scheme)
    if not has_identity:
        return PersistentPeer(address)
    try:
        raw = bytes.fromhex(identity.removeprefix("0x"))
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise CliError(f"{text!r} names no peer", cure="write ID@HOST:PORT; the id has 64 hex digits")
    return PersistentPeer(address, PeerId(raw))


def _scheme_of(text: str) -> tuple[Scheme, str]:
    for scheme in (Scheme.HTTP, Scheme.HTTPS):
        if text.startswith(f"{scheme}://"):
            return scheme, text.removeprefix(f"{scheme}://")
    return Scheme.TCP, text


def _advertised(text: str) -> tuple[str, int]:
    host, port = _host_and_port(text)
    if packed(host) is None or not is_usable(host) or not port:
        raise CliError(
            f"{text!r} is no address that others can use",
            why="nodes tell each other IP addresses and ports, no names",
            cure="write IP:PORT, as 203.0.113.7:30303",
        )
    return host, port


def _host_and_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise CliError(f"{text!r} is no address", cure="write HOST:PORT, as 127.0.0.1:30303")
    return host.strip("[]"), int(port)
