"""What the machine is built with."""

from __future__ import annotations

from dataclasses import field

from coc.primitives.frozen import frozen
from coc.primitives.keccak import keccak256
from coc.primitives.limits_dht import BOOTSTRAPS_MAX
from coc.primitives.types import Hash32, PeerId
from coc.wire.dht.hosts import HostPolicy


@frozen
class Bootstrap:
    """An address to join by: a seed, or a peer of the last run; `peer` is None if its id is not known.

    The host may be a name here and nowhere else: whoever dials resolves it.
    """

    host: str
    port: int
    peer: PeerId | None = None


@frozen
class Setup:
    """Chain, identity, where to begin, and the randomness to use; only the first `BOOTSTRAPS_MAX` count."""

    genesis_hash: Hash32
    public_key: bytes
    randomness: bytes
    bootstraps: tuple[Bootstrap, ...] = ()
    hosts: HostPolicy = field(default_factory=HostPolicy)

    @property
    def own(self) -> PeerId:
        """This node's id (DHT-1)."""
        return peer_id_of(self.public_key)

    @property
    def dialled_first(self) -> tuple[Bootstrap, ...]:
        """The bootstraps that are used."""
        return self.bootstraps[:BOOTSTRAPS_MAX]


def peer_id_of(public_key: bytes) -> PeerId:
    """The id of a node: keccak-256 of its 64-byte network key."""
    return PeerId(keccak256(public_key))
