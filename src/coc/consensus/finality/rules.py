"""What genesis fixes about a chain's sets: the first one, how long each holds, how long stakes are locked."""

from __future__ import annotations

from coc.primitives.frozen import frozen
from coc.primitives.types import Hash32, Height
from coc.primitives.validators import ValidatorSet


@frozen
class Registry:
    """The rules of a set that changes: blocks of a set period (SET-5), seconds of unbonding (SET-12)."""

    period_blocks: int
    unbonding_s: int

    @property
    def trust_s(self) -> int:
        """How old a checkpoint may be: two thirds of the unbonding seconds (FIN-11)."""
        return 2 * self.unbonding_s // 3


@frozen
class ChainRules:
    """The rules of one chain, all of them covered by `genesis_hash`.

    `registry` is None where the validators of genesis stay for ever. `clock_tolerance_s` is how far a new
    block's time may lie ahead of a validator's clock.
    """

    genesis_hash: Hash32
    validators: ValidatorSet
    clock_tolerance_s: int
    registry: Registry | None = None

    def holds_until(self, height: Height) -> Height | None:
        """The last height of the set of this one, the end of its period; None if there is no end."""
        if self.registry is None:
            return None
        blocks = self.registry.period_blocks
        return Height((height // blocks + 1) * blocks - 1)

    def boundaries(self, first: Height, target: Height) -> range:
        """The heights of the links of a proof: ends of periods from `first` on, below `target`."""
        if self.registry is None:
            return range(0)
        blocks = self.registry.period_blocks
        return range((first // blocks + 1) * blocks - 1, target, blocks)
