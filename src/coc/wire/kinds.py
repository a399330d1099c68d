"""Every kind of message, in one registry: its number, its class, and the largest payload it may have.

A class is a lane of a connection: its frames keep their order, and classes interleave. A layer owns what the
payload of its kinds says; the wire carries bytes. Numbers never change once released.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

from coc.primitives.frozen import frozen
from coc.primitives.limits_wire import (
    WIRE_CONSENSUS_BYTES_MAX,
    WIRE_CONTROL_BYTES_MAX,
    WIRE_DHT_BYTES_MAX,
    WIRE_FRAME_BYTES_MAX,
    WIRE_POSE_BYTES_MAX,
    WIRE_QUEUE_BLOCKS_BYTES_MAX,
    WIRE_QUEUE_CONSENSUS_BYTES_MAX,
    WIRE_QUEUE_CONTROL_BYTES_MAX,
    WIRE_QUEUE_DHT_BYTES_MAX,
    WIRE_QUEUE_POSE_BYTES_MAX,
    WIRE_QUEUE_STORAGE_BYTES_MAX,
    WIRE_QUEUE_TRANSACTIONS_BYTES_MAX,
    WIRE_REQUEST_BYTES_MAX,
    WIRE_STORAGE_BYTES_MAX,
    WIRE_TRANSACTIONS_BYTES_MAX,
)


class MessageClass(enum.IntEnum):
    """The lanes of a connection; the number is the class id in a piece."""

    CONTROL = 0
    CONSENSUS = 1
    BLOCKS = 2
    TRANSACTIONS = 3
    POSE = 4
    STORAGE = 5
    DHT = 6


class WhenFull(enum.Enum):
    """What becomes of a frame for which its class has no room."""

    REFUSE = "refuse"
    """The sender is told, and asks again later."""
    DROP_OLDEST = "drop oldest"
    """It is taken, and older ones that have not begun to leave are forgotten."""
    CLOSE = "close"
    """The peer is too slow for what it must have: the connection ends."""


@frozen
class ClassRules:
    """How one class shares a connection."""

    share: int
    """Weight against the other classes that wait; 0 goes before all of them."""
    queue_bytes_max: int
    when_full: WhenFull


# WIRE-9, WIRE-10
CLASS_RULES: Final[Mapping[MessageClass, ClassRules]] = {
    MessageClass.CONTROL: ClassRules(8, WIRE_QUEUE_CONTROL_BYTES_MAX, WhenFull.DROP_OLDEST),
    MessageClass.CONSENSUS: ClassRules(0, WIRE_QUEUE_CONSENSUS_BYTES_MAX, WhenFull.CLOSE),
    MessageClass.BLOCKS: ClassRules(8, WIRE_QUEUE_BLOCKS_BYTES_MAX, WhenFull.REFUSE),
    MessageClass.TRANSACTIONS: ClassRules(4, WIRE_QUEUE_TRANSACTIONS_BYTES_MAX, WhenFull.DROP_OLDEST),
    MessageClass.POSE: ClassRules(4, WIRE_QUEUE_POSE_BYTES_MAX, WhenFull.REFUSE),
    MessageClass.STORAGE: ClassRules(2, WIRE_QUEUE_STORAGE_BYTES_MAX, WhenFull.REFUSE),
    MessageClass.DHT: ClassRules(1, WIRE_QUEUE_DHT_BYTES_MAX, WhenFull.REFUSE),
}


@frozen
class Kind:
    """One kind of message."""

    name: str
    number: int
    message_class: MessageClass
    bytes_max: int


# What the wire itself says.
WELCOME: Final = Kind("WELCOME", 0x01, MessageClass.CONTROL, 0)
GOODBYE: Final = Kind("GOODBYE", 0x02, MessageClass.CONTROL, 8)
PING: Final = Kind("PING", 0x03, MessageClass.CONTROL, 0)
PONG: Final = Kind("PONG", 0x04, MessageClass.CONTROL, 0)
GET_ADDRESSES: Final = Kind("GET_ADDRESSES", 0x05, MessageClass.CONTROL, 0)
ADDRESSES: Final = Kind("ADDRESSES", 0x06, MessageClass.CONTROL, WIRE_CONTROL_BYTES_MAX)

# One kind for all of a consensus engine's messages.
CONSENSUS: Final = Kind("CONSENSUS", 0x10, MessageClass.CONSENSUS, WIRE_CONSENSUS_BYTES_MAX)

# Blocks, and the state of a snapshot.
ANNOUNCE_BLOCK: Final = Kind("ANNOUNCE_BLOCK", 0x20, MessageClass.BLOCKS, WIRE_REQUEST_BYTES_MAX)
GET_BLOCK: Final = Kind("GET_BLOCK", 0x21, MessageClass.BLOCKS, WIRE_REQUEST_BYTES_MAX)
BLOCK: Final = Kind("BLOCK", 0x22, MessageClass.BLOCKS, WIRE_FRAME_BYTES_MAX)
NO_BLOCK: Final = Kind("NO_BLOCK", 0x23, MessageClass.BLOCKS, WIRE_REQUEST_BYTES_MAX)
GET_BLOCKS: Final = Kind("GET_BLOCKS", 0x24, MessageClass.BLOCKS, WIRE_REQUEST_BYTES_MAX)
BLOCKS: Final = Kind("BLOCKS", 0x25, MessageClass.BLOCKS, WIRE_FRAME_BYTES_MAX)
GET_HEADERS: Final = Kind("GET_HEADERS", 0x26, MessageClass.BLOCKS, WIRE_REQUEST_BYTES_MAX)
HEADERS: Final = Kind("HEADERS", 0x27, MessageClass.BLOCKS, WIRE_FRAME_BYTES_MAX)
GET_STATE: Final = Kind("GET_STATE", 0x28, MessageClass.BLOCKS, WIRE_REQUEST_BYTES_MAX)
STATE: Final = Kind("STATE", 0x29, MessageClass.BLOCKS, WIRE_FRAME_BYTES_MAX)
GET_CODES: Final = Kind("GET_CODES", 0x2A, MessageClass.BLOCKS, WIRE_REQUEST_BYTES_MAX)
CODES: Final = Kind("CODES", 0x2B, MessageClass.BLOCKS, WIRE_FRAME_BYTES_MAX)
GET_GENESIS: Final = Kind("GET_GENESIS", 0x2C, MessageClass.BLOCKS, 0)
GENESIS: Final = Kind("GENESIS", 0x2D, MessageClass.BLOCKS, WIRE_FRAME_BYTES_MAX)
GET_WAY: Final = Kind("GET_WAY", 0x2E, MessageClass.BLOCKS, WIRE_REQUEST_BYTES_MAX)
WAY: Final = Kind("WAY", 0x2F, MessageClass.BLOCKS, WIRE_FRAME_BYTES_MAX)

# Transactions: announced by hash, fetched by whoever lacks them.
ANNOUNCE_TRANSACTIONS: Final = Kind(
    "ANNOUNCE_TRANSACTIONS", 0x30, MessageClass.TRANSACTIONS, WIRE_REQUEST_BYTES_MAX
)
GET_TRANSACTIONS: Final = Kind("GET_TRANSACTIONS", 0x31, MessageClass.TRANSACTIONS, WIRE_REQUEST_BYTES_MAX)
TRANSACTIONS: Final = Kind("TRANSACTIONS", 0x32, MessageClass.TRANSACTIONS, WIRE_TRANSACTIONS_BYTES_MAX)

# One kind each for layers that have a codec of their own.
POSE: Final = Kind("POSE", 0x40, MessageClass.POSE, WIRE_POSE_BYTES_MAX)
STORAGE: Final = Kind("STORAGE", 0x50, MessageClass.STORAGE, WIRE_STORAGE_BYTES_MAX)
DHT: Final = Kind("DHT", 0x60, MessageClass.DHT, WIRE_DHT_BYTES_MAX)

KINDS: Final[Mapping[int, Kind]] = {
    kind.number: kind
    for kind in (
        WELCOME,
        GOODBYE,
        PING,
        PONG,
        GET_ADDRESSES,
        ADDRESSES,
        CONSENSUS,
        ANNOUNCE_BLOCK,
        GET_BLOCK,
        BLOCK,
        NO_BLOCK,
        GET_BLOCKS,
        BLOCKS,
        GET_HEADERS,
        HEADERS,
        GET_STATE,
        STATE,
        GET_CODES,
        CODES,
        GET_GENESIS,
        GENESIS,
        GET_WAY,
        WAY,
        ANNOUNCE_TRANSACTIONS,
        GET_TRANSACTIONS,
        TRANSACTIONS,
        POSE,
        STORAGE,
        DHT,
    )
}

BYTES_MAX_BY_CLASS: Final[Mapping[MessageClass, Mapping[int, int]]] = {
    message_class: {
        kind.number: kind.bytes_max for kind in KINDS.values() if kind.message_class is message_class
    }
    for message_class in MessageClass
}
"""For each class the kinds that may travel in it, with the largest payload of each."""
