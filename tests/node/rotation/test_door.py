"""What the door makes of bytes, what it refuses, and what it can do again."""

from __future__ import annotations

import pytest

from coc.consensus.sync.messages import BlockBody, BlockRange, CertifiedBlock
from coc.node.rotation import effects as fx
from coc.node.rotation.inputs import SlotBlockBuilt
from coc.primitives.consensus_data import ConsensusData
from coc.primitives.frozen import replace
from coc.primitives.keccak import keccak256
from coc.primitives.seals import Seal, SignRequest, Step
from coc.primitives.secp256k1 import address_of, sign
from coc.primitives.types import Hash32, Height
from tests.node.rotation.town import VALIDATORS, Member, Town, client_sends


@pytest.fixture
def town() -> Town:
    made = Town()
    made.start()
    made.pass_slots(8)
    return made


def wish(member: Member, slot: int, **changes: object) -> fx.BuildSlotBlock:
    """The block of a slot on the head; `changes` are to its consensus data."""
    slots = member.slots
    validators = slots.validators
    data = ConsensusData(member.chain.head.seal, slots.proposer(slot).id, slot, validators, validators)
    return fx.BuildSlotBlock(
        Hash32(member.chain.head.hash), slots.begins_s(slot), replace(data, **changes), []
    )


def built(member: Member, slot: int = 100, **changes: object) -> SlotBlockBuilt:
    return member.door.build(wish(member, slot, **changes))


def seal_of(member: Member, block: SlotBlockBuilt) -> Seal:
    facts = block.facts
    genesis = Hash32(member.chain.genesis_hash)
    request = SignRequest(genesis, facts.height, facts.slot, Step.PROPOSAL, facts.hash)
    return Seal(facts.slot, sign(VALIDATORS[facts.slot % 3], request.digest()))


def test_bytes_say_what_was_built(town: Town) -> None:
    one, other = town.members[:2]
    made = built(one)
    assert other.door.read(made.body) == made.facts
    assert other.door.execute(made.body)


@pytest.mark.parametrize("body", [BlockBody(b"", b""), BlockBody(b"\xc0", b"\xc0")])
def test_bytes_that_are_no_block_are_none(town: Town, body: BlockBody) -> None:
    assert town.members[0].door.read(body) is None
    assert not town.members[0].door.execute(body)


def test_consensus_data_of_another_block_do_not_belong_to_it(town: Town) -> None:
    one = town.members[0]
    made, later = built(one), built(one, 101)
    assert one.door.read(BlockBody(made.body.block, later.body.consensus_data)) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"proposer": address_of(VALIDATORS[0])},
        {"original_round": 103},
        {"parent_certificate": b""},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_block_that_breaks_a_rule_of_the_engine_is_invalid(
    town: Town, changes: dict[str, object]
) -> None:  # ROT-5
    one, other = town.members[:2]
    assert not other.door.execute(built(one, 100, **changes).body)


def test_a_block_that_is_not_in_the_first_second_of_its_slot_is_invalid() -> None:  # ROT-4
    town = Town(interval_s=2)
    town.start()
    town.pass_slots(8)
    one = town.members[0]
    asked = wish(one, 100)
    right, late = (one.door.build(replace(asked, timestamp_s=asked.timestamp_s + more)) for more in (0, 1))
    assert (one.door.execute(right.body), one.door.execute(late.body)) == (True, False)


def test_a_range_is_read_up_to_what_does_not_stand_on_the_rest(town: Town) -> None:
    one = town.members[0]
    blocks = one.door.shelf.blocks(BlockRange(Height(1), 10**6))
    whole, is_odd = one.door.read_range(blocks)
    assert [sealed.facts.height for sealed, _ in whole] == [block + 1 for block in range(len(blocks))]
    assert not is_odd
    for odd in (blocks[5], CertifiedBlock(b"no block", b"", b""), replace(blocks[3], certificate=b"\xc0")):
        found, is_odd = one.door.read_range([*blocks[:3], odd])
        assert (len(found), is_odd) == (3, True)


def test_a_block_in_the_log_is_not_the_head_until_the_tags_move(town: Town) -> None:
    one = town.members[0]
    head = one.chain.head.hash
    made = built(one)
    one.door.record(fx.RecordBlock(made.facts.hash, seal_of(one, made), made.body))
    assert one.chain.head.hash == head
    header = one.chain.header(made.facts.hash)
    assert header is not None
    assert header.seal == seal_of(one, made).encode()


def test_a_move_that_failed_half_way_is_told_whole_when_it_succeeds(town: Town) -> None:
    one = town.members[0]
    town.part(0)
    raw = client_sends(0)
    one.submit(raw)
    one.fails = lambda effect: isinstance(effect, fx.MoveTags)
    town.pass_slots(5)
    tags = next(each for each in reversed(one.told) if isinstance(each, fx.MoveTags)).tags
    one.chain.set_head(tags.head)  # as far as a disk that then failed let it come
    moved = one.door.move(tags, [])
    assert keccak256(raw) in moved.included
    assert one.door.move(tags, []).included == []


def test_a_candidate_that_a_flush_let_go_is_executed_again_when_it_is_to_be_written(town: Town) -> None:
    one = town.members[0]
    made = built(one, 100)
    town.pass_slots(60)
    one.chain.flush()
    assert one.chain.header(made.facts.hash) is None
    record = fx.RecordBlock(made.facts.hash, seal_of(one, made), BlockBody(b"", b""))
    with pytest.raises(LookupError):
        one.door.record(record)
    one.door.record(replace(record, body=made.body))
    assert one.chain.header(made.facts.hash) is not None


def test_what_the_engine_asks_to_be_built_is_the_block_of_its_slot(town: Town) -> None:
    asked = [each for each in town.members[0].told if isinstance(each, fx.BuildSlotBlock)]
    slots = {each.data.original_round for each in asked}
    assert slots
    assert all(slot % 3 == 0 for slot in slots)
    assert all(each.timestamp_s == town.genesis.timestamp + each.data.original_round for each in asked)
