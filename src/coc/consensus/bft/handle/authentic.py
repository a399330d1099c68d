"""Whether a message is its author's, and the bounded place for those that come a height early (BFT-33)."""

from __future__ import annotations

from collections import deque

from coc.consensus.bft.effects import Effect, Misbehaved
from coc.consensus.bft.inputs import PeerId
from coc.consensus.bft.state import Core
from coc.primitives.limits_consensus import NEXT_HEIGHT_MESSAGES_PER_VALIDATOR_MAX
from coc.primitives.secp256k1 import SignatureInvalid
from coc.primitives.votes import Signed


def is_authentic(core: Core, message: Signed) -> bool:
    """Whether the validator that a message names has signed it."""
    digest = message.request(core.setup.rules.genesis_hash).digest()
    try:
        return core.setup.verify(digest, message.signature) == message.validator
    except SignatureInvalid:
        return False


def keep_early(core: Core, peer: PeerId, message: Signed) -> list[Effect]:
    """Keep a message for the next height; the author's oldest makes room."""
    if core.height.next_electorate.position(message.validator) is None:
        return []
    kept = core.early.get(message.validator, deque())
    if any(known == message for _, known in kept):
        return []
    if not is_authentic(core, message):
        return [Misbehaved(peer, "a message with a wrong signature")]
    waiting = core.early.setdefault(message.validator, deque(maxlen=NEXT_HEIGHT_MESSAGES_PER_VALIDATOR_MAX))
    waiting.append((peer, message))
    return []
