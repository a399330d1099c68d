"""ethers, viem and web3.py, unmodified, at a node whose branch loses: what they saw goes and comes again.

One network for all three, with two branches as in `test_taking_turns.py`. Each client sends a creation of its
own to the node that stands alone, sees its receipt there, and looks on until it is final on the other branch.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from tests.e2e.clients.conftest import javascript_interpreter
from tests.e2e.clients.scenario import Report, run_scenario
from tests.e2e.network.network_process import Network, assert_nobody_is_accused, taking_turns
from tests.e2e.network.test_taking_turns import DEPTH, one_head, sleeps, wakes
from tests.e2e.node_process import CLIENTS, NodeProcess

CLIENT_NAMES = ("ethers", "viem", "web3py")
AHEAD_BLOCKS = 6
"""The others' lead: the one alone makes a block in three seconds, so clients have three times as many."""
VALUE_WEI = 5
"""What each creation carries."""

Reports = dict[str, Report]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reports]:
    """What each client saw of one reorganisation."""
    folder = tmp_path_factory.mktemp("reorganisation")
    with taking_turns(folder / "net", 3, DEPTH) as three, ThreadPoolExecutor(len(CLIENT_NAMES)) as pool:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("STAGE", str(folder))
            yield reorganised(three, pool, folder)
        assert_nobody_is_accused(three.members)


def reorganised(three: Network, pool: ThreadPoolExecutor, folder: Path) -> Reports:
    """Have the first node's branch lose before the clients' eyes."""
    alone, *others = three.members
    three.start()
    # Clients take seconds to load: they do it while the branches part, and begin on a sign.
    running: dict[str, Future[Report]] = {
        name: pool.submit(run_scenario, *_program(name, alone.running)) for name in CLIENT_NAMES
    }
    three.until(lambda: int(alone.block("finalized")["number"], 16) >= 1, "a final block")
    sleeps(three, alone)
    three.until_height(others[0].height() + AHEAD_BLOCKS, *others)
    sleeps(three, *others)
    wakes(three, alone)
    (folder / "begin").touch()
    try:
        three.until(
            lambda: all((folder / name).exists() or running[name].done() for name in CLIENT_NAMES),
            "every client has its receipt",
        )
    finally:
        wakes(three, *others)
    found = {name: each.result() for name, each in running.items()}
    three.until(lambda: one_head(three), "all end in one block")
    for report in found.values():
        for member in three.members:
            assert member.block(report["again"]["number"])["hash"] == report["again"]["block"]
    three.stop()
    return found


def _program(client: str, node: NodeProcess) -> tuple[list[str], NodeProcess, str]:
    if client == "web3py":
        return [str(CLIENTS / ".venv" / "bin" / "python"), "-m", client, "reorganisation"], node, ".venv"
    return [javascript_interpreter(), "js/run.mjs", f"{client}/reorganisation"], node, "node_modules"


@pytest.fixture(params=CLIENT_NAMES)
def seen(request: pytest.FixtureRequest, reports: Reports) -> Report:
    """What one of them saw."""
    found: Report = reports[request.param]
    return found


def test_a_receipt_is_taken_back_and_there_is_one_again_in_the_block_that_stays(seen: Report) -> None:
    lost, again = seen["lost"], seen["again"]
    assert (again["status"], again["block"] != lost["block"]) == (1, True)
    assert set(seen["receipts"]) - {None, lost["block"]} == {again["block"]}
    assert seen["transaction"] == again["block"]
    assert seen["logs"] == [again["block"]]


def test_a_log_is_taken_back_with_its_block_and_comes_once_more(seen: Report) -> None:
    assert seen["events"] == [
        {"removed": False, "block": seen["lost"]["block"]},
        {"removed": True, "block": seen["lost"]["block"]},
        {"removed": False, "block": seen["again"]["block"]},
    ]


def test_the_lost_block_is_known_by_its_hash_and_another_stands_in_its_place(seen: Report) -> None:
    lost = seen["lost"]
    assert (lost["byHash"], lost["nonceAfter"]) == (lost["number"], seen["sent"]["nonce"] + 1)
    assert seen["lostByHash"] == lost["block"]
    assert seen["inItsPlace"] != lost["block"]


def test_final_and_safe_blocks_never_go_back_and_final_ones_never_change(seen: Report) -> None:
    for earlier, later in pairwise(seen["tags"]):
        assert earlier[0] <= later[0], "finalized"
        assert earlier[1] <= later[1], "safe"
    assert all(final <= safe <= latest for final, safe, latest in seen["tags"])
    assert all(each["now"] == each["hash"] for each in seen["finals"])
    assert seen["tags"][-1][0] >= seen["again"]["number"] > seen["tags"][0][0]


def test_nonce_and_balance_are_those_of_one_inclusion(seen: Report) -> None:
    nonce = seen["sent"]["nonce"]
    assert seen["nonces"] == [nonce, nonce + 1, nonce + 1, nonce + 1]
    assert seen["balances"] == [0, VALUE_WEI, VALUE_WEI]


@pytest.mark.parametrize("client", ["ethers", "viem"])
def test_who_waits_for_confirmations_gets_the_receipt_that_stays(reports: Reports, client: str) -> None:
    assert reports[client]["confirmed"] == reports[client]["again"]["block"]


@pytest.mark.parametrize("client", ["ethers", "viem"])
def test_a_block_listener_hears_every_height_once(reports: Reports, client: str) -> None:
    numbers = reports[client]["numbers"]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert numbers[0] <= reports[client]["lost"]["number"]
    assert numbers[-1] >= reports[client]["again"]["number"]


@pytest.mark.parametrize("client", ["viem", "web3py"])
def test_a_block_filter_brings_the_lost_block_and_then_the_one_that_stays(
    reports: Reports, client: str
) -> None:
    hashes, seen = reports[client]["blockHashes"], reports[client]
    assert hashes.index(seen["lost"]["block"]) < hashes.index(seen["again"]["block"])
    assert len(set(hashes)) == len(hashes)


def test_an_ethers_listener_hears_the_log_of_each_block(reports: Reports) -> None:
    seen = reports["ethers"]
    assert seen["heard"] == [seen["lost"]["block"], seen["again"]["block"]]


def test_viem_watches_blocks_and_events_over_the_reorganisation(reports: Reports) -> None:
    seen = reports["viem"]
    watched = [block["hash"] for block in seen["watched"]]
    assert watched.index(seen["lost"]["block"]) < watched.index(seen["again"]["block"])
    assert seen["heard"] == [event["block"] for event in seen["events"]]
