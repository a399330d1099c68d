"""One of four validators refuses a block that the others certify: it is silent, says why, heals and votes.

Once the fault passes; and once it never does, and the certified state is taken in. DIVERGE-1, DIVERGE-6,
DIVERGE-8, DIVERGE-9, DIVERGE-10, DIVERGE-12.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coc.adapters.chain_exchange import SET_ASIDE
from coc.adapters.node_keys import KEYS_FOLDER
from coc.adapters.validator.divergence_file import REPORT_FILE
from coc.adapters.validator.mark_file import MARK_NAME
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
INTERVAL = 16
"""Heights between two states that are served, where nobody wants to wait for an old network."""
DIFFERS_LATE_AT = INTERVAL - 2
"""So late that a state behind it is served soon."""
HEIGHTS_AFTER = 8


@pytest.fixture
def four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Four validators, the last of which refuses a block until a file is there."""
    with network(tmp_path_factory.mktemp("divergence") / "net", 4, bft=PATIENT) as made:
        plant(made[3], DIFFERS_AT, repaired(made))
        yield made


@pytest.fixture
def incurable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Four validators, the last of which refuses a block for ever."""
    with network(tmp_path_factory.mktemp("incurable") / "net", 4, bft=PATIENT) as made:
        for member in made.members:
            plant(member, DIFFERS_LATE_AT if member is made[3] else 0, repaired(made))
        yield made


def plant(member: Member, height: int, until: Path) -> None:
    """Have a member refuse the block of a height until a file is there, and serve states sooner."""
    planted = (f"PYTHONPATH={PLANTED}", f"COC_TEST_SNAPSHOT_INTERVAL={INTERVAL}")
    fault = (f"COC_TEST_DIFFERS_AT={height}", f"COC_TEST_DIFFERS_UNTIL={until}")
    member.place = Place(prefix=("env", *planted, *fault))


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


def test_a_validator_that_nothing_cures_takes_the_certified_state_in_and_votes_again(
    incurable: Network,
) -> None:
    faulty, others = incurable[3], incurable.members[:3]
    mark = faulty.folder / KEYS_FOLDER / MARK_NAME
    incurable.start()
    incurable.until(lambda: faulty.rpc("bft_status")["diverged"], "its engine is silent")
    process, signed = faulty.running.process.pid, mark.read_bytes()
    incurable.until(lambda: faulty.height() > DIFFERS_LATE_AT, "it stands on another state")
    incurable.until(lambda: faulty.page("/readyz")[0] == 200, "it is ready")
    assert (faulty.is_up, faulty.running.process.pid) == (True, process), "nobody has started it again"
    report = json.loads((faulty.folder / REPORT_FILE).read_text())
    assert (report["healed"], report["number"]) == (True, DIFFERS_LATE_AT)
    assert (report["takenIn"]["inARow"], divergence(faulty)) == (1, None)
    base = report["takenIn"]["block"]
    assert f"the certified state after block {base} was taken in" in report["how"]
    assert base % INTERVAL == 0
    assert base > DIFFERS_LATE_AT
    assert faulty.rpc("eth_getBlockByNumber", hex(DIFFERS_LATE_AT), False) is None, "its blocks begin later"
    incurable.until(lambda: not (faulty.folder / SET_ASIDE).exists(), "the old chain is gone")

    back = max(each.height() for each in incurable.members)
    incurable.until_height(back + HEIGHTS_AFTER)
    same_block(incurable.members, back)
    incurable.stop()
    assert mark.read_bytes() != signed, "it goes on from the mark that it had"
    ledger = ledgers_of(incurable, others)[0]
    silent = range(DIFFERS_LATE_AT, base + 1)
    assert not any(faulty.id in ledger.voters(height) for height in silent)
    assert any(faulty.id in ledger.voters(height) for height in range(back + 1, ledger.head))
    assert offences([ledger]) == []
    assert_nobody_is_accused(others)
    check_database(faulty)
