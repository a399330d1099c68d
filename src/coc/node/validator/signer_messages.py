"""What a node and a signer process say to each other: one request, one answer, each a length and its bytes.

request   1 ‖ RLP of a request to sign     an answer: 0 ‖ signature (65)
2 ‖ alpha                                   0 ‖ VRF proof (81)
3                                           0 ‖ consensus public key (64) ‖ mark or nothing
4 and 5   1 and 3 of a chain whose validators sign by slots
refusal   1 ‖ why, as UTF-8

A question that moves the mark, or reads it, says by what it wants to be judged (ROT-27).
"""

from __future__ import annotations

from typing import ClassVar, TypeAlias

from coc.consensus.signing_mark import decode_request, encode_request
from coc.node.validator.signing_order import SigningOrder
from coc.primitives.errors import NodeError
from coc.primitives.frozen import frozen
from coc.primitives.seals import SignRequest

SIGNER_MESSAGE_BYTES_MAX = 4_096
"""Bytes of one message: a request has some 120, a refusal a sentence."""
LENGTH_BYTES = 4

_SIGN, _PROVE, _WHO, _SIGN_SLOT, _WHO_BY_SLOT = 1, 2, 3, 4, 5
_DONE, _REFUSED = 0, 1


class SignerMessageInvalid(NodeError):
    """Bytes between node and signer that are no message of theirs."""

    id: ClassVar[str] = "COC-SIGNER-MESSAGE"


@frozen
class AskSignature:
    """Sign this."""

    request: SignRequest
    order: SigningOrder = SigningOrder.ROUNDS


@frozen
class AskProof:
    """Prove the VRF output of these bytes."""

    alpha: bytes


@frozen
class AskIdentity:
    """Whose key it is, and where its mark stands."""

    order: SigningOrder = SigningOrder.ROUNDS


Question: TypeAlias = AskSignature | AskProof | AskIdentity


@frozen
class Done:
    """The answer's bytes."""

    payload: bytes


@frozen
class Denied:
    """Why there is no answer."""

    why: str


Reply: TypeAlias = Done | Denied


def encode_question(question: Question) -> bytes:
    """The bytes of a question, without their length."""
    match question:
        case AskSignature():
            kind = _SIGN if question.order is SigningOrder.ROUNDS else _SIGN_SLOT
            return bytes([kind]) + encode_request(question.request)
        case AskProof():
            return bytes([_PROVE]) + question.alpha
        case AskIdentity():
            return bytes([_WHO if question.order is SigningOrder.ROUNDS else _WHO_BY_SLOT])


def decode_question(data: bytes) -> Question:
    """Read a question back.

    Raises:
        SignerMessageInvalid, ConsensusError, PrimitivesError: it is none.
    """
    match data[:1]:
        case b"\x01":
            return AskSignature(decode_request(data[1:]))
        case b"\x02":
            return AskProof(data[1:])
        case b"\x03" if len(data) == 1:
            return AskIdentity()
        case b"\x04":
            return AskSignature(decode_request(data[1:]), SigningOrder.SLOTS)
        case b"\x05" if len(data) == 1:
            return AskIdentity(SigningOrder.SLOTS)
        case _:
            raise SignerMessageInvalid("not a question to a signer", why=f"kind {data[:1].hex()}")


def encode_reply(reply: Reply) -> bytes:
    """The bytes of a reply, without their length."""
    if isinstance(reply, Done):
        return bytes([_DONE]) + reply.payload
    return bytes([_REFUSED]) + reply.why.encode()[: SIGNER_MESSAGE_BYTES_MAX - 1]


def decode_reply(data: bytes) -> Reply:
    """Read a reply back.

    Raises:
        SignerMessageInvalid: it is none.
    """
    match data[:1]:
        case b"\x00":
            return Done(data[1:])
        case b"\x01":
            return Denied(data[1:].decode("utf-8", "replace"))
        case _:
            raise SignerMessageInvalid("not a reply of a signer", why=f"kind {data[:1].hex()}")
