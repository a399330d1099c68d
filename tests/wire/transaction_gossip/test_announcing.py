"""What the pool takes is told to whoever lacks it, in batches; answers are bounded."""

from __future__ import annotations

from coc.primitives.limits import MEMPOOL_TRANSACTION_BYTES_MAX
from coc.primitives.limits_wire import (
    GOSSIP_ANNOUNCED_HASHES_MAX,
    GOSSIP_FLUSH_MS,
    GOSSIP_LOOKUPS_PER_PEER_MAX,
    GOSSIP_NEWCOMER_HASHES_MAX,
    GOSSIP_PEER_KNOWN_HASHES_MAX,
    GOSSIP_REPLY_BYTES_MAX,
    WIRE_TRANSACTIONS_BYTES_MAX,
)
from coc.primitives.types import Hash32
from coc.wire.kinds import ANNOUNCE_TRANSACTIONS, TRANSACTIONS
from coc.wire.transaction_gossip import effects as fx
from coc.wire.transaction_gossip import inputs as ev
from coc.wire.transaction_gossip.codec import decode_announcement, decode_transactions
from tests.wire.transaction_gossip.playbook import (
    ANNA,
    BERT,
    CARL,
    Playbook,
    announced,
    hash_of,
    hashes,
    of_kind,
    raw,
)


def test_new_transactions_are_announced_together_after_a_moment() -> None:  # WIRE-31
    stage = Playbook(ANNA, BERT)
    assert stage.add(1, 2) == []
    assert stage.run(GOSSIP_FLUSH_MS - 1) == []

    assert announced(stage.run(1)) == {ANNA: [*hashes(1, 2)], BERT: [*hashes(1, 2)]}
    assert stage.run(10 * GOSSIP_FLUSH_MS) == []


def test_a_full_batch_does_not_wait() -> None:  # WIRE-31
    stage = Playbook(ANNA)
    assert stage.add(*range(GOSSIP_ANNOUNCED_HASHES_MAX - 1)) == []

    assert len(announced(stage.add(10_000))[ANNA]) == GOSSIP_ANNOUNCED_HASHES_MAX
    assert stage.run(GOSSIP_FLUSH_MS) == []


def test_nobody_is_told_what_it_has_told_us() -> None:  # WIRE-31
    stage = Playbook(ANNA, BERT)
    stage.announce(ANNA, 1)
    stage.deliver(ANNA, 1)
    stage.add(1, 2)

    assert announced(stage.run(GOSSIP_FLUSH_MS)) == {ANNA: [hash_of(2)], BERT: [*hashes(1, 2)]}


def test_nobody_is_told_twice() -> None:
    stage = Playbook(ANNA)
    stage.add(1)
    stage.run(GOSSIP_FLUSH_MS)
    stage.add(1)

    assert stage.run(GOSSIP_FLUSH_MS) == []


def test_what_a_peer_knows_is_remembered_within_bounds() -> None:  # WIRE-34
    stage = Playbook(ANNA)
    for start in range(0, GOSSIP_PEER_KNOWN_HASHES_MAX + 1, GOSSIP_ANNOUNCED_HASHES_MAX):
        stage.add(*range(start, start + GOSSIP_ANNOUNCED_HASHES_MAX))
    assert len(stage.gossip._core.talks[ANNA].knows) == GOSSIP_PEER_KNOWN_HASHES_MAX
    newest = GOSSIP_PEER_KNOWN_HASHES_MAX

    stage.add(newest)
    assert stage.run(GOSSIP_FLUSH_MS) == []
    stage.add(0)
    assert announced(stage.run(GOSSIP_FLUSH_MS)) == {ANNA: [hash_of(0)]}


def test_a_newcomer_hears_of_what_waits_in_the_pool() -> None:  # WIRE-36
    stage = Playbook()
    waiting = tuple(Hash32(number.to_bytes(32, "big")) for number in range(GOSSIP_NEWCOMER_HASHES_MAX + 100))
    effects = stage.feed(ev.PeerCame(ANNA, waiting))

    assert announced(effects)[ANNA] == [*waiting[100:]]
    assert len(effects) == GOSSIP_NEWCOMER_HASHES_MAX // GOSSIP_ANNOUNCED_HASHES_MAX
    assert all(
        len(decode_announcement(send.payload)) <= GOSSIP_ANNOUNCED_HASHES_MAX
        for send in of_kind(effects, fx.Send)
        if send.kind is ANNOUNCE_TRANSACTIONS
    )
    assert stage.feed(ev.PeerCame(BERT)) == []


def test_who_has_left_is_told_nothing() -> None:
    stage = Playbook(ANNA, BERT)
    stage.add(1)
    stage.feed(ev.PeerGone(BERT))
    stage.feed(ev.PeerGone(CARL))

    assert announced(stage.run(GOSSIP_FLUSH_MS)) == {ANNA: [hash_of(1)]}


# ── Answers ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_asked_for_is_looked_up_and_sent() -> None:  # WIRE-34
    stage = Playbook(ANNA)
    assert stage.feed(ev.Requested(ANNA, hashes(1, 2, 3))) == [fx.Lookup(ANNA, hashes(1, 2, 3))]
    (send,) = of_kind(stage.feed(ev.LookedUp(ANNA, (raw(1), raw(3)))), fx.Send)

    assert (send.peer, send.kind) == (ANNA, TRANSACTIONS)
    assert decode_transactions(send.payload) == (raw(1), raw(3))


def test_having_nothing_is_said_too() -> None:
    stage = Playbook(ANNA)
    stage.feed(ev.Requested(ANNA, hashes(1)))
    (send,) = of_kind(stage.feed(ev.LookedUp(ANNA, ())), fx.Send)

    assert decode_transactions(send.payload) == ()


def test_an_answer_stops_when_it_is_large_and_always_fits_a_frame() -> None:  # WIRE-34
    stage = Playbook(ANNA)
    large = tuple(raw(number, MEMPOOL_TRANSACTION_BYTES_MAX) for number in range(30))
    stage.feed(ev.Requested(ANNA, tuple(hash_of(number, len(large[0])) for number in range(30))))
    (send,) = of_kind(stage.feed(ev.LookedUp(ANNA, large)), fx.Send)

    assert len(send.payload) <= WIRE_TRANSACTIONS_BYTES_MAX
    assert decode_transactions(send.payload) == large[: GOSSIP_REPLY_BYTES_MAX // len(large[0])]


def test_who_asks_without_waiting_is_blamed() -> None:  # WIRE-34
    stage = Playbook(ANNA)
    for number in range(GOSSIP_LOOKUPS_PER_PEER_MAX):
        assert of_kind(stage.feed(ev.Requested(ANNA, hashes(number))), fx.Lookup)
    (blame,) = stage.feed(ev.Requested(ANNA, hashes(99)))
    assert isinstance(blame, fx.Misbehaved)
    stage.feed(ev.LookedUp(ANNA, ()))

    assert of_kind(stage.feed(ev.Requested(ANNA, hashes(99))), fx.Lookup)


def test_answers_for_peers_that_left_are_dropped() -> None:
    stage = Playbook(ANNA)
    stage.feed(ev.Requested(ANNA, hashes(1)))
    stage.feed(ev.PeerGone(ANNA))

    assert stage.feed(ev.LookedUp(ANNA, (raw(1),))) == []
    assert stage.feed(ev.Requested(ANNA, hashes(1))) == []
    assert stage.announce(ANNA, 1) == []
    assert stage.deliver(ANNA, 1) == []
