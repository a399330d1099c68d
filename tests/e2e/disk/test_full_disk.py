"""Real file systems that are full, or can hold no more files.

Nothing that was decided is lost, what found no room is refused as that, and all goes on once there is space.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.disk.mounts import ext4, fill, tmpfs, use_up_files
from tests.e2e.node_process import CHECKOUT

MIB = 24
"""Size of the file systems: a chain, what is kept aside, and room for a test to fill."""
FILES = 40
"""Files that a file system may hold in the tests that use them up."""
BLOCKS_MAX = 400
"""Blocks after which a file system that is not full by then was not filled."""


class WriterProcess:
    """A writer and the line to it."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "tests.e2e.disk.writer", str(folder)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT
        )
        self.opened = self._answer()

    def order(self, order: str) -> dict[str, Any]:
        """Give an order; what came of it."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{order}\n")
        self._process.stdin.flush()
        return self._answer()

    def grow_until_refused(self) -> dict[str, Any]:
        """Blocks until one finds no room."""
        for _ in range(BLOCKS_MAX):
            said = self.order("grow 1")
            if "failed" in said:
                return said
        raise AssertionError("the disk never filled up")

    def kill(self) -> None:
        """End it as a power button would."""
        self._process.kill()
        self._process.communicate()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the writer ended with code {self._process.wait()}"
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def writing(folder: Path) -> Iterator[WriterProcess]:
    """A writer that is killed in the end, whatever happens."""
    writer = WriterProcess(folder)
    try:
        yield writer
    finally:
        writer.kill()


def place_of(said: dict[str, Any]) -> tuple[int, str]:
    """The head in an answer; its sender must have sent a transaction a block."""
    assert said["nonce"] == said["number"]
    return said["number"], said["hash"]


def assert_sound(folder: Path) -> None:
    """`coc db check` finds nothing."""
    command = [sys.executable, "-c", "from coc.cli.main import main; main()"]
    done = subprocess.run(
        [*command, "db", "check", "--data", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        cwd=CHECKOUT,
    )
    assert done.returncode == 0, done.stdout + done.stderr


FileSystem = Callable[[Path], AbstractContextManager[Path]]

FILE_SYSTEMS = [
    pytest.param(lambda place: tmpfs(place, MIB), id="tmpfs"),
    pytest.param(lambda place: ext4(place, 2 * MIB), id="ext4"),
]


@pytest.mark.parametrize("file_system", FILE_SYSTEMS)
def test_a_full_disk_refuses_blocks_keeps_all_that_were_decided_and_takes_more_when_there_is_space(
    file_system: FileSystem, tmp_path: Path
) -> None:
    with file_system(tmp_path / "disk") as disk, writing(disk / "data") as writer:
        writer.order("grow 5")
        filler = fill(disk)
        refused = writer.grow_until_refused()
        assert refused["out_of_space"] is True
        assert "no space left" in refused["failed"] or "out of space" in refused["failed"]
        assert place_of(writer.order("grow 1")) == place_of(refused)
        filler.unlink()
        grown = writer.order("grow 3")
        assert grown["number"] == refused["number"] + 3
        writer.kill()
        with writing(disk / "data") as again:
            assert place_of(again.opened) == place_of(grown)
            again.kill()
            assert_sound(disk / "data")


@pytest.mark.parametrize("file_system", FILE_SYSTEMS)
def test_a_flush_on_a_full_disk_fails_the_chain_goes_on_and_a_later_flush_does_it_all(
    file_system: FileSystem, tmp_path: Path
) -> None:
    with file_system(tmp_path / "disk") as disk, writing(disk / "data") as writer:
        writer.order("grow 20")
        filler = fill(disk)
        refused = writer.order("flush")
        assert refused["out_of_space"] is True
        assert place_of(refused)[0] == 20
        filler.unlink()
        assert "failed" not in writer.order("grow 2")
        assert "failed" not in writer.order("flush")
        writer.kill()
        with writing(disk / "data") as again:
            assert again.opened["number"] == 22
            assert again.opened["recovered"]["replayed_blocks"] == 0


@pytest.mark.parametrize("file_system", FILE_SYSTEMS)
def test_a_full_disk_is_left_in_order_with_the_space_that_was_kept_aside(
    file_system: FileSystem, tmp_path: Path
) -> None:
    with file_system(tmp_path / "disk") as disk, writing(disk / "data") as writer:
        writer.order("grow 10")
        filler = fill(disk)
        assert "failed" in writer.order("flush")
        closed = writer.order("close")
        assert "failed" not in closed, closed
        writer.kill()
        with writing(disk / "data") as again:
            assert again.opened["recovered"]["replayed_blocks"] == 0
            assert place_of(again.opened) == place_of(closed)
            filler.unlink()
            assert "failed" not in again.order("grow 1")


@pytest.mark.parametrize("file_system", FILE_SYSTEMS)
def test_a_node_that_was_killed_on_a_full_disk_starts_there_answers_and_goes_on_later(
    file_system: FileSystem, tmp_path: Path
) -> None:
    with file_system(tmp_path / "disk") as disk, writing(disk / "data") as writer:
        decided = writer.order("grow 12")
        filler = fill(disk)
        writer.kill()
        # What a kill lets go of must not become the room that the next start finds.
        second_filler = fill(disk, "second filler")
        with writing(disk / "data") as again:
            assert place_of(again.opened) == place_of(decided)
            filler.unlink()
            second_filler.unlink()
            assert again.order("grow 1")["number"] == decided["number"] + 1
            assert "failed" not in again.order("flush")
            again.kill()
            assert_sound(disk / "data")


def test_a_disk_that_can_hold_no_more_files_refuses_the_next_segment_and_takes_it_later(
    tmp_path: Path,
) -> None:
    with tmpfs(tmp_path / "disk", MIB, FILES) as disk, writing(disk / "data") as writer:
        writer.order("grow 1")
        crowd = use_up_files(disk)
        refused = writer.grow_until_refused()
        assert refused["out_of_space"] is True
        assert "can hold no more files" in refused["failed"]
        assert place_of(writer.order("grow 1")) == place_of(refused)
        shutil.rmtree(crowd)
        grown = writer.order("grow 2")
        assert grown["number"] == refused["number"] + 2
        writer.kill()
        with writing(disk / "data") as again:
            assert place_of(again.opened) == place_of(grown)
            again.kill()
            assert_sound(disk / "data")


def test_a_folder_that_cannot_be_made_for_want_of_files_is_told_and_made_later(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk", MIB, FILES) as disk:
        crowd = use_up_files(disk)
        writer = WriterProcess(disk / "data")
        assert writer.opened["out_of_space"] is True
        assert "df -i" in writer.opened["failed"]
        writer.kill()
        shutil.rmtree(crowd)
        with writing(disk / "data") as again:
            assert again.opened["number"] == 0
            assert again.order("grow 1")["number"] == 1
