"""Proofs of an open chain as files: written whole and believed, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from coc.adapters.chain_files import ChainFileFailed
from coc.adapters.finality_files import Progress, Wish, verify_proof_file, write_proof_file
from coc.consensus.finality.faults import AnchorUnfit, FinalityUnprovable
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
