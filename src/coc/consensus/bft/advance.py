"""The lines of the paper that wait for a condition, tried until none applies (arXiv 1807.04938, algorithm 1).

Each function below is one `upon` of the paper and returns the effects, or None where its condition does not
hold. A line that applied has changed the state, so that it does not apply again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from coc.consensus.bft import blocks, deciding, locking
from coc.consensus.bft.effects import Effect, SetTimer
from coc.consensus.bft.inputs import Timer, TimerKind
from coc.consensus.bft.messages import Phase
from coc.consensus.bft.rounds import enter_round
from coc.consensus.bft.rules import Lock
from coc.consensus.bft.state import Core, Sight
from coc.consensus.bft.voting import precommit, prevote
from coc.primitives.seals import Step
from coc.primitives.types import Millis

Line: TypeAlias = Callable[[Core, Millis], list[Effect] | None]


def advance(core: Core, now_ms: Millis) -> list[Effect]:
    """Apply every line whose condition holds, until none does."""
    effects: list[Effect] = []
    applied = True
    while applied and core.height.phase is not Phase.DECIDED:
        applied = False
        for line in LINES:
            outcome = line(core, now_ms)
            if outcome is not None:
                effects += outcome
                applied = True
                break
    core.height.is_settled, core.height.votes.has_tipped = True, False
    return effects


def advance_after_vote(core: Core, now_ms: Millis) -> list[Effect]:
    """As `advance`; a vote that has tipped no scale changes no line's condition, and most do not."""
    height = core.height
    if height.is_settled and not height.votes.has_tipped:
        return []
    return advance(core, now_ms)


def line_22_and_28(core: Core, now_ms: Millis) -> list[Effect] | None:
    """A complete proposal of this round, executed: prevote it or nil (BFT-6, BFT-7)."""
    height = core.height
    if height.phase is not Phase.PROPOSE:
        return None
    proposal = height.proposals.get(height.round)
    if proposal is None:
        return None
    if not locking.has_proof_of_lock(height.votes, proposal):
        return None
    sight = height.sights.get(proposal.block)
    if sight not in (Sight.VALID, Sight.INVALID):
        return None
    accepted = blocks.is_sound(core, proposal, now_ms) and locking.may_prevote(height.locked, proposal)
    return prevote(core, proposal.block if accepted else None)


def line_34(core: Core, now_ms: Millis) -> list[Effect] | None:
    """A quorum of prevotes for anything: wait a while for one value (BFT-9)."""
    height = core.height
    if height.phase is not Phase.PREVOTE or not height.votes.has_quorum_of_any(height.round, Step.PREVOTE):
        return None
    if not height.once("L34", height.round):
        return None
    return [_timer(core, TimerKind.PREVOTE, now_ms + core.setup.rules.prevote.at(height.round))]


def line_36(core: Core, _now_ms: Millis) -> list[Effect] | None:
    """A quorum of prevotes for a valid block: lock it, precommit it, remember it as valid (BFT-8)."""
    height = core.height
    if height.phase not in (Phase.PREVOTE, Phase.PRECOMMIT):
        return None
    block = height.votes.block_with_quorum(height.round, Step.PREVOTE)
    if block is None or height.sights.get(block) is not Sight.VALID:
        return None
    if not height.once("L36", height.round):
        return None
    height.valid = Lock(height.round, block)
    if height.phase is Phase.PRECOMMIT:
        return []
    height.locked = locking.locked_on(height.round, block)
    return precommit(core, block)


def earlier_proof_of_lock(core: Core, _now_ms: Millis) -> list[Effect] | None:
    """A quorum of prevotes of an earlier round, heard too late for its lock: the valid value (BFT-44).

    Not a line of the paper, where one who is locked alone holds the others up until its own turn to propose.
    """
    height = core.height
    known = -1 if height.valid is None else height.valid.round
    for round_ in range(height.round - 1, max(known, height.votes.floor - 1), -1):
        block = height.votes.block_with_quorum(round_, Step.PREVOTE)
        if block is not None and height.sights.get(block) is Sight.VALID:
            height.valid = Lock(round_, block)
            return []
    return None


def line_44(core: Core, _now_ms: Millis) -> list[Effect] | None:
    """A quorum of prevotes for nil: precommit nil (BFT-9)."""
    height = core.height
    if height.phase is Phase.PREVOTE and height.votes.has_quorum(height.round, Step.PREVOTE, None):
        return precommit(core, None)
    return None


def line_47(core: Core, now_ms: Millis) -> list[Effect] | None:
    """A quorum of precommits for anything: wait a while for one value (BFT-10)."""
    height = core.height
    if not height.votes.has_quorum_of_any(height.round, Step.PRECOMMIT):
        return None
    if not height.once("L47", height.round):
        return None
    return [_timer(core, TimerKind.PRECOMMIT, now_ms + core.setup.rules.precommit.at(height.round))]


def line_55(core: Core, now_ms: Millis) -> list[Effect] | None:
    """More than a third is in a later round: join it (BFT-16)."""
    target = core.height.votes.skip_target(core.height.round)
    return None if target is None else enter_round(core, now_ms, target)


def _timer(core: Core, kind: TimerKind, at_ms: int) -> SetTimer:
    return SetTimer(Timer(kind, core.height.facts.height, core.height.round), Millis(at_ms))


LINES: Final[tuple[Line, ...]] = (
    deciding.line_49,
    blocks.seek,
    line_55,
    line_22_and_28,
    line_36,
    earlier_proof_of_lock,
    line_44,
    line_34,
    line_47,
)
"""In this order: what ends the height first, then what ends the round, then its steps."""
