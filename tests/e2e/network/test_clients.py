"""ethers, viem and web3.py, unmodified, at any node of four: one chain, final at once, nothing vanishes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.e2e.clients.conftest import javascript_interpreter
from tests.e2e.clients.expected import DEV_ACCOUNTS, DEV_CHAIN_ID, EVENT_OF_SET
from tests.e2e.clients.scenario import Report, run_scenario
from tests.e2e.network.network_process import Network, assert_nobody_is_accused, network
from tests.e2e.node_process import CLIENTS

Run = Callable[[str, int], Report]
"""Runs the scenario of a client that is named, at a node; other nodes are named to it in turn."""

NETWORK_SCENARIOS = [("ethers/network", 0), ("viem/network", 1), ("web3py/network", 2)]


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Four validators that run for all tests here."""
    with network(tmp_path_factory.mktemp("clients") / "net", 4) as made:
        made.start()
        made.until_height(1)
        yield made
        assert_nobody_is_accused(made.members)


@pytest.fixture
def run(four: Network, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A scenario of any client."""

    def at(name: str, number: int) -> Report:
        urls = [member.running.url for member in four.members]
        monkeypatch.setenv("NODE_URLS", ",".join([*urls[number:], *urls[:number]]))
        client, _, scenario = name.partition("/")
        if client == "web3py":
            command, installed = [str(CLIENTS / ".venv" / "bin" / "python"), "-m", client, scenario], ".venv"
        else:
            command, installed = [javascript_interpreter(), "js/run.mjs", name], "node_modules"
        return run_scenario(command, four[number].running, installed)

    return at


@pytest.mark.parametrize(("scenario", "number"), NETWORK_SCENARIOS)
def test_what_a_client_sends_to_one_node_has_its_receipt_in_the_same_block_on_all(
    run: Run, scenario: str, number: int, four: Network
) -> None:
    seen = run(scenario, number)
    assert len(seen["receipts"]) == len(four.members)
    assert all(receipt == seen["receipts"][0] for receipt in seen["receipts"])
    assert seen["receipts"][0]["status"] == 1

    assert all(latest <= safe <= finalized for latest, safe, finalized in seen["tags"])
    assert any(latest == safe == finalized for latest, safe, finalized in seen["tags"])
    assert len(seen["kept"]) > 1
    for block in seen["kept"]:
        assert block["again"] == [block["hash"]] * len(four.members)


def test_ethers_deploys_and_calls_at_a_node_of_a_network_as_at_one_alone(run: Run) -> None:
    seen = run("ethers/deploy", 3)
    assert (seen["status"], seen["before"], seen["after"], seen["pastValue"]) == (1, 7, 42, 7)
    assert seen["event"] == {**EVENT_OF_SET, "by": seen["sender"]}


def test_viem_deploys_and_calls_at_a_node_of_a_network_as_at_one_alone(run: Run) -> None:
    seen = run("viem/contract", 2)
    assert (seen["chainId"], seen["status"], seen["value"]) == (DEV_CHAIN_ID, "success", 42)
    assert seen["event"] == {**EVENT_OF_SET, "by": seen["sender"]}


def test_web3py_deploys_calls_and_lets_a_node_of_a_network_sign_as_one_alone(run: Run) -> None:
    seen = run("web3py/contract", 1)
    assert (seen["status"], seen["values"], seen["accounts"]) == (1, [7, 42, 43], DEV_ACCOUNTS)
    assert (seen["by_node"]["status"], seen["by_node"]["from"]) == (1, seen["by_node"]["unlocked"])
