"""`bft_*`: where a node stands, and what proves a block."""

from __future__ import annotations

import pytest

from coc.primitives.consensus_data import ConsensusData
from coc.primitives.frozen import replace
from coc.primitives.types import Address, Hash32, Height, Signature
from coc.primitives.validators import Validator, ValidatorSet, address_of_key
from coc.primitives.votes import CommitCertificate
from coc.rpc.ports import Agreeing
from tests.rpc.fakes import Node, digest

KEY = bytes(range(64))
SET = ValidatorSet((Validator(address_of_key(KEY), KEY, KEY, 5, Address(b"f" * 20)),))
STANDS = Agreeing(10, 1, "prevote", b"v" * 20, is_watching=False, evidence=0, goal=12)


@pytest.fixture
def node() -> Node:
    node = Node()
    node.status.agreement = STANDS
    block = Hash32(digest("one"))
    certificate = CommitCertificate(Height(1), 2, block, SET.hash(), 1, (Signature(b"s" * 65),))
    data = ConsensusData(b"", SET.validators[0].id, 1, SET, SET, b"p" * 81)
    node.chain.extend("one", [])
    known = node.chain.headers[block]
    node.chain.headers[block] = replace(known, consensus_data=data.encode(), seal=certificate.encode())
    return node


def test_a_node_says_where_it_stands(node: Node) -> None:
    assert node.ask("bft_status") == {
        "height": "0xa",
        "round": "0x1",
        "step": "prevote",
        "validator": "0x" + (b"v" * 20).hex(),
        "watching": False,
        "diverged": False,
        "evidence": "0x0",
        "goal": "0xc",
    }


def test_a_chain_without_rounds_has_no_status_and_no_certificates(node: Node) -> None:
    node.status.agreement = None
    assert node.ask("bft_status") is None
    assert node.ask("bft_certificate", "latest") is None


def test_a_block_names_its_proposer_and_the_set_that_decided_it(node: Node) -> None:
    told = node.ask("bft_validators", "latest")
    assert told["proposer"] == "0x" + SET.validators[0].id.hex()
    assert told["originalRound"] == "0x1"
    assert told["setHash"] == "0x" + SET.hash().hex()
    assert [entry["power"] for entry in told["validators"]] == ["0x5"]
    assert told["validators"][0]["consensusKey"] == "0x" + KEY.hex()


def test_a_blocks_certificate_is_told_with_its_signatures(node: Node) -> None:
    told = node.ask("bft_certificate", "0x1")
    assert (told["height"], told["round"], told["bitmap"]) == ("0x1", "0x2", "0x1")
    assert told["blockHash"] == "0x" + digest("one").hex()
    assert told["signatures"] == ["0x" + (b"s" * 65).hex()]


def test_block_0_and_unknown_blocks_have_neither(node: Node) -> None:
    for method in ("bft_validators", "bft_certificate"):
        assert node.ask(method, "earliest") is None
        assert node.ask(method, "0x63") is None
