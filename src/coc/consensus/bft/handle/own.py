"""Own messages on their way: the log and the signer answer (BFT-20), or nothing more may leave (BFT-11)."""

from __future__ import annotations

from coc.consensus.bft.advance import advance, advance_after_vote
from coc.consensus.bft.effects import Alarm, Effect
from coc.consensus.bft.handle.proposal import take_proposal
from coc.consensus.bft.handle.vote import take_vote
from coc.consensus.bft.inputs import Diverged, Persisted, PersistFailed, SignatureMade, SignatureRefused
from coc.consensus.bft.state import Core
from coc.primitives.types import Millis
from coc.primitives.votes import Proposal


def on_persisted(core: Core, _now_ms: Millis, event: Persisted) -> list[Effect]:
    """What must be durable is: sign."""
    return core.outbox.on_persisted(event.sequence)


def on_persist_failed(core: Core, _now_ms: Millis, event: PersistFailed) -> list[Effect]:
    """Nothing is signed; the next re-send timer tries again, so a disk with room again is enough (BFT-25)."""
    if not core.outbox.on_persist_failed(event.sequence):
        return []
    return [Alarm(f"the write-ahead log cannot be written, so nothing is signed: {event.reason}")]


def on_signature(core: Core, now_ms: Millis, event: SignatureMade) -> list[Effect]:
    """Send the message, and count it ourselves."""
    own = core.setup.own
    sent = None if own is None else core.outbox.on_signature(event.request, event.signature, own)
    if sent is None:
        return []
    message, effects = sent
    if isinstance(message, Proposal):
        return [*effects, *take_proposal(core, message), *advance(core, now_ms)]
    return [*effects, *take_vote(core, message), *advance_after_vote(core, now_ms)]


def on_signature_refused(core: Core, _now_ms: Millis, event: SignatureRefused) -> list[Effect]:
    """Give the message up: it must not exist twice."""
    following = core.outbox.on_refusal(event.request)
    if following is None:
        return []
    return [Alarm(f"the signer refused: {event.reason}"), *following]


def on_diverged(core: Core, _now_ms: Millis, _event: Diverged) -> list[Effect]:
    """Sign nothing more at this height: our own execution refuses what the others have certified (BFT-11)."""
    core.has_diverged = True
    return []
