"""How a proof lies in a file (FIN-1). Integers are big-endian.

    file    magic "COCFINAL" (8) ‖ version (4) ‖ records to the end
    record  length (4) ‖ CRC-32 of the payload (4) ‖ payload, RLP

It is read once, from its beginning, a record at a time, so a long proof needs no more memory than a short
one. The checksums tell a damaged file from a forged one; against forgery there is `verify.py`.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import Final, Protocol

from coc.consensus.finality.faults import ProofFileInvalid
from coc.consensus.finality.records import Record, decode_record
from coc.primitives.limits_finality import FINALITY_LINKS_MAX, FINALITY_RECORD_BYTES_MAX

MAGIC: Final = b"COCFINAL"
VERSION: Final = 1
RECORDS_MAX: Final = FINALITY_LINKS_MAX + 2
"""The links, an anchor before and a target after them."""

_PRELUDE: Final = struct.Struct(">8sI")
_HEAD: Final = struct.Struct(">II")
_CURE: Final = "get the file again, or let it be made again with `coc prove-finality`"


class ByteSource(Protocol):
    """Bytes in order, as an open file has them."""

    def read(self, size: int, /) -> bytes:
        """The next `size` bytes; fewer only at the end."""


def write_proof(records: Iterable[Record]) -> Iterator[bytes]:
    """The file of a proof, in pieces."""
    yield _PRELUDE.pack(MAGIC, VERSION)
    for record in records:
        payload = record.encode()
        yield _HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def read_proof(source: ByteSource) -> Iterator[Record]:
    """The records of a file; whether they prove anything is for `verify.py`.

    Raises:
        ProofFileInvalid: no proof, of a newer format, damaged, or with too many records.
    """
    return (decode_record(payload) for payload in payloads_in(source))


def payloads_in(source: ByteSource) -> Iterator[bytes]:
    """The records as bytes.

    Raises:
        ProofFileInvalid: as `read_proof`, but for what is in a record.
    """
    _check_prelude(source.read(_PRELUDE.size))
    for position in range(RECORDS_MAX + 1):
        head = source.read(_HEAD.size)
        if not head:
            return
        if position == RECORDS_MAX:
            break
        if len(head) < _HEAD.size:
            raise _damaged(position, "the file ends within it")
        length, checksum = _HEAD.unpack(head)
        if not 0 < length <= FINALITY_RECORD_BYTES_MAX:
            raise _damaged(
                position, f"it claims {length} bytes, at most {FINALITY_RECORD_BYTES_MAX} are allowed"
            )
        payload = source.read(length)
        if len(payload) < length:
            raise _damaged(position, "the file ends within it")
        if zlib.crc32(payload) != checksum:
            raise _damaged(position, "its checksum does not match")
        yield payload
    raise ProofFileInvalid(
        "the proof is too long",
        why=f"it has more than {RECORDS_MAX} records",
        cure="let it be made from a checkpoint",
    )


def _check_prelude(prelude: bytes) -> None:
    if len(prelude) < _PRELUDE.size or not prelude.startswith(MAGIC):
        raise ProofFileInvalid(
            "the file is no finality proof", why=f"it does not begin with {MAGIC.decode()}", cure=_CURE
        )
    version = _PRELUDE.unpack(prelude)[1]
    if version != VERSION:
        raise ProofFileInvalid(
            f"the proof has format {version}",
            why=f"this release reads format {VERSION}",
            cure="install the release that wrote it, or let it be made again",
        )


def _damaged(position: int, why: str) -> ProofFileInvalid:
    return ProofFileInvalid(f"the proof is damaged at its record {position + 1}", why=why, cure=_CURE)
