"""Who may go on with which session, what comes again, and what comes too late."""

from __future__ import annotations

import pytest

from coc.primitives.limits_http_gossip import HTTP_GOSSIP_CLOCK_MS_MAX, HTTP_GOSSIP_OPENERS_MAX
from coc.primitives.types import PeerId
from coc.wire.http_gossip.door import Asked, Brought, Door, Opening
from coc.wire.http_gossip.envelope import Letter, Note, Path, Pen
from coc.wire.http_gossip.faults import Fault, LetterRefused
from coc.wire.http_gossip.freshness import Openers
from tests.wire.http_gossip.letters import (
    ANNA,
    BERT,
    GENESIS,
    NOW_MS,
    SESSION,
    note,
    opening,
    peer_of,
    request,
)


@pytest.fixture
def door() -> Door:
    """A door with one session of Anna's."""
    made = Door(GENESIS)
    made.admit(SESSION, peer_of(ANNA))
    return made


def fault_of(door: Door, path: Path, letter: bytes, now_ms: int = NOW_MS) -> Fault:
    with pytest.raises(LetterRefused) as caught:
        door.read(now_ms, path, letter)
    return caught.value.fault


def send(door: Door, sequence: int, nonce: int, stream: bytes = b"bytes") -> Brought:
    found = door.read(NOW_MS, Path.SEND, request(Path.SEND, note(sequence, nonce, stream)))
    assert isinstance(found, Brought)
    return found


def ask(door: Door, sequence: int, nonce: int) -> Asked:
    found = door.read(NOW_MS, Path.RECEIVE, request(Path.RECEIVE, note(sequence, nonce)))
    assert isinstance(found, Asked)
    return found


def test_an_opening_names_its_sender(door: Door) -> None:  # HTTP-6
    found = door.read(NOW_MS, Path.OPEN, opening(pen=BERT))
    assert isinstance(found, Opening)
    assert found.sender == peer_of(BERT)


@pytest.mark.parametrize(
    "said",
    [
        Note(SESSION, 0, NOW_MS, 1),
        Note(b"", 1, NOW_MS, 1),
        Note(b"", 0, NOW_MS, 1, is_last=True),
        Note(b"", 0, NOW_MS, 1, stream=b"bytes"),
    ],
)
def test_an_opening_that_brings_more_than_a_name_is_refused(door: Door, said: Note) -> None:  # HTTP-6
    assert fault_of(door, Path.OPEN, request(Path.OPEN, said)) is Fault.MALFORMED


def test_a_letter_far_from_the_clock_is_refused(door: Door) -> None:  # HTTP-4
    for away_ms in (HTTP_GOSSIP_CLOCK_MS_MAX + 1, -HTTP_GOSSIP_CLOCK_MS_MAX - 1):
        assert fault_of(door, Path.OPEN, opening(), NOW_MS + away_ms) is Fault.UNTIMELY
        letter = request(Path.SEND, note(1, 1, b"x"))
        assert fault_of(door, Path.SEND, letter, NOW_MS + away_ms) is Fault.UNTIMELY
    assert isinstance(door.read(NOW_MS + HTTP_GOSSIP_CLOCK_MS_MAX, Path.OPEN, opening()), Opening)


def test_an_opening_that_comes_again_or_late_is_refused(door: Door) -> None:  # HTTP-5
    door.read(NOW_MS, Path.OPEN, opening(nonce=5))
    assert fault_of(door, Path.OPEN, opening(nonce=5)) is Fault.REPEATED
    assert fault_of(door, Path.OPEN, opening(nonce=4)) is Fault.REPEATED
    assert fault_of(door, Path.OPEN, opening(nonce=6, time_ms=NOW_MS - 1)) is Fault.REPEATED
    door.read(NOW_MS, Path.OPEN, opening(nonce=5, pen=BERT))
    door.read(NOW_MS, Path.OPEN, opening(nonce=1, time_ms=NOW_MS + 1))


def test_openings_of_so_many_senders_are_remembered_and_no_more() -> None:  # HTTP-5
    openers = Openers()
    first, *others = [
        Letter(PeerId(number.to_bytes(32, "big")), Note(b"", 0, NOW_MS, 1))
        for number in range(HTTP_GOSSIP_OPENERS_MAX + 1)
    ]
    openers.take(NOW_MS, first)
    for letter in others[:-1]:
        openers.take(NOW_MS, letter)
    with pytest.raises(LetterRefused):
        openers.take(NOW_MS, first)
    openers.take(NOW_MS, others[-1])  # one more than is remembered: the first is forgotten
    openers.take(NOW_MS, first)
    with pytest.raises(LetterRefused):
        openers.take(NOW_MS, others[-1])


def test_bytes_that_come_again_are_not_taken_twice(door: Door) -> None:  # HTTP-8
    assert not send(door, 1, nonce=1).is_again
    assert send(door, 1, nonce=2).is_again
    assert not send(door, 2, nonce=3).is_again


def test_a_letter_that_is_repeated_to_the_byte_is_refused(door: Door) -> None:  # HTTP-5
    send(door, 1, nonce=1)
    letter = request(Path.SEND, note(1, 1, b"bytes"))
    assert fault_of(door, Path.SEND, letter) is Fault.REPEATED
    send(door, 2, nonce=2)
    assert fault_of(door, Path.SEND, letter) is Fault.OUT_OF_ORDER


@pytest.mark.parametrize("sequence", [0, 2, 3, 2**64 - 1])
def test_a_letter_out_of_order_is_refused_and_changes_nothing(door: Door, sequence: int) -> None:  # HTTP-8
    assert fault_of(door, Path.SEND, request(Path.SEND, note(sequence, 1))) is Fault.OUT_OF_ORDER
    send(door, 1, nonce=1)


def test_what_was_answered_is_answered_again_until_the_next_question(door: Door) -> None:  # HTTP-8
    assert ask(door, 1, nonce=1).again is None
    assert ask(door, 1, nonce=2).again is None  # it waits still, by another connection
    door.answered(SESSION, (b"said", False))
    assert ask(door, 1, nonce=3).again == (b"said", False)
    assert ask(door, 2, nonce=4).again is None


def test_the_lanes_of_a_session_do_not_meet(door: Door) -> None:  # HTTP-8
    send(door, 1, nonce=9)
    ask(door, 1, nonce=1)


def test_a_question_brings_no_bytes(door: Door) -> None:  # HTTP-8
    letter = request(Path.RECEIVE, note(1, 1, b"bytes"))
    assert fault_of(door, Path.RECEIVE, letter) is Fault.MALFORMED


def test_a_session_is_its_openers_and_nobody_elses(door: Door) -> None:  # HTTP-7
    stolen = request(Path.SEND, note(1, 1, b"bytes"), BERT)
    assert fault_of(door, Path.SEND, stolen) is Fault.FORGED
    assert not send(door, 1, nonce=1).is_again


def test_a_session_that_has_ended_or_never_was_is_gone(door: Door) -> None:  # HTTP-7
    unknown = request(Path.SEND, note(1, 1, session=b"u" * 16))
    assert fault_of(door, Path.SEND, unknown) is Fault.NO_SESSION
    door.end(SESSION)
    door.answered(SESSION, (b"too late", True))
    assert fault_of(door, Path.SEND, request(Path.SEND, note(1, 1))) is Fault.NO_SESSION
    assert len(door) == 0


def test_every_fault_has_a_status_and_what_it_costs() -> None:  # HTTP-7
    assert {fault.name: (fault.status, fault.points) for fault in Fault} == {
        "MALFORMED": (400, 25),
        "FORGED": (401, 25),
        "FOREIGN": (421, 5),
        "UNTIMELY": (425, 5),
        "REPEATED": (409, 10),
        "OUT_OF_ORDER": (409, 5),
        "NO_SESSION": (410, 2),
        "NO_ROOM": (503, 0),
    }


def test_the_wrong_key_opens_nothing(door: Door) -> None:  # HTTP-3
    named = Pen(BERT._secret, GENESIS)
    named.public_key = ANNA.public_key
    assert fault_of(door, Path.OPEN, opening(pen=named)) is Fault.FORGED
