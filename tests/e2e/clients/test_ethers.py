"""ethers v6, unmodified, against a live node."""

from __future__ import annotations

from .conftest import Scenario


def test_ethers_deploys_writes_reads_and_decodes_an_event(javascript: Scenario) -> None:
    seen = javascript("ethers/deploy")
    assert seen["codeMatches"]
    assert seen["deployedTo"] == seen["expectedAddress"]
    assert (seen["before"], seen["after"], seen["entry"], seen["slotZero"]) == (7, 42, 42, 42)
    assert seen["status"] == 1
    assert seen["event"] == {"name": "ValueChanged", "by": seen["sender"], "tag": 5, "value": 42, "note": "hello"}
    assert seen["pastValue"] == 7
