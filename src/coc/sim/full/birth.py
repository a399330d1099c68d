"""What a simulated node is made of, and what all nodes of a process may share: who made which signature."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from coc._native import Chain
from coc.consensus.bft.rules import BftRules
from coc.node.validator.ports import SetReader
from coc.primitives.frozen import frozen
from coc.primitives.secp256k1 import Secret, recover_address
from coc.primitives.types import PeerId

SIGNERS_REMEMBERED = 4_096
"""Signatures whose maker is remembered: those of a run with thirty heights and a dozen validators."""

recover = lru_cache(maxsize=SIGNERS_REMEMBERED)(recover_address)
"""All nodes of a run verify the same signatures, so what one has found is remembered for the others."""


@frozen
class Birth:
    """What a simulated node is made of."""

    position: int
    peer: PeerId
    secret: Secret
    genesis: bytes
    rules: BftRules
    sets: Callable[[Chain], SetReader]
    gas_limit_target: int
