"""An open connection: order, budgets, deadlines, and how it ends."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coc.primitives.limits_wire import (
    WIRE_ASSEMBLY_MS_MAX,
    WIRE_CONSENSUS_BYTES_MAX,
    WIRE_CONTROL_BYTES_MAX,
    WIRE_CONTROL_PER_WINDOW_FRAMES_MAX,
    WIRE_CONTROL_WINDOW_MS,
    WIRE_DHT_BYTES_MAX,
    WIRE_FRAME_BYTES_MAX,
    WIRE_IDLE_MS_MAX,
    WIRE_PING_MS,
    WIRE_POSE_BYTES_MAX,
    WIRE_QUEUE_CONSENSUS_BYTES_MAX,
    WIRE_REQUEST_BYTES_MAX,
    WIRE_STALL_MS_MAX,
    WIRE_STORAGE_BYTES_MAX,
    WIRE_TRANSACTIONS_BYTES_MAX,
)
from coc.wire.control import encode_goodbye
from coc.wire.errors import LocalError, Reason, RemoteError
from coc.wire.events import Closed, Received
from coc.wire.frames import encode_frame, encode_head
from coc.wire.kinds import (
    ADDRESSES,
    ANNOUNCE_TRANSACTIONS,
    BLOCK,
    CONSENSUS,
    DHT,
    GET_ADDRESSES,
    GET_BLOCK,
    GOODBYE,
    PING,
    PONG,
    POSE,
    STORAGE,
    TRANSACTIONS,
    WELCOME,
    MessageClass,
)
from coc.wire.pieces import PIECE_BYTES_MAX, RECORD_BYTES_MAX, encode_piece, encode_record
from tests.wire.fakes import FakeChannel, Pair, drained, of_kind, opened, unhurried

LARGEST = [
    (ADDRESSES, WIRE_CONTROL_BYTES_MAX),
    (CONSENSUS, WIRE_CONSENSUS_BYTES_MAX),
    (GET_BLOCK, WIRE_REQUEST_BYTES_MAX),
    (BLOCK, WIRE_FRAME_BYTES_MAX),
    (TRANSACTIONS, WIRE_TRANSACTIONS_BYTES_MAX),
    (POSE, WIRE_POSE_BYTES_MAX),
    (STORAGE, WIRE_STORAGE_BYTES_MAX),
    (DHT, WIRE_DHT_BYTES_MAX),
]


def twin(pair: Pair) -> FakeChannel:
    """The left side's channel, to write what no session writes; the left session must send no more."""
    channel = pair.left._stage._channel  # type: ignore[union-attr]
    assert isinstance(channel, FakeChannel)
    return channel


def record(channel: FakeChannel, number: int, message_class: MessageClass, payload: bytes = b"") -> bytes:
    piece = encode_piece(message_class, encode_frame(number, payload), is_last=True)
    return encode_record(channel.seal(piece))


@pytest.mark.parametrize(("kind", "most"), LARGEST)
def test_the_largest_payload_of_a_kind_arrives_and_a_larger_one_is_our_own_fault(
    kind: type, most: int
) -> None:  # WIRE-18
    pair = opened()
    assert pair.left.send(kind, bytes(most))  # type: ignore[arg-type]
    with pytest.raises(LocalError, match="too long"):
        pair.left.send(kind, bytes(most + 1))  # type: ignore[arg-type]
    pair.pump()

    assert [len(payload) for _, payload in pair.received_right()] == [most]


def test_a_peer_that_announces_a_larger_payload_is_dropped_at_the_head() -> None:  # WIRE-1
    pair = opened()
    head = encode_head(GET_BLOCK.number, 70_000)
    piece = encode_piece(MessageClass.BLOCKS, head + bytes(PIECE_BYTES_MAX - 7), is_last=False)
    pair.right_events += pair.right.receive(encode_record(twin(pair).seal(piece)))

    assert pair.closed_right().reason is Reason.PROTOCOL_BROKEN
    assert "GOODBYE" not in str(pair.closed_right().error)
    assert "too long" in str(pair.closed_right().error)


@unhurried(30)
@given(st.randoms(use_true_random=False))
def test_messages_of_each_class_arrive_in_order_however_the_stream_is_cut(dice: random.Random) -> None:
    pair = opened()
    kinds = (CONSENSUS, BLOCK, ANNOUNCE_TRANSACTIONS, DHT)
    sent = [(dice.choice(kinds), number.to_bytes(2, "big") * dice.randint(1, 9_000)) for number in range(20)]
    for kind, payload in sent:
        assert pair.left.send(kind, payload)
    stream = drained(pair.left)
    while stream:
        size = dice.randint(1, 70_000)
        pair.right_events += pair.right.receive(stream[:size])
        stream = stream[size:]

    received = pair.received_right()
    assert len(received) == len(sent)
    for kind in kinds:
        assert [payload for name, payload in received if name == kind.name] == [
            payload for other, payload in sent if other is kind
        ]


def test_a_vote_passes_while_blocks_of_16_mib_are_queued() -> None:  # WIRE-8
    pair = opened()
    block = bytes(WIRE_FRAME_BYTES_MAX)
    assert pair.left.send(BLOCK, block)
    assert pair.left.send(BLOCK, block)
    assert not pair.left.send(BLOCK, block)

    behind = 0
    for number in range(20):
        stream = pair.left.data_to_send(RECORD_BYTES_MAX)  # this piece has left when the vote is made
        pair.left.send(CONSENSUS, bytes((number,)))
        while not pair.received_right():
            data = pair.left.data_to_send(RECORD_BYTES_MAX)
            assert len(data) <= RECORD_BYTES_MAX
            stream += data
            behind += 1
            pair.right_events += pair.right.receive(stream)
            stream = b""
        assert pair.received_right() == [("CONSENSUS", bytes((number,)))]
        pair.right_events.clear()

    assert behind == 20
    pair.pump()
    assert [len(payload) for _, payload in pair.received_right()] == [WIRE_FRAME_BYTES_MAX] * 2


def test_the_budget_bounds_what_is_taken_unless_one_record_is_larger() -> None:
    pair = opened()
    for _ in range(100):
        pair.left.send(CONSENSUS, bytes(100))
    size = len(pair.left.data_to_send(1))

    assert size > 100
    assert len(pair.left.data_to_send(10 * size + 1)) == 10 * size
    assert len(pair.left.data_to_send(RECORD_BYTES_MAX)) == 89 * size
    assert pair.left.data_to_send(RECORD_BYTES_MAX) == b""


def test_a_vote_sent_again_is_carried_again() -> None:  # WIRE-12
    pair = opened()
    for _ in range(3):
        pair.left.send(CONSENSUS, b"the same vote")
    pair.pump()

    assert pair.received_right() == [("CONSENSUS", b"the same vote")] * 3


def test_a_peer_too_slow_for_consensus_is_parted_from() -> None:  # WIRE-10
    pair = opened()
    vote = bytes(WIRE_CONSENSUS_BYTES_MAX)
    taken = 0
    while pair.left.send(CONSENSUS, vote):
        taken += 1
    pair.left_events += pair.left.events()

    assert taken == WIRE_QUEUE_CONSENSUS_BYTES_MAX // (len(vote) + 7)
    assert pair.closed_left().reason is Reason.TOO_SLOW
    assert pair.left.waiting_bytes == 0
    assert not pair.left.send(CONSENSUS, vote)
    pair.pump()
    assert pair.closed_right() == Closed(Reason.TOO_SLOW, is_peers_word=True)


@pytest.mark.parametrize("kind", [WELCOME, GOODBYE, PING, PONG])
def test_a_layer_cannot_speak_for_the_session(kind: type) -> None:  # WIRE-18
    with pytest.raises(LocalError, match="only the session"):
        opened().left.send(kind, b"")  # type: ignore[arg-type]


# ── Time ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_silent_peer_is_pinged_and_its_answer_keeps_it() -> None:  # WIRE-14
    pair = opened()
    for now_ms in range(0, 10 * WIRE_IDLE_MS_MAX, WIRE_PING_MS // 2):
        pair.tick(now_ms)
        pair.pump()

    assert not of_kind([*pair.left_events, *pair.right_events], Closed)
    assert not of_kind([*pair.left_events, *pair.right_events], Received)


def test_a_peer_that_answers_no_ping_is_gone() -> None:  # WIRE-14
    pair = opened()
    pings = 0
    for now_ms in range(0, WIRE_IDLE_MS_MAX + 1, 1_000):
        pair.left_events += pair.left.tick(now_ms)
        pings += bool(drained(pair.left))
    assert not of_kind(pair.left_events, Closed)
    pair.left_events += pair.left.tick(WIRE_IDLE_MS_MAX + 1)

    assert pings == 3
    assert pair.closed_left().reason is Reason.SILENT


def test_a_ping_may_be_asked_for() -> None:  # WIRE-24
    pair = opened()
    pair.left.ping()
    pair.right.receive(drained(pair.left))

    assert drained(pair.right) != b""


def test_a_peer_that_reads_nothing_is_too_slow() -> None:  # WIRE-15
    pair = opened()
    pair.left.send(BLOCK, bytes(200_000))
    for now_ms in range(0, WIRE_STALL_MS_MAX + 1, 5_000):
        pair.right.ping()
        pair.left_events += pair.left.receive(drained(pair.right))
        pair.left_events += pair.left.tick(now_ms)
    assert not of_kind(pair.left_events, Closed)
    pair.left_events += pair.left.tick(WIRE_STALL_MS_MAX + 1)

    assert pair.closed_left().reason is Reason.TOO_SLOW


def test_a_peer_that_reads_a_little_is_not_too_slow() -> None:  # WIRE-15
    pair = opened()
    pair.left.send(BLOCK, bytes(1_000_000))
    for now_ms in range(0, 3 * WIRE_STALL_MS_MAX, WIRE_STALL_MS_MAX // 4):
        pair.right.ping()
        pair.left_events += pair.left.receive(drained(pair.right))
        pair.left_events += pair.left.tick(now_ms)
        assert pair.left.data_to_send(RECORD_BYTES_MAX)

    assert not of_kind(pair.left_events, Closed)


def test_a_queue_that_was_empty_for_long_does_not_count_as_unread() -> None:
    pair = opened()
    for now_ms in range(0, 10 * WIRE_STALL_MS_MAX, WIRE_PING_MS):
        pair.tick(now_ms)
        pair.pump()
    pair.left.send(BLOCK, b"block")
    pair.left_events += pair.left.tick(10 * WIRE_STALL_MS_MAX)

    assert not of_kind(pair.left_events, Closed)


def test_a_frame_that_is_never_finished_is_too_slow() -> None:  # WIRE-15
    pair = opened()
    channel = twin(pair)
    first = encode_frame(BLOCK.number, bytes(10**6))[:PIECE_BYTES_MAX]
    piece = encode_piece(MessageClass.BLOCKS, first, is_last=False)
    pair.right_events += pair.right.receive(encode_record(channel.seal(piece)))
    assert pair.right.assembling_bytes == PIECE_BYTES_MAX
    for now_ms in range(0, WIRE_ASSEMBLY_MS_MAX + 1, 5_000):
        pair.right_events += pair.right.receive(record(channel, PONG.number, MessageClass.CONTROL))
        pair.right_events += pair.right.tick(now_ms)
        drained(pair.right)
    assert not of_kind(pair.right_events, Closed)
    pair.right_events += pair.right.tick(WIRE_ASSEMBLY_MS_MAX + 1)

    assert pair.closed_right().reason is Reason.TOO_SLOW


def test_a_clock_that_goes_back_changes_nothing() -> None:
    pair = opened()
    pair.tick(5_000)
    pair.tick(-(10**9))
    pair.tick(5_001)

    assert not of_kind([*pair.left_events, *pair.right_events], Closed)


# ── Hostile peers ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_flood_of_pings_is_answered_only_so_long() -> None:  # WIRE-16
    pair = opened()
    channel = twin(pair)
    allowed = WIRE_CONTROL_PER_WINDOW_FRAMES_MAX - 1  # the welcome was one
    for _ in range(allowed):
        pair.right_events += pair.right.receive(record(channel, PING.number, MessageClass.CONTROL))
    assert not of_kind(pair.right_events, Closed)
    pair.right_events += pair.right.tick(WIRE_CONTROL_WINDOW_MS)
    for _ in range(WIRE_CONTROL_PER_WINDOW_FRAMES_MAX):
        pair.right_events += pair.right.receive(record(channel, PING.number, MessageClass.CONTROL))
    assert not of_kind(pair.right_events, Closed)
    pair.right_events += pair.right.receive(record(channel, PING.number, MessageClass.CONTROL))

    assert "too many control frames" in str(pair.closed_right().error)


@pytest.mark.parametrize("changed", [0, 1, 30, -1])
def test_a_message_that_was_changed_on_the_way_ends_the_connection(changed: int) -> None:
    pair = opened()
    pair.left.send(CONSENSUS, bytes(40))
    data = bytearray(drained(pair.left))
    data[2 + changed if changed >= 0 else changed] ^= 1
    pair.right_events += pair.right.receive(bytes(data))

    assert isinstance(pair.closed_right().error, RemoteError)
    assert not pair.received_right()


def test_a_message_that_is_repeated_or_left_out_ends_the_connection() -> None:
    pair = opened()
    pair.left.send(CONSENSUS, b"one")
    data = drained(pair.left)
    pair.right_events += pair.right.receive(data + data)
    assert pair.received_right() == [("CONSENSUS", b"one")]
    assert "does not decrypt" in str(pair.closed_right().error)

    other = opened()
    other.left.send(CONSENSUS, b"one")
    drained(other.left)
    other.left.send(CONSENSUS, b"two")
    other.right_events += other.right.receive(drained(other.left))
    assert not other.received_right()
    assert "does not decrypt" in str(other.closed_right().error)


@unhurried(200)
@given(st.binary(max_size=300))
def test_whatever_a_proven_peer_seals_is_a_message_or_its_own_end(piece: bytes) -> None:
    pair = opened()
    events = pair.right.receive(encode_record(twin(pair).seal(piece)))

    for closed in of_kind(events, Closed):
        assert closed.is_peers_word or isinstance(closed.error, RemoteError)
    assert pair.right.assembling_bytes <= len(piece)


# ── The end ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_goodbye_overtakes_all_that_waits() -> None:  # WIRE-17
    pair = opened()
    pair.left.send(BLOCK, bytes(10**6))
    first = pair.left.data_to_send(RECORD_BYTES_MAX)
    pair.left_events += pair.left.leave(Reason.SHUTTING_DOWN)
    rest = drained(pair.left)
    pair.right_events += pair.right.receive(first + rest)

    assert len(rest) < 100
    assert pair.closed_left() == Closed(Reason.SHUTTING_DOWN)
    assert pair.closed_right() == Closed(Reason.SHUTTING_DOWN, is_peers_word=True)


@pytest.mark.parametrize("tail", [b"\0", b"\0\x20" + bytes(32)])
def test_whoever_goes_on_after_its_goodbye_breaks_the_protocol(tail: bytes) -> None:  # WIRE-17
    pair = opened()
    goodbye = record(twin(pair), GOODBYE.number, MessageClass.CONTROL, encode_goodbye(Reason.SHUTTING_DOWN))
    pair.right_events += pair.right.receive(goodbye + tail)

    assert pair.closed_right().reason is Reason.PROTOCOL_BROKEN
    assert isinstance(pair.closed_right().error, RemoteError)


def test_a_reason_of_a_later_release_is_read_as_unknown() -> None:  # WIRE-17
    pair = opened()
    pair.right_events += pair.right.receive(
        record(twin(pair), GOODBYE.number, MessageClass.CONTROL, b"\xc3\x82\x03\xe8")
    )

    assert pair.closed_right() == Closed(Reason.UNKNOWN, is_peers_word=True)


@pytest.mark.parametrize("payload", [b"", b"\x80", b"\xc0", b"\xc2\x01\x02", b"\xc1\xc0"])
def test_a_goodbye_of_another_shape_breaks_the_protocol(payload: bytes) -> None:
    pair = opened()
    pair.right_events += pair.right.receive(record(twin(pair), GOODBYE.number, MessageClass.CONTROL, payload))

    assert pair.closed_right().reason is Reason.PROTOCOL_BROKEN


def test_a_session_says_once_that_it_is_over_and_then_nothing() -> None:
    pair = opened()
    assert pair.left.lost() == [Closed(Reason.LOST)]
    assert pair.left.lost() == pair.left.leave(Reason.BANNED) == pair.left.tick(10**9) == []
    assert pair.left.receive(b"anything") == pair.left.accept() == []
    pair.left.ping()

    assert drained(pair.left) == b""


def test_addresses_are_for_the_owner_and_pongs_are_not() -> None:
    pair = opened()
    pair.left.send(GET_ADDRESSES, b"")
    pair.left.ping()
    pair.pump()

    assert pair.received_right() == [("GET_ADDRESSES", b"")]
    assert pair.left_events == []
