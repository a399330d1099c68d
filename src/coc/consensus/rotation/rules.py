"""What genesis fixes about a rotation chain of several validators, and what the machine knows of a block."""

from __future__ import annotations

from typing import Protocol

from coc.consensus.bft.wal import Record
from coc.consensus.rotation.slots import RotationRules
from coc.primitives.frozen import frozen
from coc.primitives.limits_rotation import FINAL_DEPTH_BLOCKS_DEFAULT
from coc.primitives.seals import Seal
from coc.primitives.types import Address, Hash32, Height, Signature


class Verifier(Protocol):
    """Finds out who signed."""

    def __call__(self, digest: Hash32, signature: Signature) -> Address:
        """The address of the key that made the signature.

        Raises:
            SignatureInvalid: no key made it.
        """


@frozen
class NetworkRules:
    """The parameters of a chain: slots, blocks above a final one, milliseconds between two statuses."""

    slots: RotationRules
    final_depth: int = FINAL_DEPTH_BLOCKS_DEFAULT
    resend_ms: int = 500

    @property
    def quorum(self) -> int:
        """How many signers are more than two thirds of the set."""
        return 2 * len(self.slots.validators.validators) // 3 + 1


@frozen
class BlockFacts:
    """What a block's bytes say, read and not yet believed; `parent_seal` is None for block 1 only."""

    hash: Hash32
    parent: Hash32
    height: Height
    slot: int
    parent_seal: Seal | None


@frozen
class SealedFacts:
    """A block with its seal."""

    facts: BlockFacts
    seal: Seal


@frozen
class FinalBlock:
    """The newest block that is never taken back; the genesis block's slot is its own like any other's."""

    hash: Hash32
    height: Height
    slot: int
    seal: Seal | None = None


@frozen
class Opening:
    """Where a machine begins: the final block, the chain above it, and what an earlier life wrote.

    `kept` are the blocks whose bytes the write-ahead log holds.
    """

    final: FinalBlock
    chain: tuple[SealedFacts, ...] = ()
    records: tuple[Record, ...] = ()
    kept: tuple[BlockFacts, ...] = ()


@frozen
class Setup:
    """What a machine is built with; `own` is None for a node that is no validator.

    `silent_until_slot` is the last slot in which nothing may be signed because the write-ahead log is lost
    (ROT-11), or -1.
    """

    rules: NetworkRules
    own: Address | None
    verify: Verifier
    silent_until_slot: int = -1
