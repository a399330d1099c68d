"""The harness itself: deterministic, faithful, and able to find and cut down a planted fault.

These tests need the specification; they are skipped where it is not installed.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip(
    "ethereum.forks", reason="the executable specification lives in a virtual environment of its own"
)

from . import rlp
from .addresses import COINBASE, HISTORY, HISTORY_CODE, SENDERS
from .assembly import build_chain
from .blocks import quantity_in
from .campaign import Case, build, on_deep_stack, run_campaign
from .chains import random_chain
from .client import Client, ClientBroken
from .curves import address_of
from .faults import faults_of
from .fixtures import write
from .networks import NETWORKS, Fork
from .oracle import block_difficulty, specification
from .plan import Account, Block, Chain, Genesis, Transaction
from .reasons import reasons
from .replay import replay_blocktest
from .single import random_state_case
from .vectors import Candidate, choose
from .world import RICH

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


def _state_root(raw: bytes) -> object:
    block: Any = rlp.decode(raw)
    return block[0][3]


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


def test_a_branch_becomes_the_head_only_when_it_is_heavier() -> None:
    quick, slow = Block(COINBASE, seconds=1), Block(COINBASE, seconds=1000)

    def head_of(*blocks: Block) -> tuple[object, int]:
        built = build_chain(Chain("branch", NETWORKS["Homestead"], Genesis(10**6), (), blocks))
        return built.last["timestamp"], len(built.blocks)

    rival = dataclasses.replace(slow, back=1)
    assert head_of(quick, rival) == (1, 2)
    assert head_of(slow, dataclasses.replace(quick, back=1)) == (1, 2)
    assert head_of(quick, rival, quick) == (1001, 3)


def test_a_forbidden_signature_is_the_only_thing_wrong_with_its_block() -> None:
    accounts = tuple(sorted({address_of(SENDERS[0]): Account(balance=RICH)}.items()))
    forbidden = Transaction(SENDERS[0], 0, 21_000, COINBASE, value=1, chain_id=None, flaw="high_s")
    blocks = (Block(COINBASE, seconds=9, transactions=(forbidden,)),)
    homestead = build_chain(Chain("high-s", NETWORKS["Homestead"], Genesis(10**6), accounts, blocks))
    frontier = build_chain(Chain("high-s", NETWORKS["Frontier"], Genesis(10**6), accounts, blocks))
    refused, valid = homestead.blocks
    [allowed] = frontier.blocks
    assert refused.expected == "TransactionException.INVALID_SIGNATURE_VRS"
    assert not allowed.refusal
    assert _state_root(refused.raw) == _state_root(allowed.raw)
    assert quantity_in(valid.header, "gas_used") == 0


def test_the_difficulty_of_mainnets_first_block_comes_out() -> None:
    frontier = specification(Fork.FRONTIER)
    assert block_difficulty(frontier, 1, 1_438_269_988, 0, 17_179_869_184, False) == 17_171_480_576


def test_the_bomb_goes_off_later_with_every_glacier() -> None:
    forks = (Fork.LONDON, Fork.ARROW_GLACIER, Fork.GRAY_GLACIER)
    values = [block_difficulty(specification(fork), 12_000_000, 9, 0, 2**40, False) for fork in forks]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == len(forks)


def test_vectors_are_chosen_by_what_they_add_for_their_size() -> None:
    large = Candidate("large", {}, 100, frozenset("abcd"))
    small = Candidate("small", {}, 11, frozenset("ab"))
    same = Candidate("same", {}, 5, frozenset("a"))
    covered: set[str] = set()
    assert [one.name for one in choose([large, small, same], 2, covered)] == ["same", "small"]
    assert [one.name for one in choose([large, small, same], 1, set("ab"))] == ["large"]
    assert covered == set("ab")


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


_REFUSES_FOR_ITS_ROOT = """
import json, sys
error = "block 0 was refused: INVALID_STATE_ROOT: always"
tests = {name: test for path in sys.argv[5:] for name, test in json.load(open(path)).items()}
print(json.dumps([{"name": name, "fork": "x", "pass": False, "error": error} for name in tests]))
"""
"""A client that has one reason for everything."""


def test_a_reason_that_is_not_the_expected_one_is_shown(tmp_path: Path) -> None:
    test = build(Case("Homestead", 4))
    assert isinstance(test, dict)
    path = tmp_path / "test.json"
    write(path, {"test": test})
    table = reasons([path], _client(tmp_path, _REFUSES_FOR_ITS_ROOT), tmp_path)
    assert sum(table.values()) == sum(1 for block in test["blocks"] if "expectException" in block)
    assert {found for _, found, _ in table} == {"INVALID_STATE_ROOT"}
    assert len({expected for expected, _, _ in table}) > 1


def test_a_missing_system_contract_is_the_only_thing_wrong_with_its_block() -> None:
    accounts = ((HISTORY, Account(nonce=1, code=HISTORY_CODE)),)
    plan = Chain("bare", NETWORKS["Prague"], Genesis(10**7), accounts, (Block(COINBASE, seconds=12),))
    [refused] = build_chain(plan).blocks
    assert refused.expected == "BlockException.SYSTEM_CONTRACT_EMPTY"
    assert refused.note == "fails as a whole, every root right"
