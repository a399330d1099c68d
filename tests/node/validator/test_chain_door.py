"""Adopting a peer's decided blocks, on real chains: each on its certificate, all or up to the bad one."""

from __future__ import annotations

import pytest

from coc.consensus.sync.messages import BlockBody, BlockRange, CertifiedBlock
from coc.node.validator.chain_door import Overtaken
from coc.primitives.frozen import replace
from coc.primitives.types import Hash32, Height, PeerId
from coc.primitives.votes import decode_certificate
from tests.node.validator.forge import Forge

PEER = PeerId(b"p" * 32)


def test_a_range_is_adopted_to_its_end_across_set_periods() -> None:
    source, behind = Forge(), Forge()
    source.extend(20)
    given = source.door.blocks(BlockRange(Height(1), 10**6))
    adopted = behind.door.adopt(PEER, given, [])
    assert (adopted.refused, adopted.failed) == ("", "")
    assert behind.chain.head.hash == source.chain.head.hash
    assert behind.chain.finalized.hash == source.chain.head.hash
    assert adopted.decided is not None
    assert adopted.decided.facts.height == 21


def test_blocks_that_are_here_already_are_passed_over() -> None:
    source, behind = Forge(), Forge()
    given = source.extend(6)
    behind.door.adopt(PEER, given[:4], [])
    adopted = behind.door.adopt(PEER, given, [])
    assert adopted.decided is not None
    assert behind.height == 6
    nothing_new = behind.door.adopt(PEER, given, [])
    assert nothing_new.decided is None
    assert nothing_new.refused == ""


def test_a_range_that_begins_too_far_on_accuses_nobody_and_one_with_a_hole_does() -> None:
    """BSYNC-7."""
    source, behind = Forge(), Forge()
    given = source.extend(6)
    behind.door.adopt(PEER, given[:2], [])
    late = behind.door.adopt(PEER, given[4:], [])
    assert (late.refused, late.failed, late.is_ahead, late.decided) == ("", "", True, None)
    assert behind.height == 2
    holed = behind.door.adopt(PEER, [given[2], *given[4:]], [])
    assert holed.refused
    assert behind.height == 3


def test_who_gives_a_certified_block_that_we_cannot_execute_is_not_the_one_who_errs() -> None:
    """BSYNC-8."""
    source, behind = Forge(), Forge()
    given = source.extend(4)
    sound = behind.door.execute
    odd = given[2].block
    behind.door.execute = lambda body: None if body.block == odd else sound(body)  # type: ignore[method-assign]
    told: list[tuple[Hash32, Height, CertifiedBlock]] = []
    behind.door.on_difference = lambda *what: told.append(what)
    adopted = behind.door.adopt(PEER, given, [])
    assert told == [(Hash32(source.chain.canonical_hash(3) or b""), Height(3), given[2])]
    assert adopted.refused == ""
    assert "block 3" in adopted.differs
    assert "this node differs" in adopted.differs
    assert behind.height == 2, "what came before stays"
    assert behind.chain.finalized.hash == behind.chain.head.hash


@pytest.mark.parametrize("fault", ["minority", "foreign", "cut", "swapped data", "nonsense"])
def test_a_block_that_does_not_prove_itself_ends_the_range_before_it(fault: str) -> None:
    source, behind = Forge(), Forge()
    given = source.extend(5)
    bad = _spoiled(given, fault)
    adopted = behind.door.adopt(PEER, [*given[:3], bad, given[4]], [])
    assert adopted.refused
    assert behind.height == 3
    assert adopted.decided is not None


def _spoiled(given: list[CertifiedBlock], fault: str) -> CertifiedBlock:
    block = given[3]
    certificate = decode_certificate(block.certificate)
    match fault:
        case "minority":
            few = replace(certificate, bitmap=0b11, signatures=certificate.signatures[:2])
            return replace(block, certificate=few.encode())
        case "foreign":
            return replace(block, certificate=given[2].certificate)
        case "cut":
            return replace(block, block=block.block[:-1])
        case "swapped data":
            return replace(block, consensus_data=given[2].consensus_data)
        case _:
            return CertifiedBlock(b"\xc0", b"\xc0", b"\xc0")


def test_what_the_engine_decides_late_does_not_take_the_head_back() -> None:
    """BSYNC-3, BSYNC-6."""
    source, both = Forge(), Forge()
    given = source.extend(5)
    both.door.adopt(PEER, given, [])
    late = given[1]
    found = both.door.check(BlockBody(late.block, late.consensus_data))
    assert found is not None
    decided = both.door.decide(found[0], decode_certificate(late.certificate), [])
    assert both.height == 5
    assert decided.facts.height == 6


def test_a_range_is_bounded_by_its_bytes_and_has_at_least_one_block() -> None:
    source = Forge()
    given = source.extend(5)
    assert source.door.blocks(BlockRange(Height(2), 1)) == [given[1]]
    assert source.door.blocks(BlockRange(Height(2), 10**6)) == given[1:]
    assert source.door.blocks(BlockRange(Height(0), 10**6)) == given
    assert source.door.blocks(BlockRange(Height(6), 10**6)) == []


def test_a_decided_height_gives_its_certificate_and_an_undecided_one_none() -> None:
    source = Forge()
    given = source.extend(2)
    certificate = source.door.certificate(Height(2))
    assert certificate is not None
    assert certificate.encode() == given[1].certificate
    assert source.door.certificate(Height(3)) is None
    assert source.door.certificate(Height(0)) is None
    assert source.door.body(Hash32(b"x" * 32)) is None


def test_a_block_whose_height_was_decided_meanwhile_is_neither_valid_nor_invalid() -> None:
    """Else a node that catches up would believe that it differs from all others."""
    source, behind = Forge(), Forge()
    given = source.extend(3)
    behind.door.adopt(PEER, given, [])
    with pytest.raises(Overtaken):
        behind.door.execute(BlockBody(given[1].block, given[1].consensus_data))
