"""How two sessions come to know each other, and every way in which they do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coc.primitives.limits_wire import WIRE_HANDSHAKE_MS_MAX, WIRE_TICK_MS
from coc.primitives.types import PeerId
from coc.wire.errors import LocalError, Reason, RemoteError
from coc.wire.events import Closed, Opened, Proven, Received
from coc.wire.frames import encode_frame
from coc.wire.identity import ProvenPeer
from coc.wire.kinds import CONSENSUS, PING, WELCOME, MessageClass
from coc.wire.pieces import RECORD_BYTES_MAX, encode_piece, encode_record
from coc.wire.session import Session
from tests.wire.fakes import (
    OFFER,
    OTHER_CHAIN,
    OTHER_FORKS,
    FakeChannel,
    Pair,
    drained,
    identity,
    of_kind,
    opened,
    setup,
    unhurried,
)


def proven_pair() -> tuple[Pair, FakeChannel, FakeChannel]:
    """Two sessions after the handshake, and twins of their channels to write anything with."""
    pair = Pair()
    pair.pump()
    (proven,) = of_kind(pair.left_events, Proven)
    left = FakeChannel(proven.channel_hash, is_initiator=True)
    return pair, left, FakeChannel(proven.channel_hash, is_initiator=False)


def sealed(channel: FakeChannel, number: int, message_class: MessageClass, payload: bytes = b"") -> bytes:
    piece = encode_piece(message_class, encode_frame(number, payload), is_last=True)
    return encode_record(channel.seal(piece))


def test_both_sides_learn_who_the_other_is_and_name_the_channel_alike() -> None:  # WIRE-4
    pair = Pair()
    pair.pump()

    (left,) = of_kind(pair.left_events, Proven)
    (right,) = of_kind(pair.right_events, Proven)
    assert left.peer == ProvenPeer(identity(2).peer, identity(2).public_key, OFFER)
    assert right.peer == ProvenPeer(identity(1).peer, identity(1).public_key, OFFER)
    assert left.channel_hash == right.channel_hash


def test_a_handshake_may_come_byte_by_byte() -> None:
    pair = Pair()
    for _ in range(3):
        forth, back = drained(pair.left), drained(pair.right)
        for place in range(len(forth)):
            pair.right_events += pair.right.receive(forth[place : place + 1])
        for place in range(len(back)):
            pair.left_events += pair.left.receive(back[place : place + 1])

    assert of_kind(pair.left_events, Proven)
    assert of_kind(pair.right_events, Proven)


def test_nothing_travels_before_both_have_welcomed() -> None:  # WIRE-6
    pair = Pair()
    with pytest.raises(LocalError):
        pair.left.accept()
    pair.pump()
    pair.left_events += pair.left.accept()
    pair.pump()

    with pytest.raises(LocalError, match="before both sides"):
        pair.left.send(CONSENSUS, b"vote")
    assert not of_kind([*pair.left_events, *pair.right_events], Opened)
    with pytest.raises(LocalError, match="only once"):
        pair.left.accept()

    assert pair.right.accept() == [Opened()]
    pair.pump()
    assert of_kind(pair.left_events, Opened)
    assert pair.left.send(CONSENSUS, b"vote")


def test_what_is_sent_on_opening_comes_behind_the_welcome() -> None:
    pair = Pair()
    pair.pump()
    pair.left_events += pair.left.accept()
    pair.pump()
    pair.right.accept()
    pair.right.send(CONSENSUS, b"vote")
    pair.pump()

    assert [type(event) for event in pair.left_events] == [Proven, Opened, Received]
    assert not of_kind(pair.left_events, Closed)


@pytest.mark.parametrize(
    ("number", "message_class"),
    [(CONSENSUS.number, MessageClass.CONSENSUS), (PING.number, MessageClass.CONTROL)],
)
def test_a_frame_before_the_welcomes_breaks_the_protocol(
    number: int, message_class: MessageClass
) -> None:  # WIRE-6
    pair, left, _ = proven_pair()
    pair.right.accept()
    pair.right_events += pair.right.receive(sealed(left, number, message_class))

    assert isinstance(pair.closed_right().error, RemoteError)
    assert pair.closed_right().reason is Reason.PROTOCOL_BROKEN


def test_a_stranger_cannot_make_us_gather_a_frame_before_the_welcomes() -> None:  # WIRE-6
    pair, left, _ = proven_pair()
    part = encode_frame(0x22, bytes(100_000))[:65_518]
    pair.right_events += pair.right.receive(
        encode_record(left.seal(encode_piece(MessageClass.BLOCKS, part, is_last=False)))
    )

    assert pair.closed_right().reason is Reason.PROTOCOL_BROKEN
    assert pair.closed_right().error is not None


def test_a_second_welcome_breaks_the_protocol() -> None:
    pair, left, _ = proven_pair()
    welcome = sealed(left, WELCOME.number, MessageClass.CONTROL)
    pair.right_events += pair.right.receive(welcome)
    pair.right_events += pair.right.receive(sealed(left, WELCOME.number, MessageClass.CONTROL))

    assert pair.closed_right().reason is Reason.PROTOCOL_BROKEN


def test_nodes_of_two_chains_part_with_a_reason_both_can_read() -> None:  # WIRE-7
    pair = Pair(setup(1), setup(2, OTHER_CHAIN))
    pair.pump()

    assert pair.reasons() == (Reason.OTHER_GENESIS, Reason.OTHER_GENESIS)
    assert isinstance(pair.closed_left().error, RemoteError)
    assert "genesis" in str(pair.closed_left().error)
    assert not of_kind([*pair.left_events, *pair.right_events], Proven)


def test_nodes_with_other_forks_part_with_a_reason_both_can_read() -> None:  # WIRE-7
    pair = Pair(setup(1, OTHER_FORKS), setup(2))
    pair.pump()

    assert pair.reasons() == (Reason.OTHER_FORKS, Reason.OTHER_FORKS)


def test_a_node_that_dials_itself_finds_out() -> None:  # WIRE-7
    pair = Pair(setup(1), setup(1))
    pair.pump()

    assert pair.reasons() == (Reason.OWN_IDENTITY, Reason.OWN_IDENTITY)


def test_whoever_answers_for_another_is_told_that_it_was_not_meant() -> None:  # WIRE-7
    pair = Pair(expected=identity(3).peer)
    pair.pump()

    assert pair.closed_left().reason is Reason.UNEXPECTED_IDENTITY
    assert identity(2).peer.hex() in str(pair.closed_left().error)
    assert pair.closed_right() == Closed(Reason.UNEXPECTED_IDENTITY, is_peers_word=True)


def test_the_expected_peer_is_taken() -> None:
    pair = Pair(expected=identity(2).peer)
    pair.pump()

    assert of_kind(pair.left_events, Proven)


def test_a_node_with_no_room_says_so_and_the_other_never_was_open() -> None:  # WIRE-6
    pair = Pair()
    pair.pump()
    pair.left_events += pair.left.accept()
    pair.right_events += pair.right.leave(Reason.TOO_MANY_PEERS)
    pair.pump()

    assert pair.closed_left() == Closed(Reason.TOO_MANY_PEERS, is_peers_word=True)
    assert not of_kind(pair.left_events, Opened)


def test_a_first_message_with_a_payload_is_refused() -> None:  # WIRE-4
    noise = setup(1).noise.begin(is_initiator=True)
    session = Session(setup(2), 0, is_initiator=False)
    (closed,) = of_kind(session.receive(encode_record(noise.write(b"early"))), Closed)

    assert closed.reason is Reason.PROTOCOL_BROKEN
    assert drained(session) == b""


@pytest.mark.parametrize("spent_ms", [0, WIRE_HANDSHAKE_MS_MAX - WIRE_TICK_MS])
def test_a_slow_handshake_ends_in_time_however_far_it_came(spent_ms: int) -> None:  # WIRE-13
    pair = Pair()
    pair.tick(spent_ms)
    pair.pump()
    pair.left.accept()
    pair.pump()
    pair.tick(WIRE_HANDSHAKE_MS_MAX)
    assert not of_kind(pair.right_events, Closed)
    pair.tick(WIRE_HANDSHAKE_MS_MAX + 1)

    assert pair.reasons() == (Reason.HANDSHAKE_TIMEOUT, Reason.HANDSHAKE_TIMEOUT)


def test_who_sends_a_byte_now_and_then_gains_no_time() -> None:  # WIRE-13
    session = Session(setup(2), 0, is_initiator=False)
    events = []
    for now_ms in range(0, WIRE_HANDSHAKE_MS_MAX + 2 * WIRE_TICK_MS, WIRE_TICK_MS):
        events += session.receive(b"\0" if now_ms == 0 else b"")
        events += session.tick(now_ms)

    assert [event.reason for event in of_kind(events, Closed)] == [Reason.HANDSHAKE_TIMEOUT]


@unhurried(200)
@given(st.binary(min_size=1, max_size=600))
def test_whatever_a_stranger_sends_ends_quietly_or_waits(data: bytes) -> None:
    for is_initiator in (True, False):
        session = Session(setup(2), 0, is_initiator=is_initiator)
        first = drained(session)
        events = session.receive(data)
        assert not of_kind(events, Proven)
        assert all(isinstance(event.error, RemoteError) for event in of_kind(events, Closed))
        assert drained(session) == b"" or not session.is_closed
        assert bool(first) is is_initiator


@unhurried(100)
@given(st.integers(0, 200), st.integers(0, 7))
def test_a_handshake_with_one_changed_bit_proves_nobody_to_the_acceptor(place: int, bit: int) -> None:
    pair = Pair()
    is_changed = False
    for _ in range(3):
        for source, target in ((pair.left, pair.right), (pair.right, pair.left)):
            data = bytearray(drained(source))
            if not is_changed and place < len(data):
                data[place] ^= 1 << bit
                is_changed = True
            events = target.receive(bytes(data))
            assert target is pair.left or not of_kind(events, Proven)
    assert is_changed


def test_an_open_session_is_told_apart() -> None:
    pair = opened()

    assert pair.left.is_open
    assert not pair.left.is_closed
    assert PeerId(identity(1).peer) != identity(2).peer
    assert pair.left.data_to_send(RECORD_BYTES_MAX) == b""
