"""Small signed records: what the table holds for others, and how it knows that nobody forged it.

A record says "under this key, this publisher claims this value, until then". The key follows from the kind
and from the publisher (an endpoint) or the content id (a provider), so nobody writes under another's key
(DHT-15). The signature is over a digest that names the chain, so a record of one chain is void on any other
(DHT-16). The newest sequence of a publisher wins (DHT-18).
"""

from __future__ import annotations

import enum

from coc.primitives import rlp
from coc.primitives.errors import PrimitivesError, WireError
from coc.primitives.frozen import frozen
from coc.primitives.keccak import keccak256
from coc.primitives.limits_dht import (
    CONTENT_ID_BYTES_MAX,
    RECORD_CLOCK_SECONDS_MAX,
    RECORD_TTL_SECONDS_MAX,
    RECORD_VALUE_BYTES_MAX,
)
from coc.primitives.secp256k1 import SignatureInvalid, recover_public_key
from coc.primitives.types import Hash32, Seconds, Signature

RECORD_DOMAIN = b"COC/dht/record/1\x00"
PUBLIC_KEY_BYTES = 64
SIGNATURE_BYTES = 65


class RecordInvalid(WireError):
    """A record that its publisher did not make, or under a key that is not its own."""

    id = "COC-DHT-RECORD"


class RecordKind(enum.IntEnum):
    """What a record is about."""

    ENDPOINT = 1
    PROVIDER = 2


@frozen
class Claim:
    """A record without its signature."""

    kind: RecordKind
    key: Hash32
    publisher: bytes
    sequence: int
    expiry_seconds: Seconds
    value: bytes

    def digest(self, genesis_hash: Hash32) -> Hash32:
        """What the publisher signs: every field but the value has a fixed width (DHT-16)."""
        return keccak256(
            RECORD_DOMAIN
            + genesis_hash
            + bytes([self.kind])
            + self.key
            + self.publisher
            + self.sequence.to_bytes(8, "big")
            + self.expiry_seconds.to_bytes(8, "big")
            + self.value
        )


@frozen
class Record:
    """A claim and its publisher's signature."""

    claim: Claim
    signature: Signature

    def item(self) -> rlp.Encodable:
        """The RLP value: (kind, key, publisher, sequence, expiry, value, signature)."""
        claim = self.claim
        head: list[rlp.Encodable] = [int(claim.kind), claim.key, claim.publisher, claim.sequence]
        return [*head, claim.expiry_seconds, claim.value, self.signature]

    def verify(self, genesis_hash: Hash32) -> None:
        """Check that the key is the publisher's to write under, and that it signed.

        Raises:
            RecordInvalid: either is not so.
        """
        if self.claim.key != key_of(self.claim.kind, _subject(self.claim)):
            raise RecordInvalid("a record under a key that is not its own")
        try:
            signer = recover_public_key(self.claim.digest(genesis_hash), self.signature)
        except SignatureInvalid as error:
            raise RecordInvalid("a record with a wrong signature", why=str(error)) from error
        if signer != self.claim.publisher:
            raise RecordInvalid("a record that its publisher did not sign")

    def is_current(self, now_ms: int) -> bool:
        """Whether it has not expired, and does not claim to live longer than records do (DHT-17)."""
        left_ms = self.claim.expiry_seconds * 1_000 - now_ms
        return 0 < left_ms <= (RECORD_TTL_SECONDS_MAX + RECORD_CLOCK_SECONDS_MAX) * 1_000

    def supersedes(self, other: Record) -> bool:
        """Whether this one replaces another of the same key and publisher.

        A publisher that signs two claims with one sequence contradicts itself; the same one wins everywhere.
        """
        mine, theirs = self.claim, other.claim
        if mine.sequence != theirs.sequence:
            return mine.sequence > theirs.sequence
        return (mine.expiry_seconds, mine.value) > (theirs.expiry_seconds, theirs.value)


def key_of(kind: RecordKind, subject: bytes) -> Hash32:
    """The key of a record: keccak-256 of kind ‖ publisher (endpoint) or kind ‖ content id (provider)."""
    return keccak256(bytes([kind]) + subject)


def content_id_of(claim: Claim) -> bytes:
    """The content that a provider record is about: the first item of its value.

    Raises:
        RecordInvalid: the value does not begin with a content id.
    """
    try:
        items = rlp.decode_list(claim.value, bytes_max=RECORD_VALUE_BYTES_MAX)
    except rlp.RlpInvalid as error:
        raise RecordInvalid("a provider record without content id", why=str(error)) from error
    first = items[0] if items else b""
    if not isinstance(first, bytes) or not 0 < len(first) <= CONTENT_ID_BYTES_MAX:
        raise RecordInvalid("a provider record without content id", why="its first item is none")
    return first


def read_record(item: rlp.Item) -> Record:
    """Read a record's fields; `verify` says whether they are true.

    Raises:
        PrimitivesError: an integer is not canonical.
        RecordInvalid: another number of fields, an unknown kind, or a field of a wrong size.
    """
    match item:
        case [kind, bytes(key), bytes(publisher), sequence, expiry, bytes(value), bytes(signature)]:
            pass
        case _:
            raise RecordInvalid("a record has seven fields", why="got another shape")
    for name, field, length in (
        ("key", key, 32),
        ("publisher", publisher, PUBLIC_KEY_BYTES),
        ("signature", signature, SIGNATURE_BYTES),
    ):
        if len(field) != length:
            raise RecordInvalid(f"a record's {name} has {length} bytes", why=f"got {len(field)}")
    if len(value) > RECORD_VALUE_BYTES_MAX:
        raise RecordInvalid(
            f"a record's value has at most {RECORD_VALUE_BYTES_MAX} bytes", why=f"got {len(value)}"
        )
    claim = Claim(
        _kind(rlp.uint(kind, bits=8)),
        Hash32(key),
        publisher,
        rlp.uint(sequence, bits=64),
        Seconds(rlp.uint(expiry, bits=64)),
        value,
    )
    return Record(claim, Signature(signature))


def encode_record(record: Record) -> bytes:
    """A record as bytes, for a file or another transport."""
    return rlp.encode(record.item())


def decode_record(data: bytes) -> Record:
    """Read a record back.

    Raises:
        RecordInvalid: the bytes are no record.
    """
    try:
        return read_record(rlp.decode(data, bytes_max=RECORD_VALUE_BYTES_MAX + 256))
    except PrimitivesError as error:
        raise RecordInvalid("not a record", why=str(error)) from error


def _kind(number: int) -> RecordKind:
    try:
        return RecordKind(number)
    except ValueError as error:
        raise RecordInvalid("unknown kind of record", why=f"kind {number}") from error


def _subject(claim: Claim) -> bytes:
    return claim.publisher if claim.kind is RecordKind.ENDPOINT else content_id_of(claim)
