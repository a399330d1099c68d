"""The disk of one of four validators is full: it says so, the others go on, and it comes back by itself."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.disk.mounts import fill, tmpfs
from tests.e2e.network.decisions import ledgers_of, offences, verify
from tests.e2e.network.network_process import Member, assert_nobody_is_accused, network, same_block

MIB = 64
"""A data folder, with what it keeps aside, takes 50."""
HEIGHTS_FULL = 8
HEIGHTS_AFTER = 4


def test_a_validator_whose_disk_is_full_says_so_and_votes_again_by_itself_when_there_is_room(
    tmp_path: Path,
) -> None:
    root = tmp_path / "net"
    root.mkdir()
    with tmpfs(root / "node3", MIB) as disk, network(root, 4) as four:
        full, others = four[3], four.members[:3]
        four.start()
        four.until_height(2)
        filler = fill(disk)

        four.until(lambda: "block log" in complaint(full), "/readyz says that the block log has no room")
        stuck = full.height()
        assert "no space left" in complaint(full) or "out of space" in complaint(full)
        top = max(each.height() for each in others)
        four.until_height(top + HEIGHTS_FULL, *others)
        assert full.height() == stuck
        assert [each.page("/readyz") for each in others] == [(200, "ready\n")] * 3

        filler.unlink()
        four.until(lambda: full.page("/readyz")[0] == 200, "it is ready again")
        back = max(each.height() for each in others)
        four.until_height(back + HEIGHTS_AFTER)
        same_block(four.members, back)
        four.stop()

        ledgers = ledgers_of(four)
        for ledger in ledgers:
            verify(ledger)
        without = range(stuck + 2, top + HEIGHTS_FULL)
        assert all(full.id not in ledgers[0].voters(height) for height in without)
        assert any(full.id in ledgers[0].voters(height) for height in range(back, ledgers[0].head))
        assert offences(ledgers) == []
        assert_nobody_is_accused(four.members)


def complaint(member: Member) -> str:
    """What `/readyz` says against a node that is not ready; nothing for one that is."""
    status, text = member.page("/readyz")
    return text if status == 503 else ""
