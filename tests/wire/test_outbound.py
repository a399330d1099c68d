"""Whose turn it is, and what becomes of frames for which there is no room."""

from __future__ import annotations

from collections import Counter

import pytest

from coc.primitives.limits_wire import (
    WIRE_CONSENSUS_BYTES_MAX,
    WIRE_FRAME_BYTES_MAX,
    WIRE_QUEUE_BLOCKS_BYTES_MAX,
    WIRE_QUEUE_CONSENSUS_BYTES_MAX,
    WIRE_QUEUE_CONTROL_BYTES_MAX,
    WIRE_QUEUE_DHT_BYTES_MAX,
    WIRE_QUEUE_FRAMES_MAX,
    WIRE_QUEUE_POSE_BYTES_MAX,
    WIRE_QUEUE_STORAGE_BYTES_MAX,
    WIRE_QUEUE_TRANSACTIONS_BYTES_MAX,
)
from coc.wire import kinds
from coc.wire.frames import HEAD_BYTES, Frame
from coc.wire.kinds import (
    ADDRESSES,
    ANNOUNCE_TRANSACTIONS,
    BLOCK,
    CLASS_RULES,
    CONSENSUS,
    DHT,
    GET_TRANSACTIONS,
    KINDS,
    POSE,
    STORAGE,
    TRANSACTIONS,
    Kind,
    MessageClass,
    WhenFull,
)
from coc.wire.outbound import Outbound, Put
from coc.wire.pieces import PIECE_BYTES_MAX, Assembly
from tests.tidy.tree import ROOT

QUEUES = [
    (ADDRESSES, WIRE_QUEUE_CONTROL_BYTES_MAX),
    (CONSENSUS, WIRE_QUEUE_CONSENSUS_BYTES_MAX),
    (BLOCK, WIRE_QUEUE_BLOCKS_BYTES_MAX),
    (TRANSACTIONS, WIRE_QUEUE_TRANSACTIONS_BYTES_MAX),
    (POSE, WIRE_QUEUE_POSE_BYTES_MAX),
    (STORAGE, WIRE_QUEUE_STORAGE_BYTES_MAX),
    (DHT, WIRE_QUEUE_DHT_BYTES_MAX),
]


CLASS_NAMES = {
    kind: {MessageClass.POSE: "PoSe", MessageClass.DHT: "DHT"}.get(
        kind.message_class, kind.message_class.name.lower()
    )
    for kind in KINDS.values()
}


def class_of(piece: bytes) -> MessageClass:
    return MessageClass(piece[0] & 0x7F)


def all_frames(outbound: Outbound) -> list[Frame]:
    assembly = Assembly()
    frames: list[Frame] = []
    while (piece := outbound.next_piece()) is not None:
        frame = assembly.take(0, piece)
        if frame is not None:
            frames.append(frame)
    return frames


def filled(kind: Kind) -> Outbound:
    """As many frames of the kind's largest size as fit."""
    outbound = Outbound()
    size = HEAD_BYTES + kind.bytes_max
    payload = bytes(kind.bytes_max)
    limit = CLASS_RULES[kind.message_class].queue_bytes_max
    for _ in range(limit // size):
        assert outbound.put(kind, payload) is Put.TAKEN
    return outbound


def test_every_kind_has_its_place_in_the_registry_and_in_the_rules() -> None:  # WIRE-3
    defined = {name: kind for name, kind in vars(kinds).items() if isinstance(kind, Kind)}
    rules = (ROOT / "specs/wire.md").read_text(encoding="utf-8")

    assert defined == {kind.name: kind for kind in KINDS.values()}
    assert len(KINDS) == len(defined)
    assert set(CLASS_RULES) == set(MessageClass)
    for name, kind in defined.items():
        row = next(line for line in rules.splitlines() if line.startswith(f"| {CLASS_NAMES[kind]} |"))
        assert f" {name} {kind.number:02X}" in row


def test_a_class_holds_its_limit_and_not_a_frame_more() -> None:  # WIRE-10
    assert [CLASS_RULES[kind.message_class].queue_bytes_max for kind, _ in QUEUES] == [
        limit for _, limit in QUEUES
    ]
    for kind, limit in QUEUES:
        outbound = filled(kind)
        before = outbound.waiting_bytes
        put = outbound.put(kind, bytes(kind.bytes_max))
        expected = {
            WhenFull.REFUSE: Put.REFUSED,
            WhenFull.DROP_OLDEST: Put.TAKEN,
            WhenFull.CLOSE: Put.OVERFLOW,
        }
        assert put is expected[CLASS_RULES[kind.message_class].when_full]
        assert before == outbound.waiting_bytes <= limit


def test_two_of_the_largest_blocks_wait_side_by_side() -> None:
    outbound = filled(BLOCK)

    assert outbound.waiting_bytes == 2 * (HEAD_BYTES + WIRE_FRAME_BYTES_MAX)


def test_small_frames_are_counted_too() -> None:
    outbound = Outbound()
    for _ in range(WIRE_QUEUE_FRAMES_MAX):
        assert outbound.put(CONSENSUS, b"vote") is Put.TAKEN

    assert outbound.put(CONSENSUS, b"vote") is Put.OVERFLOW


def test_the_oldest_announcement_makes_room_for_a_new_one() -> None:  # WIRE-10
    outbound = Outbound()
    for number in range(WIRE_QUEUE_FRAMES_MAX + 3):
        assert outbound.put(ANNOUNCE_TRANSACTIONS, number.to_bytes(4, "big")) is Put.TAKEN

    assert outbound.dropped_frames == 3
    assert [int.from_bytes(frame.payload, "big") for frame in all_frames(outbound)] == list(
        range(3, WIRE_QUEUE_FRAMES_MAX + 3)
    )


def test_a_frame_that_has_begun_to_leave_is_never_dropped() -> None:
    outbound = Outbound()
    payloads = [bytes((number,)) * TRANSACTIONS.bytes_max for number in range(8)]
    outbound.put(TRANSACTIONS, payloads[0])
    pieces = [outbound.next_piece()]
    for payload in payloads[1:]:
        outbound.put(TRANSACTIONS, payload)
    pieces += iter(outbound.next_piece, None)

    assembly = Assembly()
    frames = [frame for piece in pieces if piece is not None and (frame := assembly.take(0, piece))]
    assert frames[0].payload == payloads[0]
    assert [frame.payload for frame in frames[1:]] == payloads[len(payloads) - len(frames) + 1 :]
    assert outbound.dropped_frames == len(payloads) - len(frames) > 0


@pytest.mark.parametrize("kind", [TRANSACTIONS, BLOCK, DHT])
def test_what_waits_is_counted_right_where_frames_are_dropped_refused_and_sent(kind: Kind) -> None:
    outbound = filled(kind)
    outbound.next_piece()
    for size in (kind.bytes_max, 1, kind.bytes_max // 2):
        outbound.put(kind, bytes(size))
        assert outbound.waiting_bytes == sum(queue.waiting_bytes for queue in outbound._queues.values())
        outbound.next_piece()
    assert all(iter(outbound.next_piece, None))
    assert outbound.waiting_bytes == 0


def test_frames_of_one_class_keep_their_order() -> None:  # WIRE-3
    outbound = Outbound()
    for number in range(50):
        outbound.put(GET_TRANSACTIONS, bytes((number,)))

    assert [frame.payload[0] for frame in all_frames(outbound)] == list(range(50))


def test_a_vote_waits_behind_at_most_the_piece_that_left_before_it() -> None:  # WIRE-8
    outbound = filled(BLOCK)
    for kind in (STORAGE, POSE, DHT, TRANSACTIONS, ADDRESSES):
        outbound.put(kind, bytes(kind.bytes_max))
    votes = 0
    while outbound.waiting_bytes:
        outbound.put(CONSENSUS, bytes(WIRE_CONSENSUS_BYTES_MAX))
        first, second, third = outbound.next_piece(), outbound.next_piece(), outbound.next_piece()
        assert first is not None
        assert second is not None
        assert class_of(first) is class_of(second) is MessageClass.CONSENSUS
        assert third is None or class_of(third) is not MessageClass.CONSENSUS
        votes += 1

    assert votes > 2 * WIRE_FRAME_BYTES_MAX // PIECE_BYTES_MAX


def test_the_other_classes_share_by_weight() -> None:  # WIRE-9
    outbound = Outbound()
    for kind in (BLOCK, TRANSACTIONS, POSE, STORAGE, DHT):
        while outbound.put(kind, bytes(kind.bytes_max)) is Put.TAKEN:
            if kind is TRANSACTIONS and outbound.dropped_frames:
                break
    sent: Counter[MessageClass] = Counter()
    for _ in range(160):
        piece = outbound.next_piece()
        assert piece is not None
        sent[class_of(piece)] += len(piece)

    share = sent[MessageClass.DHT]
    assert sent[MessageClass.BLOCKS] == pytest.approx(8 * share, rel=0.2)
    assert sent[MessageClass.POSE] == pytest.approx(4 * share, rel=0.2)
    assert sent[MessageClass.STORAGE] == pytest.approx(2 * share, rel=0.2)


def test_a_class_that_was_silent_has_saved_up_no_turns() -> None:  # WIRE-9
    outbound = filled(BLOCK)
    for _ in range(200):
        outbound.next_piece()
    for _ in range(3):
        outbound.put(STORAGE, bytes(STORAGE.bytes_max))
    classes = [class_of(piece) for _ in range(50) if (piece := outbound.next_piece()) is not None]

    assert classes.count(MessageClass.STORAGE) == pytest.approx(10, abs=2)


def test_a_piece_is_given_only_where_it_fits() -> None:
    outbound = Outbound()
    outbound.put(BLOCK, bytes(100))

    assert outbound.next_piece(106) is None
    assert outbound.next_piece(107) is not None


def test_nothing_is_left_after_everything_was_forgotten() -> None:
    outbound = filled(BLOCK)
    outbound.next_piece()
    outbound.clear()

    assert outbound.next_piece() is None
    assert outbound.waiting_bytes == 0
