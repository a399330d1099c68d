"""Payloads of transaction gossip, as RLP: hashes as one string of 32 bytes each, transactions as a list."""

from __future__ import annotations

from collections.abc import Sequence

from coc.primitives import rlp
from coc.primitives.errors import PrimitivesError
from coc.primitives.limits import MEMPOOL_TRANSACTION_BYTES_MAX
from coc.primitives.limits_wire import (
    GOSSIP_ANNOUNCED_HASHES_MAX,
    GOSSIP_REQUEST_HASHES_MAX,
    WIRE_TRANSACTIONS_BYTES_MAX,
)
from coc.primitives.types import HASH_BYTES, Hash32
from coc.wire.errors import RemoteError


def encode_hashes(hashes: Sequence[Hash32]) -> bytes:
    """The payload of an announcement or a request."""
    return rlp.encode(b"".join(hashes))


def decode_announcement(payload: bytes) -> tuple[Hash32, ...]:
    """What a peer has.

    Raises:
        RemoteError: not hashes, none, or more than `GOSSIP_ANNOUNCED_HASHES_MAX`.
    """
    return _decode_hashes(payload, GOSSIP_ANNOUNCED_HASHES_MAX)


def decode_request(payload: bytes) -> tuple[Hash32, ...]:
    """What a peer wants.

    Raises:
        RemoteError: not hashes, none, or more than `GOSSIP_REQUEST_HASHES_MAX`.
    """
    return _decode_hashes(payload, GOSSIP_REQUEST_HASHES_MAX)


def encode_transactions(raws: Sequence[bytes]) -> bytes:
    """The payload of an answer."""
    return rlp.encode(list(raws))


def decode_transactions(payload: bytes) -> tuple[bytes, ...]:
    """What a peer sends; whether these are transactions is for the pool.

    Raises:
        RemoteError: not a list of strings, more than were ever asked for, or longer than any the pool takes.
    """
    try:
        items = rlp.decode_list(payload, bytes_max=WIRE_TRANSACTIONS_BYTES_MAX)
    except PrimitivesError as error:
        raise RemoteError("transactions that do not read", why=str(error)) from error
    raws = tuple(
        item for item in items if isinstance(item, bytes) and 0 < len(item) <= MEMPOOL_TRANSACTION_BYTES_MAX
    )
    if len(raws) != len(items) or len(items) > GOSSIP_REQUEST_HASHES_MAX:
        raise RemoteError(
            "transactions that do not read",
            why=f"at most {GOSSIP_REQUEST_HASHES_MAX}, of at most {MEMPOOL_TRANSACTION_BYTES_MAX} bytes each",
        )
    return raws


def _decode_hashes(payload: bytes, most: int) -> tuple[Hash32, ...]:
    try:
        joined = rlp.decode(payload)
    except PrimitivesError as error:
        raise RemoteError("hashes that do not read", why=str(error)) from error
    if not isinstance(joined, bytes) or not joined or len(joined) % HASH_BYTES:
        raise RemoteError("hashes that do not read", why=f"one string of {HASH_BYTES} bytes each is expected")
    if len(joined) > most * HASH_BYTES:
        raise RemoteError("too many hashes", why=f"{len(joined) // HASH_BYTES} where {most} are allowed")
    return tuple(Hash32(joined[start : start + HASH_BYTES]) for start in range(0, len(joined), HASH_BYTES))
