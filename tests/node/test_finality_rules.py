"""A chain's rules from block 0 and its config: what a verifier reads, without a genesis file."""

from __future__ import annotations

import pytest

from coc._native import Chain
from coc.consensus.finality.header import Header, decode_header
from coc.consensus.finality.rules import ChainRules, Registry
from coc.execution.genesis import read_genesis
from coc.execution.genesis_config import rules_in_config
from coc.execution.genesis_fields import GenesisInvalid
from coc.node.finality_rules import NoCertificates, finality_rules
from coc.primitives.keccak import keccak256
from coc.primitives.types import Height
from coc.sim.full.network import PARAMETERS, REGISTRY, chain_file
from tests.contracts.founded import genesis as rotation_genesis


def block_zero(text: bytes) -> Header:
    chain = Chain.open(text, None, b"")
    header = chain.header_rlp(chain.genesis_hash)
    assert header is not None
    assert decode_header(header).hash == chain.genesis_hash
    return decode_header(header)


def test_the_rules_are_those_of_the_genesis_file() -> None:  # FIN-2, SET-23
    file = chain_file((1, 2, 3))
    header, config = block_zero(file.text), read_genesis(file.text).config
    assert (header.height, header.extra_data) == (0, keccak256(config))

    rules = finality_rules(header, config)

    assert rules == ChainRules(
        header.hash,
        file.rules.validators,
        PARAMETERS.clock_tolerance_s,
        Registry(REGISTRY.period_blocks, REGISTRY.unbonding_s),
    )
    assert rules_in_config(config, header.gas_limit) == file.rules


def test_a_chain_whose_engine_makes_no_certificates_has_no_such_rules() -> None:  # FIN-13
    text = rotation_genesis(1).text

    with pytest.raises(NoCertificates, match="rotation"):
        finality_rules(block_zero(text), read_genesis(text).config)


@pytest.mark.parametrize("config", [b"", b"[]", b"{}", b'{"coc":7}', b"\xff"])
def test_a_config_of_no_chain_of_ours_is_refused(config: bytes) -> None:  # FIN-2
    with pytest.raises(GenesisInvalid):
        rules_in_config(config, 0)


def test_a_genesis_without_config_is_refused() -> None:  # FIN-2
    for text in (b"{}", b'{"alloc":{}}', b"7", b"{"):
        with pytest.raises(GenesisInvalid):
            read_genesis(text)


def test_a_set_holds_to_the_end_of_its_period() -> None:  # FIN-5, SET-5
    file = chain_file((1, 2, 3))
    rules = finality_rules(block_zero(file.text), read_genesis(file.text).config)

    assert [rules.holds_until(Height(height)) for height in (1, 6, 7, 8, 15, 16)] == [7, 7, 7, 15, 15, 23]
    assert list(rules.boundaries(Height(1), Height(24))) == [7, 15, 23]
    assert list(rules.boundaries(Height(7), Height(8))) == [7]
    assert list(rules.boundaries(Height(8), Height(15))) == []
