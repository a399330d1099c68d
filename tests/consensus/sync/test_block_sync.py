"""Catching up by ranges: who is asked, what is adopted in which order, and what becomes of bad answers.

BSYNC-1, BSYNC-2, BSYNC-4, BSYNC-5.
"""

from __future__ import annotations

from typing import TypeVar

from coc.consensus.sync.block_sync import (
    Adopt,
    Adopted,
    Ask,
    BlocksReceived,
    BlockSync,
    Effect,
    Input,
    Misbehaved,
    PeerAhead,
    PeerLeft,
    Refused,
    SetTimer,
    Stuck,
    TimerFired,
)
from coc.consensus.sync.messages import BlockRange, CertifiedBlock
from coc.primitives.limits_consensus import BLOCK_REPLY_BYTES_MAX, SYNC_ANSWER_MS_MAX, SYNC_PEERS_MAX
from coc.primitives.types import Height, Millis, PeerId

E = TypeVar("E")
ONE, TWO = PeerId(b"1" * 32), PeerId(b"2" * 32)


class Stage:
    def __init__(self, height: int = 1) -> None:
        self.machine = BlockSync(Height(height))
        self.now_ms = 0

    def feed(self, event: Input) -> list[Effect]:
        return self.machine.step(Millis(self.now_ms), event)

    def only(self, event: Input, kind: type[E]) -> list[E]:
        return [effect for effect in self.feed(event) if isinstance(effect, kind)]


def blocks(count: int) -> tuple[CertifiedBlock, ...]:
    return tuple(CertifiedBlock(b"block %d" % index, b"", b"") for index in range(count))


def test_one_height_behind_is_the_engines_affair() -> None:
    assert Stage(5).only(PeerAhead(ONE, Height(6)), Ask) == []


def test_a_node_further_behind_asks_for_what_it_lacks() -> None:
    asked = Stage(5).only(PeerAhead(ONE, Height(9)), Ask)
    assert asked == [Ask(ONE, BlockRange(Height(5), BLOCK_REPLY_BYTES_MAX))]


def test_the_next_range_is_asked_for_while_the_last_one_is_adopted() -> None:
    stage = Stage()
    stage.feed(PeerAhead(ONE, Height(100)))
    received = stage.feed(BlocksReceived(ONE, blocks(10)))
    assert [effect for effect in received if isinstance(effect, Adopt)] == [Adopt(ONE, blocks(10))]
    assert Ask(ONE, BlockRange(Height(11), BLOCK_REPLY_BYTES_MAX)) in received


def test_what_comes_during_an_adoption_waits_for_its_end() -> None:
    stage = Stage()
    stage.feed(PeerAhead(ONE, Height(100)))
    stage.feed(BlocksReceived(ONE, blocks(10)))
    assert stage.only(BlocksReceived(ONE, blocks(7)), Adopt) == []
    assert stage.only(Adopted(Height(11)), Adopt) == [Adopt(ONE, blocks(7))]


def test_blocks_that_nobody_asked_for_are_not_adopted() -> None:
    stage = Stage()
    assert stage.feed(BlocksReceived(ONE, blocks(3))) == []
    stage.feed(PeerAhead(ONE, Height(9)))
    assert stage.only(BlocksReceived(TWO, blocks(3)), Adopt) == []


def test_a_peer_that_gives_nothing_or_too_late_is_passed_over_for_another() -> None:
    stage = Stage()
    stage.feed(PeerAhead(ONE, Height(9)))
    stage.feed(PeerAhead(TWO, Height(9)))
    assert [ask.peer for ask in stage.only(BlocksReceived(ONE, ()), Ask)] == [TWO]
    stage.now_ms += SYNC_ANSWER_MS_MAX
    assert stage.only(TimerFired(), Ask) == []
    assert not stage.machine.is_behind
    assert [ask.peer for ask in stage.only(PeerAhead(ONE, Height(9)), Ask)] == [ONE]


def test_a_timer_that_is_early_changes_nothing() -> None:
    stage = Stage()
    stage.feed(PeerAhead(ONE, Height(9)))
    stage.now_ms += SYNC_ANSWER_MS_MAX - 1
    assert stage.feed(TimerFired()) == []


def test_blocks_that_prove_nothing_cost_their_sender_and_others_are_asked_from_there() -> None:
    stage = Stage()
    stage.feed(PeerAhead(ONE, Height(9)))
    stage.feed(PeerAhead(TWO, Height(9)))
    stage.feed(BlocksReceived(ONE, blocks(4)))
    stage.feed(PeerLeft(TWO))
    stage.feed(PeerAhead(TWO, Height(9)))
    effects = stage.feed(Refused(ONE, "a certificate that proves nothing"))
    assert Misbehaved(ONE, "a certificate that proves nothing") in effects
    assert Ask(TWO, BlockRange(Height(1), BLOCK_REPLY_BYTES_MAX)) in effects


def test_a_machine_that_cannot_write_tries_again_later_from_where_it_is() -> None:
    stage = Stage()
    stage.feed(PeerAhead(ONE, Height(9)))
    stage.feed(BlocksReceived(ONE, blocks(4)))
    stage.feed(PeerLeft(ONE))
    assert stage.feed(Stuck()) == [SetTimer(Millis(SYNC_ANSWER_MS_MAX))]
    assert stage.only(PeerAhead(TWO, Height(9)), Ask)[0].wish.first == 1


def test_it_ends_when_nobody_is_further() -> None:
    stage = Stage()
    stage.feed(PeerAhead(ONE, Height(4)))
    stage.feed(BlocksReceived(ONE, blocks(3)))
    stage.feed(Adopted(Height(4)))
    assert not stage.machine.is_behind
    assert stage.machine.goal == 4


def test_a_bounded_number_of_peers_is_remembered() -> None:
    stage = Stage()
    for index in range(SYNC_PEERS_MAX + 5):
        stage.feed(PeerAhead(PeerId(index.to_bytes(32, "big")), Height(9)))
    assert len(stage.machine.ahead) == SYNC_PEERS_MAX
