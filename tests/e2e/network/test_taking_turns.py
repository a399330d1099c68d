"""Three validators that take turns: branches arise and come together, and what is final stays.

Two branches need no cut line here: first one node sleeps while the others make blocks, then they sleep while
it makes its own, on what it saw last.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.e2e.network.network_process import (
    Member,
    Network,
    assert_nobody_is_accused,
    same_block,
    taking_turns,
)

DEPTH = 2
AHEAD_BLOCKS = 12
"""By so much the others are ahead when they fall asleep: the third makes a block in three seconds."""
LOGS_ONCE = "0x60006000a0"
"""Creation code that logs nothing, once."""


class Finality:
    """Every final block that was ever shown."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._shown: dict[int, set[str]] = {}
        self._newest: dict[int, int] = {}

    def look(self, *members: Member) -> None:
        """Read what nodes show as final: it never goes back."""
        for member in members:
            block = member.block("finalized")
            number = int(block["number"], 16)
            assert number >= self._newest.get(member.number, 0), (
                f"node {member.number} took a final block back"
            )
            self._newest[member.number] = number
            self._shown.setdefault(number, set()).add(block["hash"])

    def newest(self) -> int:
        """The highest that was shown."""
        return max(self._shown)

    def assert_kept(self) -> None:
        """All nodes have every block that was shown by any."""
        for number, hashes in self._shown.items():
            held = {member.block(number)["hash"] for member in self._network.members}
            assert held == hashes, f"block {number}"


def sleeps(network: Network, *members: Member) -> None:
    for member in members:
        member.pause()


def wakes(network: Network, *members: Member) -> None:
    for member in members:
        member.resume()


def changes(member: Member, installed: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = member.rpc("eth_getFilterChanges", installed)
    return found


def two_logs(network: Network, member: Member, installed: str) -> list[dict[str, Any]]:
    """The next two logs that a filter brings."""
    brought: list[dict[str, Any]] = []

    def are_two() -> bool:
        brought.extend(changes(member, installed))
        return len(brought) >= 2

    network.until(are_two, "a log is taken back and comes again")
    return brought


def one_head(network: Network) -> bool:
    """Whether all nodes end in one block."""
    return len({member.block("latest")["hash"] for member in network.members}) == 1


def test_a_branch_that_loses_is_taken_back_before_clients_eyes_and_nothing_final_is(tmp_path: Path) -> None:
    with taking_turns(tmp_path / "net", 3, DEPTH) as three:
        alone, *others = three.members
        final = Finality(three)
        three.start()
        three.until_height(6)
        three.until(lambda: int(alone.block("finalized")["number"], 16) >= 2, "a final block")
        final.look(*three.members)

        sleeps(three, alone)
        three.until_height(others[0].height() + AHEAD_BLOCKS, *others)
        final.look(*others)
        sleeps(three, *others)
        wakes(three, alone)
        installed = alone.rpc("eth_newFilter", {})
        sender = alone.rpc("eth_accounts")[0]
        wish = {"from": sender, "data": LOGS_ONCE, "gas": hex(100_000)}
        name = alone.rpc("eth_sendTransaction", wish)
        lost = three.until(lambda: alone.rpc("eth_getTransactionReceipt", name), "its block on the branch")
        (seen,) = changes(alone, installed)
        assert (seen["removed"], seen["blockHash"]) == (False, lost["blockHash"])
        final.look(alone)

        wakes(three, *others)
        taken_back, new = two_logs(three, alone, installed)
        again = three.until(lambda: alone.rpc("eth_getTransactionReceipt", name), "its block on the chain")
        assert taken_back == {**seen, "removed": True}
        assert (new["removed"], new["blockHash"]) == (False, again["blockHash"])
        assert again["blockHash"] != lost["blockHash"]
        three.until_height(int(again["blockNumber"], 16) + 4)
        three.until(lambda: one_head(three), "all end in one block")
        for member in three.members:
            assert member.rpc("eth_getTransactionReceipt", name)["blockHash"] == again["blockHash"]
        goal = int(again["blockNumber"], 16)
        for member in three.members:
            three.until(
                lambda member=member: int(member.block("finalized")["number"], 16) >= goal,  # type: ignore[misc]
                "its block is final",
            )
        final.look(*three.members)
        same_block(three.members, final.newest())
        final.assert_kept()

        three.kill_all()
        three.start()
        final.look(*three.members)
        three.until_height(final.newest() + DEPTH + 3)
        final.look(*three.members)
        final.assert_kept()
        three.stop()
        assert_nobody_is_accused(three.members)


def test_two_of_three_go_on_without_finality_and_the_third_catches_up(tmp_path: Path) -> None:
    with taking_turns(tmp_path / "net", 3, DEPTH) as three:
        away, *others = three.members
        final = Finality(three)
        three.start()
        three.until_height(6)
        away.kill()
        stopped = others[0].height()
        three.until_height(stopped + 22, *others)
        final.look(*others)
        assert final.newest() <= stopped
        status, page = others[0].page("/readyz")
        assert (status, "are not final" in page) == (503, True), page

        three.start(away)
        three.until(
            lambda: int(away.block("finalized")["number"], 16) > stopped + 10, "what came meanwhile is final"
        )
        three.until(lambda: one_head(three), "all end in one block")
        final.look(*three.members)
        final.assert_kept()
        three.until(lambda: others[0].page("/readyz")[0] == 200, "it is ready again")
        three.stop()
        assert_nobody_is_accused(three.members)
