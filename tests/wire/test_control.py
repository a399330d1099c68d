"""Payloads of the wire's own messages, and what an address says about its owner."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coc.primitives import rlp
from coc.primitives.limits_wire import (
    ADDRESSES_PER_MESSAGE_MAX,
    HOST_CHARS_MAX,
    WIRE_CONTROL_BYTES_MAX,
)
from coc.wire.addresses import (
    PeerAddress,
    is_global,
    is_loopback,
    is_usable,
    network_of,
    owner_of,
    parse_peer_address,
)
from coc.wire.control import decode_addresses, decode_goodbye, encode_addresses, encode_goodbye
from coc.wire.errors import LocalError, Reason, RemoteError
from tests.wire.fakes import unhurried

LONGEST = PeerAddress("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65_535)


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_survives_the_journey(reason: Reason) -> None:  # WIRE-17
    assert decode_goodbye(encode_goodbye(reason)) is reason


def test_addresses_survive_the_journey() -> None:
    addresses = [PeerAddress("203.0.113.7", 1), PeerAddress("2001:db8::7", 65_535), LONGEST]

    assert decode_addresses(encode_addresses(addresses)) == addresses
    assert decode_addresses(encode_addresses([])) == []


def test_a_full_answer_fits_and_a_fuller_one_is_refused_on_both_sides() -> None:  # WIRE-27
    full = [LONGEST] * ADDRESSES_PER_MESSAGE_MAX
    assert len(encode_addresses(full)) <= WIRE_CONTROL_BYTES_MAX
    assert decode_addresses(encode_addresses(full)) == full

    with pytest.raises(LocalError):
        encode_addresses([*full, LONGEST])
    with pytest.raises(RemoteError, match="too many"):
        decode_addresses(rlp.encode([[bytes(4), 1]] * (ADDRESSES_PER_MESSAGE_MAX + 1)))


def test_names_are_never_told_to_peers() -> None:
    with pytest.raises(LocalError, match="name"):
        encode_addresses([PeerAddress("seed.example.org", 1)])


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x80",
        rlp.encode([[bytes(5), 1]]),
        rlp.encode([[bytes(4), 0]]),
        rlp.encode([[bytes(4), 65_536]]),
        rlp.encode([[bytes(4)]]),
        rlp.encode([b"10.0.0.1"]),
        rlp.encode([[bytes(4), 1, b""]]),
    ],
)
def test_addresses_of_another_shape_are_the_peers_fault(payload: bytes) -> None:
    with pytest.raises(RemoteError):
        decode_addresses(payload)


@unhurried()
@given(st.binary(max_size=300))
def test_whatever_comes_as_control_is_read_or_the_peers_fault(payload: bytes) -> None:
    for decode in (decode_addresses, decode_goodbye):
        try:
            decode(payload)
        except RemoteError:
            continue


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("node1:19781", "node1", 19_781),
        ("Seed.Example.ORG:1", "seed.example.org", 1),
        ("203.0.113.7:65535", "203.0.113.7", 65_535),
        ("[2001:DB8:0::7]:80", "2001:db8::7", 80),
        ("[::ffff:203.0.113.7]:80", "203.0.113.7", 80),
        ("a" * HOST_CHARS_MAX + ":1", "a" * HOST_CHARS_MAX, 1),
    ],
)
def test_an_address_is_read_as_people_write_it(text: str, host: str, port: int) -> None:
    address = parse_peer_address(text)

    assert address == PeerAddress(host, port)
    assert parse_peer_address(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "node1",
        ":1",
        "node1:",
        "node1:0",
        "node1:65536",
        "node1:000001",
        "node1:-1",
        "node1:\u0661",
        "2001:db8::7:80",
        "node\n1:1",
        "a" * (HOST_CHARS_MAX + 1) + ":1",
    ],
)
def test_anything_else_is_no_address(text: str) -> None:
    with pytest.raises(LocalError):
        parse_peer_address(text)


def test_an_owner_is_an_ipv4_address_or_what_an_ipv6_customer_gets() -> None:  # WIRE-29
    assert owner_of("203.0.113.7") != owner_of("203.0.113.8")
    assert owner_of("::ffff:203.0.113.7") == owner_of("203.0.113.7")
    assert owner_of("2001:db8:1:2::1") == owner_of("2001:db8:1:2:ffff::9")
    assert owner_of("2001:db8:1:2::1") != owner_of("2001:db8:1:3::1")
    assert owner_of("node1") == "node1"


def test_a_network_is_wider_than_an_owner() -> None:  # WIRE-26
    assert network_of("203.0.113.7") == network_of("203.0.9.9") != network_of("203.1.113.7")
    assert network_of("2001:db8:1::1") == network_of("2001:db8:ffff::1") != network_of("2001:db9::1")


@pytest.mark.parametrize(
    ("host", "loopback", "worldwide", "usable"),
    [
        ("127.0.0.1", True, False, True),
        ("127.9.9.9", True, False, True),
        ("::1", True, False, True),
        ("localhost", True, False, False),
        ("8.8.8.8", False, True, True),
        ("10.1.2.3", False, False, True),
        ("172.18.0.2", False, False, True),
        ("fd00::1", False, False, True),
        ("2606:4700::1111", False, True, True),
        ("169.254.1.1", False, False, False),
        ("fe80::1", False, False, False),
        ("0.0.0.0", False, False, False),
        ("::", False, False, False),
        ("224.0.0.1", False, False, False),
        ("255.255.255.255", False, False, False),
        ("node1", False, False, False),
    ],
)
def test_hosts_are_told_apart(host: str, loopback: bool, worldwide: bool, usable: bool) -> None:
    assert (is_loopback(host), is_global(host), is_usable(host)) == (loopback, worldwide, usable)
