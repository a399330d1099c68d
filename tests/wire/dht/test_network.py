"""Many tables on virtual time, with loss: newcomers, lookups, records that outlive their holders."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from coc.primitives.keccak import keccak256
from coc.primitives.limits_dht import BUCKET_ENTRIES_MAX, JOIN_RETRY_MS_MAX, UNREACHABLE_MS_MAX
from coc.primitives.types import Hash32, Seconds
from coc.wire.dht import effects as fx
from coc.wire.dht import inputs as ev
from coc.wire.dht.endpoints import (
    Endpoint,
    Role,
    endpoint_claim,
    endpoint_key,
    provider_claim,
    provider_key,
    read_endpoint,
)
from coc.wire.dht.hosts import parse_host
from coc.wire.dht.records import Record
from tests.wire.dht.network import DAY_SECONDS, START_MS, Network, Node, grown, seasoned

LOSS = 0.02
CONTENT_ID = b"content"
RUN_PROGRAM = (
    "from tests.wire.dht.network import grown; print(grown(5, 10, loss=0.05, is_recorded=True).digest)"
)


def first(network: Network) -> Node:
    return next(iter(network.nodes.values()))


def any_target(number: int) -> Hash32:
    return keccak256(b"target %d" % number)


def provides(node: Node, sequence: int = 1) -> Record:
    """A record that says: this node has the content."""
    identity = node.identity
    endpoint = Endpoint(identity.contact.host, identity.contact.port, Role.STORAGE)
    expiry = Seconds(START_MS // 1_000 + DAY_SECONDS)
    return identity.sign(provider_claim(identity.public_key, CONTENT_ID, endpoint, sequence, expiry))


def agreement(found: list[bytes], wanted: list[bytes]) -> int:
    """How many of the wanted were found."""
    return len({*found} & {*wanted})


@pytest.mark.parametrize(("count", "links_max"), [(50, 48), (200, 16)])
def test_a_newcomer_with_one_address_finds_its_neighbours_and_any_target(count: int, links_max: int) -> None:
    # DHT-9, DHT-13, DHT-14
    network = seasoned(1, count, loss=LOSS, links_max=links_max)
    newcomer = network.add(first(network).identity.contact)
    network.run(60_000 + UNREACHABLE_MS_MAX)
    neighbours = network.nearest(newcomer.id, BUCKET_ENTRIES_MAX, newcomer.id)
    known = [contact.id for contact in newcomer.dht.contacts]

    assert agreement([*known], [*neighbours]) >= BUCKET_ENTRIES_MAX - 2
    for number in range(3):
        found = network.look_up(newcomer, any_target(number))
        wanted = network.nearest(any_target(number), BUCKET_ENTRIES_MAX, newcomer.id)
        assert found[0] == wanted[0]
        assert agreement([*found], [*wanted]) >= BUCKET_ENTRIES_MAX - 3


def test_without_loss_a_lookup_finds_exactly_the_nearest() -> None:  # DHT-9
    network = seasoned(2, 80)
    newcomer = network.add(first(network).identity.contact)
    network.run(60_000)

    for number in range(3):
        wanted = network.nearest(any_target(number), BUCKET_ENTRIES_MAX, newcomer.id)
        assert network.look_up(newcomer, any_target(number)) == wanted


def test_nodes_that_join_one_by_one_find_each_others_endpoints_and_blame_nobody() -> None:
    # DHT-14, DHT-21, DHT-23
    network = grown(3, 16, loss=LOSS)
    nodes = network.honest()

    for number in range(5):
        seeker, sought = nodes[number], nodes[-1 - number]
        [record] = network.find(seeker, endpoint_key(sought.identity.public_key))
        endpoint = read_endpoint(record.claim)
        assert (endpoint.host, endpoint.port) == (sought.identity.contact.host, sought.identity.contact.port)
    assert [report for node in nodes for report in node.reports()] == []


def test_a_published_record_is_found_after_half_the_nodes_have_left() -> None:  # DHT-23, DHT-25
    network = seasoned(4, 100, loss=LOSS)
    publisher = network.add(first(network).identity.contact)
    network.run(60_000)
    record = provides(publisher)
    network.feed(publisher, ev.Publish(record))
    network.run(60_000)
    holders = [one.holders for one in publisher.told if isinstance(one, fx.Announced)]
    network.leave(publisher)
    for node in network.dice.sample(network.honest(), 50):
        network.leave(node)
    seeker = network.add(first_alive(network).identity.contact)
    network.run(60_000)

    assert min(holders) >= BUCKET_ENTRIES_MAX // 2
    assert network.find(seeker, record.claim.key, patience_ms=70_000) == [record]


def first_alive(network: Network) -> Node:
    return network.honest()[0]


def test_all_providers_of_a_content_are_found() -> None:  # DHT-24, DHT-25
    network = seasoned(6, 40)
    providers = [network.add(first(network).identity.contact) for _ in range(3)]
    network.run(60_000)
    for provider in providers:
        network.feed(provider, ev.Publish(provides(provider)))
    network.run(60_000)
    found = network.find(network.honest()[30], provider_key(CONTENT_ID))

    assert {one.claim.publisher for one in found} == {one.identity.public_key for one in providers}


def test_the_newer_endpoint_of_a_node_that_moved_is_found() -> None:  # DHT-18, DHT-23
    network = seasoned(7, 40)
    mover = network.add(first(network).identity.contact)
    network.run(60_000)
    moved = Endpoint(parse_host("8.9.9.9"), 1_234, Role.FULL)
    expiry = Seconds(START_MS // 1_000 + DAY_SECONDS)
    claim = endpoint_claim(mover.identity.public_key, moved, 2, expiry)
    network.feed(mover, ev.Publish(mover.identity.sign(claim)))
    network.run(60_000)
    [record] = network.find(network.honest()[30], claim.key)

    assert read_endpoint(record.claim) == moved


def test_a_node_joins_once_its_bootstrap_is_there() -> None:  # DHT-14
    network = Network(8)
    late = network.add()
    network.leave(late)
    early = network.add(late.identity.contact)
    network.run(60_000)
    assert not early.dht.contacts
    late.is_up = True
    network.run(JOIN_RETRY_MS_MAX)

    assert [contact.id for contact in early.dht.contacts] == [late.id]


def test_one_seed_gives_one_run_whatever_the_hash_seed() -> None:  # DHT-2
    digests = {
        subprocess.run(
            [sys.executable, "-c", RUN_PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("0", "4242")
    }

    assert len(digests) == 1
    assert digests != {grown(6, 10, loss=0.05, is_recorded=True).digest + "\n"}
    assert len(digests.pop().strip()) == 64
