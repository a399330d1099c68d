"""Records, and the endpoints in them: whose they are, how long they count, which is newer (DHT-15 to 18)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from coc.primitives import rlp
from coc.primitives.frozen import replace
from coc.primitives.limits_dht import (
    CONTENT_ID_BYTES_MAX,
    RECORD_CLOCK_SECONDS_MAX,
    RECORD_TTL_SECONDS_MAX,
    RECORD_VALUE_BYTES_MAX,
)
from coc.primitives.types import Hash32, Seconds, Signature
from coc.wire.dht.endpoints import (
    Endpoint,
    EndpointInvalid,
    Role,
    endpoint_claim,
    endpoint_key,
    provider_claim,
    provider_key,
    read_endpoint,
)
from coc.wire.dht.hosts import Host, parse_host
from coc.wire.dht.records import (
    Claim,
    Record,
    RecordInvalid,
    RecordKind,
    decode_record,
    encode_record,
)
from tests.wire.dht.network import GENESIS, START_MS
from tests.wire.dht.playbook import OWN, signer

EXPIRY = Seconds(START_MS // 1_000 + 600)
ENDPOINT = Endpoint(parse_host("8.8.8.8"), 30_303, Role.FULL | Role.STORAGE)
CONTENT_ID = b"\x01\x70\x12\x20" + b"c" * 32


def endpoint_record(sequence: int = 1, expiry: int = EXPIRY) -> Record:
    return OWN.sign(endpoint_claim(OWN.public_key, ENDPOINT, sequence, Seconds(expiry)))


def provider_record(content_id: bytes = CONTENT_ID) -> Record:
    return OWN.sign(provider_claim(OWN.public_key, content_id, ENDPOINT, 1, EXPIRY))


def claim_with_value(value: bytes) -> Claim:
    return replace(endpoint_record().claim, value=value)


@pytest.mark.parametrize("record", [endpoint_record(), provider_record()])
def test_a_record_is_verified_and_survives_its_encoding(record: Record) -> None:  # DHT-15, DHT-16
    record.verify(GENESIS)

    assert decode_record(encode_record(record)) == record
    assert read_endpoint(record.claim) == ENDPOINT


@pytest.mark.parametrize(
    "forge",
    [
        lambda claim: replace(claim, sequence=2),
        lambda claim: replace(claim, expiry_seconds=EXPIRY + 1),
        lambda claim: replace(claim, value=claim.value + b"!"),
        lambda claim: replace(claim, kind=RecordKind.PROVIDER),
        lambda claim: replace(claim, key=Hash32(b"k" * 32)),
        lambda claim: replace(claim, publisher=signer(1).public_key, key=endpoint_key(signer(1).public_key)),
    ],
)
def test_changing_any_field_voids_a_record(forge: Callable[[Claim], Claim]) -> None:  # DHT-16
    record = endpoint_record()

    with pytest.raises(RecordInvalid):
        Record(forge(record.claim), record.signature).verify(GENESIS)


def test_a_record_of_one_chain_is_void_on_another() -> None:  # DHT-16
    with pytest.raises(RecordInvalid):
        endpoint_record().verify(Hash32(b"h" * 32))


def test_nobody_writes_under_the_key_of_another() -> None:  # DHT-15
    squatted = endpoint_key(signer(1).public_key)
    for record in (endpoint_record(), provider_record()):
        claim = replace(record.claim, key=squatted)
        with pytest.raises(RecordInvalid, match="not its own"):
            OWN.sign(claim).verify(GENESIS)


def test_endpoint_and_provider_keys_never_meet() -> None:  # DHT-15
    assert endpoint_key(OWN.public_key) != provider_key(OWN.public_key)


@pytest.mark.parametrize("length", [0, CONTENT_ID_BYTES_MAX + 1])
def test_a_provider_record_begins_with_a_content_id(length: int) -> None:  # DHT-15
    with pytest.raises(RecordInvalid, match="content id"):
        provider_record(b"c" * length).verify(GENESIS)


def test_the_longest_content_id_is_taken() -> None:
    provider_record(b"c" * CONTENT_ID_BYTES_MAX).verify(GENESIS)


@pytest.mark.parametrize("value", [b"", b"\xc0", b"\xc1\xc0", b"not a list"])
def test_a_provider_record_without_content_id_is_void(value: bytes) -> None:  # DHT-15
    claim = replace(provider_record().claim, value=value)

    with pytest.raises(RecordInvalid):
        OWN.sign(claim).verify(GENESIS)


def test_a_signature_that_no_key_can_have_made_is_a_fault_of_the_record() -> None:  # DHT-16
    with pytest.raises(RecordInvalid, match="signature"):
        replace(endpoint_record(), signature=Signature(b"\xff" * 65)).verify(GENESIS)


def test_a_record_counts_until_its_expiry() -> None:  # DHT-17
    record = endpoint_record()

    assert record.is_current(EXPIRY * 1_000 - 1)
    assert not record.is_current(EXPIRY * 1_000)


def test_a_record_may_not_claim_to_live_longer_than_a_day() -> None:  # DHT-17
    longest = START_MS // 1_000 + RECORD_TTL_SECONDS_MAX + RECORD_CLOCK_SECONDS_MAX

    assert endpoint_record(expiry=longest).is_current(START_MS)
    assert not endpoint_record(expiry=longest + 1).is_current(START_MS)


def test_the_higher_sequence_counts() -> None:  # DHT-18
    older, newer = endpoint_record(1, EXPIRY + 60), endpoint_record(2)

    assert newer.supersedes(older)
    assert not older.supersedes(newer)
    assert not newer.supersedes(newer)


def test_of_two_claims_with_one_sequence_the_same_one_counts_everywhere() -> None:  # DHT-18
    short, long = endpoint_record(1, EXPIRY), endpoint_record(1, EXPIRY + 1)
    low, high = (OWN.sign(claim_with_value(value)) for value in (b"a", b"b"))

    assert long.supersedes(short)
    assert not short.supersedes(long)
    assert high.supersedes(low)
    assert not low.supersedes(high)


@pytest.mark.parametrize(
    ("place", "field"),
    [
        (0, 3),
        (0, []),
        (1, b"k" * 31),
        (2, b"p" * 33),
        (3, 2**64),
        (4, 2**64),
        (5, b"v" * (RECORD_VALUE_BYTES_MAX + 1)),
        (5, []),
        (6, b"s" * 64),
    ],
)
def test_a_field_of_a_wrong_size_makes_no_record(place: int, field: rlp.Encodable) -> None:  # DHT-15
    item = endpoint_record().item()
    assert isinstance(item, list)
    item[place] = field

    with pytest.raises(RecordInvalid):
        decode_record(rlp.encode(item))


def test_a_value_of_a_kibibyte_is_taken() -> None:  # DHT-15
    record = OWN.sign(claim_with_value(b"v" * RECORD_VALUE_BYTES_MAX))
    record.verify(GENESIS)

    assert decode_record(encode_record(record)) == record


@pytest.mark.parametrize("data", [b"", b"\xc0", b"\x80", b"\xf8", encode_record(endpoint_record()) + b"!"])
def test_other_bytes_are_no_record(data: bytes) -> None:
    with pytest.raises(RecordInvalid):
        decode_record(data)


@pytest.mark.parametrize(
    "items",
    [
        [],
        [b"\x08\x08\x08\x08", 30_303],
        [b"\x08\x08\x08", 30_303, 1],
        [b"\x08\x08\x08\x08", 0, 1],
        [b"\x08\x08\x08\x08", 65_536, 1],
        [b"\x08\x08\x08\x08", 30_303, 2**32],
        [bytes(10) + b"\xff\xff\x08\x08\x08\x08", 30_303, 1],
        [[], 30_303, 1],
        [b"\x08\x08\x08\x08", 30_303, 1, 1],
    ],
)
def test_a_value_of_another_shape_is_no_endpoint(items: list[rlp.Encodable]) -> None:  # DHT-24
    with pytest.raises(EndpointInvalid):
        read_endpoint(claim_with_value(rlp.encode(items)))
    with pytest.raises(EndpointInvalid):
        read_endpoint(claim_with_value(b"\x81"))


def test_roles_of_later_versions_are_kept() -> None:  # DHT-24
    endpoint = Endpoint(Host(bytes(15) + b"\x07"), 1, Role(1 << 20) | Role.RELAY)
    claim = endpoint_claim(OWN.public_key, endpoint, 1, EXPIRY)

    assert read_endpoint(claim) == endpoint
    assert Role.RELAY in read_endpoint(claim).roles
    assert Role.VALIDATOR not in read_endpoint(claim).roles
