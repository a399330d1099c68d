"""`coc up --nodes` before a process is started: what excludes what, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from coc.adapters.node_processes import NodePlan, Starter
from coc.cli import up_network
from coc.primitives.limits_commands import UP_NODES_MAX
from tests.cli.folders import coc, own_genesis, refusal
from tests.execution.dev_networks import OTHER_MNEMONIC


class Unused:
    """The nursery of a network whose nodes are not run."""

    def close(self) -> None:
        pass


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[NodePlan]]:
    """Notes how nodes would be run, instead of running them."""
    plans: list[Sequence[NodePlan]] = []

    async def note(given: Sequence[NodePlan], starter: Starter, *, as_json: bool) -> None:
        plans.append(given)

    monkeypatch.setattr(up_network, "_run", note)
    monkeypatch.setattr(up_network, "_nursery", Unused)
    return plans


def option(plan: NodePlan, name: str) -> list[str]:
    command = list(plan.command)
    return [command[place + 1] for place, part in enumerate(command) if part == name]


def test_each_node_has_its_folder_its_ports_and_all_the_others_as_peers(
    planned: list[Sequence[NodePlan]], tmp_path: Path
) -> None:
    assert coc("up", "--nodes", 4, "--port", 9_000, "--data", tmp_path / "net").exit_code == 0
    (plans,) = planned
    assert [plan.number for plan in plans] == [1, 2, 3, 4]
    assert [option(plan, "--port") for plan in plans] == [["9000"], ["9001"], ["9002"], ["9003"]]
    assert [plan.rpc for plan in plans] == [f"http://127.0.0.1:{port}" for port in range(9_000, 9_004)]
    assert [option(plan, "--data") for plan in plans] == [
        [str(tmp_path / "net" / f"node-{number}")] for number in (1, 2, 3, 4)
    ]
    listening = [option(plan, "--listen")[0] for plan in plans]
    for plan, own in zip(plans, listening, strict=True):
        places = {peer.partition("@")[2] for peer in option(plan, "--peer")}
        assert places == set(listening) - {own}
        assert option(plan, "--unlock") == ["10"]


def test_with_port_0_the_system_chooses_and_nothing_is_known_before(
    planned: list[Sequence[NodePlan]],
) -> None:
    assert coc("up", "--nodes", 2, "--port", 0).exit_code == 0
    assert [(plan.rpc, option(plan, "--port")) for plan in planned[0]] == [("", ["0"])] * 2


def test_accounts_of_a_mnemonic_of_your_own_are_not_unlocked(
    planned: list[Sequence[NodePlan]], tmp_path: Path
) -> None:
    asked = ["up", "--nodes", 2, "--mnemonic", OTHER_MNEMONIC, "--data", tmp_path]
    assert "your mnemonic" in coc(*asked).output
    assert [option(plan, "--unlock") for plan in planned[0]] == [["0"]] * 2


def test_a_network_without_a_folder_leaves_none_behind(planned: list[Sequence[NodePlan]]) -> None:
    coc("up", "--nodes", 2)
    assert planned[0][0].log.name == "node-1.log"
    assert not planned[0][0].log.parent.exists()


def test_the_banner_says_what_there_is_and_json_is_silent(
    planned: list[Sequence[NodePlan]], tmp_path: Path
) -> None:
    said = coc("up", "--nodes", 2, "--data", tmp_path / "net", "--accounts", 1, "--chain-id", 99).output
    assert "2 nodes" in said
    assert "chain id 99" in said
    assert "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266" in said
    assert "as it was left" in coc("up", "--nodes", 2, "--data", tmp_path / "net").output
    assert coc("up", "--nodes", 2, "--data", tmp_path / "net", "--json").output == ""


@pytest.mark.parametrize(
    "options",
    [
        ("--instant",),
        ("--manual",),
        ("--block-time", 0.5),
        ("--block-time", 1.5),
        ("--nodes", 0),
        ("--nodes", UP_NODES_MAX + 1),
    ],
)
def test_what_a_network_cannot_do_is_a_wrong_command_line(
    planned: list[Sequence[NodePlan]], options: tuple[object, ...]
) -> None:
    result = coc("up", "--nodes", 4, *options)
    assert (result.exit_code, "Usage" in result.output) == (2, True)
    assert planned == []


def test_a_genesis_of_your_own_is_for_nodes_of_your_own(
    planned: list[Sequence[NodePlan]], tmp_path: Path
) -> None:
    result = coc("up", "--nodes", 4, "--genesis", own_genesis(tmp_path))
    assert (result.exit_code, "coc node" in result.output) == (2, True)


def test_the_most_nodes_are_taken(planned: list[Sequence[NodePlan]]) -> None:
    assert coc("up", "--nodes", UP_NODES_MAX).exit_code == 0
    assert len(planned[0]) == UP_NODES_MAX


def test_well_known_keys_stay_on_this_machine_and_ports_end_somewhere(
    planned: list[Sequence[NodePlan]],
) -> None:
    assert "everybody knows the keys" in refusal(coc("up", "--nodes", 4, "--host", "0.0.0.0"))
    assert "lower --port" in refusal(coc("up", "--nodes", 4, "--port", 65_533))
    assert coc("up", "--nodes", 4, "--port", 65_532).exit_code == 0
    assert len(planned) == 1


def test_a_folder_of_one_chain_is_no_network_and_the_other_way_round(
    planned: list[Sequence[NodePlan]], tmp_path: Path
) -> None:
    coc("init", "--data", tmp_path / "one", "--genesis", own_genesis(tmp_path))
    assert "no network" in refusal(coc("up", "--nodes", 2, "--data", tmp_path / "one"))
    coc("up", "--nodes", 2, "--data", tmp_path / "net")
    assert "no chain" in refusal(coc("up", "--data", tmp_path / "net"))
    assert "--nodes 2" in refusal(coc("up", "--nodes", 3, "--data", tmp_path / "net"))
