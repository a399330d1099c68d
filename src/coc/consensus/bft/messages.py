"""The messages of BFT peers and their encoding: kind byte ‖ RLP.

Votes, proposals, certificates and evidence are chain types (`primitives/votes.py`); a status is only talk
between peers: unsigned, believed for nothing but the question what to send (BFT-30).
"""

from __future__ import annotations

import enum
from functools import lru_cache
from typing import TypeAlias

from coc.primitives import rlp
from coc.primitives.errors import ConsensusError
from coc.primitives.frozen import frozen
from coc.primitives.limits import GENESIS_VALIDATORS_MAX
from coc.primitives.limits_consensus import (
    MESSAGE_BYTES_MAX,
    MESSAGES_REMEMBERED,
    STATUS_BITMAPS_MAX,
    STATUS_BLOCKS_MAX,
    STATUS_ROUNDS_MAX,
)
from coc.primitives.seals import Step
from coc.primitives.types import Hash32, Height
from coc.primitives.votes import (
    VOTE_STEPS,
    CommitCertificate,
    Evidence,
    Proposal,
    Vote,
    encode_signed,
    read_certificate,
    read_evidence,
    read_proposal,
    read_vote,
)


class MessageInvalid(ConsensusError):
    """Bytes of a peer that are no BFT message: the peer's fault."""

    id = "COC-BFT-MESSAGE"


class Phase(enum.IntEnum):
    """How far a validator is within a round; `DECIDED` ends the height."""

    PROPOSE = 0
    PREVOTE = 1
    PRECOMMIT = 2
    DECIDED = 3


_PHASES = {bytes([phase]) if phase else b"": phase for phase in Phase}
"""Phases by their encoding."""


@frozen
class VoteBitmap:
    """The validators whose vote for this value is held; bit `i` is entry `i` of the height's set."""

    round: int
    step: Step
    block: Hash32 | None
    voters: int


@frozen
class Status:
    """Where a peer stands and what it holds of that height."""

    height: Height
    round: int
    phase: Phase
    proposals: tuple[int, ...] = ()
    blocks: tuple[Hash32, ...] = ()
    votes: tuple[VoteBitmap, ...] = ()


Message: TypeAlias = Vote | Proposal | CommitCertificate | Evidence | Status
"""Whatever BFT peers send each other."""


@lru_cache(maxsize=MESSAGES_REMEMBERED)
def encode_message(message: Message) -> bytes:
    """Kind byte and RLP; the last ones are remembered: several peers lack the same."""
    match message:  # the most frequent first: each case that fails costs
        case Vote():
            return b"\x01" + encode_signed(message)
        case Status():
            return b"\x05" + rlp.encode(_status_item(message))
        case Proposal():
            return b"\x02" + encode_signed(message)
        case CommitCertificate():
            return b"\x03" + rlp.encode(message.item())
        case Evidence():
            return b"\x04" + rlp.encode(message.item())


@lru_cache(maxsize=MESSAGES_REMEMBERED)
def decode_message(data: bytes) -> Message:
    """Read a message back; signatures are not checked.

    The last ones are remembered: several peers send the same.

    Raises:
        MessageInvalid: unknown kind or too long.
        PrimitivesError: the content has another shape.
    """
    if not 1 < len(data) <= MESSAGE_BYTES_MAX:
        raise MessageInvalid(
            f"a consensus message has 2 to {MESSAGE_BYTES_MAX} bytes", why=f"got {len(data)}"
        )
    item = rlp.decode(data[1:], bytes_max=MESSAGE_BYTES_MAX)
    match data[0]:
        case 1:
            return read_vote(item)
        case 2:
            return read_proposal(item)
        case 3:
            return read_certificate(item)
        case 4:
            return read_evidence(item)
        case 5:
            return _read_status(item)
        case kind:
            raise MessageInvalid("unknown kind of consensus message", why=f"kind {kind}")


def _status_item(status: Status) -> rlp.Encodable:
    votes: list[rlp.Encodable] = [
        [entry.round, int(entry.step), entry.block or b"", entry.voters] for entry in status.votes
    ]
    return [
        status.height,
        status.round,
        int(status.phase),
        list(status.proposals),
        list(status.blocks),
        votes,
    ]


def _read_status(item: rlp.Item) -> Status:
    match item:
        case [
            bytes() as height,
            bytes() as round_,
            bytes() as phase,
            list() as proposals,
            list() as blocks,
            list() as votes,
        ] if (
            phase in _PHASES
            and len(proposals) <= STATUS_ROUNDS_MAX
            and len(blocks) <= STATUS_BLOCKS_MAX
            and len(votes) <= STATUS_BITMAPS_MAX
        ):
            return Status(
                Height(rlp.uint(height, bits=64)),
                rlp.uint(round_, bits=32),
                _PHASES[phase],
                tuple(rlp.uint(entry, bits=32) for entry in proposals),
                tuple(_read_hash(entry) for entry in blocks),
                tuple(_read_bitmap(entry) for entry in votes),
            )
    raise MessageInvalid("a status has six fields within their bounds")


def _read_hash(item: rlp.Item) -> Hash32:
    if isinstance(item, bytes) and len(item) == 32:
        return Hash32(item)
    raise MessageInvalid("a block is named by 32 bytes")


def _read_bitmap(item: rlp.Item) -> VoteBitmap:
    match item:
        case [bytes() as round_, bytes() as step, bytes() as block, bytes() as voters] if (
            step in VOTE_STEPS and len(block) in (0, 32)
        ):
            bits = rlp.uint(voters, bits=GENESIS_VALIDATORS_MAX)
            return VoteBitmap(
                rlp.uint(round_, bits=32), VOTE_STEPS[step], Hash32(block) if block else None, bits
            )
    raise MessageInvalid("a bitmap is round, step, block or nothing, and voters")
