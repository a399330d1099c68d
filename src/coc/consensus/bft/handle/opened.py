"""A height begins: afresh after a decision, or from its records after a restart."""

from __future__ import annotations

from coc.consensus.bft.advance import advance
from coc.consensus.bft.certificates import LastCommit
from coc.consensus.bft.effects import Broadcast, Effect, SetTimer
from coc.consensus.bft.handle.proposal import take_proposal
from coc.consensus.bft.handle.vote import take_vote
from coc.consensus.bft.inputs import HeightOpened, Timer, TimerKind
from coc.consensus.bft.messages import Phase
from coc.consensus.bft.resend import speak, status_of
from coc.consensus.bft.restart import restore
from coc.consensus.bft.rounds import enter_round, propose_if_our_turn, propose_timer
from coc.consensus.bft.rules import Setup, due_ms
from coc.consensus.bft.state import Core, HeightState
from coc.primitives.limits_consensus import HEIGHT_ROUNDS_MAX
from coc.primitives.seals import Step
from coc.primitives.types import Millis
from coc.primitives.votes import Proposal, Signed


def first_height(setup: Setup, opening: HeightOpened, now_ms: Millis) -> HeightState:
    """The height that a machine is built with."""
    return HeightState.opened(opening.facts, due_ms(setup.rules, opening.facts, now_ms))


def on_started(core: Core, now_ms: Millis, opening: HeightOpened) -> list[Effect]:
    """Go on where the records end, or begin with the first round that can be signed in."""
    return [*_begin(core, now_ms, opening), *speak(core, now_ms)]


def on_opened(core: Core, now_ms: Millis, event: HeightOpened) -> list[Effect]:
    """The next height: carry over what outlives the one before."""
    core.is_watching = core.is_watching and not _was_decided_without_us(core, event)
    core.has_diverged = False  # whoever opens a height has the certified root of the one before
    core.last = _last_commit(core.height, event)
    # Catching up may pass over heights, and what was kept for one of them says nothing about this one.
    kept = [message for waiting in core.early.values() for _, message in waiting]
    early = [message for message in kept if message.height == event.facts.height]
    core.early = {}
    core.outbox.clear()
    core.height = first_height(core.setup, event, now_ms)
    effects = _begin(core, now_ms, event)
    for message in early:
        effects += _take_early(core, message)
    effects += advance(core, now_ms)
    if any(peer.status and peer.status.height > event.facts.height for peer in core.peers.values()):
        effects.append(Broadcast(status_of(core.height)))
    return effects


def _was_decided_without_us(core: Core, event: HeightOpened) -> bool:
    """Whether the height before was decided above the signer's mark by others alone (BFT-41).

    Then nothing that a lost record bound us to can matter any more: the others went on without our vote.
    """
    certificate, own, above = event.facts.parent_certificate, core.setup.own, core.setup.silent_above
    if certificate is None or own is None or above is None or certificate.height <= above:
        return False
    position = core.height.electorate.position(own)
    is_signer = position is not None and bool(certificate.bitmap >> position & 1)
    return certificate.height == core.height.facts.height and not is_signer


def _begin(core: Core, now_ms: Millis, opening: HeightOpened) -> list[Effect]:
    effects = restore(core, opening.records)
    if not core.height.intended:
        return [*effects, *enter_round(core, now_ms, _first_round(core)), *advance(core, now_ms)]
    return [*effects, *_timers_again(core, now_ms), *advance(core, now_ms)]


def _first_round(core: Core) -> int:
    """Round 0, or the one after the signer's mark where what it signed is lost, and that accepted (BFT-43).

    In the rounds up to there it would refuse. Where all have lost what they signed, nobody would ever come to
    the next round: its timers start with votes.
    """
    marked, height = core.setup.marked, core.height.facts.height
    if marked is None or core.is_silent or marked[0] != height:
        return 0
    return min(marked[1] + 1, HEIGHT_ROUNDS_MAX)


def _timers_again(core: Core, now_ms: Millis) -> list[Effect]:
    """The timers of the step that the records end in; those of L34 and L47 start by themselves."""
    if core.height.phase is Phase.PROPOSE:
        return [*propose_if_our_turn(core, now_ms), *propose_timer(core, now_ms)]
    rules, height = core.setup.rules, core.height
    kind, timeout = (
        (TimerKind.PREVOTE, rules.prevote)
        if height.phase is Phase.PREVOTE
        else (TimerKind.PRECOMMIT, rules.precommit)
    )
    step = Step.PREVOTE if height.phase is Phase.PREVOTE else Step.PRECOMMIT
    if not height.votes.has_quorum_of_any(height.round, step):
        return []
    return [
        SetTimer(Timer(kind, height.facts.height, height.round), Millis(now_ms + timeout.at(height.round)))
    ]


def _take_early(core: Core, message: Signed) -> list[Effect]:
    if isinstance(message, Proposal):
        return take_proposal(core, message)
    return take_vote(core, message)


def _last_commit(height: HeightState, event: HeightOpened) -> LastCommit | None:
    """The decision just made, with all its precommits, if the new height builds on it."""
    certificate = height.certificate
    if certificate is None or certificate.block != event.facts.parent:
        return None
    signatures = dict(zip(certificate.signers(), certificate.signatures, strict=True))
    last = LastCommit(certificate.height, certificate.round, certificate.block, height.electorate, signatures)
    for index, vote in height.votes.tally(certificate.round, Step.PRECOMMIT, certificate.block).votes.items():
        last.add(index, vote.signature)
    return last
