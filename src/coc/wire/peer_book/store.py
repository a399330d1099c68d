"""What of a peer book survives a restart, as bytes: learned addresses and reputations.

    RLP of (version, [(host, port, expected peer or empty, source, last success, failures)],
            [(subject, is a peer, points, updated, bans, banned until)])

Times are Unix milliseconds. A file that does not read is worth no effort: the node begins anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from coc.primitives import rlp
from coc.primitives.errors import PrimitivesError, WireError
from coc.primitives.frozen import frozen
from coc.primitives.limits_wire import (
    ADDRESSES_KNOWN_MAX,
    BAN_MS_MAX,
    DIAL_FAILURES_MAX,
    HOST_CHARS_MAX,
    PEER_STORE_BYTES_MAX,
    REPUTATION_BAN_POINTS_MIN,
    REPUTATION_ENTRIES_MAX,
)
from coc.primitives.types import Millis, PeerId
from coc.wire.addresses import PeerAddress, Scheme
from coc.wire.peer_book.known import Known, Source
from coc.wire.peer_book.reputation import Standing, Subject

STORE_VERSION: Final = 1

_TIME_BITS: Final = 64
_COUNT_BITS: Final = 32


class PeerStoreInvalid(WireError):
    """Bytes that are no peer store of this release."""

    id: ClassVar[str] = "COC-PEER-STORE"


@frozen
class StoredBook:
    """What a book begins with."""

    addresses: tuple[Known, ...] = ()
    standings: tuple[tuple[Subject, Standing], ...] = ()


def encode_book(addresses: Iterable[Known], standings: Iterable[tuple[Subject, Standing]]) -> bytes:
    """The bytes to keep."""
    return rlp.encode(
        [
            STORE_VERSION,
            [
                [
                    known.address.host.encode(),
                    known.address.port,
                    known.expected or b"",
                    int(known.source),
                    known.succeeded_ms,
                    known.failures,
                ]
                for known in addresses
                if known.address.scheme is Scheme.TCP  # of others nothing is learned
            ],
            [_standing_item(subject, standing) for subject, standing in standings],
        ]
    )


def decode_book(data: bytes, now_ms: Millis) -> StoredBook:
    """Read a store back. Times that a wrong clock wrote are pulled back to what can be.

    Raises:
        PeerStoreInvalid: another version, another shape, or more than its limits allow.
    """
    try:
        match rlp.decode(data, bytes_max=PEER_STORE_BYTES_MAX):
            case [bytes(version), list(addresses), list(standings)] if (
                rlp.uint(version) == STORE_VERSION
                and len(addresses) <= ADDRESSES_KNOWN_MAX
                and len(standings) <= REPUTATION_ENTRIES_MAX
            ):
                return StoredBook(
                    tuple(_read_known(item, now_ms) for item in addresses),
                    tuple(_read_standing(item, now_ms) for item in standings),
                )
            case _:
                raise _invalid("it has another version or shape")
    except (PrimitivesError, UnicodeDecodeError) as error:
        raise _invalid(str(error)) from error


def _standing_item(subject: Subject, standing: Standing) -> rlp.Encodable:
    is_peer = not isinstance(subject, str)
    return [
        subject.encode() if isinstance(subject, str) else subject,
        int(is_peer),
        int(standing.points),
        standing.updated_ms,
        standing.bans,
        standing.banned_until_ms,
    ]


def _read_known(item: rlp.Item, now_ms: Millis) -> Known:
    match item:
        case [
            bytes(host),
            bytes(port),
            bytes(peer),
            bytes(source),
            bytes(succeeded_ms),
            bytes(failures),
        ] if len(host) <= HOST_CHARS_MAX and len(peer) in (0, 32) and rlp.uint(source) in tuple(Source):
            return Known(
                PeerAddress(host.decode("ascii"), rlp.uint(port, bits=16)),
                _learned(Source(rlp.uint(source))),
                expected=PeerId(peer) if peer else None,
                succeeded_ms=min(rlp.uint(succeeded_ms, bits=_TIME_BITS), now_ms),
                failures=min(rlp.uint(failures, bits=_COUNT_BITS), DIAL_FAILURES_MAX - 1),
            )
    raise _invalid("an address has six fields")


def _learned(source: Source) -> Source:
    """What was configured once and is not any more has become hearsay."""
    return Source.TOLD if source is Source.PERSISTENT else source


def _read_standing(item: rlp.Item, now_ms: Millis) -> tuple[Subject, Standing]:
    match item:
        case [
            bytes(subject),
            bytes(is_peer),
            bytes(points),
            bytes(updated_ms),
            bytes(bans),
            bytes(until_ms),
        ] if is_peer in (b"", b"\x01") and len(subject) <= HOST_CHARS_MAX:
            standing = Standing(
                float(min(rlp.uint(points, bits=_COUNT_BITS), REPUTATION_BAN_POINTS_MIN)),
                min(rlp.uint(updated_ms, bits=_TIME_BITS), now_ms),
                rlp.uint(bans, bits=_COUNT_BITS),
                min(rlp.uint(until_ms, bits=_TIME_BITS), now_ms + BAN_MS_MAX),
            )
            return (PeerId(subject) if is_peer else subject.decode("ascii"), standing)
    raise _invalid("a reputation has six fields")


def _invalid(why: str) -> PeerStoreInvalid:
    return PeerStoreInvalid(
        "not a store of known peers", why=why, cure="the node begins anew without it; delete the file"
    )
