"""Validators that have all lost their write-ahead logs sign nothing, until their operators say they must."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from coc.adapters.validator.write_ahead import WAL_FOLDER
from coc.cli.sign_again import CONFIRMATION
from tests.e2e.network.network_process import Member, Network, network
from tests.e2e.node_process import coc_command

pytestmark = pytest.mark.alone  # a kill between two steps of a height is likelier where steps take longer


def test_a_network_that_forgot_what_it_signed_waits_for_its_operators_and_then_goes_on(
    tmp_path: Path,
) -> None:
    with network(tmp_path / "net", 4) as four:
        four.start()
        four.until_height(3)
        assert sign_again(four[0], CONFIRMATION).returncode != 0, "its node runs, and its log is there"
        four.kill_all()
        for member in four.members:
            shutil.rmtree(member.folder / WAL_FOLDER)
        four.start()
        # One whose mark lies below what the others decided may be free to sign, and can do nothing alone.
        four.until(lambda: len(watching(four)) >= 3, "they watch")
        four.kill_all()
        four.start()
        four.until(lambda: len(watching(four)) >= 3, "they watch after one more start too")
        waiting = watching(four)
        decided = max(member.height() for member in four.members)
        four.kill_all()
        for member in waiting:
            assert sign_again(member, "yes").returncode != 0, "nothing is changed without the sentence"
            assert sign_again(member, CONFIRMATION).returncode == 0
            assert sign_again(member, CONFIRMATION).returncode != 0, "the log says it already"
        four.start()
        four.until_height(decided + 3)
        assert not any(member.rpc("bft_status")["watching"] for member in four.members)
        assert len({member.block(decided + 2)["hash"] for member in four.members}) == 1
        four.stop()


def watching(four: Network) -> list[Member]:
    """Who signs nothing because its log is lost."""
    return [member for member in four.members if member.rpc("bft_status")["watching"]]


def sign_again(member: Member, typed: str) -> subprocess.CompletedProcess[str]:
    """Ask for it and type something."""
    command = [str(coc_command()), "validator", "sign-again", "--data", str(member.folder)]
    return subprocess.run(command, input=f"{typed}\n", capture_output=True, text=True, check=False)
