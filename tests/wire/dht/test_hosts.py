"""Which hosts are taken, and what counts as one (DHT-6)."""

from __future__ import annotations

import pytest

from coc.wire.dht.hosts import HostInvalid, HostPolicy, Scope, format_host, group_of, parse_host, scope_of


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("8.8.8.8", Scope.GLOBAL),
        ("172.32.0.1", Scope.GLOBAL),
        ("2a00:1450::1", Scope.GLOBAL),
        ("10.1.2.3", Scope.PRIVATE),
        ("172.16.0.1", Scope.PRIVATE),
        ("172.31.255.255", Scope.PRIVATE),
        ("192.168.1.1", Scope.PRIVATE),
        ("100.64.0.1", Scope.PRIVATE),
        ("fd00::1", Scope.PRIVATE),
        ("127.0.0.1", Scope.LOOPBACK),
        ("::1", Scope.LOOPBACK),
        ("::ffff:127.0.0.1", Scope.LOOPBACK),
        ("0.0.0.0", Scope.NOWHERE),
        ("169.254.169.254", Scope.NOWHERE),
        ("224.0.0.1", Scope.NOWHERE),
        ("255.255.255.255", Scope.NOWHERE),
        ("::", Scope.NOWHERE),
        ("fe80::1%eth0", Scope.NOWHERE),
        ("ff02::1", Scope.NOWHERE),
    ],
)
def test_every_host_has_a_scope(text: str, scope: Scope) -> None:  # DHT-6
    assert scope_of(parse_host(text)) is scope


@pytest.mark.parametrize(
    ("policy", "taken"),
    [
        (HostPolicy(), ["8.8.8.8"]),
        (HostPolicy(takes_private=True), ["8.8.8.8", "10.0.0.1"]),
        (HostPolicy(takes_loopback=True), ["8.8.8.8", "127.0.0.1"]),
    ],
)
def test_a_setup_may_take_private_hosts_or_loopback_and_never_others(
    policy: HostPolicy, taken: list[str]
) -> None:  # DHT-6
    hosts = ["8.8.8.8", "10.0.0.1", "127.0.0.1", "169.254.0.1"]

    assert [text for text in hosts if policy.takes(parse_host(text))] == taken


def test_an_ipv4_address_within_ipv6_is_the_ipv4_address() -> None:  # DHT-6
    assert parse_host("::ffff:8.8.8.8") == parse_host("8.8.8.8")
    assert format_host(parse_host("::ffff:8.8.8.8")) == "8.8.8.8"


def test_an_ipv6_host_counts_by_its_first_48_bits() -> None:  # DHT-6
    groups = {group_of(parse_host(text)) for text in ("2a00:1:2:3::4", "2a00:1:2:ffff::1", "2a00:1:3::1")}

    assert len(groups) == 2


def test_loopback_has_no_quota_only_where_it_is_taken() -> None:  # DHT-6
    loopback = parse_host("127.0.0.1")

    assert HostPolicy(takes_loopback=True).quota_group(loopback) == b""
    assert HostPolicy().quota_group(loopback) == loopback


@pytest.mark.parametrize("text", ["example.org", "", "8.8.8", "8.8.8.8:30303", "08.8.8.8"])
def test_a_name_is_no_host(text: str) -> None:  # DHT-6
    with pytest.raises(HostInvalid):
        parse_host(text)
