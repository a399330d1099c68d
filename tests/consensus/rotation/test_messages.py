"""The messages of rotation peers: there and back, and what is turned away (ROT-19, ROT-25)."""

from __future__ import annotations

import pytest

from coc.consensus.rotation.evidence import DoubleSeal, DoubleSealBook, DoubleSealInvalid, double_seal
from coc.consensus.rotation.messages import (
    Message,
    RotationMessageInvalid,
    Status,
    decode_message,
    encode_message,
)
from coc.primitives.errors import CocError
from coc.primitives.limits_consensus import MESSAGE_BYTES_MAX
from coc.primitives.limits_rotation import DOUBLE_SEALS_MAX
from coc.primitives.types import Height
from tests.consensus.rotation.stage import name, sealed

ONE, OTHER = sealed(name(1), 7, 9), sealed(name(2), 8, 9)


@pytest.mark.parametrize(
    "message", [ONE, Status(ONE, Height(3)), Status(None, Height(0)), double_seal(ONE, OTHER)], ids=repr
)
def test_a_message_comes_back_as_it_was(message: Message) -> None:
    assert decode_message(encode_message(message)) == message


@pytest.mark.parametrize("junk", [b"", b"\x01", b"\x09\xc0", b"\x02\xc0", b"\x03\xc2\xc0\xc0", b"\x01\x80"])
def test_what_is_no_message_is_the_peers_fault(junk: bytes) -> None:
    with pytest.raises(CocError):
        decode_message(junk)


def test_a_message_is_bounded() -> None:
    with pytest.raises(RotationMessageInvalid, match="65536"):
        decode_message(b"\x01" + bytes(MESSAGE_BYTES_MAX))


def test_evidence_has_one_order_and_must_convict() -> None:  # ROT-25
    good = double_seal(OTHER, ONE)
    swapped = DoubleSeal(good.second, good.first)
    with pytest.raises(DoubleSealInvalid):
        decode_message(encode_message(swapped))
    for innocent in (ONE, sealed(name(2), 7, 13)):
        with pytest.raises(DoubleSealInvalid):
            double_seal(ONE, innocent)


def test_the_oldest_evidence_makes_room() -> None:  # ROT-25
    book = DoubleSealBook()
    for slot in range(DOUBLE_SEALS_MAX + 1):
        assert book.add(double_seal(sealed(name(1), 1, slot), sealed(name(2), 1, slot)))

    assert len(book.found) == DOUBLE_SEALS_MAX
    assert not book.knows((sealed(name(1), 1, 0).validator, 0))
