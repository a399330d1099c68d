"""`coc db` on real folders: figures, the check and its exit codes, the rebuild, and each refusal."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from coc._native import Chain
from coc.adapters.chain_port import open_chain
from coc.execution.genesis import read_genesis
from tests.adapters.sealed_chain import SealedChain
from tests.cli.folders import coc, facts, own_genesis, refusal

BLOCKS = 6
SEGMENT_HEADER_BYTES = 64


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with six blocks, of which the last two are not in the store; closed as by a kill."""
    genesis = read_genesis(own_genesis(tmp_path).read_bytes())
    data = tmp_path / "data"
    chain = SealedChain(data, genesis)
    chain.extend(1, [chain.judged(chain.transfer(0))])
    chain.extend(BLOCKS - 3, [])
    chain.chain.flush()
    chain.extend(2, [])
    del chain
    gc.collect()
    return data


def head_of(data: Path) -> int:
    """The height that a node would start at."""
    chain = open_chain((data / "genesis.json").read_bytes(), data, {})
    number = chain.head.number
    del chain
    gc.collect()
    return number


def last_segment(data: Path) -> Path:
    """The segment that grows."""
    return max((data / "log").glob("*.seg"))


def flip(path: Path, offset: int) -> None:
    """Damage one byte of a file."""
    content = bytearray(path.read_bytes())
    content[offset] ^= 0x10
    path.write_bytes(bytes(content))


# ── Figures ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_stats_say_how_far_log_and_store_reach_and_what_takes_how_much(folder: Path) -> None:
    said = facts(coc("db", "stats", "--data", folder, "--json"))
    assert (said["blocks"], said["unflushed_blocks"]) == (BLOCKS + 1, 2)
    assert (said["highest_block"]["number"], said["flushed_head"]["number"]) == (BLOCKS, BLOCKS - 2)
    assert said["log"]["bytes"] == last_segment(folder).stat().st_size
    nodes = (folder / "state" / "gen-000001.nodes").stat().st_size
    assert said["state"]["bytes"] >= said["state"]["generations"][0]["bytes"] == nodes
    rows = {each["table"]: each["rows"] for each in said["index"]["tables"]}
    assert (rows["blocks"], rows["canonical"], rows["transactions"]) == (BLOCKS - 1, BLOCKS - 1, 1)
    told = coc("db", "stats", "--data", folder)
    assert told.exit_code == 0
    assert f"highest block   {BLOCKS} 0x" in told.stdout


def test_stats_are_to_be_had_while_a_node_has_the_folder_open(folder: Path) -> None:
    held = open_chain((folder / "genesis.json").read_bytes(), folder, {})
    command = [sys.executable, "-c", "from coc.cli.main import main; main()"]
    asked = subprocess.run(
        [*command, "db", "stats", "--json", "--data", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout)["highest_block"]["number"] == held.head.number


def test_stats_of_a_folder_without_an_index_name_the_cure(folder: Path) -> None:
    (folder / "index" / "data.mdb").unlink()
    told = coc("db", "stats", "--data", folder)
    assert f"missing: coc db rebuild --data {folder}" in told.stdout


# ── Check ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_sound_folder_checks_with_exit_code_0_and_is_not_changed(folder: Path) -> None:
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "LOCK"}
    del files[folder / "index" / "lock.mdb"]
    said = facts(coc("db", "check", "--data", folder, "--json"))
    assert said["sound"] is True
    assert (said["records"], said["unflushed_blocks"], said["height"]) == (BLOCKS + 1, 2, BLOCKS - 2)
    assert said["states"] == BLOCKS - 1
    assert said["nodes"] > 0
    assert files == {path: path.read_bytes() for path in files}
    assert "is sound" in coc("db", "check", "--data", folder).stdout


def test_a_torn_last_record_is_no_damage(folder: Path) -> None:
    segment = last_segment(folder)
    segment.write_bytes(segment.read_bytes()[:-1])
    said = facts(coc("db", "check", "--data", folder, "--json"))
    assert (said["sound"], said["records"]) == (True, BLOCKS)
    assert said["torn_bytes"] > 0


def test_a_damaged_log_checks_with_exit_code_1_and_says_how_much_is_whole(folder: Path) -> None:
    flip(last_segment(folder), SEGMENT_HEADER_BYTES + 40)
    result = coc("db", "check", "--data", folder, "--json")
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    assert said["sound"] is False
    assert said["findings"][0]["part"] == "log"
    assert said["lost_log_bytes"] > 0
    assert "coc db rebuild --cut-log" in said["cure"]


def test_a_damaged_node_checks_with_exit_code_1_and_names_file_and_command(folder: Path) -> None:
    nodes = folder / "state" / "gen-000001.nodes"
    flip(nodes, nodes.stat().st_size - 20)
    result = coc("db", "check", "--data", folder)
    assert result.exit_code == 1
    assert "is damaged" in result.stdout
    assert "gen-000001.nodes" in result.stdout
    assert f"coc db rebuild --data {folder}" in result.stdout


def test_an_index_whose_reading_ends_the_process_is_told_and_the_log_checked_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # A child that dies as one does whose map is gone: the first time it is asked to look at the index.
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, sys\n"
        "started = ' '.join(sys.orig_argv)\n"
        "if 'folder_check_child' in started and '--skip-index' not in started:\n"
        "    os.kill(os.getpid(), signal.SIGBUS)\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    result = coc("db", "check", "--data", folder, "--json")
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    assert said["child_died"] == signal.SIGBUS.name
    assert said["findings"] == [{"part": "index", "what": "reading it ends the process"}]
    assert said["records"] == BLOCKS + 1
    assert said["cure"] == f"coc db rebuild --data {folder}"


# ── Rebuild ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("lost", ["index/data.mdb", "state/gen-000001.nodes"])
def test_a_lost_part_of_the_store_is_refused_at_start_and_made_anew_by_a_rebuild(
    folder: Path, lost: str
) -> None:
    (folder / lost).unlink()
    said = refusal(coc("export", folder.parent / "blocks", "--data", folder))
    assert "coc db rebuild" in said
    rebuilt = facts(coc("db", "rebuild", "--data", folder, "--json"))
    assert (rebuilt["blocks"], rebuilt["height"], rebuilt["cut"]) == (BLOCKS, BLOCKS, None)
    assert facts(coc("db", "check", "--data", folder, "--json"))["sound"] is True
    assert head_of(folder) == BLOCKS


def test_a_rebuild_does_not_touch_the_store_of_a_folder_whose_log_is_damaged_unless_it_may_cut_it(
    folder: Path,
) -> None:
    store = folder / "index" / "data.mdb"
    before = store.read_bytes()
    segment = last_segment(folder)
    flip(segment, segment.stat().st_size // 2)
    said = refusal(coc("db", "rebuild", "--data", folder))
    assert f"coc db rebuild --cut-log --data {folder}" in said
    assert store.read_bytes() == before
    rebuilt = facts(coc("db", "rebuild", "--cut-log", "--data", folder, "--json"))
    assert rebuilt["cut"]["lost_bytes"] > 0
    assert rebuilt["height"] == rebuilt["cut"]["records_kept"] - 1 < BLOCKS
    assert head_of(folder) == rebuilt["height"]


def test_an_unfinished_rebuild_is_told_at_start_and_gone_on_with(folder: Path) -> None:
    (folder / "rebuilding").write_bytes(b"clearing")
    said = refusal(coc("export", folder.parent / "blocks", "--data", folder))
    assert "only half made" in said
    assert f"coc db rebuild --data {folder}" in said
    checked = coc("db", "check", "--data", folder, "--json")
    assert checked.exit_code == 1
    assert json.loads(checked.stdout)["findings"][0]["part"] == "folder"
    assert facts(coc("db", "rebuild", "--data", folder, "--json"))["height"] == BLOCKS
    assert head_of(folder) == BLOCKS


# ── Refusals ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("command", ["stats", "check", "rebuild"])
def test_a_folder_without_a_chain_is_told_and_left_empty(command: str, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "holds no chain" in refusal(coc("db", command, "--data", empty))
    assert list(empty.iterdir()) == []


@pytest.mark.parametrize("command", ["check", "rebuild"])
def test_a_folder_in_use_is_told_with_who_holds_it(command: str, folder: Path) -> None:
    held = Chain.open((folder / "genesis.json").read_bytes(), str(folder), b"{}")
    said = refusal(coc("db", command, "--data", folder))
    assert f"in use by process {os.getpid()}" in said
    assert held.head.number == BLOCKS
