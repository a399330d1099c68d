"""Blocks on their way: who is asked for them, and what is kept."""

from __future__ import annotations

from coc.consensus.sync.messages import BlockBody
from coc.node.validator.blocks import BlockStash
from coc.primitives.limits_consensus import BLOCK_ASKED_PEERS_MAX, BLOCKS_UNDECIDED_MAX
from coc.primitives.types import Hash32, Height, PeerId

BODY = BlockBody(b"block", b"data")
PEERS = [PeerId(bytes([index]) * 32) for index in range(5)]


def name(index: int) -> Hash32:
    return Hash32(index.to_bytes(32, "big"))


def test_who_says_that_it_holds_a_block_is_asked_before_who_spoke_of_it() -> None:
    stash = BlockStash()
    stash.heard_of(name(1), PEERS[2])
    assert stash.seek(name(1), [PEERS[4]], PEERS) == [PEERS[4], PEERS[2]]


def test_where_nobody_spoke_of_a_block_anybody_is_asked() -> None:
    assert BlockStash().seek(name(1), [], PEERS[:1]) == [PEERS[0]]


def test_only_connected_peers_are_asked() -> None:
    stash = BlockStash()
    stash.heard_of(name(1), PEERS[0])
    assert stash.seek(name(1), [PEERS[1]], [PEERS[3]]) == [PEERS[3]]
    assert stash.seek(name(1), [], []) == []


def test_asking_again_goes_on_to_other_peers() -> None:
    stash = BlockStash()
    asked = [peer for _ in range(3) for peer in stash.seek(name(1), PEERS, PEERS)]
    assert len(asked) == 3 * BLOCK_ASKED_PEERS_MAX
    assert set(asked) == set(PEERS)


def test_a_block_that_is_here_is_not_sought() -> None:
    stash = BlockStash()
    stash.seek(name(1), [], PEERS)
    assert stash.is_sought(name(1))
    stash.keep(name(1), Height(1), BODY)
    assert not stash.is_sought(name(1))
    assert stash.body(name(1)) == BODY


def test_the_oldest_blocks_make_room() -> None:
    stash = BlockStash()
    for index in range(BLOCKS_UNDECIDED_MAX + 1):
        stash.keep(name(index), Height(1), BODY)
        stash.heard_of(name(1_000 + index), PEERS[0])
        stash.seek(name(2_000 + index), [], PEERS)
    assert stash.body(name(0)) is None
    assert stash.body(name(1)) == BODY
    assert len(stash.kept) == len(stash.sources) == len(stash.sought) == BLOCKS_UNDECIDED_MAX


def test_a_new_height_forgets_the_blocks_of_earlier_ones() -> None:
    stash = BlockStash()
    stash.keep(name(1), Height(4), BODY)
    stash.keep(name(2), Height(5), BODY)
    stash.opened(Height(5))
    assert stash.body(name(1)) is None
    assert stash.body(name(2)) == BODY
