"""The harness itself: deterministic, faithful, and able to find and cut down a planted fault.

These tests need the specification; they are skipped where it is not installed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip(
    "ethereum.forks", reason="the executable specification lives in a virtual environment of its own"
)

from .assembly import build_chain
from .campaign import Case, build, on_deep_stack, run_campaign
from .chains import random_chain
from .client import Client, ClientBroken
from .faults import faults_of
from .networks import NETWORKS, Fork
from .replay import replay_blocktest
from .single import random_state_case

_PLANTED_FAULT = """
import json, sys
results = []
for path in sys.argv[5:]:
    for name, test in json.load(open(path)).items():
        headers = [block["blockHeader"] for block in test["blocks"] if "blockHeader" in block]
        used = any(int(header["gasUsed"], 16) > 21000 for header in headers)
        results.append({"name": name, "fork": test["network"], "pass": not used, "error": "gas used: 7"})
print(json.dumps(results))
"""
"""A client that refuses every block in which something ran."""


def _client(tmp_path: Path, source: str) -> Client:
    script = tmp_path / "client.py"
    script.write_text(source, encoding="ascii")
    return Client((sys.executable, str(script)), 1)


def test_a_seed_gives_the_same_file_twice() -> None:
    case = Case("Prague", 7)
    assert json.dumps(build(case)) == json.dumps(build(case))


def test_another_seed_gives_another_chain() -> None:
    assert random_chain(NETWORKS["Osaka"], 1).blocks != random_chain(NETWORKS["Osaka"], 2).blocks
    assert random_state_case(1).accounts != random_state_case(2).accounts


@pytest.mark.parametrize(
    "network", ["Frontier", "HomesteadToDaoAt5", "BerlinToLondonAt5", "CancunToPragueAtTime15k"]
)
def test_the_specification_agrees_with_the_file_written_from_it(network: str) -> None:
    test = build(Case(network, 3))
    assert isinstance(test, dict)
    assert replay_blocktest(json.loads(json.dumps(test))) == ""


def test_a_file_that_was_tampered_with_is_noticed() -> None:
    test = build(Case("Cancun", 3))
    assert isinstance(test, dict)
    test["blocks"] = [block for block in test["blocks"] if "expectException" in block]
    assert replay_blocktest(test) == "last block hash differs"


def test_a_transition_chain_stands_on_both_sides_of_the_change() -> None:
    network = NETWORKS["ShanghaiToCancunAtTime15k"]
    built = on_deep_stack(lambda: build_chain(random_chain(network, 5)))
    shapes = {"blob_gas_used" in block.header for block in built.blocks if not block.refusal}
    assert shapes == {False, True}


def test_each_fork_has_faults_that_only_it_knows() -> None:
    assert "wrong_requests_hash" in faults_of(Fork.PRAGUE)
    assert "wrong_requests_hash" not in faults_of(Fork.CANCUN)
    assert "three_ommers" not in faults_of(Fork.PARIS)


def test_a_planted_fault_is_found_and_cut_down_to_one_transaction(tmp_path: Path) -> None:
    client = _client(tmp_path, _PLANTED_FAULT)
    tally = run_campaign([Case("London", 1)], client, tmp_path, lambda text: None)
    [finding] = tally.findings
    [test] = json.loads(finding.fixture.read_text(encoding="ascii")).values()
    valid = [block for block in test["blocks"] if "blockHeader" in block]
    assert len(valid) == 1
    assert len(test["pre"]) <= 2
    assert replay_blocktest(test) == ""


def test_a_client_that_crashes_is_reported_and_not_taken_for_one_that_agrees(tmp_path: Path) -> None:
    client = _client(tmp_path, "raise SystemExit('no')")
    with pytest.raises(ClientBroken, match="no"):
        run_campaign([Case("London", 1)], client, tmp_path, lambda text: None)
