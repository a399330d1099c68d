"""Messages between peers: one encoding each, and nothing else accepted."""

from __future__ import annotations

import pytest

from coc.consensus.bft.messages import (
    Message,
    MessageInvalid,
    Phase,
    Status,
    VoteBitmap,
    decode_message,
    encode_message,
)
from coc.primitives import rlp
from coc.primitives.errors import PrimitivesError
from coc.primitives.frozen import replace
from coc.primitives.limits import GENESIS_VALIDATORS_MAX
from coc.primitives.limits_consensus import (
    CERTIFICATE_BYTES_MAX,
    HEIGHT_ROUNDS_MAX,
    MESSAGE_BYTES_MAX,
    MESSAGES_REMEMBERED,
    STATUS_BITMAPS_MAX,
    STATUS_BLOCKS_MAX,
    STATUS_ROUNDS_MAX,
)
from coc.primitives.seals import Step
from coc.primitives.types import Signature
from coc.primitives.votes import VoteInvalid, decode_certificate, evidence_of, read_vote
from tests.consensus.bft.playbook import BLOCK, HEIGHT, OTHER, certificate, precommit, prevote, proposal

BITMAP = VoteBitmap(3, Step.PREVOTE, BLOCK, (1 << GENESIS_VALIDATORS_MAX) - 1)
FULL = Status(
    HEIGHT,
    2**32 - 1,
    Phase.PRECOMMIT,
    tuple(range(STATUS_ROUNDS_MAX)),
    (BLOCK,) * STATUS_BLOCKS_MAX,
    (BITMAP,) * STATUS_BITMAPS_MAX,
)
MESSAGES: tuple[Message, ...] = (
    prevote(0, 0, None),
    precommit(1, 9, BLOCK),
    proposal(0, BLOCK),
    proposal(7, BLOCK, 6),
    certificate(3, BLOCK, (0, 2, 3)),
    evidence_of(prevote(0, 0, BLOCK), prevote(0, 0, None)),
    evidence_of(proposal(1, BLOCK), proposal(1, OTHER)),
    Status(HEIGHT, 0, Phase.PROPOSE),
    FULL,
)


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_survives_its_encoding(message: Message) -> None:
    assert decode_message(encode_message(message)) == message


@pytest.mark.parametrize("message", MESSAGES[:8])
def test_no_cut_message_is_read(message: Message) -> None:
    data = encode_message(message)
    for length in range(len(data)):
        with pytest.raises((MessageInvalid, PrimitivesError)):
            decode_message(data[:length])


@pytest.mark.parametrize("message", MESSAGES[:8])
def test_a_changed_byte_is_refused_or_means_something_else(message: Message) -> None:  # BFT-2
    data = encode_message(message)
    for place in range(len(data)):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        try:
            found = decode_message(changed)
        except (MessageInvalid, PrimitivesError):
            continue
        assert found != message
        assert encode_message(found) == changed


@pytest.mark.parametrize(
    "status",
    [
        replace(FULL, proposals=tuple(range(STATUS_ROUNDS_MAX + 1))),
        replace(FULL, blocks=(BLOCK,) * (STATUS_BLOCKS_MAX + 1)),
        replace(FULL, votes=(BITMAP,) * (STATUS_BITMAPS_MAX + 1)),
    ],
)
def test_a_status_beyond_its_bounds_is_refused(status: Status) -> None:  # BFT-30
    with pytest.raises(MessageInvalid):
        decode_message(encode_message(status))


def test_a_message_beyond_its_limit_is_refused_unread() -> None:
    with pytest.raises(MessageInvalid, match=str(MESSAGE_BYTES_MAX)):
        decode_message(b"\x01" + bytes(MESSAGE_BYTES_MAX))


def test_unknown_kinds_are_refused() -> None:
    with pytest.raises(MessageInvalid, match="kind 9"):
        decode_message(b"\x09\xc0")


def test_a_round_beyond_all_reason_is_refused() -> None:
    vote = prevote(0, 0, None)
    assert (
        read_vote(rlp.decode(rlp.encode(replace(vote, round=HEIGHT_ROUNDS_MAX).item()))).round
        == HEIGHT_ROUNDS_MAX
    )

    with pytest.raises(VoteInvalid):
        read_vote(rlp.decode(rlp.encode(replace(vote, round=HEIGHT_ROUNDS_MAX + 1).item())))


def test_the_largest_certificate_fits_and_a_larger_one_is_refused() -> None:  # BFT-26
    full = replace(
        certificate(HEIGHT_ROUNDS_MAX, BLOCK, ()),
        bitmap=(1 << GENESIS_VALIDATORS_MAX) - 1,
        signatures=(Signature(bytes(65)),) * GENESIS_VALIDATORS_MAX,
    )
    assert decode_certificate(full.encode()) == full

    with pytest.raises(PrimitivesError):
        decode_certificate(rlp.encode(bytes(CERTIFICATE_BYTES_MAX + 1)))


def test_what_was_read_is_remembered_for_so_many_messages_and_no_more() -> None:
    encoded = [
        encode_message(Status(HEIGHT, number, Phase.PREVOTE)) for number in range(2 * MESSAGES_REMEMBERED)
    ]
    first = decode_message(encoded[0])
    assert decode_message(encoded[0]) is first
    for each in encoded:
        decode_message(each)
    assert decode_message(encoded[0]) is not first
    assert decode_message(encoded[0]) == first
