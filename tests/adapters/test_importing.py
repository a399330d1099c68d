"""A block of ours is decided only when the native core and the engine's rules both hold it for valid."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from coc.adapters.chain_files import (
    ChainFileInvalid,
    SealedHeader,
    SealedRecord,
    open_block_file,
    write_block_file,
)
from coc.adapters.importing import Tally, import_file
from coc.primitives import rlp
from coc.primitives.frozen import replace
from coc.primitives.keccak import keccak256
from coc.primitives.limits import IMPORT_BATCH_BLOCKS_MAX, IMPORT_BATCH_BYTES_MAX
from coc.primitives.secp256k1 import address_of
from coc.primitives.types import Hash32
from coc.primitives.vrf import prove
from tests.adapters.sealed_chain import (
    INTERVAL_S,
    OTHER_VALIDATORS,
    STRANGER,
    VALIDATOR,
    SealedChain,
    genesis,
    hash_of,
    with_header_field,
)

STATE_ROOT, GAS_LIMIT, TIMESTAMP, MIX_HASH, BASE_FEE, WITHDRAWALS_ROOT, BEACON_ROOT = 3, 9, 11, 13, 15, 16, 19
"""Places of header fields (yellow paper 4.4; EIP-1559, 4895, 4788)."""


def imported(target: SealedChain, pieces: list[bytes], folder: Path) -> Tally:
    """What comes of importing a file of these pieces."""
    path = folder / "blocks.coc"
    write_block_file(path, pieces)
    with open_block_file(path) as file:
        return import_file(target.chain, target.rules, file, lambda tally: None)


def test_good_blocks_arrive_whole_and_a_second_import_passes_them_over(tmp_path: Path) -> None:
    source, target = SealedChain(), SealedChain()
    raw = source.transfer(0)
    records = source.extend(3, [source.judged(raw)])
    tally = imported(target, source.file(records), tmp_path)
    assert (tally.imported, tally.known, tally.refused) == (3, 0, None)
    assert tally.bytes_read == tally.bytes_total
    head = target.chain.head
    assert (head.hash, head.seal) == (source.chain.head.hash, source.chain.head.seal)
    assert target.chain.finalized.hash == head.hash
    (tmp_path / "again").mkdir()
    again = imported(target, source.file([*records, *source.extend(1)]), tmp_path / "again")
    assert (again.imported, again.known) == (1, 3)


# ── Blocks with one thing wrong ─────────────────────────────────────────────────────────────────────────────

Maker = Callable[[SealedChain], SealedRecord]


def resealed(chain: SealedChain, block: bytes, record: SealedRecord) -> SealedRecord:
    """The same consensus data beside a changed block, and a seal that fits it."""
    return SealedRecord(block, record.consensus_data, chain.seal(hash_of(block), chain.next_time()))


def minting(chain: SealedChain) -> SealedRecord:
    """A proposer that pays itself by a withdrawal, its root in the header."""
    record = chain.build()
    withdrawal: list[rlp.Encodable] = [0, 0, address_of(VALIDATOR), 1_000_000_000]
    leaf = rlp.encode([b"\x20\x80", rlp.encode(withdrawal)])
    header, transactions, ommers, _ = rlp.decode_list(
        with_header_field(record.block, WITHDRAWALS_ROOT, keccak256(leaf))
    )
    return resealed(chain, rlp.encode([header, transactions, ommers, [withdrawal]]), record)


def with_header(field: int, value: Callable[[SealedChain], rlp.Encodable]) -> Maker:
    """A block whose header says something else, sealed as it stands."""

    def make(chain: SealedChain) -> SealedRecord:
        record = chain.build()
        return resealed(chain, with_header_field(record.block, field, value(chain)), record)

    return make


def with_data(**changed: object) -> Maker:
    """A block that is right in itself, and whose consensus data says what it must not."""
    return lambda chain: chain.build(data=chain.data(chain.next_time(), **changed))


def with_seal(make: Callable[[SealedChain, bytes], bytes]) -> Maker:
    """A good block with another seal."""

    def made(chain: SealedChain) -> SealedRecord:
        record = chain.build()
        return replace(record, seal=make(chain, hash_of(record.block)))

    return made


def flipped(data: bytes) -> bytes:
    return data[:-2] + bytes([data[-2] ^ 1]) + data[-1:]


BAD_BLOCKS: dict[str, tuple[Maker, str]] = {
    "mints by withdrawals": (minting, "COC_WITHDRAWALS"),
    "has a wrong consensus-data root": (with_header(BEACON_ROOT, lambda _: bytes(32)), "COC_CONSENSUS_ROOT"),
    "has its parent's timestamp": (
        with_header(TIMESTAMP, lambda chain: chain.chain.head.timestamp),
        "INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT",
    ),
    "has a timestamp before its parent's": (
        with_header(TIMESTAMP, lambda chain: chain.chain.head.timestamp - 1),
        "INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT",
    ),
    "has a gas limit too far from its parent's": (
        with_header(GAS_LIMIT, lambda chain: chain.chain.head.gas_limit * 2),
        "INVALID_GASLIMIT",
    ),
    "has randomness of its own choice": (with_header(MIX_HASH, lambda _: bytes(32)), "COC_RANDOMNESS"),
    "has another base fee": (with_header(BASE_FEE, lambda _: 7), "INVALID_BASEFEE"),
    "has another state root": (with_header(STATE_ROOT, lambda _: bytes(32)), "INVALID_STATE_ROOT"),
    "is in its parent's slot": (
        lambda chain: chain.build(timestamp_s=chain.next_time() - INTERVAL_S + 1),
        "COC-ROTATION",
    ),
    "names a stranger as proposer": (with_data(proposer=address_of(STRANGER)), "COC-ROTATION"),
    "names another round": (with_data(original_round=7), "COC-ROTATION"),
    "carries another parent certificate": (with_data(parent_certificate=b"\x01"), "COC-ROTATION"),
    "carries a VRF proof": (with_data(vrf_proof=prove(STRANGER, b"anything")), "COC-ROTATION"),
    "carries another validator set": (with_data(validators=OTHER_VALIDATORS), "COC-ROTATION"),
    "installs another validator set": (with_data(next_validators=OTHER_VALIDATORS), "COC-ROTATION"),
    "pays its tips to a stranger": (lambda chain: chain.build(coinbase=address_of(STRANGER)), "COC-ROTATION"),
    "has no consensus data": (lambda chain: replace(chain.build(), consensus_data=b""), "COC_CONSENSUS_DATA"),
    "has other consensus data beside it": (
        lambda chain: replace(
            chain.build(), consensus_data=chain.data(chain.next_time(), vrf_proof=b"x").encode()
        ),
        "COC_CONSENSUS_ROOT",
    ),
    "is sealed by a stranger": (
        with_seal(lambda chain, block: chain.seal(block, chain.next_time(), STRANGER)),
        "COC-ROTATION",
    ),
    "has a seal for another slot": (
        with_seal(lambda chain, block: chain.seal(block, chain.next_time(), slot=99)),
        "COC-ROTATION",
    ),
    "has a seal for another chain": (
        with_seal(lambda chain, block: chain.seal(block, chain.next_time(), genesis_hash=Hash32(bytes(32)))),
        "COC-ROTATION",
    ),
    "has a seal with one bit flipped": (
        with_seal(lambda chain, block: flipped(chain.seal(block, chain.next_time()))),
        "COC-ROTATION",
    ),
    "has a seal that is none": (with_seal(lambda chain, block: b"\xc0"), "COC-SEAL"),
    "has no seal": (with_seal(lambda chain, block: b""), "COC-RLP"),
    "is no block": (lambda chain: SealedRecord(b"\xc0", b"", b""), "RLP"),
}


@pytest.mark.parametrize("fault", BAD_BLOCKS)
def test_a_block_is_refused_that(fault: str, tmp_path: Path) -> None:
    make, code = BAD_BLOCKS[fault]
    source, target = SealedChain(), SealedChain()
    good = source.extend(2)
    bad = make(source)
    tally = imported(target, source.file([*good, bad]), tmp_path)
    assert tally.refused is not None
    assert (tally.imported, tally.refused.number) == (2, 3)
    assert tally.refused.code.startswith(code), tally.refused
    assert target.chain.head.hash == hash_of(good[-1].block)
    assert target.chain.canonical_hash(3) is None


def test_a_second_block_at_a_final_height_is_refused_though_it_is_sealed(tmp_path: Path) -> None:
    source, target = SealedChain(), SealedChain()
    other = source.build(timestamp_s=source.next_time() + INTERVAL_S)
    first = source.extend(1)
    imported(target, source.file(first), tmp_path)
    (tmp_path / "second").mkdir()
    tally = imported(target, source.file([other]), tmp_path / "second")
    assert tally.refused is not None
    assert (tally.refused.code, tally.refused.number) == ("FINAL_FORK", 1)
    assert target.chain.head.hash == hash_of(first[0].block)


def test_a_block_whose_parent_is_missing_is_refused(tmp_path: Path) -> None:
    source, target = SealedChain(), SealedChain()
    tally = imported(target, source.file(source.extend(2)[1:]), tmp_path)
    assert tally.refused is not None
    assert (tally.refused.number, tally.refused.code) == (2, "UNKNOWN_PARENT")


# ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_of_another_chain_is_refused_by_its_genesis_hash(tmp_path: Path) -> None:
    source, target = SealedChain(made=genesis(chain_id=7)), SealedChain()
    with pytest.raises(ChainFileInvalid, match="another chain"):
        imported(target, source.file(source.extend(1)), tmp_path)


def test_plain_blocks_are_refused_on_a_chain_of_ours(tmp_path: Path) -> None:
    source, target = SealedChain(), SealedChain()
    with pytest.raises(ChainFileInvalid, match="without consensus data and seals"):
        imported(target, [record.block for record in source.extend(1)], tmp_path)


def test_a_file_of_ours_is_refused_on_an_ethereum_chain(tmp_path: Path) -> None:
    source = SealedChain()
    write_block_file(tmp_path / "f", source.file(source.extend(1)))
    with open_block_file(tmp_path / "f") as file, pytest.raises(ChainFileInvalid, match="of a COC chain"):
        import_file(source.chain, None, file, lambda tally: None)


@pytest.mark.parametrize("byte", [8, 20, 50, 60, 64, 70, 80, 300, 700, -1])
def test_a_flipped_byte_in_a_file_is_called_damage(tmp_path: Path, byte: int) -> None:
    source, target = SealedChain(), SealedChain()
    data = bytearray(b"".join(source.file(source.extend(2))))
    data[byte] ^= 0x40
    with pytest.raises(ChainFileInvalid) as caught:
        imported(target, [bytes(data)], tmp_path)
    assert caught.value.cure


@pytest.mark.parametrize("kept", [30, 64, 70, 400, -1])
def test_a_file_that_ends_early_is_called_damage(tmp_path: Path, kept: int) -> None:
    source, target = SealedChain(), SealedChain()
    data = b"".join(source.file(source.extend(2)))[:kept]
    with pytest.raises(ChainFileInvalid, match="damaged"):
        imported(target, [data], tmp_path)


def test_a_file_with_more_than_it_announces_is_called_damage(tmp_path: Path) -> None:
    source, target = SealedChain(), SealedChain()
    with pytest.raises(ChainFileInvalid, match="there is more"):
        imported(target, [*source.file(source.extend(1)), b"x"], tmp_path)


def test_a_newer_format_names_the_cure(tmp_path: Path) -> None:
    source, target = SealedChain(), SealedChain()
    newer = b"COCCHAIN" + (2).to_bytes(4, "big") + SealedHeader(Hash32(bytes(32)), 1, 0).encode()[12:]
    with pytest.raises(ChainFileInvalid) as caught:
        imported(target, [newer], tmp_path)
    assert "newer" in caught.value.cure
    assert source.chain.head.number == 0


def test_batches_to_the_native_core_are_bounded_in_blocks_and_bytes(tmp_path: Path) -> None:
    class Counting:
        """A chain that takes everything and notes what it was handed."""

        genesis_hash = bytes(32)

        def __init__(self) -> None:
            self.batches: list[list[bytes]] = []

        def header(self, block: bytes) -> None:
            return None

        def flush(self) -> None:
            """It keeps nothing."""

        def import_blocks(self, blocks: list[bytes]) -> tuple[int, None]:
            self.batches.append(blocks)
            return len(blocks), None

    header: list[rlp.Encodable] = [b"", b"", b"", b"", b"", b"", b"", b"", 1]
    small = rlp.encode([header, [], []])
    large = rlp.encode([header, [bytes(IMPORT_BATCH_BYTES_MAX)], []])
    write_block_file(tmp_path / "f", [small] * (IMPORT_BATCH_BLOCKS_MAX + 1) + [large, small])
    chain = Counting()
    with open_block_file(tmp_path / "f") as file:
        tally = import_file(chain, None, file, lambda tally: None)  # type: ignore[arg-type]
    assert [len(batch) for batch in chain.batches] == [IMPORT_BATCH_BLOCKS_MAX, 2, 1]
    assert tally.imported == IMPORT_BATCH_BLOCKS_MAX + 3
