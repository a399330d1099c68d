"""Catching up: what peers say of their heights, the blocks they send, and what came of adopting them."""

from __future__ import annotations

from typing import assert_never

from coc.consensus.bft import inputs as bft
from coc.consensus.sync import block_sync as sync
from coc.consensus.sync.messages import encode_range
from coc.node.validator.core import Core
from coc.node.validator.effects import AdoptBlocks, Alarm, Effect, Misbehaved, Send, SetSyncTimer
from coc.node.validator.inputs import BlocksAdopted
from coc.primitives.types import Millis
from coc.wire import kinds

SYNC = "catching up"
"""The part that an alarm names."""


def sync_step(core: Core, now_ms: Millis, event: sync.Input) -> list[Effect]:
    """Hand an input to the machine that catches up, and its effects on."""
    effects: list[Effect] = []
    for effect in core.sync.step(now_ms, event):
        match effect:
            case sync.Ask():
                effects.append(Send(effect.peer, kinds.GET_BLOCKS.number, encode_range(effect.wish)))
            case sync.Adopt():
                effects.append(AdoptBlocks(effect.peer, effect.blocks))
            case sync.SetTimer():
                effects.append(SetSyncTimer(effect.at_ms))
            case sync.Misbehaved():
                effects.append(Misbehaved(effect.peer, effect.reason))
            case _:
                assert_never(effect)
    return effects


def after_adopting(core: Core, now_ms: Millis, event: BlocksAdopted) -> list[Effect]:
    """Go on from where the chain now is; it has been told of the blocks that were adopted."""
    effects: list[Effect] = []
    if event.failed:
        effects.append(Alarm(SYNC, f"decided blocks cannot be written: {event.failed}"))
        effects += sync_step(core, now_ms, sync.Stuck())
    elif event.differs:
        effects.append(Alarm(SYNC, event.differs))
        core.engine.step(now_ms, bft.Diverged())  # it asks for nothing; from now on it signs nothing
        effects += sync_step(core, now_ms, sync.Stuck())
    elif event.is_ahead:
        effects += sync_step(core, now_ms, sync.Stuck())
    elif event.refused:
        effects += sync_step(core, now_ms, sync.Refused(event.peer, event.refused))
    else:
        effects.append(Alarm(SYNC, ""))
    return [*effects, *sync_step(core, now_ms, sync.Adopted(core.facts.height))]
