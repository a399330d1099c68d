"""The durable files of a validator, through the real binding: on a real disk and on a simulated one."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from coc._native import Mark, SimDisk, StorageFailed, Wal
from coc.primitives.limits_consensus import WAL_RECORD_BYTES_MAX

GENESIS_HASH = bytes(range(32))
FOLDER = "/validator"
MIB = 1024 * 1024


def open_simulated(disk: SimDisk) -> Wal:
    return Wal.open(FOLDER, GENESIS_HASH, disk)


def open_both(folder: Path) -> None:
    Wal.open(folder, GENESIS_HASH, None)
    Mark.open(folder, "signer.mark", None)


def test_a_log_on_the_machines_disk_keeps_its_records(tmp_path: Path) -> None:
    records = [b"", b"intent", bytes(WAL_RECORD_BYTES_MAX), b"block" * MIB]
    wal = Wal.open(tmp_path / "validator", GENESIS_HASH, None)
    assert (wal.created, wal.records, wal.cut_bytes, wal.reserve_held) == (True, [], 0, True)
    wal.append(records[:2])
    wal.append_durable(records[2:])
    del wal

    wal = Wal.open(str(tmp_path / "validator"), GENESIS_HASH, None)
    assert (wal.created, wal.records, wal.cut_bytes) == (False, records, 0)
    wal.begin_height()
    wal.append_durable([b"next"])
    del wal
    assert Wal.open(tmp_path / "validator", GENESIS_HASH, None).records == [b"next"]


def test_the_space_of_a_log_is_reserved_when_it_is_made(tmp_path: Path) -> None:
    Wal.open(tmp_path, GENESIS_HASH, None)
    assert (tmp_path / "wal").stat().st_size > 16 * MIB

    disk = SimDisk(1)
    Wal.open(FOLDER, GENESIS_HASH, disk, reserve_bytes=100_000)
    assert disk.files() == [("/validator/wal", 104_096)]


def test_what_was_acknowledged_survives_a_power_cut_and_the_rest_is_whole() -> None:
    lost = 0
    for seed in range(200):
        disk = SimDisk(seed)
        wal = open_simulated(disk)
        wal.append_durable([b"block" * 500, b"intent"])
        wal.append([b"signed"])
        disk.crash()
        records = open_simulated(disk).records
        assert records[:2] == [b"block" * 500, b"intent"]
        assert records[2:] in ([], [b"signed"])
        lost += records[2:] == []

    assert 0 < lost < 200


def test_a_call_that_failed_is_repeated_until_all_is_durable() -> None:
    disk = SimDisk(2)
    wal = open_simulated(disk)
    wal.append([b"signed"])
    disk.fail_next_syncs(2)
    for _ in range(2):
        with pytest.raises(StorageFailed, match="nothing may be signed until a later try succeeds") as failed:
            wal.append_durable([b"intent"])
        assert failed.value.args[1] is False
    wal.append_durable([b"intent"])
    disk.crash()

    assert open_simulated(disk).records == [b"signed", b"intent"]


def test_a_full_disk_takes_what_is_reserved_and_refuses_more_as_a_whole() -> None:
    disk = SimDisk(3)
    wal = open_simulated(disk)
    disk.limit_bytes(0)
    wal.append_durable([b"fits"])
    with pytest.raises(StorageFailed) as refused:
        wal.append_durable([b"small", bytes(MIB)])
    assert refused.value.args[1] is True
    disk.limit_bytes(None)
    wal.append_durable([b"after"])

    assert open_simulated(disk).records == [b"fits", b"after"]


def test_a_damaged_log_is_refused_with_the_cure() -> None:
    disk = SimDisk(4)
    wal = open_simulated(disk)
    wal.append_durable([b"first"])
    wal.append_durable([b"second"])
    disk.flip("/validator/wal", 4_200, 1)
    disk.kill()

    with pytest.raises(
        StorageFailed, match=r"damaged at byte 4096.* remove the file.* watches before it signs"
    ):
        open_simulated(disk)


def test_a_log_of_another_chain_is_refused_with_the_cure(tmp_path: Path) -> None:
    Wal.open(tmp_path, GENESIS_HASH, None)

    with pytest.raises(StorageFailed, match="belongs to another chain"):
        Wal.open(tmp_path, bytes(32), None)
    with pytest.raises(ValueError, match="a genesis hash has 31 bytes, not 32"):
        Wal.open(tmp_path, bytes(31), None)


@pytest.mark.parametrize("name", ["wal", "signer.mark"])
def test_a_file_of_a_newer_release_is_refused_with_the_cure(tmp_path: Path, name: str) -> None:
    open_both(tmp_path)
    content = bytearray((tmp_path / name).read_bytes())
    content[8:12] = struct.pack("<I", 9)
    (tmp_path / name).write_bytes(content)

    with pytest.raises(StorageFailed, match=r"has format 9, .* install the release that wrote it"):
        open_both(tmp_path)


def test_a_mark_is_replaced_as_a_whole(tmp_path: Path) -> None:
    assert Mark.open(tmp_path, "signer.mark", None).payload is None
    mark = Mark.open(tmp_path, "signer.mark", None)
    for payload in (b"low", b"higher", b""):
        mark.save(payload)
        assert mark.payload == payload
        assert Mark.open(tmp_path, "signer.mark", None).payload == payload
    mark.save(bytes(1_024))
    with pytest.raises(StorageFailed, match=r"1025 bytes .* at most 1024"):
        mark.save(bytes(1_025))
    assert mark.payload == bytes(1_024)


def test_a_mark_never_goes_back_in_a_power_cut() -> None:
    disk = SimDisk(5)
    mark = Mark.open(FOLDER, "signer.mark", disk)
    for number in range(100):
        mark.save(b"%d" % number)
        disk.fail_next_syncs(1)
        with pytest.raises(StorageFailed):
            mark.save(b"%d and a half" % number)
        assert mark.payload == b"%d" % number
        disk.crash()
        mark = Mark.open(FOLDER, "signer.mark", disk)
        assert mark.payload in (b"%d" % number, b"%d and a half" % number)
