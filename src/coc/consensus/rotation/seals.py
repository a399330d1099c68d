"""A seal becomes known: whose it is, whether its time has come, what it excludes (ROT-14, ROT-15, ROT-18)."""

from __future__ import annotations

from collections.abc import Iterable

from coc.consensus.engine import Fetch, Misbehaved
from coc.consensus.rotation.effects import Broadcast, Effect, EvidenceFound, SetTimer
from coc.consensus.rotation.evidence import DoubleSeal, double_seal
from coc.consensus.rotation.inputs import EvidenceReceived, SealReceived, Timer, TimerKind
from coc.consensus.rotation.state import Core, Pending, Sight
from coc.primitives.frozen import frozen
from coc.primitives.limits_rotation import (
    HELD_SEALS_MAX,
    HELD_SLOTS_AHEAD_MAX,
    PENDING_BLOCKS_MAX,
    SLOT_BLOCKS_TAKEN_MAX,
)
from coc.primitives.seals import NO_VALID_ROUND
from coc.primitives.secp256k1 import SignatureInvalid
from coc.primitives.types import Hash32, Millis, PeerId
from coc.primitives.votes import Proposal

STRANGE_SEAL = "a seal that is not its slot's proposer's"
INVALID_BLOCK = "a block that is invalid"


@frozen
class Taken:
    """What came of a seal: the block on its way, if there is one; `is_strange`: nobody should bring it."""

    effects: list[Effect]
    pending: Pending | None = None
    is_strange: bool = False


def on_seal(core: Core, now_ms: Millis, event: SealReceived) -> list[Effect]:
    """A peer announced a block: its bytes are sought."""
    if event.seal.block in core.refused:
        return [Misbehaved(event.peer, INVALID_BLOCK)]
    taken = take_seal(core, now_ms, event.seal, (event.peer,))
    if taken.pending is None or taken.pending.sight is not Sight.SOUGHT:
        return taken.effects
    return [*taken.effects, Fetch(event.seal.block, tuple(taken.pending.sources))]


def take_seal(
    core: Core, now_ms: Millis, seal: Proposal, sources: Iterable[PeerId], *, is_needed: bool = False
) -> Taken:
    """Take a seal and set its block on its way; `is_needed`: a sealed block stands on it."""
    if seal.block in core.tree or seal.block in core.refused:
        return Taken([])
    known = core.pending.get(seal.block)
    if known is not None:
        known.told_by(sources)
        return Taken([], known)
    rivals = core.slots.get(seal.round, {})
    root = core.tree.root
    is_late = seal.height <= root.height or seal.round <= root.slot
    if is_late and (not rivals or seal.block in rivals):
        return Taken([])
    if not is_authentic(core, seal):
        return Taken([Misbehaved(peer, STRANGE_SEAL) for peer in sources], is_strange=True)
    others = [rival for rival in rivals.values() if rival.block != seal.block]
    is_third = len(others) >= SLOT_BLOCKS_TAKEN_MAX
    if not is_third:
        core.remember_seal(seal)
    effects = [each for rival in others for each in report(core, seal, rival)]
    if is_late or (is_third and not is_needed):
        return Taken(effects)
    return _sought(core, now_ms, seal, sources, effects)


def is_authentic(core: Core, seal: Proposal) -> bool:
    """Whether the proposer of its slot made it (ROT-14)."""
    rules = core.setup.rules.slots
    if seal.validator != rules.proposer(seal.round).id or seal.valid_round != NO_VALID_ROUND:
        return False
    try:
        signer = core.setup.verify(seal.request(rules.genesis_hash).digest(), seal.signature)
    except SignatureInvalid:
        return False
    return signer == seal.validator


def release_held(core: Core, slot: int) -> list[Effect]:
    """The time of what was held for a slot has come."""
    effects: list[Effect] = []
    for block, pending in core.pending.items():
        if pending.sight is Sight.HELD and pending.seal.round <= slot:
            pending.sight = Sight.SOUGHT
            effects.append(Fetch(block, tuple(pending.sources)))
    return effects


def on_evidence(core: Core, event: EvidenceReceived) -> list[Effect]:
    """Take evidence of a peer, once both seals are found to be their author's (ROT-25)."""
    evidence = event.evidence
    if core.evidence.knows(evidence.offence()):
        return []
    if not is_authentic(core, evidence.first) or not is_authentic(core, evidence.second):
        return [Misbehaved(event.peer, "evidence that convicts nobody")]
    return _publish(core, evidence)


def report(core: Core, one: Proposal, other: Proposal) -> list[Effect]:
    """Keep and pass on two authentic seals of one slot."""
    return _publish(core, double_seal(one, other))


def _publish(core: Core, evidence: DoubleSeal) -> list[Effect]:
    return [EvidenceFound(evidence), Broadcast(evidence)] if core.evidence.add(evidence) else []


def _sought(
    core: Core, now_ms: Millis, seal: Proposal, sources: Iterable[PeerId], effects: list[Effect]
) -> Taken:
    ahead = slots_ahead(core, now_ms, seal)
    if ahead > 0:
        held = sum(pending.sight is Sight.HELD for pending in core.pending.values())
        if ahead > HELD_SLOTS_AHEAD_MAX or held >= HELD_SEALS_MAX:
            return Taken(effects)
        begins = core.setup.rules.slots.begins_ms(seal.round)
        effects.append(SetTimer(Timer(TimerKind.HELD, seal.round), begins))
    pending = Pending(seal, Sight.HELD if ahead > 0 else Sight.SOUGHT)
    pending.told_by(sources)
    core.pending[seal.block] = pending
    _make_room(core, seal.block)
    return Taken(effects, pending)


def slots_ahead(core: Core, now_ms: Millis, seal: Proposal) -> int:
    """How far a seal lies in the future of our clock (ROT-15)."""
    return seal.round - core.slot_now(now_ms)


def _make_room(core: Core, newest: Hash32) -> None:
    """Drop the oldest block on its way, but none whose answer is awaited."""
    if len(core.pending) <= PENDING_BLOCKS_MAX:
        return
    busy = (Sight.EXECUTING, Sight.RECORDING)
    oldest = (block for block, each in core.pending.items() if each.sight not in busy and block != newest)
    del core.pending[next(oldest, newest)]
