"""The beginning of a round: who proposes what, and how long the others wait (L11 to L21)."""

from __future__ import annotations

from coc.consensus.bft.effects import Build, Effect, SetTimer
from coc.consensus.bft.inputs import Timer, TimerKind
from coc.consensus.bft.messages import Phase
from coc.consensus.bft.state import Core
from coc.consensus.bft.voting import propose
from coc.primitives.limits_consensus import HEIGHT_ROUNDS_MAX
from coc.primitives.seals import Step
from coc.primitives.types import Millis


def enter_round(core: Core, now_ms: Millis, round_: int) -> list[Effect]:
    """Start a round (L11): reset the step, start the propose timer, propose if it is our turn."""
    height = core.height
    if round_ > HEIGHT_ROUNDS_MAX:
        return []
    height.round, height.phase = round_, Phase.PROPOSE
    height.votes.forget_before(round_, height.valid.round if height.valid else None)
    height.proposals = {
        known: proposal for known, proposal in height.proposals.items() if known >= height.votes.floor
    }
    return [*propose_if_our_turn(core, now_ms), *propose_timer(core, now_ms)]


def propose_timer(core: Core, now_ms: Millis) -> list[Effect]:
    """Wait for the proposal; in round 0 from when the block is due (L21, BFT-13)."""
    height = core.height
    begins = max(now_ms, height.due_ms) if height.round == 0 else now_ms
    timer = Timer(TimerKind.PROPOSE, height.facts.height, height.round)
    return [SetTimer(timer, Millis(begins + core.setup.rules.propose.at(height.round)))]


def propose_if_our_turn(core: Core, now_ms: Millis) -> list[Effect]:
    """Propose the valid value, or ask for a new block when it is due (L14 to L19)."""
    height = core.height
    if core.own_position is None or core.is_silent or height.proposer(height.round) != core.setup.own:
        return []
    if (height.round, Step.PROPOSAL) in height.intended:
        return []
    if height.valid is not None:
        return propose(core, height.valid.block, height.valid.round)
    if height.round == 0 and now_ms < height.due_ms:
        return [SetTimer(Timer(TimerKind.DUE, height.facts.height, 0), height.due_ms)]
    if not height.once("build", height.round):
        return []
    certificate = core.last.certificate() if core.last is not None else height.facts.parent_certificate
    return [Build(height.facts.height, height.round, height.facts.parent, certificate)]
