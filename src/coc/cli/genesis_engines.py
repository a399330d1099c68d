"""Which choices of `coc genesis new` mean something to which engine."""

from __future__ import annotations

from typing import Final

import rich_click as click
from click import get_current_context
from click.core import ParameterSource

_ONLY: Final = {
    "rotation": ("final_depth",),
    "bft": (
        *("propose_ms", "vote_ms", "delta_ms", "cap_ms", "resend_ms", "clock_tolerance", "period_blocks"),
        *("stake", "stake_min", "power_unit", "slash", "unbonding_blocks", "unbonding_seconds"),
        "validators_max",
    ),
}


def refuse_choices_of_others(engine: str) -> None:
    """Refuse what was typed and means nothing to the engine.

    Raises:
        UsageError: which option it is.
    """
    context = get_current_context()
    for other, names in _ONLY.items():
        for name in names:
            if other != engine and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
                option = f"--{name.replace('_', '-')}"
                raise click.UsageError(f"{option} means nothing to the engine {engine}; leave it out")
