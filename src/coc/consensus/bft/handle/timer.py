"""Timers: those of the paper (L57, L61, L65), the one for a block that is due, and the re-send timer."""

from __future__ import annotations

from coc.consensus.bft import blocks
from coc.consensus.bft.advance import advance
from coc.consensus.bft.effects import Effect
from coc.consensus.bft.inputs import TimerFired, TimerKind
from coc.consensus.bft.messages import Phase
from coc.consensus.bft.resend import speak
from coc.consensus.bft.rounds import enter_round, propose_if_our_turn
from coc.consensus.bft.state import Core, Sight
from coc.consensus.bft.voting import precommit, prevote
from coc.primitives.types import Millis


def on_timer(core: Core, now_ms: Millis, event: TimerFired) -> list[Effect]:
    """Do what a timer is for, if its height and round are still ours."""
    timer, height = event.timer, core.height
    if timer.kind is TimerKind.RESEND:
        return _on_resend(core, now_ms)
    if (timer.height, timer.round) != (height.facts.height, height.round):
        return []
    match timer.kind, height.phase:
        case TimerKind.DUE, Phase.PROPOSE:
            return [*propose_if_our_turn(core, now_ms), *advance(core, now_ms)]
        case TimerKind.PROPOSE, Phase.PROPOSE:
            return _on_propose_timeout(core, now_ms)
        case TimerKind.PREVOTE, Phase.PREVOTE:
            return [*precommit(core, None), *advance(core, now_ms)]
        case TimerKind.PRECOMMIT, phase if phase is not Phase.DECIDED:
            return [*enter_round(core, now_ms, height.round + 1), *advance(core, now_ms)]
        case _:
            return []


def _on_propose_timeout(core: Core, now_ms: Millis) -> list[Effect]:
    """Prevote nil (L57), unless the proposal is complete and only its execution is awaited (BFT-14)."""
    proposal = core.height.proposals.get(core.height.round)
    if proposal is not None and blocks.is_complete(core.height, proposal):
        return []
    return [*prevote(core, None), *advance(core, now_ms)]


def _on_resend(core: Core, now_ms: Millis) -> list[Effect]:
    """Say where we stand; try again what failed: writing the log, fetching blocks (BFT-30)."""
    sought = [block for block, sight in core.height.sights.items() if sight is Sight.SOUGHT]
    fetches = [blocks.fetch(core, block) for block in sought]
    return [*core.outbox.retry(), *fetches, *speak(core, now_ms)]
