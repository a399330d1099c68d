"""What a genesis fixes about its ValidatorRegistry, for ever (SET-23)."""

from __future__ import annotations

from typing import Final

from coc.primitives.frozen import frozen
from coc.primitives.limits import GENESIS_VALIDATORS_MAX
from coc.primitives.strict_json import Json
from coc.primitives.types import Wei
from coc.primitives.units import ETHER

_STAKE_MIN: Final = Wei(32 * ETHER)
_POWER_UNIT: Final = Wei(ETHER)
_SLASH: Final = Wei(16 * ETHER)

PERIOD_BLOCKS_MIN: Final = 2
"""With one block a period, the set of a block would not be known two blocks before it (SET-5)."""


@frozen
class RegistryParameters:
    """The registry's parameters; the values given here are those of a new chain that says nothing else."""

    period_blocks: int = 100
    stake_min_wei: Wei = _STAKE_MIN
    power_unit_wei: Wei = _POWER_UNIT
    slash_wei: Wei = _SLASH
    """Half of the least stake: two offences at different heights cost all of it."""
    unbonding_blocks: int = 10_000
    """Guards where the clock runs and blocks do not: evidence needs blocks to get into."""
    unbonding_s: int = 14 * 24 * 3600
    """A light client may stay away for two thirds of it."""
    validators_max: int = GENESIS_VALIDATORS_MAX

    def json(self) -> dict[str, Json]:
        """The section as a genesis file has it; amounts of wei outgrow what other JSON readers count in."""
        return {
            "periodBlocks": self.period_blocks,
            "stakeMinWei": hex(self.stake_min_wei),
            "powerUnitWei": hex(self.power_unit_wei),
            "slashWei": hex(self.slash_wei),
            "unbondingBlocks": self.unbonding_blocks,
            "unbondingSeconds": self.unbonding_s,
            "validatorsMax": self.validators_max,
        }
