"""Who may ask: hosts, origins and content types."""

import pytest

from coc.adapters.http.policy import AccessRules, Policy


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        (b"", True),
        (b"localhost", True),
        (b"LOCALHOST:8545", True),
        (b"127.0.0.1:8545", True),
        (b"192.168.1.7", True),
        (b"[::1]:8545", True),
        (b"[fe80::1]", True),
        (b"node.example", True),
        (b"Node.Example:80", True),
        (b"evil.example", False),
        (b"localhost.evil.example", False),
        (b"127.0.0.1.evil.example", False),
        (b"node.example.", False),
        (b"localhost:port", False),
        (b"\xff\xfe", False),
    ],
)
def test_a_host_is_ours_or_an_address_that_nobody_can_rebind(host: bytes, allowed: bool) -> None:
    policy = Policy(AccessRules(hosts=frozenset({"localhost", "Node.example"})))

    assert policy.host_allowed(host) == allowed
    assert policy.host_allowed(host) == allowed, "and the remembered answer is the same"


def test_any_host_may_be_allowed() -> None:
    assert Policy(AccessRules(hosts=frozenset({"*"}))).host_allowed(b"whatever.example")


@pytest.mark.parametrize(
    ("content_type", "is_json"),
    [
        (b"application/json", True),
        (b"Application/JSON; charset=utf-8", True),
        (b'application/json;charset="UTF-8"', True),
        (b"application/json-rpc", True),
        (b"application/jsonrequest", True),
        (b"application/json; charset=utf-16", False),
        (b"", False),
        (b"text/plain", False),
        (b"application/x-www-form-urlencoded", False),
        (b"multipart/form-data; boundary=application/json", False),
        (b"text/plain; application/json", False),
    ],
)
def test_only_declared_json_is_taken_as_such(content_type: bytes, is_json: bool) -> None:
    assert Policy(AccessRules()).is_json(content_type) == is_json


def test_an_origin_is_compared_as_a_whole() -> None:
    policy = Policy(AccessRules(origins=frozenset({"https://a.example"})))

    assert policy.cors_headers(b"https://a.example")
    for other in (
        b"https://a.example.evil.example",
        b"http://a.example",
        b"https://b.a.example",
        b"null",
        None,
    ):
        assert policy.cors_headers(other) == b""


def test_what_is_remembered_is_bounded() -> None:
    policy = Policy(AccessRules())

    for number in range(3_000):
        policy.host_allowed(b"host-%d.example" % number)

    assert len(policy._hosts) <= 1_024
