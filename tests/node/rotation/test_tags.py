"""Head, safe and final block as they are kept, and a start on tags that do not fit the chain."""

from __future__ import annotations

import pytest

from coc._native import Mark
from coc.node.rotation.tags import Tags, TagsInvalid, decode_tags, encode_tags
from coc.primitives import rlp
from coc.primitives.types import Hash32
from tests.node.rotation.town import Town

TAGS = Tags(*(Hash32(bytes([number]) * 32) for number in (1, 2, 3)))


def test_tags_survive_their_encoding_and_fit_the_file() -> None:
    assert decode_tags(encode_tags(TAGS)) == TAGS
    assert len(encode_tags(TAGS)) <= 1_024


@pytest.mark.parametrize("names", [[], [b"x" * 32] * 2, [b"x" * 31] * 3, [b"x" * 32, b"x" * 32, [b"x"]]])
def test_what_is_not_three_hashes_is_refused(names: list[rlp.Encodable]) -> None:
    with pytest.raises(TagsInvalid, match="three hashes"):
        decode_tags(rlp.encode(names))


def test_tags_that_name_a_block_which_the_chain_lacks_are_not_believed() -> None:  # ROT-23
    town = Town()
    town.start()
    town.pass_slots(8)
    one = town.members[0]
    one.lose_power()
    Mark.open("/", "tags", one.kept.disk).save(encode_tags(TAGS))
    with pytest.raises(TagsInvalid, match=r"the chain has no block 0x0303.*catch up"):
        one.start()


def test_a_chain_without_tags_is_asked_what_its_blocks_say() -> None:  # ROT-21
    town = Town()
    town.start()
    town.pass_slots(9)
    one = town.members[0]
    before = (one.chain.finalized.hash, one.chain.safe.hash, one.chain.head.hash)
    one.lose_power()
    one.kept.forgets_tags = True
    one.start()
    assert (one.chain.finalized.hash, one.chain.safe.hash, one.chain.head.hash) == before


def test_a_new_chain_is_final_as_far_as_its_first_block() -> None:
    town = Town()
    town.start()
    chain = town.members[0].chain
    assert chain.finalized.hash == chain.safe.hash == chain.genesis_hash
