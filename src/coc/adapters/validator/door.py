"""An open chain as what agrees on its blocks: its rules from genesis, its validators from the registry."""

from __future__ import annotations

from typing import ClassVar

from coc import _native
from coc._native import Chain
from coc.consensus.bft.rules import BftRules
from coc.execution.genesis import CocRules, Genesis
from coc.execution.genesis_bft import BftParameters
from coc.node.validator.build import bft_rules
from coc.node.validator.chain_door import ChainDoor, ChainRules
from coc.node.validator.ports import Faults, SetReader, StaticSets
from coc.node.validator.registry_sets import RegistrySets
from coc.primitives.errors import AdapterError
from coc.primitives.secp256k1 import recover_address
from coc.primitives.types import Hash32, Height


class GenesisContradictsItself(AdapterError):
    """The validators that genesis lists are not those of its registry."""

    id: ClassVar[str] = "COC-GENESIS-VALIDATORS"


def rules_of(genesis: Genesis, genesis_hash: Hash32) -> BftRules:
    """What genesis says about rounds and timeouts.

    Raises:
        GenesisContradictsItself: the chain does not agree by BFT.
    """
    rules, parameters = _parts_of(genesis)
    return bft_rules(genesis_hash, rules, parameters)


def door_to(chain: Chain, genesis: Genesis) -> ChainDoor:
    """An open chain as what agrees on its blocks.

    Raises:
        GenesisContradictsItself: the registry's alloc holds other validators than genesis lists.
    """
    rules, _ = _parts_of(genesis)
    faults = Faults(_native.BlockInvalid, _native.UnknownBlock, _native.StorageFailed)
    door_rules = ChainRules(_sets(chain, rules), recover_address, rules.gas_limit_target)
    return ChainDoor(chain, _native.check_block, faults, door_rules)


def _parts_of(genesis: Genesis) -> tuple[CocRules, BftParameters]:
    rules = genesis.coc
    if rules is None or rules.bft is None:
        raise GenesisContradictsItself("this chain does not agree by BFT", cure="run it without peers")
    return rules, rules.bft


def _sets(chain: Chain, rules: CocRules) -> SetReader:
    if rules.registry is None:
        return StaticSets(rules.validators)
    sets = RegistrySets(chain, rules.registry.period_blocks)
    first = Hash32(chain.genesis_hash)
    if chain.has_state(first) and sets.validators(first, Height(1)) != rules.validators:
        raise GenesisContradictsItself(
            "the validators that genesis lists are not those of its registry",
            cure="make the file again with `coc genesis new`",
        )
    return sets
