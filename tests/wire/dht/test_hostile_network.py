"""Attackers among many tables: what they cannot fill, cannot forge and cannot stop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from coc.primitives.keccak import keccak256
from coc.primitives.limits_dht import BUCKET_ENTRIES_MAX, HOST_TABLE_ENTRIES_MAX
from coc.primitives.types import Hash32
from coc.wire.dht.endpoints import endpoint_key
from tests.wire.dht import liars
from tests.wire.dht.liars import Liar, Lie, near, surround
from tests.wire.dht.network import PORT, Identity, Network, Node, seasoned

LIES: list[Lie] = [
    liars.invents_nodes,
    liars.misplaces_nodes,
    liars.forges_records,
    liars.talks_too_long,
    liars.says_nothing,
]


def victim_in(network: Network) -> Node:
    """A node that joined before the attack."""
    victim = network.add(next(iter(network.nodes.values())).identity.contact)
    network.run(60_000)
    return victim


def targets() -> Iterator[Hash32]:
    return (keccak256(b"far %d" % number) for number in range(3))


def test_one_host_cannot_fill_a_table_with_identities() -> None:  # DHT-6
    network = seasoned(11, 40)
    victim = victim_in(network)
    before = {contact.id for contact in victim.dht.contacts}
    attackers = surround(
        network, victim, [Identity.of(900_000 + number, "9.9.9.9", PORT + number) for number in range(100)]
    )
    network.run(10 * 60_000)
    known = {contact.id for contact in victim.dht.contacts}

    assert len(known & {one.id for one in attackers}) <= HOST_TABLE_ENTRIES_MAX
    assert before <= known


def test_sybils_near_a_victim_cannot_push_others_out_of_its_table() -> None:  # DHT-3, DHT-7
    network = seasoned(12, 50)
    victim = victim_in(network)
    before = {contact.id for contact in victim.dht.contacts}
    sybils = surround(
        network, victim, [near(victim.id, 7, number, f"9.1.{number}.9") for number in range(100)]
    )
    network.run(10 * 60_000)
    known = {contact.id for contact in victim.dht.contacts}

    assert before <= known
    assert len(known & {one.id for one in sybils}) <= 4 * BUCKET_ENTRIES_MAX
    honest = [one.id for one in network.honest() if one is not victim]
    for target in targets():
        wanted = [peer for peer in network.nearest(target, 200) if peer in honest]
        assert network.look_up(victim, target) == wanted[:BUCKET_ENTRIES_MAX]


def test_a_newcomer_whose_first_address_is_an_attackers_is_saved_by_the_second() -> None:  # DHT-10
    network = seasoned(13, 40)
    identities = [Identity.of(900_000 + number, f"9.1.{number}.9") for number in range(30)]
    honest = network.honest()
    trap = surround(network, honest[0], identities)[0]
    newcomer = network.add(trap.identity.contact, honest[0].identity.contact)
    network.run(60_000)

    for target in targets():
        wanted = [peer for peer in network.nearest(target, 200) if peer in {one.id for one in honest}]
        found = network.look_up(newcomer, target)
        assert wanted[0] in found


def with_liars(seed: int, lie: Lie) -> tuple[Network, Node, list[Node]]:
    """A network in which every sixth node lies, and a newcomer."""
    network = seasoned(seed, 50)
    honest = [node.identity.contact for node in network.honest()]
    made = []
    for _ in range(10):
        liar = network.add(machine=lambda identity: Liar(identity, lie, honest), starts=False)
        network.meet(liar, nearest=12, random=12)
        made.append(liar)
    network.run(1_000)
    return network, victim_in(network), made


@pytest.mark.parametrize("lie", LIES)
def test_liars_keep_a_lookup_from_nothing(lie: Lie) -> None:  # DHT-9, DHT-10, DHT-12, DHT-13
    network, newcomer, made = with_liars(14, lie)
    lying = {one.id for one in made}
    for target in targets():
        found = [peer for peer in network.look_up(newcomer, target, 70_000) if peer not in lying]
        wanted = [peer for peer in network.nearest(target, 200) if peer not in lying | {newcomer.id}]
        assert found[:10] == wanted[:10]
    assert {peer for peer, _ in newcomer.reports()} <= lying
    assert newcomer.dials < 600


@pytest.mark.parametrize(
    ("lie", "reason"),
    [(liars.forges_records, "not its own"), (liars.talks_too_long, "a message has 2 to 32768 bytes")],
)
def test_liars_are_reported_and_their_records_are_not_found(lie: Lie, reason: str) -> None:  # DHT-21
    network, newcomer, made = with_liars(15, lie)
    sought = made[0].identity.public_key
    assert network.find(newcomer, endpoint_key(sought), 70_000) == []
    own_key = endpoint_key(newcomer.identity.public_key)
    found = network.find(network.honest()[7], own_key, 70_000)

    assert found == [newcomer.identity.endpoint()]
    assert newcomer.reports()
    assert all(reason in why for _, why in newcomer.reports())
    assert not {peer for peer, _ in newcomer.reports()} & {one.id for one in newcomer.dht.contacts}
