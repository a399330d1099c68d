"""Which block a client means: tags, numbers, hashes and EIP-1898 objects."""

from typing import Any

import pytest

from tests.rpc.fakes import ALICE, Node, digest

ALICE_TEXT = "0x" + ALICE.hex()


@pytest.fixture
def node() -> Node:
    node = Node()
    for name in ("one", "two", "three"):
        node.chain.extend(name)
    node.chain.finalized_number = 1
    return node


def block_asked(node: Node, ref: Any) -> bytes:
    node.ask("eth_getBalance", ALICE_TEXT, ref)
    block: bytes = node.chain.asked[-1][1]
    return block


@pytest.mark.parametrize(
    ("ref", "name"),
    [
        ("latest", "three"),
        ("pending", "three"),
        ("earliest", "genesis"),
        ("safe", "one"),
        ("finalized", "one"),
        ("0x0", "genesis"),
        ("0x2", "two"),
        ({"blockNumber": "0x2"}, "two"),
        ({"blockNumber": "latest"}, "three"),
        ("0x" + digest("two").hex(), "two"),
        ({"blockHash": "0x" + digest("two").hex()}, "two"),
        ({"blockHash": "0x" + digest("two").hex(), "requireCanonical": True}, "two"),
    ],
)
def test_every_way_to_name_a_block_finds_it(node: Node, ref: Any, name: str) -> None:
    assert block_asked(node, ref) == digest(name)


def test_without_a_block_the_head_is_meant(node: Node) -> None:
    node.ask("eth_getBalance", ALICE_TEXT)

    assert node.chain.asked[-1][1] == digest("three")


@pytest.mark.parametrize(
    "ref",
    [
        "0x3e8",
        "0x" + "11" * 32,
        {"blockHash": "0x" + "11" * 32},
        {"blockHash": "0x" + "11" * 32, "requireCanonical": True},
        {"blockNumber": "0x3e8"},
    ],
)
def test_a_block_that_does_not_exist_is_not_found(node: Node, ref: Any) -> None:
    assert node.refusal("eth_getBalance", ALICE_TEXT, ref)[0] == -32001


def test_a_block_off_the_chain_is_served_unless_it_must_be_canonical(node: Node) -> None:
    node.chain.retreat(1)
    node.chain.extend("three, another")
    left = "0x" + digest("three").hex()

    assert block_asked(node, {"blockHash": left}) == digest("three")
    assert block_asked(node, {"blockHash": left, "requireCanonical": False}) == digest("three")
    assert (
        node.refusal("eth_getBalance", ALICE_TEXT, {"blockHash": left, "requireCanonical": True})[0] == -32000
    )


@pytest.mark.parametrize(
    "ref",
    [
        "2",
        2,
        "Latest",
        "0x02",
        "0x1ffffffffffffffff",
        True,
        [],
        {},
        {"blockNumber": "0x1", "blockHash": "0x" + "11" * 32},
        {"blockNumber": "0x1", "requireCanonical": True},
        {"blockHash": "0x11"},
        {"blockHash": "0x" + "11" * 32, "requireCanonical": 1},
        {"blockNumber": "0x1", "more": 1},
        "0x" + "11" * 31,
    ],
)
def test_another_form_of_a_block_is_an_invalid_parameter(node: Node, ref: Any) -> None:
    assert node.refusal("eth_getBalance", ALICE_TEXT, ref)[0] == -32602


def test_a_method_that_takes_numbers_only_refuses_a_hash(node: Node) -> None:
    assert node.refusal("eth_getBlockByNumber", "0x" + digest("two").hex(), False)[0] == -32602
