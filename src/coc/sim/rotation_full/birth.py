"""What a simulated node of a rotation chain is made of."""

from __future__ import annotations

from coc.consensus.rotation.rules import NetworkRules
from coc.primitives.frozen import frozen
from coc.primitives.secp256k1 import Secret
from coc.primitives.types import PeerId


@frozen
class Birth:
    """Its place, its names, and the chain that it is a node of."""

    position: int
    peer: PeerId
    secret: Secret
    genesis: bytes
    rules: NetworkRules
    gas_limit_target: int
