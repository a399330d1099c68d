"""A simulated disk keeps what was made durable, may take the rest, and never rolls dice of its own accord."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from coc._native import Chain, SimDisk, StorageFailed, Wal
from tests.adapters.sealed_chain import SealedChain
from tests.sim.simulated_life import FOLDER, SimulatedLives, digest_after

ROOT = Path(__file__).resolve().parents[2]


def test_decided_blocks_survive_every_crash_whatever_the_index_forgets() -> None:
    lives = SimulatedLives(1)
    replayed = 0
    for number in range(1, 25):
        head = lives.grow()
        lives.disk.crash()
        lives.start()
        assert (lives.chain.head.number, lives.chain.head.hash) == (number, head)
        assert lives.chain.has_state(head)
        replayed += b'"replayed_blocks":0' not in lives.chain.recovered

    assert replayed > 5, "an index that never goes back would prove nothing"


def test_a_killed_process_loses_nothing_and_its_handles_are_dead() -> None:
    lives = SimulatedLives(2)
    lives.grow()
    lives.chain.flush()
    head, before = lives.chain.head.hash, lives.disk.digest()
    dead_chain, dead_wal, dead_mark = lives.chain, lives.wal, lives.mark
    record = lives.sealed.build()
    lives.disk.kill()

    with pytest.raises(StorageFailed, match="before a crash"):
        dead_wal.append([b"late"])
    with pytest.raises(StorageFailed, match="before a crash"):
        dead_mark.save(b"late")
    with pytest.raises(StorageFailed, match="before a crash"):
        lives.sealed.decide(record)
    assert dead_chain.head.hash == head
    assert lives.disk.digest() == before
    lives.start()
    assert lives.chain.head.hash == head


def test_equal_seeds_leave_equal_files_and_other_seeds_others() -> None:
    digests = [digest_after(seed) for seed in (3, 3, 4)]

    assert digests[0] == digests[1] != digests[2]


def test_neither_hash_seeds_nor_threads_change_what_a_seed_leaves() -> None:
    def digest(hash_seed: int, threads: int) -> str:
        environment = {
            **os.environ,
            "PYTHONHASHSEED": str(hash_seed),
            "RAYON_NUM_THREADS": str(threads),
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-m", "tests.sim.simulated_life", "5"]
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert digest(1, 1) == digest(2, 2) == digest_after(5).hex()


def test_options_name_the_salt_of_the_log() -> None:
    genesis = SealedChain().genesis.text

    def digest(options: bytes) -> bytes:
        disk = SimDisk(6)
        Chain.open_simulated(genesis, disk, options)
        return disk.digest()

    assert digest(b'{"log_salt": 7}') == digest(b'{"log_salt": 7}') != digest(b'{"log_salt": 8}')
    with pytest.raises(ValueError, match="log_salt is a number of 32 bits"):
        Chain.open_simulated(genesis, SimDisk(6), b'{"log_salt": 4294967296}')


def test_a_full_disk_says_that_space_is_short_and_goes_on_when_there_is_some() -> None:
    lives = SimulatedLives(7)
    lives.disk.limit_bytes(0)
    with pytest.raises(StorageFailed) as refused:
        lives.sealed.decide(lives.sealed.build())
    assert refused.value.args[1] is True

    lives.disk.limit_bytes(None)
    lives.sealed.decide(lives.sealed.build())
    assert lives.chain.head.number == 1


def test_a_disk_without_room_for_another_file_refuses_one() -> None:
    disk = SimDisk(8)
    disk.limit_files(0)
    with pytest.raises(StorageFailed, match="no more files") as refused:
        Wal.open(FOLDER, bytes(32), disk)
    assert refused.value.args[1] is True

    disk.limit_files(None)
    assert Wal.open(FOLDER, bytes(32), disk).created


def test_a_flipped_byte_on_a_simulated_disk_is_found() -> None:
    lives = SimulatedLives(9)
    lives.grow()
    segment, length = next(file for file in lives.disk.files() if file[0].endswith(".seg"))
    assert length > 64
    lives.disk.flip(segment, 100, 1)
    lives.disk.kill()

    with pytest.raises(StorageFailed, match="the block log is damaged"):
        lives.start()
    with pytest.raises(ValueError, match="too early"):
        lives.disk.flip(segment, length, 1)


@pytest.mark.parametrize("fault", ["fail_syncs_one_in", "fail_writes_one_in", "fail_next_syncs"])
def test_planned_faults_happen_and_end_with_the_life(fault: str) -> None:
    disk = SimDisk(10)
    wal = Wal.open(FOLDER, bytes(32), disk)
    getattr(disk, fault)(1)
    with pytest.raises(StorageFailed) as failed:
        wal.append_durable([b"intent"])
    assert failed.value.args[1] is False

    disk.kill()
    Wal.open(FOLDER, bytes(32), disk).append_durable([b"intent"])
