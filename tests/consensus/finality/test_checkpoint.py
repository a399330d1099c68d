"""A checkpoint is one line that can be told over the telephone, and has one form."""

from __future__ import annotations

import pytest

from coc.consensus.finality.checkpoint import BlockName, Checkpoint, parse_checkpoint, parse_trusted
from coc.consensus.finality.faults import CheckpointInvalid
from coc.primitives.types import UINT64_MAX, Hash32, Height

CHECKPOINT = Checkpoint(
    Hash32(b"\x0a" * 32), Height(1_200), Hash32(b"\xbb" * 32), Hash32(b"\xcc" * 32), 1_700_000_000
)


def test_a_checkpoint_is_read_as_it_was_written() -> None:  # FIN-10
    largest = Checkpoint(
        *(Hash32(b"\xff" * 32),) * 1, Height(UINT64_MAX), *(Hash32(b"\xff" * 32),) * 2, UINT64_MAX
    )
    for checkpoint in (CHECKPOINT, largest):
        assert parse_checkpoint(checkpoint.text()) == checkpoint
    assert CHECKPOINT.text().startswith("0x0a0a")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.upper(),
        lambda text: text + "\n",
        lambda text: " " + text,
        lambda text: text.replace("0x", "", 1),
        lambda text: text.replace(":1200:", ":01200:"),
        lambda text: text.replace(":1200:", ":0x4b0:"),
        lambda text: text.replace(":1200:", ":-1:"),
        lambda text: text.replace(":1200:", ":18446744073709551616:"),
        lambda text: text.replace(":1200:", ":١٢:"),
        lambda text: text.replace("bb", "b", 1),
        lambda text: text.rpartition(":")[0],
        lambda text: text + ":1",
        lambda text: "",
        lambda text: text + "0" * 1_000_000,
    ],
)
def test_any_other_form_is_refused(change: object) -> None:  # FIN-10
    assert callable(change)
    with pytest.raises(CheckpointInvalid, match="not a checkpoint"):
        parse_checkpoint(change(CHECKPOINT.text()))


def test_a_trusted_block_is_a_checkpoint_or_a_height_and_a_hash() -> None:  # SYNC-17
    name = BlockName(CHECKPOINT.height, CHECKPOINT.block)
    assert parse_trusted(CHECKPOINT.text()) == CHECKPOINT
    assert parse_trusted(name.text()) == name
    for wrong in ("", "1200", name.text().upper(), f"0{name.text()}", f"{2**64}:0x{'bb' * 32}"):
        with pytest.raises(CheckpointInvalid, match="HEIGHT:HASH"):
            parse_trusted(wrong)
