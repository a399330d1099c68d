"""What a finality proof needs of a genesis, read from the `config` that the hash of block 0 covers."""

from __future__ import annotations

from typing import ClassVar

from coc.consensus.finality.header import Header
from coc.consensus.finality.rules import ChainRules, Registry
from coc.execution.genesis_config import rules_in_config
from coc.primitives.errors import NodeError


class NoCertificates(NodeError):
    """A chain on which no block is ever certified."""

    id: ClassVar[str] = "COC-NO-CERTIFICATES"


def finality_rules(genesis: Header, config: bytes) -> ChainRules:
    """The rules of a chain, from its block 0 and its `config`.

    Raises:
        NoCertificates: its engine makes none.
        GenesisInvalid: the config describes no chain of ours.
    """
    rules = rules_in_config(config, genesis.gas_limit)
    if rules.bft is None:
        raise NoCertificates(
            "no block of this chain can be proved final",
            why=f"its engine is {rules.engine}, which makes no certificates",
        )
    registry = rules.registry
    return ChainRules(
        genesis.hash,
        rules.validators,
        rules.bft.clock_tolerance_s,
        None if registry is None else Registry(registry.period_blocks, registry.unbonding_s),
    )
