"""Nodes that know little find the rest: validators with one address each, and a newcomer with a hash."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from coc.adapters.data_folder import genesis_in
from tests.e2e.network.network_process import STATE_SECONDS_MAX, Member, Network, network, same_block, wipe
from tests.e2e.node_process import coc_command, launch

VALIDATORS = 4
NEWCOMER, WRONG = 4, 5
HEIGHTS_BEFORE = 4
"""Decided before the newcomer comes: more than it could hear by listening."""


def command(member: Member, *peers: str) -> list[str]:
    """The node of a member that is told of these and of nobody else."""
    return [
        *(str(coc_command()), "node", "--data", str(member.folder), "--json", "--log-level", "info"),
        *("--host", member.place.host, "--port", str(member.port), "--listen", member.wire, *peers),
    ]


def launch_with(net: Network, member: Member, *peers: str) -> None:
    member.process = launch("coc", command(member, *peers), member.port, member.log)
    net.until_answering(member)


def genesis_hash(net: Network) -> str:
    text: str = net[0].block(0)["hash"]
    return text


def joining(member: Member, at: str, *options: str) -> subprocess.CompletedProcess[str]:
    """A node that must end by itself."""
    return subprocess.run(
        command(member, "--join", at, *options),
        capture_output=True, text=True, check=False, timeout=STATE_SECONDS_MAX,
    )  # fmt: skip


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Four validators, each given the address of one other."""
    with network(tmp_path_factory.mktemp("ring") / "net", VALIDATORS, spare=2) as made:
        for spare in (NEWCOMER, WRONG):
            wipe(made[spare])
        for number, member in enumerate(made.members[:VALIDATORS]):
            other = made[(number + 1) % VALIDATORS]
            member.process = launch("coc", command(member, "--peer", other.wire), member.port, member.log)
        for member in made.members[:VALIDATORS]:
            made.until_answering(member)
        yield made


def peers_of(member: Member) -> int:
    return int(member.rpc("net_peerCount"), 16)


def everybody_sees(net: Network, members: Sequence[Member], count: int) -> None:
    for member in members:
        net.until(
            lambda member=member: peers_of(member) >= count,  # type: ignore[misc]  # bound at once
            f"node {member.number} has {count} peers",
        )


def test_validators_that_know_one_other_each_find_all_and_agree(ring: Network) -> None:  # DHT-14, DHT-26
    validators = ring.members[:VALIDATORS]
    everybody_sees(ring, validators, VALIDATORS - 1)

    ring.until_height(HEIGHTS_BEFORE, *validators)
    same_block(validators, HEIGHTS_BEFORE)


def test_a_newcomer_with_a_hash_and_one_address_follows_to_the_head_and_meets_all(ring: Network) -> None:
    validators, newcomer = ring.members[:VALIDATORS], ring[NEWCOMER]
    ring.until_height(HEIGHTS_BEFORE, *validators)
    launch_with(ring, newcomer, "--join", ring[0].wire, "--genesis-hash", genesis_hash(ring))

    ring.until_height(max(each.height() for each in validators) + 1, newcomer)
    same_block([*validators, newcomer], HEIGHTS_BEFORE)
    everybody_sees(ring, [newcomer], VALIDATORS)
    assert genesis_in(newcomer.folder) == genesis_in(ring[0].folder)

    ring.stop(newcomer)  # and back without being told of anybody
    launch_with(ring, newcomer)
    ring.until_height(max(each.height() for each in validators) + 1, newcomer)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--genesis-hash", f"0x{'ab' * 32}"), "is on another chain than --genesis-hash names"),
        ((), "--join needs --genesis-hash"),
    ],
    ids=["a wrong hash", "no hash"],
)
def test_a_chain_is_not_joined_with(ring: Network, options: Sequence[str], sentence: str) -> None:
    stranger = ring[WRONG]
    before = names_in(stranger.folder)
    done = joining(stranger, ring[0].wire, *options)

    assert done.returncode == 1
    assert sentence in done.stderr
    assert "→" in done.stderr
    assert "Traceback" not in done.stderr
    assert names_in(stranger.folder) == before


def test_a_folder_of_another_chain_is_not_used(ring: Network) -> None:
    done = joining(ring[0], ring[1].wire, "--genesis-hash", f"0x{'ab' * 32}")

    assert done.returncode == 1
    assert "holds another chain than --genesis-hash names" in done.stderr


def names_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
