"""A proof as a file: one form, bounded, and refused with a sentence wherever it is damaged."""

from __future__ import annotations

import io
import struct
import zlib
from collections import deque

import pytest

from coc.consensus.finality.faults import FinalityRefused, ProofFileInvalid, ProofInvalid
from coc.consensus.finality.frames import MAGIC, RECORDS_MAX, payloads_in, read_proof, write_proof
from coc.consensus.finality.header import decode_header
from coc.consensus.finality.records import (
    CheckpointAnchor,
    GenesisAnchor,
    Link,
    Target,
    decode_record,
)
from coc.primitives import rlp
from coc.primitives.limits_finality import (
    FINALITY_HEADER_BYTES_MAX,
    FINALITY_LINKS_MAX,
    FINALITY_RECORD_BYTES_MAX,
)
from coc.primitives.rlp import RlpInvalid
from tests.consensus.finality.forged import ForgedChain, forged, header_bytes

CHANGING = ("abcd", "abcd", "abcde")
TARGET = 5
START = 2
SHORT = ("abc", "acd")
"""Proofs of this one are tried with every byte changed: a link with another set, three signatures each."""
PRELUDE = MAGIC + struct.pack(">I", 1)


@pytest.fixture
def chain() -> ForgedChain:
    return forged(CHANGING)


def file_of(chain: ForgedChain, target: int, start: int | None = None) -> bytes:
    checkpoint = None if start is None else chain.checkpoint(start)
    return b"".join(write_proof(chain.proof(target, checkpoint)))


def frame(payload: bytes) -> bytes:
    return struct.pack(">II", len(payload), zlib.crc32(payload)) + payload


def payloads(file: bytes) -> list[bytes]:
    return list(payloads_in(io.BytesIO(file)))


@pytest.mark.parametrize("start", [None, 2])
def test_a_proof_is_read_as_it_was_written(chain: ForgedChain, start: int | None) -> None:  # FIN-1
    file = file_of(chain, 9, start)

    records = list(read_proof(io.BytesIO(file)))

    anchor = GenesisAnchor if start is None else CheckpointAnchor
    assert [type(record) for record in records] == [anchor, Link, Link, Target]
    assert b"".join(write_proof(records)) == file
    assert file.startswith(PRELUDE)


def test_what_is_no_proof_is_said_to_be_none(chain: ForgedChain) -> None:  # FIN-1
    file = file_of(chain, 2)
    for other in (b"", b"COCCHAIN" + file[8:], file[1:], MAGIC, b"{}"):
        with pytest.raises(ProofFileInvalid, match="is no finality proof"):
            payloads(other)


def test_another_version_is_named(chain: ForgedChain) -> None:  # FIN-1
    for version in (0, 2, 2**32 - 1):
        with pytest.raises(ProofFileInvalid, match=f"has format {version}"):
            payloads(MAGIC + struct.pack(">I", version) + file_of(chain, 2)[12:])


@pytest.mark.parametrize("start", [None, START])
def test_a_file_that_ends_anywhere_else_is_refused(start: int | None) -> None:  # FIN-9
    chain = forged(SHORT)
    checkpoint = None if start is None else chain.checkpoint(start)
    file = file_of(chain, TARGET, start)
    for length in range(len(file)):
        with pytest.raises(ProofFileInvalid) as refusal:
            chain.verify(list(read_proof(io.BytesIO(file[:length]))), checkpoint)
        assert refusal.value.what
    assert chain.verify(read_proof(io.BytesIO(file)), checkpoint).set_changes == 1


def test_a_file_that_goes_on_is_refused(chain: ForgedChain) -> None:  # FIN-9
    file = file_of(chain, 9)
    for more in (b"\0", file, frame(payloads(file)[-1]), frame(b"\xc0")):
        with pytest.raises(ProofFileInvalid):
            chain.verify(read_proof(io.BytesIO(file + more)))


@pytest.mark.parametrize("start", [None, START])
def test_a_changed_byte_is_found_by_the_checksum(start: int | None) -> None:  # FIN-1
    file = file_of(forged(SHORT), TARGET, start)
    for position in range(len(file)):
        for mask in (0x01, 0x80, 0xFF):
            with pytest.raises(ProofFileInvalid):
                payloads(changed(file, position, mask))


@pytest.mark.parametrize("start", [None, START])
def test_a_changed_byte_with_a_right_checksum_is_refused_too(start: int | None) -> None:
    """FIN-9: no byte of a proof is without meaning, so none can be changed."""
    chain = forged(SHORT)
    checkpoint = None if start is None else chain.checkpoint(start)
    original = payloads(file_of(chain, TARGET, start))
    for index, payload in enumerate(original):
        for position in range(len(payload)):
            forgery = [*original[:index], changed(payload, position, 0x01), *original[index + 1 :]]

            with pytest.raises(FinalityRefused) as refusal:
                chain.verify(map(decode_record, forgery), checkpoint)
            assert refusal.value.what


def changed(data: bytes, position: int, mask: int) -> bytes:
    return data[:position] + bytes([data[position] ^ mask]) + data[position + 1 :]


# ── Bounds ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_record_is_bounded_before_it_is_read() -> None:  # FIN-12
    largest = bytes(FINALITY_RECORD_BYTES_MAX)
    assert payloads(PRELUDE + frame(largest)) == [largest]
    for length in (0, FINALITY_RECORD_BYTES_MAX + 1, 2**32 - 1):
        head = struct.pack(">II", length, zlib.crc32(b""))

        with pytest.raises(ProofFileInvalid, match="claims"):
            payloads(PRELUDE + head)


class Endless:
    """A prelude, and after it one small record again and again."""

    def __init__(self) -> None:
        self.heads = 0
        self.head = frame(b"\xc0")[:8]

    def read(self, size: int) -> bytes:
        if size == len(PRELUDE):
            return PRELUDE
        if size == 1:
            return b"\xc0"
        self.heads += 1
        return self.head


def test_the_number_of_records_is_bounded() -> None:  # FIN-12
    assert RECORDS_MAX == FINALITY_LINKS_MAX + 2
    source = Endless()

    with pytest.raises(ProofFileInvalid, match="too long"):
        deque(payloads_in(source), maxlen=0)
    assert source.heads == RECORDS_MAX + 1


def test_a_header_is_bounded() -> None:  # FIN-12
    root = b"\x01" * 32
    room = FINALITY_HEADER_BYTES_MAX - len(header_bytes(5, bytes(32), 9, b"", root)) - 3
    largest = header_bytes(5, bytes(32), 9, b"\x01" * (room + 1), root)
    assert len(largest) == FINALITY_HEADER_BYTES_MAX
    assert decode_header(largest).consensus_root == root

    with pytest.raises(RlpInvalid, match="too long"):
        decode_header(header_bytes(5, bytes(32), 9, b"\x01" * (room + 2), root))


# ── Records and headers ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "item",
    [
        [],
        [5, b"", b""],
        [0, b"", b""],
        [b"\x01", b""],
        [b"\x01", b"", b"", b""],
        [b"\x01", b"", []],
        [b"\x02", b"", b"", b"", [], []],
        [b"\x03", b"", [], [b"\x01" * 32], b""],
        [b"\x03", b"", [], [b"\x01" * 32, b"\x01" * 31], b""],
        [b"\x03", b"", [], [b"\x01" * 32, [b"\x01" * 32]], b""],
        [b"\x03", b"", b"", [b"\x01" * 32] * 2, b""],
        [b"\x03", b"", [[b"", b"", b"", b"", b""]], [b"\x01" * 32] * 2, b""],
        [b"\x04", b"", b"", [b""]],
        b"\x04",
    ],
)
def test_a_record_of_another_shape_is_refused(item: rlp.Encodable) -> None:  # FIN-1
    with pytest.raises(ProofFileInvalid):
        decode_record(rlp.encode(item))


def test_a_record_has_one_spelling(chain: ForgedChain) -> None:  # FIN-1
    link = next(record for record in chain.proof(9) if isinstance(record, Link)).encode()
    assert link[0] == 0xF9
    longer = b"\xfa\x00" + link[1:]
    for other in (longer, link + b"\0", link[:-1]):
        with pytest.raises(ProofFileInvalid, match="cannot be read"):
            decode_record(other)


def test_a_header_is_read_up_to_its_consensus_root_and_may_go_on() -> None:  # FIN-2
    fields = rlp.decode_list(header_bytes(5, b"\x01" * 32, 9, b"extra", b"\x02" * 32))
    assert len(fields) == 21
    for count in (20, 21, 25):
        encoded = rlp.encode([*fields, b"", b"", b"", b""][:count])

        found = decode_header(encoded)

        assert (found.height, found.time_s, found.gas_limit) == (5, 9, 30_000_000)
        assert (found.parent_hash, found.consensus_root) == (b"\x01" * 32, b"\x02" * 32)
    with pytest.raises(ProofInvalid, match="19 fields"):
        decode_header(rlp.encode(fields[:19]))
    with pytest.raises(ProofInvalid, match="no lists"):
        decode_header(rlp.encode([*fields, []]))
    with pytest.raises(ProofInvalid, match="32 bytes"):
        decode_header(rlp.encode([*fields[:19], b"\x02" * 31]))
