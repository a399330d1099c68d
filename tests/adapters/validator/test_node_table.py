"""What a live node's table is built with: where the node says it is, and whom it takes."""

from __future__ import annotations

import pytest

from coc.adapters.validator.node_table import outward_host, table_config
from coc.adapters.validator.peer_errands import Introduction
from coc.node.validator.build import TableConfig
from coc.primitives.types import Hash32, Millis
from coc.wire.addresses import PeerAddress, Scheme
from coc.wire.dht.endpoints import Endpoint, Role, read_endpoint
from coc.wire.dht.hosts import HostPolicy, parse_host
from coc.wire.dht.rules import Bootstrap
from coc.wire.peer_book.rules import PersistentPeer
from tests.adapters.wire.stage import peer_of, secret

GENESIS_HASH = Hash32(b"g" * 32)
NOW = Millis(1_700_000_000_000)
NAMED = PersistentPeer(PeerAddress("seed.example", 30_303))
PINNED = PersistentPeer(PeerAddress("203.0.113.9", 1), peer_of(2))


def config(host: str, *peers: PersistentPeer) -> TableConfig:
    introduction = Introduction(b"{}", GENESIS_HASH, secret(1))
    return table_config(introduction, (host, 30_303), Role.FULL, peers, NOW)


def test_a_node_publishes_where_it_listens_under_its_own_key() -> None:  # DHT-24, DHT-26
    record = config("8.8.4.4").record

    assert read_endpoint(record.claim) == Endpoint(parse_host("8.8.4.4"), 30_303, Role.FULL)
    assert record.claim.sequence == NOW
    assert record.is_current(NOW)
    record.verify(GENESIS_HASH)


@pytest.mark.parametrize("everywhere", ["0.0.0.0", "::"])
def test_a_node_that_listens_everywhere_publishes_one_address_of_its_machine(
    everywhere: str,
) -> None:  # DHT-26
    found = outward_host(everywhere)

    assert len(found) == len(parse_host(everywhere))
    assert any(found)


@pytest.mark.parametrize(
    ("host", "takes"),
    [
        ("8.8.4.4", HostPolicy()),
        ("10.0.0.1", HostPolicy(takes_private=True)),
        ("127.0.0.1", HostPolicy(takes_private=True, takes_loopback=True)),
    ],
)
def test_a_node_takes_hosts_as_near_as_its_own(host: str, takes: HostPolicy) -> None:  # DHT-6, DHT-26
    assert config(host).setup.hosts == takes


def test_a_node_begins_with_its_configured_peers_and_randomness_of_its_own() -> None:  # DHT-2, DHT-26
    setup = config("8.8.4.4", NAMED, PINNED).setup

    assert setup.bootstraps == (
        Bootstrap("seed.example", 30_303),
        Bootstrap("203.0.113.9", 1, peer_of(2)),
    )
    assert setup.randomness != config("8.8.4.4").setup.randomness
    config("8.8.4.4").build()


def test_a_peer_over_http_is_none_that_the_table_could_dial() -> None:  # DHT-14, HTTP-12
    over_http = PersistentPeer(PeerAddress("203.0.113.9", 8_080, Scheme.HTTP))
    assert config("8.8.4.4", over_http, PINNED).setup.bootstraps == (
        Bootstrap("203.0.113.9", 1, PINNED.peer),
    )
