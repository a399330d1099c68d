"""From what was typed to how a node meets its peers."""

from __future__ import annotations

from pathlib import Path

from coc.adapters.node_keys import CONSENSUS_KEY, KEYS_FOLDER, network_key
from coc.adapters.validator.service import NetworkChoices
from coc.cli.validator_key import KeySources, read_key
from coc.cli.wire_options import WireOptions
from coc.primitives.errors import CliError
from coc.primitives.types import PeerId
from coc.wire.addresses import PeerAddress
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
    return NetworkChoices(host, port, network_key(data), known, consensus, wire.signer)


def read_peer(text: str) -> PersistentPeer:
    """Read [ID@]HOST:PORT.

    Raises:
        CliError: it has another form.
    """
    identity, has_identity, place = text.rpartition("@")
    host, port = _host_and_port(place)
    if not has_identity:
        return PersistentPeer(PeerAddress(host, port))
    try:
        raw = bytes.fromhex(identity.removeprefix("0x"))
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise CliError(f"{text!r} names no peer", cure="write ID@HOST:PORT; the id has 64 hex digits")
    return PersistentPeer(PeerAddress(host, port), PeerId(raw))


def _host_and_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise CliError(f"{text!r} is no address", cure="write HOST:PORT, as 127.0.0.1:30303")
    return host.strip("[]"), int(port)
