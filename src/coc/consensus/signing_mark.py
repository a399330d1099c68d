"""The signer's high-water mark: the last place it signed, below which it never signs again (BFT-40).

Places rise: height, then round, then step. The very request that the mark stands for is signed again, because
the same key over the same bytes gives the same signature (RFC 6979); anything else at or below it is refused.
Whoever keeps a mark makes it durable before the signature leaves. On a rotation chain the place is the slot
alone (ROT-9).
"""

from __future__ import annotations

from typing import TypeAlias

from coc.primitives import rlp
from coc.primitives.errors import ConsensusError
from coc.primitives.frozen import frozen
from coc.primitives.seals import NO_VALID_ROUND, SignRequest, Step
from coc.primitives.types import Hash32, Height

Place: TypeAlias = tuple[Height, int, Step]


class MarkInvalid(ConsensusError):
    """Bytes that are no signer's mark."""

    id = "COC-SIGNER-MARK"


@frozen
class Marked:
    """Save this mark, then sign."""

    request: SignRequest


@frozen
class SameAgain:
    """Sign: the mark stands for this very request."""

    request: SignRequest


@frozen
class BelowMark:
    """Do not sign."""

    reason: str


Verdict: TypeAlias = Marked | SameAgain | BelowMark


def judge(mark: SignRequest | None, request: SignRequest) -> Verdict:
    """Whether a request may be signed above this mark (BFT-40)."""
    if mark is None:
        return Marked(request)
    if request == mark:
        return SameAgain(request)
    if request.genesis_hash != mark.genesis_hash:
        return BelowMark("the mark is of another chain")
    if place_of(request) > place_of(mark):
        return Marked(request)
    height, round_, step = place_of(mark)
    return BelowMark(f"the mark stands at height {height}, round {round_}, {step.name.lower()}")


def judge_by_slot(mark: SignRequest | None, request: SignRequest) -> Verdict:
    """The same for a rotation chain, where the slot alone is the place: heights may fall (ROT-9)."""
    if request.step is not Step.PROPOSAL or request.block is None:
        return BelowMark("on a rotation chain only blocks are signed")
    if mark is None:
        return Marked(request)
    if request == mark:
        return SameAgain(request)
    if request.genesis_hash != mark.genesis_hash:
        return BelowMark("the mark is of another chain")
    if request.round > mark.round:
        return Marked(request)
    return BelowMark(f"the mark stands at slot {mark.round}")


def place_of(request: SignRequest) -> Place:
    """Where in the order of signing a request stands."""
    return (request.height, request.round, request.step)


def encode_request(request: SignRequest) -> bytes:
    """RLP of (genesis hash, height, round, step, block or empty, valid round + 1)."""
    head: list[rlp.Encodable] = [request.genesis_hash, request.height, request.round, int(request.step)]
    return rlp.encode([*head, request.block or b"", request.valid_round - NO_VALID_ROUND])


def decode_request(data: bytes) -> SignRequest:
    """Read a request back.

    Raises:
        MarkInvalid, RlpInvalid: it has another shape.
    """
    match rlp.decode(data):
        case [
            bytes(genesis),
            bytes(height),
            bytes(round_),
            bytes(step),
            bytes(block),
            bytes(valid_round),
        ] if len(genesis) == 32 and len(block) in (0, 32) and rlp.uint(step, bits=8) in tuple(Step):
            return SignRequest(
                Hash32(genesis),
                Height(rlp.uint(height, bits=64)),
                rlp.uint(round_, bits=64),
                Step(rlp.uint(step)),
                Hash32(block) if block else None,
                rlp.uint(valid_round, bits=64) + NO_VALID_ROUND,
            )
    raise MarkInvalid("a request to sign has six fields")
