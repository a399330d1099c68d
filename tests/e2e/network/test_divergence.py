"""One of four validators refuses a block that the others certify: it is silent, says why, heals and votes.

DIVERGE-1, DIVERGE-6, DIVERGE-8.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coc.adapters.validator.divergence_desk import REPORT_FILE
from tests.e2e.network.decisions import ledgers_of, offences
from tests.e2e.network.network_process import (
    PATIENT,
    Member,
    Network,
    Place,
    assert_nobody_is_accused,
    check_database,
    network,
    same_block,
)
from tests.e2e.node_process import coc_command

PLANTED = Path(__file__).parent / "planted"
DIFFERS_AT = 6
HEIGHTS_AFTER = 8


@pytest.fixture
def four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Four validators, the last of which refuses a block until a file is there."""
    with network(tmp_path_factory.mktemp("divergence") / "net", 4, bft=PATIENT) as made:
        planted = (f"PYTHONPATH={PLANTED}", f"COC_TEST_DIFFERS_AT={DIFFERS_AT}")
        until = f"COC_TEST_DIFFERS_UNTIL={repaired(made)}"
        made[3].place = Place(prefix=("env", *planted, until))
        yield made


def repaired(four: Network) -> Path:
    """The file that ends the fault."""
    return four.root / "repaired"


def divergence(member: Member) -> Any:
    """What `coc admin divergence` prints."""
    command = [str(coc_command()), "admin", "divergence", "--data", str(member.folder), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_a_validator_that_differs_is_silent_says_why_heals_and_votes_again(four: Network) -> None:
    faulty, others = four[3], four.members[:3]
    four.start()
    four.until(lambda: "divergence: block 6" in faulty.page("/readyz")[1], "it says that it differs")
    four.until(lambda: faulty.rpc("bft_status")["diverged"], "its engine is silent")
    assert faulty.height() == DIFFERS_AT - 1, "the last state that it agreed on is served"
    found = four.until(lambda: divergence(faulty), "it tells what it has found")
    assert (found["number"], found["hash"]) == (DIFFERS_AT, others[0].block(DIFFERS_AT)["hash"])
    assert divergence(others[0]) is None

    repaired(four).touch()
    four.until(lambda: faulty.height() >= DIFFERS_AT, "it has the block")
    four.until(lambda: faulty.page("/readyz")[0] == 200, "it is ready")
    assert faulty.rpc("bft_status")["diverged"] is False
    report = json.loads((faulty.folder / REPORT_FILE).read_text())
    assert (report["healed"], report["number"], report["damagedCodes"]) == (True, DIFFERS_AT, [])
    assert "has passed" in report["cause"]

    back = max(each.height() for each in four.members)
    four.until_height(back + HEIGHTS_AFTER)
    same_block(four.members, back)
    four.stop()
    ledger = ledgers_of(four, others)[0]
    assert not any(faulty.id in ledger.voters(height) for height in (DIFFERS_AT, DIFFERS_AT + 1))
    assert any(faulty.id in ledger.voters(height) for height in range(back + 1, ledger.head))
    assert offences([ledger]) == []
    assert_nobody_is_accused(others)
    check_database(faulty)
