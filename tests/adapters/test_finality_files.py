"""Proofs of an open chain as files: written whole and believed, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from coc.adapters.chain_files import ChainFileFailed
from coc.adapters.finality_files import (
    Progress,
    Wish,
    trusted_block_in,
    verify_proof_file,
    write_proof_file,
)
from coc.consensus.finality.checkpoint import BlockName
from coc.consensus.finality.faults import (
    AnchorUnfit,
    CheckpointInvalid,
    FinalityRefused,
    FinalityUnprovable,
)
from coc.consensus.finality.verify import Trust
from coc.primitives.types import Height
from tests.consensus.finality.real_chain import PERIOD, history


def test_a_proof_from_a_checkpoint_is_written_while_it_is_young(tmp_path: Path) -> None:  # FIN-11, FIN-13
    checkpoint = history().checkpoint(PERIOD + 1)
    wish = Wish(Height(2 * PERIOD + 1), checkpoint)

    size, found = write_proof_file(tmp_path / "young", history().provable, wish, checkpoint.time_s + 13)

    assert size == (tmp_path / "young").stat().st_size
    assert (found.anchor_height, found.block.height, found.set_changes) == (PERIOD + 1, 2 * PERIOD + 1, 1)
    with pytest.raises(AnchorUnfit):
        write_proof_file(tmp_path / "old", history().provable, wish, checkpoint.time_s + 14)
    assert [path.name for path in tmp_path.iterdir()] == ["young"]


def test_progress_is_told_record_by_record(tmp_path: Path) -> None:  # FIN-12
    file = tmp_path / "proof"
    size, _ = write_proof_file(file, history().provable, Wish(Height(2 * PERIOD)), 0)
    told: list[Progress] = []

    verify_proof_file(file, Trust(history().genesis_hash), 0, told.append)

    assert [far.blocks for far in told] == [1, 2, 3, 4]
    assert told[-1] == Progress(4, size, size)
    assert sorted(far.bytes_done for far in told) == [far.bytes_done for far in told]


def test_a_file_that_cannot_be_read_or_written_is_said(tmp_path: Path) -> None:  # FIN-13
    with pytest.raises(ChainFileFailed, match="cannot be read"):
        verify_proof_file(tmp_path / "none", Trust(history().genesis_hash), 0, lambda _: None)
    with pytest.raises(ChainFileFailed, match="cannot be written"):
        write_proof_file(tmp_path / "none" / "proof", history().provable, Wish(Height(1)), 0)


def test_what_cannot_be_proved_leaves_no_file(tmp_path: Path) -> None:  # FIN-13
    with pytest.raises(FinalityUnprovable):
        write_proof_file(tmp_path / "proof", history().provable, Wish(Height(0)), 0)
    assert list(tmp_path.iterdir()) == []


def test_a_file_tells_a_trusted_block_by_a_proof_or_by_its_line(tmp_path: Path) -> None:  # SYNC-17
    rules, target = history().provable.rules, history().checkpoint(2 * PERIOD + 1)
    from_genesis, young, line, name = (tmp_path / each for each in ("genesis", "young", "line", "name"))
    anchor = history().checkpoint(PERIOD + 1)
    clock_s = anchor.time_s + 13
    write_proof_file(from_genesis, history().provable, Wish(target.height), 0)
    write_proof_file(young, history().provable, Wish(target.height, anchor), clock_s)
    line.write_text(f"{target.text()}\n")
    name.write_text(BlockName(target.height, target.block).text())
    for file in (from_genesis, young, line):
        assert trusted_block_in(file, rules, clock_s) == target
    assert trusted_block_in(name, rules, 0) == BlockName(target.height, target.block)
    with pytest.raises(AnchorUnfit, match="too old"):
        trusted_block_in(young, rules, clock_s + 1)


def test_a_file_that_tells_no_trusted_block_is_refused(tmp_path: Path) -> None:  # SYNC-18
    rules, file = history().provable.rules, tmp_path / "file"
    for wrong in (b"", b"\xff\xfe", b"0x12\n", bytes(5_000)):
        file.write_bytes(wrong)
        with pytest.raises(CheckpointInvalid) as caught:
            trusted_block_in(file, rules, 0)
        assert caught.value.cure
    proof = tmp_path / "proof"
    write_proof_file(proof, history().provable, Wish(Height(PERIOD)), 0)
    file.write_bytes(proof.read_bytes()[:-1])
    with pytest.raises(FinalityRefused):
        trusted_block_in(file, rules, 0)
