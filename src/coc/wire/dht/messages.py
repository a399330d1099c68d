"""What the tables of two nodes say to each other, and its encoding: kind byte ‖ RLP (DHT-20).

Every message begins with the number of its request; an answer repeats it. Contacts are one string, in which
each has 39 or 51 bytes: the length of its host (4 or 16), host, port, id. They come nearest first, so that
no answer names one twice and none has a second spelling.
"""

from __future__ import annotations

import enum
from typing import TypeAlias, assert_never

from coc.primitives import rlp
from coc.primitives.errors import PrimitivesError, WireError
from coc.primitives.frozen import frozen
from coc.primitives.limits_dht import ANSWER_RECORDS_MAX, BUCKET_ENTRIES_MAX, DHT_MESSAGE_BYTES_MAX
from coc.primitives.types import Hash32, PeerId
from coc.wire.dht.hosts import Contact, Host, is_mapped
from coc.wire.dht.records import Record, RecordInvalid, read_record

REQUEST_BITS = 64
_HOST_BYTES = frozenset({4, 16})


class MessageInvalid(WireError):
    """Bytes of a peer that are no message of the table: the peer's fault."""

    id = "COC-DHT-MESSAGE"


class Kind(enum.IntEnum):
    """The first byte of a message; answers are even."""

    PING = 1
    PONG = 2
    FIND_NODE = 3
    NODES = 4
    FIND_VALUE = 5
    VALUES = 6
    STORE = 7
    STORED = 8

    @property
    def is_answer(self) -> bool:
        """Whether it answers a request."""
        return self.value % 2 == 0


class Verdict(enum.IntEnum):
    """What became of a record that was to be stored."""

    HELD = 0
    SUPERSEDED = 1
    NOT_CURRENT = 2
    NO_ROOM = 3


@frozen
class Ping:
    """Are you there?"""


@frozen
class Pong:
    """I am."""


@frozen
class FindNode:
    """Which nodes nearest to this target do you know?"""

    target: Hash32


@frozen
class Nodes:
    """These, nearest first."""

    contacts: tuple[Contact, ...]


@frozen
class FindValue:
    """Which records do you hold under this key, and which nodes nearest to it do you know?"""

    key: Hash32


@frozen
class Values:
    """These records, and these nodes, nearest first."""

    records: tuple[Record, ...]
    contacts: tuple[Contact, ...]


@frozen
class Store:
    """Hold this record of mine."""

    record: Record


@frozen
class Stored:
    """What became of it."""

    verdict: Verdict


Question: TypeAlias = Ping | FindNode | FindValue | Store
Answer: TypeAlias = Pong | Nodes | Values | Stored
Body: TypeAlias = Question | Answer


def encode_message(request: int, body: Body) -> bytes:
    """Kind byte and RLP of the request's number and the body's fields."""
    match body:
        case Ping():
            return _frame(Kind.PING, request)
        case Pong():
            return _frame(Kind.PONG, request)
        case FindNode(target):
            return _frame(Kind.FIND_NODE, request, target)
        case Nodes(contacts):
            return _frame(Kind.NODES, request, _pack(contacts))
        case FindValue(key):
            return _frame(Kind.FIND_VALUE, request, key)
        case Values(records, contacts):
            items = [record.item() for record in records]
            return _frame(Kind.VALUES, request, items, _pack(contacts))
        case Store(record):
            return _frame(Kind.STORE, request, record.item())
        case Stored(verdict):
            return _frame(Kind.STORED, request, int(verdict))
        case _:
            assert_never(body)


def kind_of(data: bytes) -> Kind:
    """The kind of a message, before anything costly is done with it.

    Raises:
        MessageInvalid: unknown kind, too short or too long.
    """
    if not 1 < len(data) <= DHT_MESSAGE_BYTES_MAX:
        raise MessageInvalid(f"a message has 2 to {DHT_MESSAGE_BYTES_MAX} bytes", why=f"got {len(data)}")
    try:
        return Kind(data[0])
    except ValueError as error:
        raise MessageInvalid("unknown kind of message", why=f"kind {data[0]}") from error


def decode_message(data: bytes) -> tuple[int, Body]:
    """Read a message back: the request's number and the body. Signatures of records are not checked.

    Raises:
        MessageInvalid: the bytes are no message.
    """
    kind = kind_of(data)
    try:
        items = rlp.decode_list(data[1:], bytes_max=DHT_MESSAGE_BYTES_MAX)
        if not items:
            raise MessageInvalid(f"a malformed {kind.name} message", why="it has no request id")
        return rlp.uint(items[0], bits=REQUEST_BITS), _body(kind, items[1:])
    except (PrimitivesError, RecordInvalid) as error:
        raise MessageInvalid(f"a malformed {kind.name} message", why=str(error)) from error


def _body(kind: Kind, fields: list[rlp.Item]) -> Body:
    match kind, fields:
        case Kind.PING, []:
            return Ping()
        case Kind.PONG, []:
            return Pong()
        case Kind.FIND_NODE, [bytes(target)] if len(target) == 32:
            return FindNode(Hash32(target))
        case Kind.NODES, [bytes(contacts)]:
            return Nodes(_unpack(contacts))
        case Kind.FIND_VALUE, [bytes(key)] if len(key) == 32:
            return FindValue(Hash32(key))
        case Kind.VALUES, [list(records), bytes(contacts)]:
            return Values(_records(records), _unpack(contacts))
        case Kind.STORE, [record]:
            return Store(read_record(record))
        case Kind.STORED, [verdict]:
            return Stored(_verdict(rlp.uint(verdict, bits=8)))
        case _:
            raise MessageInvalid(f"a malformed {kind.name} message", why="its fields have another shape")


def _frame(kind: Kind, request: int, *fields: rlp.Encodable) -> bytes:
    return bytes([kind]) + rlp.encode([request, *fields])


def _pack(contacts: tuple[Contact, ...]) -> bytes:
    return b"".join(
        [bytes([len(one.host)]) + one.host + one.port.to_bytes(2, "big") + one.id for one in contacts]
    )


def _unpack(packed: bytes) -> tuple[Contact, ...]:
    contacts = []
    start = 0
    while start < len(packed):
        port_at = start + 1 + packed[start]
        end = port_at + 34
        host, port = packed[start + 1 : port_at], int.from_bytes(packed[port_at : port_at + 2], "big")
        if packed[start] not in _HOST_BYTES or end > len(packed):
            raise MessageInvalid("contacts are hosts of 4 or 16 bytes with port and id, one after the other")
        if port == 0 or is_mapped(host):
            raise MessageInvalid("a contact that nobody can dial", why="port 0, or IPv4 written as IPv6")
        contacts.append(Contact(PeerId(packed[port_at + 2 : end]), Host(host), port))
        start = end
    if len(contacts) > BUCKET_ENTRIES_MAX:
        raise MessageInvalid(
            f"an answer names at most {BUCKET_ENTRIES_MAX} nodes", why=f"got {len(contacts)}"
        )
    return tuple(contacts)


def _records(items: list[rlp.Item]) -> tuple[Record, ...]:
    if len(items) > ANSWER_RECORDS_MAX:
        raise MessageInvalid(f"an answer has at most {ANSWER_RECORDS_MAX} records", why=f"got {len(items)}")
    return tuple([read_record(item) for item in items])


def _verdict(number: int) -> Verdict:
    try:
        return Verdict(number)
    except ValueError as error:
        raise MessageInvalid("unknown verdict", why=f"verdict {number}") from error
