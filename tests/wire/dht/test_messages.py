"""Messages: one spelling each, and everything else is the sender's fault (DHT-20)."""

from __future__ import annotations

import random

import pytest

from coc.primitives import rlp
from coc.primitives.limits_dht import (
    ANSWER_RECORDS_MAX,
    BUCKET_ENTRIES_MAX,
    DHT_MESSAGE_BYTES_MAX,
    RECORD_VALUE_BYTES_MAX,
)
from coc.primitives.types import Hash32, Seconds
from coc.wire.dht.endpoints import endpoint_key
from coc.wire.dht.messages import (
    Body,
    FindNode,
    FindValue,
    Kind,
    MessageInvalid,
    Nodes,
    Ping,
    Pong,
    Store,
    Stored,
    Values,
    Verdict,
    decode_message,
    encode_message,
    kind_of,
)
from coc.wire.dht.records import Claim, Record, RecordKind
from tests.wire.dht.playbook import OWN, contact_at, signer

TARGET = Hash32(b"t" * 32)
V4 = contact_at(5, "9.9.9.9")
V6 = contact_at(6, "2a00::7")
RECORD = OWN.endpoint()
BODIES: list[Body] = [
    Ping(),
    Pong(),
    FindNode(TARGET),
    Nodes(()),
    Nodes((V4, V6)),
    FindValue(TARGET),
    Values((), (V6,)),
    Values((RECORD,), (V4,)),
    Store(RECORD),
    *(Stored(verdict) for verdict in Verdict),
]


def packed(*, host: bytes = b"\x09\x09\x09\x09", port: int = 1, length: int | None = None) -> bytes:
    size = len(host) if length is None else length
    return bytes([size]) + host + port.to_bytes(2, "big") + b"i" * 32


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("request_id", [0, 1, 2**64 - 1])
def test_every_message_survives_its_encoding(body: Body, request_id: int) -> None:  # DHT-20
    assert decode_message(encode_message(request_id, body)) == (request_id, body)


def test_requests_are_odd_and_answers_even() -> None:
    answers = [kind for kind in Kind if kind.is_answer]

    assert answers == [Kind.PONG, Kind.NODES, Kind.VALUES, Kind.STORED]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01",
        b"\x00\xc1\x01",
        b"\x09\xc1\x01",
        b"\x01\x01",
        b"\x01\xc0",
        b"\x01\xc2\x01\x01",
        b"\x01\xc1\xc0",
        b"\x01\xc1\x00",
        b"\x01\xca\x89" + b"\xff" * 9,
        b"\x01\xc1\x01!",
        b"\x01" + rlp.encode([1, []]),
        b"\x03" + rlp.encode([1, b"t" * 31]),
        b"\x03" + rlp.encode([1, []]),
        b"\x05" + rlp.encode([1, b"t" * 33]),
        b"\x04" + rlp.encode([1, []]),
        b"\x06" + rlp.encode([1, [], []]),
        b"\x06" + rlp.encode([1, [b"r"], b""]),
        b"\x07" + rlp.encode([1, b"r"]),
        b"\x08" + rlp.encode([1, 4]),
        b"\x08" + rlp.encode([1, []]),
        b"\x04" + rlp.encode([1, packed()[:-1]]),
        b"\x04" + rlp.encode([1, packed() + b"\x04"]),
        b"\x04" + rlp.encode([1, packed(port=0)]),
        b"\x04" + rlp.encode([1, packed(host=b"\x09" * 5)]),
        b"\x04" + rlp.encode([1, packed(length=255)]),
        b"\x04" + rlp.encode([1, packed(host=bytes(10) + b"\xff\xff\x09\x09\x09\x09")]),
    ],
)
def test_other_bytes_are_no_message(data: bytes) -> None:  # DHT-20
    with pytest.raises(MessageInvalid):
        decode_message(data)


def test_an_answer_names_at_most_k_nodes() -> None:  # DHT-20
    most = encode_message(1, Nodes((V4,) * BUCKET_ENTRIES_MAX))
    over = encode_message(1, Nodes((V4,) * (BUCKET_ENTRIES_MAX + 1)))

    decode_message(most)
    with pytest.raises(MessageInvalid, match="at most 20 nodes"):
        decode_message(over)


def test_an_answer_has_at_most_sixteen_records() -> None:  # DHT-20
    decode_message(encode_message(1, Values((RECORD,) * ANSWER_RECORDS_MAX, ())))
    with pytest.raises(MessageInvalid, match="at most 16 records"):
        decode_message(encode_message(1, Values((RECORD,) * (ANSWER_RECORDS_MAX + 1), ())))


def test_the_largest_answer_fits_and_nothing_larger_is_read() -> None:  # DHT-20
    publisher = signer(1).public_key
    claim = Claim(
        RecordKind.ENDPOINT,
        endpoint_key(publisher),
        publisher,
        2**64 - 1,
        Seconds(2**64 - 1),
        b"v" * RECORD_VALUE_BYTES_MAX,
    )
    largest = Values((Record(claim, RECORD.signature),) * ANSWER_RECORDS_MAX, (V6,) * BUCKET_ENTRIES_MAX)
    data = encode_message(2**64 - 1, largest)

    assert decode_message(data)[1] == largest
    with pytest.raises(MessageInvalid, match=f"2 to {DHT_MESSAGE_BYTES_MAX} bytes"):
        kind_of(data + bytes(DHT_MESSAGE_BYTES_MAX))


def test_damaged_messages_are_refused_or_read_as_what_encodes_to_them() -> None:  # DHT-20
    dice = random.Random(20)
    for body in BODIES:
        data = encode_message(7, body)
        for _ in range(150):
            damaged = bytearray(data)
            for _ in range(dice.randrange(1, 4)):
                damaged[dice.randrange(len(damaged))] = dice.randrange(256)
            cut = bytes(damaged[: dice.randrange(len(damaged)) + 1])
            for variant in (bytes(damaged), cut):
                try:
                    number, read = decode_message(variant)
                except MessageInvalid:
                    continue
                assert encode_message(number, read) == variant
