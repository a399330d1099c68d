"""Evidence, found by ourselves or sent by a peer: verified, kept, passed on once (BFT-28)."""

from __future__ import annotations

from coc.consensus.bft.effects import Broadcast, Effect, EvidenceFound, Misbehaved
from coc.consensus.bft.handle.authentic import is_authentic
from coc.consensus.bft.inputs import EvidenceReceived, EvidenceSettled
from coc.consensus.bft.state import Core
from coc.primitives.types import Millis
from coc.primitives.votes import Evidence, Signed, evidence_of, is_conflict


def on_evidence(core: Core, _now_ms: Millis, event: EvidenceReceived) -> list[Effect]:
    """Take evidence of a peer if it convicts a validator of this height, the one before or the next."""
    evidence = event.evidence
    if core.evidence.knows(evidence.offence()):
        return []
    if not _is_known(core, evidence):
        return []
    pair = (evidence.first, evidence.second)
    if not is_conflict(*pair) or not all(is_authentic(core, message) for message in pair):
        return [Misbehaved(event.peer, "evidence that convicts nobody")]
    return report(core, *pair)


def on_evidence_settled(core: Core, _now_ms: Millis, event: EvidenceSettled) -> list[Effect]:
    """A block has included it, or none can any more: nothing more is to be done."""
    for offence in event.offences:
        core.evidence.settle(offence)
    return []


def report(core: Core, one: Signed, other: Signed) -> list[Effect]:
    """Keep and pass on two authentic messages that exclude each other, unless the offence is known."""
    evidence = evidence_of(one, other)
    if not core.evidence.add(evidence):
        return []
    return [EvidenceFound(evidence), Broadcast(evidence)]


def _is_known(core: Core, evidence: Evidence) -> bool:
    sets = [core.height.electorate, core.height.next_electorate]
    if core.last is not None:
        sets.append(core.last.electorate)
    return any(electorate.position(evidence.offender) is not None for electorate in sets)
