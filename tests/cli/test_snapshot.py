"""When a state is fetched before a node starts, and what is shown meanwhile. SYNC-14, SYNC-16, SYNC-19."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coc._native import Chain
from coc.adapters.live_node import HttpChoices, NodeChoices
from coc.adapters.validator.service import NetworkChoices
from coc.adapters.validator.snapshot_filling import FetchEnd, Trouble
from coc.adapters.validator.snapshot_target import PROGRESS_FILE
from coc.cli.snapshot import SnapshotView, is_wanted, progress_text
from coc.cli.trusted import trusted_block
from coc.consensus.finality.checkpoint import BlockName
from coc.consensus.sync.snapshot.effects import Progressed
from coc.consensus.sync.snapshot.inputs import Counts
from coc.execution.genesis import read_genesis
from coc.primitives.errors import CliError, ConsensusError
from coc.primitives.frozen import replace
from coc.primitives.secp256k1 import secret_of
from coc.primitives.types import Hash32, Height
from coc.sim.full.network import chain_file
from tests.consensus.finality.real_chain import history

GENESIS = read_genesis(chain_file((1, 1, 1, 1)).text)
NETWORK = NetworkChoices("127.0.0.1", 0, secret_of(b"\x01" * 32))
HALF = Progressed(Height(1_280), 430_000, Counts(12_345, 678, 9, 3_210_000), 28_700, 72_000)
EARLY = Progressed(Height(128), 0, Counts(0, 0, 0, 0), None, None)


def choices(folder: Path | None, network: NetworkChoices | None = NETWORK) -> NodeChoices:
    return NodeChoices(genesis=GENESIS, folder=folder, http=HttpChoices("127.0.0.1", 0), network=network)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "node"
    Chain.open(GENESIS.text, str(made), b"").close()
    return made


def test_a_folder_without_blocks_is_filled_with_a_state_only_when_asked_for(folder: Path) -> None:
    assert is_wanted(choices(folder), "snapshot")
    assert not is_wanted(choices(folder), None)
    assert not is_wanted(choices(folder), "full")


def test_a_checkpoint_asks_for_a_state_in_a_folder_without_blocks(folder: Path) -> None:  # SYNC-19
    trusted = BlockName(Height(7), Hash32(bytes(32)))
    assert is_wanted(choices(folder), None, trusted)
    assert not is_wanted(choices(folder), None)


def test_a_chain_with_another_block_than_the_checkpoint_does_not_go_on(
    tmp_path: Path,
) -> None:  # SYNC-19
    folder = tmp_path / "node"
    history().copy_into(folder)
    kept = replace(choices(folder), genesis=history().genesis)
    same, other = Hash32(history().hash_at(9)), Hash32(bytes(32))
    assert not is_wanted(kept, None, BlockName(Height(9), same))
    assert not is_wanted(kept, None, BlockName(Height(10_000), other)), "its blocks are not that far"
    with pytest.raises(CliError, match="another block 9 than the checkpoint"):
        is_wanted(kept, None, BlockName(Height(9), other))


def test_what_was_typed_as_a_checkpoint_is_judged_before_peers_are_met() -> None:  # SYNC-18
    text = f"7:0x{'ab' * 32}"
    assert trusted_block(text, GENESIS, "snapshot") == BlockName(Height(7), Hash32(b"\xab" * 32))
    with pytest.raises(CliError, match="contradict"):
        trusted_block(text, GENESIS, "full")
    for wrong in ("7", f"0:0x{'ab' * 32}", history().checkpoint(9).text()):
        with pytest.raises(ConsensusError) as caught:
            trusted_block(wrong, GENESIS, None)
        assert caught.value.cure


def test_a_snapshot_that_was_begun_goes_on_without_being_told(folder: Path) -> None:
    (folder / PROGRESS_FILE).touch()
    assert is_wanted(choices(folder), None)
    assert is_wanted(choices(folder), "snapshot")
    with pytest.raises(CliError, match="half filled with a snapshot"):
        is_wanted(choices(folder), "full")


def test_a_chain_that_nobody_certifies_has_no_snapshots(folder: Path) -> None:
    assert not is_wanted(choices(folder, network=None), None)
    with pytest.raises(CliError, match="this chain has no snapshots"):
        is_wanted(choices(folder, network=None), "snapshot")


def test_the_line_tells_part_counts_bytes_and_time() -> None:
    assert progress_text(HALF) == (
        "  state after block 1,280   43 %   12,345 of about 28,700 accounts   678 slots   3.2 MB   1:12 left"
    )
    assert progress_text(EARLY) == "  state after block 128   0 %   0 accounts   0 slots   0.0 MB"


def test_programs_read_lines_and_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    view = SnapshotView(as_json=True)
    view.show(HALF)
    view.show(HALF)
    view.close(FetchEnd.IS_CHAIN)
    lines = [json.loads(line)["snapshot"] for line in capsys.readouterr().out.splitlines()]
    assert [line.pop("ended", None) for line in lines] == [None, "the folder is a chain"]
    assert lines[0] == lines[1]
    assert (lines[0]["done"], lines[0]["bytes"], lines[0]["secondsLeft"]) == (0.43, 3_210_000, 72)


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        (FetchEnd.IS_CHAIN, "the state after block 1,280 is here"),
        (FetchEnd.TOO_YOUNG, "no snapshot yet"),
        (FetchEnd.STOPPED, "start the node again to go on"),
    ],
)
def test_people_read_how_it_ended(end: FetchEnd, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    view = SnapshotView(as_json=False)
    view.show(HALF)
    view.show(Trouble("no space left on the device"))
    view.close(end)
    told = capsys.readouterr()
    assert sentence in told.out
    assert "no space left on the device" in told.err
