"""Peers come, go and answer. Nothing of an answer is believed here: it is handed on to be verified."""

from __future__ import annotations

from coc.consensus.sync.snapshot.effects import (
    Effect,
    Subject,
    VerifyCodes,
    VerifyState,
    VerifySurroundings,
)
from coc.consensus.sync.snapshot.inputs import PeerCame, PeerGone
from coc.consensus.sync.snapshot.messages import NOTHING, SnapshotMessageInvalid, decode_numbered
from coc.consensus.sync.snapshot.peers import Question
from coc.consensus.sync.snapshot.state import Checked, Core
from coc.primitives.errors import PrimitivesError
from coc.primitives.types import Millis, PeerId


def on_peer_came(core: Core, now_ms: Millis, event: PeerCame) -> list[Effect]:
    """One more can be asked."""
    core.peers.add(event.peer)
    return core.go_on(now_ms)


def on_peer_gone(core: Core, now_ms: Millis, event: PeerGone) -> list[Effect]:
    """Others do its work."""
    core.give_back(core.peers.remove(event.peer))
    return core.go_on(now_ms)


def on_answer(core: Core, now_ms: Millis, peer: PeerId, subject: Subject, payload: bytes) -> list[Effect]:
    """Have an answer verified, if it is one to what the peer was asked. SYNC-10."""
    known = core.peers.get(peer)
    if known is None:
        return []
    try:
        message = decode_numbered(payload)
    except (PrimitivesError, SnapshotMessageInvalid) as error:
        return core.blame(peer, f"bytes that are no answer: {error.what}") + core.go_on(now_ms)
    question = known.questions.get(subject)
    if question is None or question.number != message.number:
        if known.owed == 0:
            return core.blame(peer, "an answer that nobody asked for") + core.go_on(now_ms)
        known.owed -= 1
        return []
    del known.questions[subject]
    if message.body == NOTHING:
        known.lacks.add(subject)
        core.give_back([question.errand])
        return core.go_on(now_ms)
    core.checking[question.number] = Checked(peer, question.errand)
    return [_verification(subject, question, message.body), *core.go_on(now_ms)]


def _verification(subject: Subject, question: Question, answer: bytes) -> Effect:
    match subject:
        case Subject.STATE:
            return VerifyState(question.number, question.request, answer)
        case Subject.CODES:
            return VerifyCodes(question.number, question.request, answer)
        case Subject.SURROUNDINGS:
            return VerifySurroundings(question.number, answer)
