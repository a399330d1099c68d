"""The records of the write-ahead log and their encoding: kind byte ‖ RLP.

What a validator must never forget: what it meant to sign (`Intent`, durable before the signer is asked), the
signed message, and what it needs to go on from there alone: the block's bytes (`BlockKept`; whoever writes
the log makes them durable first), the proposal it voted on, the votes that locked it (BFT-20, BFT-21). And
whom it has caught, until the chain has judged him (`EvidenceKept`, BFT-45).
"""

from __future__ import annotations

from typing import TypeAlias

from coc.consensus.bft.rules import Lock
from coc.consensus.signing_mark import decode_request, encode_request
from coc.primitives import rlp
from coc.primitives.errors import ConsensusError
from coc.primitives.frozen import frozen
from coc.primitives.limits_consensus import WAL_RECORD_BYTES_MAX
from coc.primitives.seals import SignRequest
from coc.primitives.types import Hash32, Height
from coc.primitives.votes import (
    Evidence,
    Proposal,
    Vote,
    encode_signed,
    read_evidence,
    read_proposal,
    read_vote,
)


class WalRecordInvalid(ConsensusError):
    """Bytes in the write-ahead log that are no record: it is damaged, or of a newer release."""

    id = "COC-WAL-RECORD"


@frozen
class Intent:
    """What is about to be signed, with lock and valid value as they then are."""

    request: SignRequest
    locked: Lock | None
    valid: Lock | None


@frozen
class BlockKept:
    """The block's bytes and consensus data are durable."""

    height: Height
    block: Hash32


@frozen
class ProposalKept:
    """A proposal, our own or the one a prevote speaks of."""

    proposal: Proposal


@frozen
class VoteKept:
    """An own vote, or one of a proof of lock."""

    vote: Vote


@frozen
class EvidenceKept:
    """Evidence that waits for a block."""

    pieces: tuple[Evidence, ...]


Record: TypeAlias = Intent | BlockKept | ProposalKept | VoteKept | EvidenceKept
"""One record; all but evidence belong to one height."""


def height_of(record: Record) -> Height | None:
    """The height a record belongs to; None for one that outlives its height."""
    match record:
        case EvidenceKept():
            return None
        case Intent():
            return record.request.height
        case BlockKept():
            return record.height
        case ProposalKept():
            return record.proposal.height
        case VoteKept():
            return record.vote.height


def encode_record(record: Record) -> bytes:
    """Kind byte and RLP."""
    match record:  # the most frequent first: each case that fails costs
        case VoteKept():
            return b"\x04" + encode_signed(record.vote)
        case Intent():
            locks = [_lock_item(record.locked), _lock_item(record.valid)]
            return b"\x01" + rlp.encode([encode_request(record.request), *locks])
        case ProposalKept():
            return b"\x03" + encode_signed(record.proposal)
        case BlockKept():
            return b"\x02" + rlp.encode([record.height, record.block])
        case EvidenceKept():
            return b"\x05" + rlp.encode([piece.item() for piece in record.pieces])


def decode_record(data: bytes) -> Record:
    """Read a record back.

    Raises:
        WalRecordInvalid: unknown kind or another shape.
        PrimitivesError: what is inside cannot be read.
    """
    if not 1 < len(data) <= WAL_RECORD_BYTES_MAX:
        raise WalRecordInvalid(f"a record has 2 to {WAL_RECORD_BYTES_MAX} bytes", why=f"got {len(data)}")
    match data[0], rlp.decode(data[1:]):
        case 1, [bytes(request), locked, valid]:
            return Intent(decode_request(request), _read_lock(locked), _read_lock(valid))
        case 2, [bytes(height), bytes(block)] if len(block) == 32:
            return BlockKept(Height(rlp.uint(height, bits=64)), Hash32(block))
        case 3, item:
            return ProposalKept(read_proposal(item))
        case 4, item:
            return VoteKept(read_vote(item))
        case 5, list(items):
            return EvidenceKept(tuple(read_evidence(item) for item in items))
        case kind, _:
            raise WalRecordInvalid("not a record of the write-ahead log", why=f"kind {kind}")


def _lock_item(lock: Lock | None) -> rlp.Encodable:
    return [] if lock is None else [lock.round, lock.block]


def _read_lock(item: rlp.Item) -> Lock | None:
    match item:
        case []:
            return None
        case [bytes(round_), bytes(block)] if len(block) == 32:
            return Lock(rlp.uint(round_, bits=32), Hash32(block))
    raise WalRecordInvalid("a lock is nothing, or round and block")
