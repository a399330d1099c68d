"""Nodes that take turns: they agree without a fault, come together after a split, and keep what was final."""

from __future__ import annotations

import pytest

from coc.consensus.rotation.messages import Status, decode_message
from coc.execution.mempool.effects import Added
from coc.node.rotation import effects as fx
from coc.node.rotation.engine_side import FINALITY
from coc.node.validator.effects import Alarm, Misbehaved, Send, SendAll
from coc.primitives.keccak import keccak256
from coc.primitives.limits_consensus import BLOCK_REPLY_BLOCKS_MAX
from coc.primitives.limits_rotation import PENDING_BLOCKS_MAX
from coc.primitives.secp256k1 import address_of
from coc.wire import kinds
from tests.node.rotation.town import CLIENT, Town, client_sends


@pytest.fixture
def town() -> Town:
    made = Town()
    made.start()
    return made


def accusations(town: Town) -> list[Misbehaved]:
    return [each for member in town.members for each in member.told if isinstance(each, Misbehaved)]


def test_blocks_come_in_turns_and_become_final_at_every_node(town: Town) -> None:  # ROT-2, ROT-21
    town.pass_slots(20)
    one = town.members[0].chain
    assert len(town.heads()) == 1
    assert one.head.number >= 18
    assert one.finalized.number == one.head.number - 3
    assert {one.header(one.canonical_hash(n) or b"").coinbase for n in (5, 6, 7)} == {  # type: ignore[union-attr]
        entry.fee_recipient for entry in town.rules.validators.validators
    }
    assert accusations(town) == []


def test_a_transaction_reaches_a_block_whoever_was_given_it(town: Town) -> None:
    raw = client_sends(0)
    town.pass_slots(2)
    town.members[1].submit(raw)
    town.pass_slots(5)
    for member in town.members:
        assert member.chain.find_transaction(keccak256(raw)) is not None
        assert member.waiting() == []


def test_who_was_cut_off_gives_its_branch_up_and_its_transactions_wait_again(town: Town) -> None:  # FC-2
    town.pass_slots(6)
    town.part(0)
    alone, others = town.members[0], town.members[1:]
    raw = client_sends(0)
    alone.submit(raw)
    town.pass_slots(12)
    taken_back = alone.chain.find_transaction(keccak256(raw))
    assert taken_back is not None, "it was in a block of the short branch"
    final_alone = alone.chain.finalized.number
    assert alone.chain.head.hash != others[0].chain.head.hash
    alone.told.clear()

    town.part()
    town.pass_slots(2)

    assert len(town.heads()) == 1
    assert alone.chain.canonical_hash(alone.chain.header(taken_back[0]).number) != taken_back[0]  # type: ignore[union-attr]
    assert raw in [each.transaction.raw for each in alone.told if isinstance(each, Added)]
    assert alone.chain.finalized.number >= final_alone
    town.pass_slots(6)
    again = [member.chain.find_transaction(keccak256(raw)) for member in town.members]
    assert None not in again
    assert len(set(again)) == 1
    assert accusations(town) == []


def test_nothing_is_final_without_two_thirds_and_the_node_says_so(town: Town) -> None:  # ROT-21
    town.pass_slots(6)
    town.part(0)
    alone = town.members[0]
    final = alone.chain.finalized.hash
    town.pass_slots(60)
    assert alone.chain.finalized.hash == final
    assert alone.chain.head.number > 15
    said = [each.reason for each in alone.told if isinstance(each, Alarm) and each.part == FINALITY]
    assert "are not final" in said[-1]
    town.part()
    town.pass_slots(6)
    said = [each.reason for each in alone.told if isinstance(each, Alarm) and each.part == FINALITY]
    assert said[-1] == ""


def test_who_was_away_for_hundreds_of_blocks_catches_up(town: Town) -> None:  # ROT-20
    town.pass_slots(3)
    away = town.members[2]
    town.part(2)
    away.is_up = False
    town.pass_slots(420)
    away.is_up = True
    town.part()
    away.lose_power()
    away.start()
    assert town.members[0].chain.head.number > 270
    town.pass_slots(12)
    assert len(town.heads()) == 1
    assert away.chain.finalized.number > 270
    assert accusations(town) == []


def test_who_cannot_keep_up_with_what_it_asks_for_asks_for_less() -> None:  # ROT-16, ROT-20
    town = Town(4)
    town.start()
    town.pass_slots(3)
    town.part(3)
    away = town.members[3]
    away.lose_power()
    town.pass_slots(1_100)
    away.start()
    away.fails = lambda effect: isinstance(effect, fx.JudgeBlock)
    town.part()
    town.pass_slots(12)
    asked = [each for each in away.told if isinstance(each, Send) and each.kind == kinds.GET_BLOCKS.number]
    assert 0 < len(asked) * BLOCK_REPLY_BLOCKS_MAX <= PENDING_BLOCKS_MAX
    assert away.chain.head.number < 5
    away.told.clear()
    away.fails = lambda effect: False
    town.pass_slots(12)
    assert len(town.heads()) == 1
    assert away.chain.finalized.number > 750
    one_by_one = [
        each for each in away.told if isinstance(each, Send) and each.kind == kinds.GET_BLOCK.number
    ]
    assert len(one_by_one) < 100, "blocks that were here are not asked for again"
    assert accusations(town) == []


def test_all_restarted_at_once_find_what_was_final_and_go_on(town: Town) -> None:  # ROT-23
    town.pass_slots(12)
    before = [(m.chain.finalized.hash, m.chain.head.number) for m in town.members]
    for member in town.members:
        member.lose_power()
    for member in town.members:
        member.start()
    after = [(m.chain.finalized.hash, m.chain.head.number) for m in town.members]
    assert after == before
    town.pass_slots(8)
    assert len(town.heads()) == 1
    for member, (final, height) in zip(town.members, before, strict=True):
        found = member.chain.header(final)
        assert found is not None
        assert member.chain.canonical_hash(found.number) == final
        assert member.chain.head.number > height


def test_a_restart_on_another_branch_goes_back_to_the_one_that_is_final(town: Town) -> None:  # ROT-23
    town.pass_slots(6)
    one = town.members[0]
    beside = one.chain.canonical_hash(one.chain.finalized.number - 1)
    assert beside is not None
    final = one.chain.finalized.hash
    for member in town.members:
        assert member.door.header(final) is not None
    one.chain.set_head(beside)
    one.chain.flush()  # so that the next start stands below the final block
    one.lose_power()
    one.start()
    height = one.chain.header(final).number  # type: ignore[union-attr]
    assert (one.chain.finalized.hash, one.chain.canonical_hash(height)) == (final, final)


def test_a_validator_that_runs_twice_is_named_and_parts_nobody() -> None:  # ROT-25, FC-4
    town = Town(twins=1)
    town.start()
    town.members[3].submit(client_sends(0))
    town.pass_slots(30)
    assert len(town.heads()) == 1
    assert {member.chain.finalized.number > 15 for member in town.members} == {True}
    for member in town.members:
        seen = [each for each in member.told if isinstance(each, fx.DoubleSealSeen)]
        named = {each.evidence.first.validator for each in seen} | {
            each.first.validator for each in member.node.engine.evidence
        }
        assert named == {town.rules.validators.validators[0].id}


def test_a_disk_that_is_full_delays_blocks_and_loses_none(town: Town) -> None:
    town.pass_slots(6)
    full = town.members[1]
    for kind in (fx.JudgeBlock, fx.RecordBlock, fx.MoveTags):
        full.fails = lambda effect, kind=kind: isinstance(effect, kind)  # type: ignore[misc]
        stood = full.chain.head.number
        town.pass_slots(4)
        assert full.chain.head.number == stood
        full.fails = lambda effect: False
        town.pass_slots(4)
        assert len(town.heads()) == 1
        assert full.chain.head.number > stood + 4
    assert accusations(town) == []


def test_the_pool_stands_on_the_head_after_it_moved_to_another_branch(town: Town) -> None:
    town.pass_slots(4)
    town.part(0)
    alone = town.members[0]
    alone.submit(client_sends(0))
    town.pass_slots(6)
    town.members[1].submit(client_sends(0))
    town.pass_slots(4)
    town.part()
    town.pass_slots(6)
    assert len(town.heads()) == 1
    for member in town.members:
        assert member.node.pool.head.hash == member.chain.head.hash
        assert member.waiting() == []
        assert member.chain.account(member.chain.head.hash, address_of(CLIENT))[0] == 1


def test_nobody_hears_of_a_final_block_whose_name_could_not_be_written(town: Town) -> None:  # ROT-23
    town.pass_slots(8)
    one = town.members[1]
    written = one.chain.finalized.number
    one.fails = lambda effect: isinstance(effect, fx.MoveTags)
    one.told.clear()
    town.pass_slots(6)
    said = [decode_message(each.payload) for each in one.told if isinstance(each, SendAll)]
    finals = [each.final for each in said if isinstance(each, Status)]
    assert one.node.engine.final.height > written
    assert set(finals) == {written}


def test_a_start_on_another_branch_brings_back_what_only_the_one_it_left_had(town: Town) -> None:  # FC-2
    town.pass_slots(4)
    town.part(0)
    alone = town.members[0]
    raw = client_sends(0)
    alone.submit(raw)
    town.pass_slots(8)
    alone.lose_power()
    alone.start()  # a start forgets what a block has taken
    assert alone.chain.find_transaction(keccak256(raw)) is not None
    left = alone.chain.head.hash
    alone.fails = lambda effect: isinstance(effect, fx.MoveTags)
    town.part()
    town.pass_slots(2)
    assert alone.chain.head.hash == left, "the other branch is in the log, and the head is not on it"

    alone.lose_power()
    alone.fails = lambda effect: False
    alone.start()

    assert alone.chain.canonical_hash(alone.door.header(left).number) != left  # type: ignore[union-attr]
    assert alone.waiting() == [raw]
