"""Seven validators, of which two are killed and one is cut off: no block without a quorum of five."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.network.decisions import ledgers_of, offences, verify
from tests.e2e.network.namespaces import Namespace, namespace
from tests.e2e.network.network_process import (
    Member,
    Network,
    assert_nobody_is_accused,
    network,
    same_block,
)
from tests.e2e.node_process import dev_node

pytestmark = pytest.mark.alone

BLOCKS_ELSEWHERE = 6
"""How long nothing must happen: a chain of its own beside the network makes so many blocks meanwhile."""
HEIGHTS_AFTER = 3
ROUNDS_MAX = 10
"""Within so many rounds after the cut is healed there is a block."""


@pytest.fixture
def island() -> Iterator[Namespace]:
    """Where the validator runs that will be cut off."""
    with namespace() as made:
        yield made


def test_four_of_seven_decide_nothing_until_a_fifth_returns(island: Namespace, tmp_path: Path) -> None:
    with network(tmp_path / "net", 7) as seven:
        four, cut_off = seven.members[:4], seven[6]
        cut_off.place = island.place
        seven.start()
        seven.until_height(2)
        seven[4].kill()
        seven[5].kill()
        seven.until_height(max(each.height() for each in four) + 2, *four, cut_off)

        island.cut()
        stuck = seven.until(lambda: standing_still(four), "the four are all in one round that cannot end")
        with dev_node(tmp_path / "clock.log", block_time_s=1) as clock:
            seven.until(
                lambda: int(clock.rpc("eth_blockNumber"), 16) >= BLOCKS_ELSEWHERE, "blocks of another chain"
            )
        assert standing_still(four) == stuck

        island.heal()
        height, round_ = stuck
        five = [*four, cut_off]
        seven.until_height(height + HEIGHTS_AFTER, *five)
        same_block(five, height)
        seven.stop()
        assert_decided_by_five(seven, five, height, round_)


def standing_still(members: list[Member]) -> tuple[int, int] | None:
    """Height and round that all work on, if each of them has voted there; nothing while they differ.

    Without votes of a quorum no timer starts that would end the round (BFT-9, BFT-10).
    """
    statuses = [each.rpc("bft_status") for each in members]
    places = {(int(status["height"], 16), int(status["round"], 16)) for status in statuses}
    has_voted = all(status["step"] in ("prevote", "precommit") for status in statuses)
    return places.pop() if has_voted and len(places) == 1 else None


def assert_decided_by_five(seven: Network, five: list[Member], height: int, round_: int) -> None:
    """The height that waited needed all five, and not many rounds more."""
    ledgers = ledgers_of(seven, five)
    for ledger in ledgers:
        verify(ledger)
    assert ledgers[0].voters(height) == {each.id for each in five}
    assert round_ <= ledgers[0].round_of(height) <= round_ + ROUNDS_MAX
    assert offences(ledgers) == []
    assert_nobody_is_accused(seven.members)
