"""What peers of a rotation node may send, and what it makes of it."""

from __future__ import annotations

import pytest

from coc.consensus.rotation.messages import Status, decode_message, encode_message
from coc.consensus.sync.messages import BlockRange, encode_blocks, encode_body
from coc.node.rotation import effects as fx
from coc.node.validator.effects import Misbehaved, Send, SendAll, Sign
from coc.node.validator.inputs import MessageReceived, PeerUp
from coc.primitives.frozen import replace
from coc.primitives.types import Hash32, Height, PeerId
from coc.primitives.votes import Proposal
from coc.wire import kinds
from tests.node.rotation.town import Member, Town

STRANGER = PeerId(b"\x77" * 32)


@pytest.fixture
def town() -> Town:
    made = Town()
    made.start()
    made.pass_slots(8)
    return made


def hears(member: Member, kind: int, payload: bytes) -> list[fx.Effect]:
    """What a node asks for when a stranger sends a message."""
    member.told.clear()
    member.feed(MessageReceived(STRANGER, kind, payload))
    return list(member.told)


@pytest.mark.parametrize(
    "kind",
    [kinds.CONSENSUS.number, kinds.GET_BLOCK.number, kinds.GET_BLOCKS.number, kinds.TRANSACTIONS.number],
)
def test_a_message_that_cannot_be_read_is_its_senders_fault(town: Town, kind: int) -> None:  # ROT-26
    (effect,) = hears(town.members[0], kind, b"\xff\xff")
    assert isinstance(effect, Misbehaved)
    assert effect.peer == STRANGER


def test_blocks_that_nobody_asked_for_are_not_even_read(town: Town) -> None:
    one = town.members[0]
    blocks = one.door.shelf.blocks(BlockRange(Height(1), 10**6))
    assert hears(one, kinds.BLOCKS.number, encode_blocks(blocks)) == []
    body = one.door.shelf.body(town.members[1].node.engine.head.hash)
    assert body is not None
    assert hears(one, kinds.BLOCK.number, encode_body(body)) == []
    assert hears(one, kinds.NO_BLOCK.number, bytes(32)) == []


def test_a_new_peer_is_told_at_once_where_the_node_stands(town: Town) -> None:  # ROT-19
    one = town.members[0]
    one.told.clear()
    one.feed(PeerUp(STRANGER))
    told = [
        each.payload for each in one.told if isinstance(each, Send) and each.kind == kinds.CONSENSUS.number
    ]
    status = decode_message(told[0])
    assert isinstance(status, Status)
    assert status.head is not None
    assert (status.head.block, status.final) == (one.chain.head.hash, one.chain.finalized.number)


def test_the_goal_is_the_highest_head_that_a_connected_peer_spoke_of(town: Town) -> None:
    one = town.members[0]
    town.part(0)
    town.pass_slots(12)
    assert one.node.goal == one.chain.head.number
    town.part()
    assert one.node.goal == one.chain.head.number
    town.pass_slots(2)
    assert one.node.goal >= town.members[1].chain.head.number - 1


def test_a_head_that_nobody_sealed_is_no_goal(town: Town) -> None:  # ROT-14
    one, other = town.members[:2]
    seal = other.node.engine.status.head
    assert seal is not None
    forged = Status(replace(seal, height=Height(10**6), block=Hash32(b"\x66" * 32)), Height(0))
    (effect,) = hears(one, kinds.CONSENSUS.number, encode_message(forged))
    assert isinstance(effect, Misbehaved)
    assert one.node.goal < 100


def test_a_block_whose_intent_was_durable_is_signed_after_the_restart(town: Town) -> None:  # ROT-10
    one = town.members[0]
    one.fails = lambda effect: isinstance(effect, Sign)
    while not (unsigned := [each for each in one.told if isinstance(each, Sign)]) or not one.is_mute:
        town.pass_slots(1)
    request = unsigned[-1].request
    one.lose_power()
    one.fails = lambda effect: False
    one.told.clear()
    one.start()
    signed = [each.request for each in one.told if isinstance(each, Sign)]
    assert signed[0] == request
    assert one.chain.header(request.block or b"") is not None
    town.pass_slots(6)
    assert len(town.heads()) == 1


def test_a_seal_that_its_proposer_did_not_make_is_reported(town: Town) -> None:  # ROT-14
    one, other = town.members[:2]
    announced = [decode_message(each.payload) for each in other.told if isinstance(each, SendAll)]
    seal = [each for each in announced if isinstance(each, Proposal)][-1]
    forged = replace(seal, block=Hash32(b"\x66" * 32), height=Height(seal.height + 1))
    (effect,) = hears(one, kinds.CONSENSUS.number, encode_message(forged))
    assert isinstance(effect, Misbehaved)
