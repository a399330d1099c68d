"""The messages of rotation peers and their encoding: kind byte ‖ RLP.

A seal travels as the proposal that its signature is over (ROT-5), with the slot as round. A status is only
talk between peers: its seal is checked like any other, its final height is believed for nothing but what to
show (ROT-19).
"""

from __future__ import annotations

from typing import TypeAlias

from coc.consensus.rotation.evidence import DoubleSeal, read_double_seal
from coc.primitives import rlp
from coc.primitives.errors import ConsensusError
from coc.primitives.frozen import frozen
from coc.primitives.limits_consensus import MESSAGE_BYTES_MAX
from coc.primitives.types import Height
from coc.primitives.votes import HEIGHT_BITS, Proposal, read_proposal


class RotationMessageInvalid(ConsensusError):
    """Bytes of a peer that are no message of a rotation chain: the peer's fault."""

    id = "COC-ROTATION-MESSAGE"


@frozen
class Status:
    """The seal of a peer's head, None on the genesis block, and the height of its final block."""

    head: Proposal | None
    final: Height


Message: TypeAlias = Proposal | Status | DoubleSeal
"""Whatever rotation peers send each other."""


def encode_message(message: Message) -> bytes:
    """Kind byte and RLP."""
    match message:
        case Proposal():
            return b"\x01" + rlp.encode(message.item())
        case Status():
            head: rlp.Encodable = [] if message.head is None else message.head.item()
            return b"\x02" + rlp.encode([head, message.final])
        case DoubleSeal():
            return b"\x03" + rlp.encode(message.item())


def decode_message(data: bytes) -> Message:
    """Read a message back; signatures are not checked.

    Raises:
        RotationMessageInvalid: unknown kind or too long.
        ConsensusError, PrimitivesError: the content has another shape.
    """
    if not 1 < len(data) <= MESSAGE_BYTES_MAX:
        what = f"a consensus message has 2 to {MESSAGE_BYTES_MAX} bytes"
        raise RotationMessageInvalid(what, why=f"got {len(data)}")
    item = rlp.decode(data[1:], bytes_max=MESSAGE_BYTES_MAX)
    match data[0], item:
        case 1, _:
            return read_proposal(item)
        case 2, [[], bytes(final)]:
            return Status(None, Height(rlp.uint(final, bits=HEIGHT_BITS)))
        case 2, [head, bytes(final)]:
            return Status(read_proposal(head), Height(rlp.uint(final, bits=HEIGHT_BITS)))
        case 3, _:
            return read_double_seal(item)
        case kind, _:
            raise RotationMessageInvalid("not a message of a rotation chain", why=f"kind {kind}")
