"""From what was typed to how a node meets its peers."""

from __future__ import annotations

from pathlib import Path

from coc.adapters.node_keys import CONSENSUS_KEY, KEYS_FOLDER, network_key
from coc.adapters.validator.service import NetworkChoices
from coc.cli.validator_key import KeySources, read_key
from coc.execution.genesis import CocRules
from coc.primitives.errors import CliError
from coc.primitives.types import PeerId
from coc.wire.addresses import PeerAddress
from coc.wire.peer_book.rules import PersistentPeer


def network_choices(
    data: Path, rules: CocRules, sources: KeySources, listen: str, peers: tuple[str, ...]
) -> NetworkChoices:
    """How the node of a data folder meets its peers, and whose votes it casts.

    Raises:
        CliError: an address cannot be read, or the key cannot.
        NodeKeyUnfit: the folder's identity cannot be used.
    """
    del rules  # whoever has a consensus key may join later: the set is chain state
    host, port = _host_and_port(listen)
    path = sources.key_file or data / KEYS_FOLDER / CONSENSUS_KEY
    consensus = read_key(path, sources.password_file) if sources.key_file or path.is_file() else None
    known = tuple(_peer(text) for text in peers)
    return NetworkChoices(host, port, network_key(data), known, consensus)


def _peer(text: str) -> PersistentPeer:
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
