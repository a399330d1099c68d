"""The payloads of snapshot messages: RLP, strict. SYNC-2.

A request and its answer carry the same number, which the asker chooses, so that an answer that comes late is
not taken for another one. Inside are the formats that the native core reads and writes (`payload.rs`):

    GET_STATE    number, [block, bytes, [[account or empty, start, end], …]]    STATE    number, ranges
    GET_CODES    number, [hash, …]                                              CODES    number, codes
    GET_HEADERS  number, block                                                  HEADERS  number, surroundings
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from coc.primitives import rlp
from coc.primitives.errors import ConsensusError
from coc.primitives.frozen import frozen
from coc.primitives.types import HASH_BYTES, Hash32

NOTHING: Final = rlp.encode([])
"""The answer of a peer that does not keep what is asked for."""

KEY_MAX: Final = 2**256 - 1
"""The last key of a trie."""


class SnapshotMessageInvalid(ConsensusError):
    """Bytes of a peer that are no message of a snapshot: the peer's fault."""

    id = "COC-SNAPSHOT-MESSAGE"


@frozen
class Numbered:
    """A request or an answer, and the number that makes them a pair."""

    number: int
    body: bytes


@frozen
class Range:
    """Keys from `start` to `end`, both included, of an account's storage; of the accounts without one."""

    account: Hash32 | None
    start: int
    end: int


def encode_numbered(message: Numbered) -> bytes:
    """RLP of (number, body)."""
    return rlp.encode([message.number, message.body])


def decode_numbered(payload: bytes) -> Numbered:
    """Read a request or an answer back; what its body says is for whoever verifies it.

    Raises:
        SnapshotMessageInvalid, RlpInvalid: it has another shape.
    """
    match rlp.decode(payload):
        case [bytes(number), bytes(body)]:
            return Numbered(rlp.uint(number, bits=64), body)
        case _:
            raise SnapshotMessageInvalid("a message of a snapshot is a number and a body")


def encode_state_request(block: Hash32, bytes_max: int, ranges: Sequence[Range]) -> bytes:
    """The body of a request of ranges."""
    wishes = [[each.account or b"", key_bytes(each.start), key_bytes(each.end)] for each in ranges]
    return rlp.encode([block, bytes_max, wishes])


def encode_codes_request(hashes: Sequence[Hash32]) -> bytes:
    """The body of a request of codes."""
    return rlp.encode(list(hashes))


def key_bytes(key: int) -> bytes:
    """A key as 32 bytes."""
    return key.to_bytes(HASH_BYTES, "big")


def key_of(key: bytes) -> int:
    """A key as a number."""
    return int.from_bytes(key, "big")
