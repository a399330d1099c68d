"""What validators say to each other and what follows from it: votes, proposals, certificates, evidence.

Every type has one canonical RLP form. A message names its author, so that strangers are turned away before
the costly part; only the signature proves it. What is signed is `SignRequest` in `seals.py`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

from coc.primitives import rlp
from coc.primitives.errors import PrimitivesError
from coc.primitives.frozen import frozen
from coc.primitives.limits_consensus import CERTIFICATE_BYTES_MAX, HEIGHT_ROUNDS_MAX
from coc.primitives.seals import NO_VALID_ROUND, SignRequest, Step
from coc.primitives.types import Address, Hash32, Height, Signature

HEIGHT_BITS = 64
ROUND_BITS = 32
SIGNATURE_BYTES = 65
VOTE_STEPS = {bytes([step]): step for step in (Step.PREVOTE, Step.PRECOMMIT)}
"""The steps of votes by their encoding."""
SIGNED_REMEMBERED = 64
"""Votes and proposals whose encoding is kept: one is sent, and written into the log once or twice."""
CERTIFICATES_REMEMBERED = 16
"""Certificates kept as they were read: the newest is looked at when it comes, is stored, is built upon."""


class VoteInvalid(PrimitivesError):
    """Bytes that are no vote, proposal, certificate or evidence."""

    id = "COC-VOTE"


@frozen
class Vote:
    """A prevote or precommit of one validator; `block` is None for a vote for no block."""

    height: Height
    round: int
    step: Step
    block: Hash32 | None
    validator: Address
    signature: Signature

    def request(self, genesis_hash: Hash32) -> SignRequest:
        """What the signature must be over."""
        return SignRequest(genesis_hash, self.height, self.round, self.step, self.block)

    def item(self) -> rlp.Encodable:
        """The RLP value: (height, round, step, block or empty, validator, signature)."""
        block = self.block or b""
        return [self.height, self.round, int(self.step), block, self.validator, self.signature]


@frozen
class Proposal:
    """A proposer's word for a block in a round; `valid_round` is the round of its proof of lock, or -1."""

    height: Height
    round: int
    block: Hash32
    valid_round: int
    validator: Address
    signature: Signature

    def request(self, genesis_hash: Hash32) -> SignRequest:
        """What the signature must be over; the valid round is part of it."""
        return SignRequest(genesis_hash, self.height, self.round, Step.PROPOSAL, self.block, self.valid_round)

    def item(self) -> rlp.Encodable:
        """The RLP value: (height, round, block, valid round + 1, validator, signature)."""
        head: list[rlp.Encodable] = [self.height, self.round, self.block, self.valid_round + 1]
        return [*head, self.validator, self.signature]


Signed: TypeAlias = Vote | Proposal
"""Whatever a validator signs."""


@lru_cache(maxsize=SIGNED_REMEMBERED)
def encode_signed(message: Signed) -> bytes:
    """The RLP of a vote or proposal."""
    return rlp.encode(message.item())


@frozen
class CommitCertificate:
    """Proof that a block is final: precommits of one round from more than two thirds of the power.

    Bit `i` of `bitmap` (least significant first) stands for entry `i` of the set with hash `set_hash`;
    `signatures` are those of the set bits, in the same order.
    """

    height: Height
    round: int
    block: Hash32
    set_hash: Hash32
    bitmap: int
    signatures: tuple[Signature, ...]

    def request(self, genesis_hash: Hash32) -> SignRequest:
        """What each signature must be over."""
        return SignRequest(genesis_hash, self.height, self.round, Step.PRECOMMIT, self.block)

    def signers(self) -> list[int]:
        """The positions of the signers in their set, rising."""
        return [index for index in range(self.bitmap.bit_length()) if self.bitmap >> index & 1]

    def item(self) -> rlp.Encodable:
        """The RLP value: (height, round, block, set hash, bitmap, signatures)."""
        head: list[rlp.Encodable] = [self.height, self.round, self.block, self.set_hash, self.bitmap]
        return [*head, list(self.signatures)]

    def encode(self) -> bytes:
        """The bytes that lie beside the block and enter the next one's consensus data."""
        return rlp.encode(self.item())


@frozen
class Evidence:
    """Two messages that one validator must not both sign: same height, round and step, other content.

    The one with the smaller encoding comes first, so that one offence has one form.
    """

    first: Signed
    second: Signed

    @property
    def offender(self) -> Address:
        """Who signed both."""
        return self.first.validator

    def offence(self) -> tuple[Address, Height, int, Step]:
        """What was broken: further pairs for the same place say nothing new."""
        return (self.offender, self.first.height, self.first.round, step_of(self.first))

    def item(self) -> rlp.Encodable:
        """The RLP value: (is a proposal, first, second)."""
        return [int(isinstance(self.first, Proposal)), self.first.item(), self.second.item()]


def step_of(message: Signed) -> Step:
    """The step a signed message belongs to."""
    return Step.PROPOSAL if isinstance(message, Proposal) else message.step


def is_conflict(first: Signed, second: Signed) -> bool:
    """Whether no honest validator signs both."""
    if type(first) is not type(second) or first.validator != second.validator:
        return False
    if (first.height, first.round, step_of(first)) != (second.height, second.round, step_of(second)):
        return False
    if isinstance(first, Proposal) and isinstance(second, Proposal):
        return (first.block, first.valid_round) != (second.block, second.valid_round)
    return first.block != second.block


def evidence_of(one: Signed, other: Signed) -> Evidence:
    """Evidence in its one form.

    Raises:
        VoteInvalid: an honest validator may sign both.
    """
    if not is_conflict(one, other):
        raise VoteInvalid("not evidence", why="the two messages do not exclude each other")
    first, second = sorted((one, other), key=encode_signed)
    return Evidence(first, second)


def read_vote(item: rlp.Item) -> Vote:
    """Read a vote from its decoded RLP.

    Raises:
        VoteInvalid: it has another shape.
    """
    match item:
        case [
            bytes() as height,
            bytes() as round_,
            bytes() as step,
            bytes() as block,
            bytes() as validator,
            bytes() as signature,
        ] if (
            step in VOTE_STEPS
            and len(block) in (0, 32)
            and len(validator) == 20
            and len(signature) == SIGNATURE_BYTES
            and block != bytes(32)
        ):
            return Vote(
                _height(height),
                _round(round_),
                VOTE_STEPS[step],
                Hash32(block) if block else None,
                Address(validator),
                Signature(signature),
            )
    raise VoteInvalid("a vote is height, round, step, block or nothing, validator and signature")


def read_proposal(item: rlp.Item) -> Proposal:
    """Read a proposal from its decoded RLP.

    Raises:
        VoteInvalid: it has another shape, or its valid round is not below its round.
    """
    match item:
        case [
            bytes() as height,
            bytes() as round_,
            bytes() as block,
            bytes() as valid_round,
            bytes() as validator,
            bytes() as signature,
        ] if len(block) == 32 and len(validator) == 20 and len(signature) == SIGNATURE_BYTES:
            proposal = Proposal(
                _height(height),
                _round(round_),
                Hash32(block),
                _round(valid_round) + NO_VALID_ROUND,
                Address(validator),
                Signature(signature),
            )
            if proposal.valid_round < proposal.round:
                return proposal
    raise VoteInvalid("a proposal is height, round, block, an earlier valid round, validator and signature")


def read_certificate(item: rlp.Item) -> CommitCertificate:
    """Read a certificate from its decoded RLP; whether it proves anything is for `verify_certificate`.

    Raises:
        VoteInvalid: it has another shape, or another number of signatures than of bits.
    """
    match item:
        case [
            bytes() as height,
            bytes() as round_,
            bytes() as block,
            bytes() as set_hash,
            bytes() as bitmap,
            list() as signatures,
        ] if len(block) == len(set_hash) == 32:
            bits = rlp.uint(bitmap, bits=1024)
            read = tuple(
                Signature(entry)
                for entry in signatures
                if isinstance(entry, bytes) and len(entry) == SIGNATURE_BYTES
            )
            if len(read) == len(signatures) == bits.bit_count():
                return CommitCertificate(
                    _height(height), _round(round_), Hash32(block), Hash32(set_hash), bits, read
                )
    raise VoteInvalid("a certificate is height, round, block, set hash, bitmap and a signature for each bit")


@lru_cache(maxsize=CERTIFICATES_REMEMBERED)
def decode_certificate(data: bytes) -> CommitCertificate:
    """Read a certificate back.

    Raises:
        VoteInvalid, RlpInvalid: it has another shape or is longer than `CERTIFICATE_BYTES_MAX`.
    """
    return read_certificate(rlp.decode(data, bytes_max=CERTIFICATE_BYTES_MAX))


def read_evidence(item: rlp.Item) -> Evidence:
    """Read evidence from its decoded RLP; the signatures are not checked.

    Raises:
        VoteInvalid: it has another shape, does not convict, or is not in its one form.
    """
    match item:
        case [bytes() as kind, first, second] if kind in (b"", b"\x01"):
            read = read_proposal if kind else read_vote
            found = Evidence(read(first), read(second))
            if evidence_of(found.first, found.second) == found:
                return found
    raise VoteInvalid("evidence is a kind and two messages that exclude each other, the smaller first")


def _height(item: bytes) -> Height:
    return Height(rlp.uint(item, bits=HEIGHT_BITS))


def _round(item: bytes) -> int:
    number = rlp.uint(item, bits=ROUND_BITS + 8)
    if number > HEIGHT_ROUNDS_MAX:
        raise VoteInvalid("round out of range", why=f"{number} is above {HEIGHT_ROUNDS_MAX}")
    return number
