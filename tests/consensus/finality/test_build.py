"""What a chain can prove, and what it says where it cannot."""

from __future__ import annotations

import pytest

from coc.consensus.finality.build import Provable, build_proof
from coc.consensus.finality.faults import FinalityUnprovable
from coc.consensus.finality.records import ChainOrigin, GenesisAnchor
from coc.consensus.finality.rules import ChainRules
from coc.primitives.frozen import replace
from coc.primitives.limits_finality import FINALITY_LINKS_MAX
from coc.primitives.types import Hash32, Height
from tests.consensus.finality.forged import CONFIG, REGISTRY, ForgedChain, forged


@pytest.fixture
def chain() -> ForgedChain:
    return forged(("abcd", "abcd", "abcde"))


@pytest.mark.parametrize("target", [0, 31, 1_000])
def test_only_blocks_from_one_to_the_head_can_be_proved(chain: ForgedChain, target: int) -> None:  # FIN-13
    assert chain.head == 30
    with pytest.raises(FinalityUnprovable, match="the chain ends at block 30"):
        chain.proof(target)


@pytest.mark.parametrize("target", [4, 5, 31])
def test_from_a_checkpoint_only_later_blocks_can_be_proved(chain: ForgedChain, target: int) -> None:  # FIN-13
    with pytest.raises(FinalityUnprovable, match="choose a block from 6 to 30"):
        chain.proof(target, chain.checkpoint(5))


def test_a_checkpoint_of_another_chain_begins_nothing(chain: ForgedChain) -> None:  # FIN-13
    right = chain.checkpoint(5)
    for wrong in (
        replace(right, block=Hash32(bytes(32))),
        replace(right, genesis_hash=Hash32(bytes(32))),
        replace(right, next_set_hash=Hash32(bytes(32))),
        replace(right, time_s=right.time_s - 1),
        replace(right, height=Height(6)),
    ):
        with pytest.raises(FinalityUnprovable, match="not of this chain"):
            chain.proof(9, wrong)


def test_genesis_is_no_checkpoint(chain: ForgedChain) -> None:  # FIN-13
    with pytest.raises(FinalityUnprovable, match="block 0 is no checkpoint"):
        chain.proof(9, replace(chain.checkpoint(5), height=Height(0)))


def test_a_chain_without_a_registry_needs_no_checkpoint() -> None:  # FIN-11, FIN-13
    chain = ForgedChain(registry=None)

    with pytest.raises(FinalityUnprovable, match="has no checkpoints"):
        chain.proof(9, chain.checkpoint(5))


class Tall:
    """A chain of which only the height is known: whoever asks for a block has begun to build."""

    def __init__(self, head: int) -> None:
        self.head = Height(head)

    def header(self, height: Height) -> bytes:
        raise AssertionError(height)

    consensus_data = certificate = header


def test_the_number_of_links_is_bounded_before_the_first_is_made(chain: ForgedChain) -> None:  # FIN-12
    blocks = REGISTRY.period_blocks
    tall = Tall(blocks * (FINALITY_LINKS_MAX + 2))
    rules = ChainRules(chain.genesis_hash, chain.set_at(1), 5, REGISTRY)
    provable = Provable(tall, ChainOrigin(chain.genesis_header, CONFIG), rules)
    last = Height(blocks * (FINALITY_LINKS_MAX + 1) - 1)

    assert isinstance(next(build_proof(provable, last, None)), GenesisAnchor)
    with pytest.raises(FinalityUnprovable, match="too far"):
        next(build_proof(provable, Height(last + 1), None))
