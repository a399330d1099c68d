"""Own messages on their way: the log and the signer answer (BFT-20)."""

from __future__ import annotations

from coc.consensus.bft.advance import advance
from coc.consensus.bft.effects import Alarm, Effect
from coc.consensus.bft.handle.proposal import take_proposal
from coc.consensus.bft.handle.vote import take_vote
from coc.consensus.bft.inputs import Persisted, PersistFailed, SignatureMade, SignatureRefused
from coc.consensus.bft.state import Core
from coc.primitives.types import Millis
from coc.primitives.votes import Proposal


def on_persisted(core: Core, event: Persisted) -> list[Effect]:
    """What must be durable is: sign."""
    return core.outbox.on_persisted(event.sequence)


def on_persist_failed(core: Core, event: PersistFailed) -> list[Effect]:
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
    taken = take_proposal(core, message) if isinstance(message, Proposal) else take_vote(core, message)
    return [*effects, *taken, *advance(core, now_ms)]


def on_signature_refused(core: Core, event: SignatureRefused) -> list[Effect]:
    """Give the message up: it must not exist twice."""
    following = core.outbox.on_refusal(event.request)
    if following is None:
        return []
    return [Alarm(f"the signer refused: {event.reason}"), *following]
