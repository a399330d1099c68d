"""Letters: what is signed is what is read, and everything else is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from coc.primitives import rlp
from coc.primitives.limits_http_gossip import HTTP_GOSSIP_LETTER_BYTES_MAX, HTTP_GOSSIP_STREAM_BYTES_MAX
from coc.primitives.types import Hash32
from coc.wire.http_gossip.envelope import Direction, Note, Path, Pen, read_letter
from coc.wire.http_gossip.faults import Fault, LetterRefused
from tests.wire.http_gossip.letters import (
    ANNA,
    BERT,
    GENESIS,
    NOW_MS,
    SESSION,
    changed,
    note,
    peer_of,
    request,
)

NOTE = Note(SESSION, 7, NOW_MS, 9, is_last=True, stream=b"some bytes")
LETTER = request(Path.SEND, NOTE)


def read(data: bytes, path: Path = Path.SEND, direction: Direction = Direction.REQUEST) -> Note:
    letter = read_letter(data, direction, path, GENESIS)
    assert letter.sender == peer_of(ANNA)
    return letter.note


def fault_of(data: bytes, path: Path = Path.SEND, direction: Direction = Direction.REQUEST) -> Fault:
    with pytest.raises(LetterRefused) as caught:
        read(data, path, direction)
    return caught.value.fault


def test_a_letter_reads_as_it_was_written() -> None:  # HTTP-2
    assert read(LETTER) == NOTE
    longest = note(1, 1, bytes(HTTP_GOSSIP_STREAM_BYTES_MAX))
    assert read(request(Path.SEND, longest)) == longest
    assert len(request(Path.SEND, longest)) <= HTTP_GOSSIP_LETTER_BYTES_MAX


def test_a_letter_is_void_on_another_path_and_in_the_other_direction() -> None:  # HTTP-3
    assert fault_of(LETTER, Path.RECEIVE) is Fault.FORGED
    assert fault_of(LETTER, Path.SEND, Direction.ANSWER) is Fault.FORGED


@pytest.mark.parametrize(
    ("place", "item", "fault"),
    [
        (0, 2, Fault.MALFORMED),
        (1, BERT.public_key, Fault.FORGED),
        (1, bytes(64), Fault.FORGED),
        (1, bytes(63), Fault.MALFORMED),
        (2, b"o" * 32, Fault.FOREIGN),
        (3, b"t" * 16, Fault.FORGED),
        (3, b"t" * 15, Fault.MALFORMED),
        (4, 8, Fault.FORGED),
        (4, 2**64, Fault.MALFORMED),
        (4, b"\0\7", Fault.MALFORMED),
        (5, NOW_MS + 1, Fault.FORGED),
        (6, 10, Fault.FORGED),
        (7, 0, Fault.FORGED),
        (7, 2, Fault.MALFORMED),
        (8, bytes(32), Fault.FORGED),
        (9, bytes(65), Fault.FORGED),
        (9, bytes(64), Fault.MALFORMED),
        (10, b"other bytes", Fault.FORGED),
        (10, [b"a list"], Fault.MALFORMED),
        (10, bytes(HTTP_GOSSIP_STREAM_BYTES_MAX + 1), Fault.MALFORMED),
    ],
)
def test_a_letter_of_which_a_field_was_changed_is_refused(
    place: int, item: rlp.Encodable, fault: Fault
) -> None:  # HTTP-2, HTTP-3
    assert fault_of(changed(LETTER, place, item)) is fault


def test_a_letter_of_another_chain_is_foreign_and_its_signature_void_on_ours() -> None:  # HTTP-3
    secret = ANNA._secret
    foreign = Pen(secret, Hash32(b"o" * 32)).write(Direction.REQUEST, Path.SEND, NOTE)
    assert fault_of(foreign) is Fault.FOREIGN
    assert fault_of(changed(foreign, 2, GENESIS)) is Fault.FORGED


def test_a_body_with_a_hash_that_fits_but_was_not_signed_is_forged() -> None:  # HTTP-3
    other = rlp.decode_list(request(Path.SEND, note(7, 9, b"other bytes"), BERT))
    assert fault_of(changed(changed(LETTER, 10, b"other bytes"), 8, bytes(other[8]))) is Fault.FORGED  # type: ignore[arg-type]


@given(some.binary(max_size=600))
def test_no_bytes_but_letters_are_letters(data: bytes) -> None:  # HTTP-2
    assert fault_of(data) is Fault.MALFORMED


@given(some.integers(0, len(LETTER) - 1), some.integers(1, 255), some.integers(0, 3))
def test_a_letter_with_one_byte_changed_cut_or_more_is_refused(place: int, change: int, more: int) -> None:
    spoilt = bytearray(LETTER)
    spoilt[place] ^= change
    assert fault_of(bytes(spoilt)) in (Fault.MALFORMED, Fault.FORGED, Fault.FOREIGN)
    assert fault_of(LETTER[:place]) is Fault.MALFORMED
    assert fault_of(LETTER + bytes(more + 1)) is Fault.MALFORMED
