"""From what was typed to how a node meets its peers."""

from __future__ import annotations

from pathlib import Path

from coc.adapters.node_keys import CONSENSUS_KEY, KEYS_FOLDER, network_key
from coc.adapters.validator.service import NetworkChoices
from coc.adapters.wire.peer_names import host_and_port, read_peer, read_proxy
from coc.cli.validator_key import KeySources, read_key
from coc.cli.wire_options import WireOptions
from coc.primitives.errors import CliError
from coc.wire.addresses import is_usable, packed


def network_choices(data: Path, sources: KeySources, wire: WireOptions) -> NetworkChoices:
    """How the node of a data folder meets its peers, and whose votes it casts.

    Whoever has a consensus key may be a validator, now or later: the set is chain state.

    Raises:
        PeerNameInvalid: an address cannot be read.
        CliError: the key cannot, or what is to be advertised is no address for others.
        NodeKeyUnfit: the folder's identity cannot be used.
    """
    host, port = host_and_port(wire.listen)
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
        http=None if wire.http_gossip is None else host_and_port(wire.http_gossip),
        http_proxy=None if wire.http_proxy is None else read_proxy(wire.http_proxy),
        advertised=None if wire.advertise is None else _advertised(wire.advertise),
    )


def _advertised(text: str) -> tuple[str, int]:
    host, port = host_and_port(text)
    if packed(host) is None or not is_usable(host) or not port:
        raise CliError(
            f"{text!r} is no address that others can use",
            why="nodes tell each other IP addresses and ports, no names",
            cure="write IP:PORT, as 203.0.113.7:30303",
        )
    return host, port
