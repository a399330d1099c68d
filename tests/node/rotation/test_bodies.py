"""The bytes of blocks on their way are bounded, and the ones that are needed first stay."""

from __future__ import annotations

from coc.consensus.rotation.rules import BlockFacts
from coc.consensus.sync.messages import BlockBody
from coc.node.rotation.bodies import Bodies
from coc.primitives.limits_consensus import BLOCK_ASKED_PEERS_MAX
from coc.primitives.limits_rotation import BODIES_BYTES_MAX, PENDING_BLOCKS_MAX
from coc.primitives.types import Hash32, Height, PeerId

MEGABYTE = 1024 * 1024
PEERS = [PeerId(bytes([number]) * 32) for number in range(5)]


def facts(number: int) -> BlockFacts:
    return BlockFacts(name(number), name(max(0, number - 1)), Height(number), number, None)


def name(number: int) -> Hash32:
    return Hash32(number.to_bytes(32, "big"))


def test_bodies_bytes_max_are_kept_and_the_highest_block_makes_room() -> None:
    bodies = Bodies()
    count = BODIES_BYTES_MAX // MEGABYTE
    for number in range(count, 0, -1):
        bodies.keep(facts(number), BlockBody(bytes(MEGABYTE), b""))
    assert len(bodies.kept) == count
    assert bodies.is_half_full
    bodies.keep(facts(0), BlockBody(b"", b"x"))
    assert bodies.get(name(0)) is not None
    assert bodies.get(name(count)) is None
    assert bodies.size == sum(each.size for each in bodies.kept.values()) <= BODIES_BYTES_MAX


def test_a_block_larger_than_everything_is_kept_alone() -> None:
    bodies = Bodies()
    bodies.keep(facts(1), BlockBody(bytes(BODIES_BYTES_MAX + 1), b""))
    assert bodies.get(name(1)) is not None


def test_what_is_no_longer_on_its_way_is_let_go() -> None:
    bodies = Bodies()
    bodies.keep(facts(1), BlockBody(b"one", b""))
    bodies.keep(facts(2), BlockBody(b"two", b""))
    bodies.seek(name(3), (), PEERS)
    bodies.tidy(lambda block: block == name(2))
    assert (list(bodies.kept), bodies.sought, bodies.size) == ([name(2)], {}, 3)


def test_each_time_the_peers_that_come_next_are_asked_and_only_connected_ones() -> None:
    bodies = Bodies()
    asked = [bodies.seek(name(1), PEERS[:3], PEERS[1:]) for _ in range(2)]
    assert asked == [PEERS[1:3], PEERS[1:3]]
    assert bodies.seek(name(2), PEERS[:1], PEERS[1:]) == PEERS[1 : 1 + BLOCK_ASKED_PEERS_MAX]
    assert bodies.seek(name(2), (), PEERS[1:]) == PEERS[3:5]
    assert bodies.seek(name(4), PEERS, ()) == []


def test_blocks_that_are_sought_are_bounded() -> None:
    bodies = Bodies()
    for number in range(PENDING_BLOCKS_MAX + 1):
        bodies.seek(name(number), (), PEERS)
    assert len(bodies.sought) == PENDING_BLOCKS_MAX
    assert not bodies.is_sought(name(0))
