"""Four validators, of which one can make outgoing HTTP requests and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.network.decisions import ledgers_of, offences, verify
from tests.e2e.network.namespaces import Namespace, namespace
from tests.e2e.network.network_process import (
    PATIENT,
    Member,
    Network,
    assert_nobody_is_accused,
    free_ports,
    network,
    same_block,
)
from tests.e2e.node_process import coc_command, launch

pytestmark = pytest.mark.alone

HEIGHTS = 12
"""Three turns of each validator."""
HEIGHTS_WITHOUT = 6


@pytest.fixture
def walled() -> Iterator[Namespace]:
    """Where the fourth lives: no TCP of peers gets in or out."""
    with namespace() as made:
        yield made


def start(net: Network, member: Member, *options: str) -> None:
    """Start a member that listens for TCP where nobody else can come, and knows whom the options name."""
    command = [
        *member.place.prefix,
        *(str(coc_command()), "node", "--data", str(member.folder), "--json", "--log-level", "info"),
        *("--host", member.place.host, "--port", str(member.port)),
        *("--listen", f"127.0.0.1:{member.wire_port}", *options),
    ]
    member.process = launch("coc", command, member.port, member.log)


def test_a_validator_that_reaches_the_others_over_http_only_votes_and_proposes_like_any_other(
    tmp_path: Path, walled: Namespace
) -> None:  # HTTP-1, HTTP-6, HTTP-8
    with network(tmp_path / "net", 4, bft=PATIENT) as four:
        inside, outside = four[3], four.members[:3]
        inside.place = walled.place
        doors = [f"{walled.gateway}:{port}" for port in free_ports(3)]
        for member, door in zip(outside, doors, strict=True):
            others = [part for other in outside if other is not member for part in ("--peer", other.wire)]
            start(four, member, "--http-gossip", door, *others)
        known = [part for door in doors for part in ("--peer", f"http://{door}")]
        start(four, inside, *known)
        for member in four.members:
            four.until_answering(member)
            four.until(lambda member=member: int(member.rpc("net_peerCount"), 16) == 3, "all are connected")  # type: ignore[misc]  # bound at once
        first = max(member.height() for member in four.members) + 2
        heights = range(first, first + HEIGHTS)
        four.until_height(heights.stop)
        same_block(four.members, heights.stop)

        outside[0].kill()  # from here on nothing is decided without the one inside
        four.until_height(heights.stop + HEIGHTS_WITHOUT, inside, *outside[1:])
        four.stop()

        ledger = ledgers_of(four)[1]
        verify(ledger)
        assert_nobody_is_accused(four.members)
        assert {height: ledger.round_of(height) for height in heights} == dict.fromkeys(heights, 0)
        assert {ledger[height].first_proposer() for height in heights} == {each.id for each in four.members}
        assert any(inside.id in ledger.voters(height) for height in heights)
        needed = range(heights.stop + 3, ledger.head)  # the killed one may have voted for what was under way
        assert needed
        assert all(inside.id in ledger.voters(height) for height in needed)
        assert offences([ledger]) == []
