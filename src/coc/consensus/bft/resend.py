"""Statuses, and what a peer lacks by its status: how a height ends on a network that loses messages (BFT-30).

Everybody keeps saying where it stands and which votes it holds; whoever holds more sends the difference. A
peer is answered at most once in half a re-send time, and each answer is bounded.
"""

from __future__ import annotations

from coc.consensus.bft.effects import Broadcast, CatchUp, Effect, SendStoredCertificate, SendTo, SetTimer
from coc.consensus.bft.inputs import PeerId, Timer, TimerKind
from coc.consensus.bft.messages import Message, Phase, Status, VoteBitmap
from coc.consensus.bft.state import Core, HeightState
from coc.primitives.limits_consensus import (
    ANSWER_VOTES_MAX,
    STATUS_BITMAPS_MAX,
    STATUS_BLOCKS_MAX,
    STATUS_ROUNDS_MAX,
)
from coc.primitives.types import Height, Millis
from coc.primitives.votes import CommitCertificate, Vote


def status_of(height: HeightState) -> Status:
    """Where we stand and what we hold."""
    rounds = _described_rounds(height)
    votes = [
        VoteBitmap(round_, step, block, tally.voters)
        for round_, step, block, tally in height.votes.bitmaps()
        if round_ in rounds
    ]
    proposals = tuple(round_ for round_ in rounds if round_ in height.proposals)
    named = {height.proposals[round_].block for round_ in proposals}
    if height.certificate is not None:
        named.add(height.certificate.block)
    named &= set(height.kept) | {block for block, sight in height.sights.items() if sight.is_here}
    return Status(
        height.facts.height,
        height.round,
        height.phase,
        proposals,
        tuple(sorted(named)[:STATUS_BLOCKS_MAX]),
        tuple(votes[-STATUS_BITMAPS_MAX:]),
    )


def speak(core: Core, now_ms: Millis) -> list[Effect]:
    """Say where we stand, and when we shall say so again."""
    timer = Timer(TimerKind.RESEND, Height(0), 0)
    next_one = SetTimer(timer, Millis(now_ms + core.setup.rules.resend_ms))
    if _is_quiet(core, now_ms):
        return [next_one]
    return [Broadcast(status_of(core.height)), next_one]


def answer(core: Core, now_ms: Millis, identity: PeerId, status: Status) -> list[Effect]:
    """Send a peer what it lacks, unless it was answered a moment ago."""
    peer = core.peers[identity]
    if now_ms - peer.answered_ms < core.setup.rules.resend_ms // 2:
        return []
    effects = lacking(core, identity, status)
    if effects:
        peer.answered_ms = now_ms
    return effects


def lacking(core: Core, identity: PeerId, status: Status) -> list[Effect]:
    """What we hold and a peer does not."""
    height = core.height
    if status.height > height.facts.height:
        return [CatchUp(identity, status.height)]
    if status.height < height.facts.height:
        if status.phase is Phase.DECIDED:
            return []
        return [_older_certificate(core, identity, status.height)]
    if status.phase is Phase.DECIDED:
        return []
    if height.certificate is not None:
        return [SendTo(identity, height.certificate)]
    proposals = [
        height.proposals[round_]
        for round_ in dict.fromkeys((status.round, height.round))
        if round_ in height.proposals and round_ >= status.round and round_ not in status.proposals
    ]
    answers: list[Message] = [*proposals, *lacking_votes(height, status)]
    return [SendTo(identity, message) for message in answers]


def lacking_votes(height: HeightState, status: Status) -> list[Vote]:
    """The votes of the rounds that may help, less those the peer holds."""
    held = {(entry.round, entry.step, entry.block): entry.voters for entry in status.votes}
    rounds = {*_described_rounds(height), status.round}
    votes: list[Vote] = []
    for round_, step, block, tally in height.votes.bitmaps():
        missing = tally.voters & ~held.get((round_, step, block), 0)
        if round_ in rounds and missing:
            votes += [vote for index, vote in tally.votes.items() if missing >> index & 1]
    votes.sort(key=lambda vote: -vote.round)
    return votes[:ANSWER_VOTES_MAX]


def _older_certificate(core: Core, identity: PeerId, height: Height) -> Effect:
    last = core.last
    if last is not None and last.height == height:
        certificate: CommitCertificate = last.certificate()
        return SendTo(identity, certificate)
    return SendStoredCertificate(identity, height)


def _described_rounds(height: HeightState) -> tuple[int, ...]:
    """The rounds worth speaking of: those of lock and valid value, and the newest."""
    rounds = {round_ for round_, _ in height.votes.steps} | set(height.proposals) | {height.round}
    fixed = {lock.round for lock in (height.locked, height.valid) if lock is not None} | {height.round}
    proposal = height.proposals.get(height.round)
    if proposal is not None and proposal.valid_round >= 0:
        fixed.add(proposal.valid_round)
    newest = sorted(rounds - fixed, reverse=True)[: STATUS_ROUNDS_MAX - len(fixed)]
    return tuple(sorted(fixed.union(newest)))


def _is_quiet(core: Core, now_ms: Millis) -> bool:
    """Whether the next block is not even due and nothing has been heard of this height (BFT-31)."""
    height = core.height
    if (
        now_ms >= height.due_ms
        or height.votes.steps
        or height.proposals
        or height.certificate
        or height.round
    ):
        return False
    statuses = (peer.status for peer in core.peers.values())
    return not any(status is not None and status.height > height.facts.height for status in statuses)
