"""What is announced is fetched once, from whoever has it, and nobody can keep it from us."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coc.primitives import rlp
from coc.primitives.limits import MEMPOOL_TRANSACTION_BYTES_MAX
from coc.primitives.limits_wire import (
    GOSSIP_ANNOUNCED_HASHES_MAX,
    GOSSIP_ANNOUNCERS_PER_HASH_MAX,
    GOSSIP_FETCH_MS_MAX,
    GOSSIP_KNOWN_HASHES_MAX,
    GOSSIP_REFUSED_HASHES_MAX,
    GOSSIP_REFUSED_MS,
    GOSSIP_REQUEST_HASHES_MAX,
    GOSSIP_WANTED_HASHES_MAX,
    GOSSIP_WANTED_PER_PEER_HASHES_MAX,
)
from coc.primitives.types import Hash32, PeerId
from coc.wire.errors import RemoteError
from coc.wire.transaction_gossip import effects as fx
from coc.wire.transaction_gossip import inputs as ev
from coc.wire.transaction_gossip.codec import (
    decode_announcement,
    decode_request,
    decode_transactions,
    encode_hashes,
    encode_transactions,
)
from tests.wire.fakes import unhurried
from tests.wire.transaction_gossip.playbook import (
    ANNA,
    BERT,
    CARL,
    Playbook,
    asked,
    hash_of,
    hashes,
    of_kind,
    raw,
)


def submitted(effects: list[fx.Effect]) -> list[bytes]:
    return [one for effect in of_kind(effects, fx.Submit) for one in effect.raws]


def test_an_unknown_transaction_is_asked_of_its_announcer_and_handed_to_the_pool() -> None:  # WIRE-32
    stage = Playbook(ANNA)
    assert asked(stage.announce(ANNA, 1, 2)) == {ANNA: hashes(1, 2)}

    assert stage.deliver(ANNA, 1, 2) == [fx.Submit(ANNA, (raw(1), raw(2)))]


def test_one_announcer_is_asked_at_a_time() -> None:  # WIRE-32
    stage = Playbook(ANNA, BERT)
    stage.announce(ANNA, 1)

    assert stage.announce(BERT, 1) == []


def test_the_next_announcer_is_asked_when_the_first_is_late() -> None:  # WIRE-32
    stage = Playbook(ANNA, BERT, CARL)
    for peer in (ANNA, BERT, CARL):
        stage.announce(peer, 1)
    assert stage.run(GOSSIP_FETCH_MS_MAX - 1) == []
    assert asked(stage.run(1)) == {BERT: hashes(1)}
    assert asked(stage.run(GOSSIP_FETCH_MS_MAX)) == {CARL: hashes(1)}

    assert submitted(stage.deliver(CARL, 1)) == [raw(1)]


def test_the_next_announcer_is_asked_when_the_first_leaves() -> None:  # WIRE-32
    stage = Playbook(ANNA, BERT)
    stage.announce(ANNA, 1)
    stage.announce(BERT, 1)

    assert asked(stage.feed(ev.PeerGone(ANNA))) == {BERT: hashes(1)}


def test_the_next_announcer_is_asked_when_the_first_has_it_no_more() -> None:  # WIRE-32
    stage = Playbook(ANNA, BERT)
    stage.announce(ANNA, 1)
    stage.announce(BERT, 1)

    assert asked(stage.deliver(ANNA)) == {BERT: hashes(1)}
    assert stage.deliver(BERT) == []
    assert asked(stage.announce(ANNA, 1)) == {ANNA: hashes(1)}


def test_what_did_not_fit_is_asked_for_again_and_what_was_passed_over_is_not() -> None:  # WIRE-32
    stage = Playbook(ANNA)
    stage.announce(ANNA, 1, 2, 3, 4)
    effects = stage.deliver(ANNA, 1, 3)

    assert submitted(effects) == [raw(1), raw(3)]
    assert asked(effects) == {ANNA: hashes(4)}


def test_a_peer_has_one_request_at_a_time_and_the_next_follows() -> None:  # WIRE-32
    stage = Playbook(ANNA)
    count = GOSSIP_REQUEST_HASHES_MAX + 5
    assert len(asked(stage.announce(ANNA, *range(count)))[ANNA]) == GOSSIP_REQUEST_HASHES_MAX
    assert stage.announce(ANNA, 999) == []
    effects = stage.deliver(ANNA, *range(GOSSIP_REQUEST_HASHES_MAX))

    assert len(submitted(effects)) == GOSSIP_REQUEST_HASHES_MAX
    assert asked(effects)[ANNA] == hashes(*range(count - 5, count), 999)


def test_a_late_answer_is_taken_once_and_nothing_new_is_asked_before_it() -> None:  # WIRE-35
    stage = Playbook(ANNA)
    stage.announce(ANNA, 1)
    stage.run(GOSSIP_FETCH_MS_MAX)
    assert stage.announce(ANNA, 2) == []
    effects = stage.deliver(ANNA, 1)

    assert of_kind(effects, fx.Misbehaved) == []
    assert asked(effects) == {ANNA: hashes(2)}
    stage.deliver(ANNA, 2)
    assert len(of_kind(stage.deliver(ANNA, 1), fx.Misbehaved)) == 1


def test_a_late_copy_of_what_is_still_wanted_is_used() -> None:
    stage = Playbook(ANNA, BERT)
    stage.announce(ANNA, 1)
    stage.announce(BERT, 1)
    stage.run(GOSSIP_FETCH_MS_MAX)

    assert submitted(stage.deliver(ANNA, 1)) == [raw(1)]
    assert stage.deliver(BERT, 1) == []


# ── The pool has the last word ──────────────────────────────────────────────────────────────────────────────


def test_what_the_pool_has_or_looks_at_is_not_fetched_again() -> None:  # WIRE-33
    stage = Playbook(ANNA, BERT)
    stage.announce(ANNA, 1)
    stage.deliver(ANNA, 1)
    assert stage.announce(BERT, 1) == []
    stage.add(1, 2)

    assert stage.announce(BERT, 1, 2) == []


def test_a_transaction_of_our_own_ends_the_wish_for_it() -> None:
    stage = Playbook(ANNA, BERT)
    stage.announce(ANNA, 1)
    stage.announce(BERT, 1)
    stage.add(1)

    assert stage.run(2 * GOSSIP_FETCH_MS_MAX) == []
    assert stage.deliver(ANNA, 1) == []


def test_a_bad_copy_never_keeps_a_good_one_out() -> None:  # WIRE-33
    stage = Playbook(ANNA, BERT)
    stage.announce(ANNA, 1)
    stage.announce(BERT, 1)
    effects = stage.feed(ev.Delivered(ANNA, (raw(1)[:-1] + b"\1",)))
    assert submitted(effects) == []
    assert len(of_kind(effects, fx.Misbehaved)) == 1
    assert asked(effects) == {BERT: hashes(1)}

    assert submitted(stage.deliver(BERT, 1)) == [raw(1)]


def test_what_the_pool_refused_is_fetched_again_after_a_while() -> None:  # WIRE-33
    stage = Playbook(ANNA)
    stage.announce(ANNA, 1)
    stage.deliver(ANNA, 1)
    assert stage.feed(ev.Refused(hash_of(1))) == []
    stage.run(GOSSIP_REFUSED_MS - 1)
    assert stage.announce(ANNA, 1) == []
    stage.run(1)

    assert asked(stage.announce(ANNA, 1)) == {ANNA: hashes(1)}


def test_a_transaction_that_is_none_is_blamed_on_who_delivered_it() -> None:  # WIRE-35
    stage = Playbook(ANNA, BERT)
    stage.announce(BERT, 1)
    stage.announce(ANNA, 1)
    stage.deliver(BERT, 1)
    (blame,) = of_kind(stage.feed(ev.Refused(hash_of(1), is_fault=True)), fx.Misbehaved)

    assert blame.peer == BERT
    assert stage.feed(ev.Refused(hash_of(1), is_fault=True)) == []


def test_transactions_that_nobody_asked_for_are_blamed_and_not_used() -> None:  # WIRE-35
    stage = Playbook(ANNA)
    assert [type(effect) for effect in stage.deliver(ANNA, 1)] == [fx.Misbehaved]
    stage.announce(ANNA, 2)
    effects = stage.deliver(ANNA, 2, 3)

    assert submitted(effects) == [raw(2)]
    assert len(of_kind(effects, fx.Misbehaved)) == 1


# ── Bounds ──────────────────────────────────────────────────────────────────────────────────────────────────


def numbered(count: int, start: int = 0) -> tuple[Hash32, ...]:
    return tuple(Hash32(number.to_bytes(32, "big")) for number in range(start, start + count))


def test_what_one_peer_can_make_us_want_is_bounded() -> None:  # WIRE-34
    stage = Playbook(ANNA, BERT)
    stage.feed(ev.Announced(ANNA, numbered(GOSSIP_WANTED_PER_PEER_HASHES_MAX + 50)))

    assert len(stage.gossip._core.wants) == GOSSIP_WANTED_PER_PEER_HASHES_MAX
    assert asked(stage.announce(BERT, 1)) == {BERT: hashes(1)}


def test_what_all_together_can_make_us_want_is_bounded() -> None:  # WIRE-34
    peers = [PeerId(number.to_bytes(32, "big")) for number in range(20)]
    stage = Playbook(*peers)
    for place, peer in enumerate(peers):
        stage.feed(ev.Announced(peer, numbered(GOSSIP_WANTED_PER_PEER_HASHES_MAX, place * 10**6)))

    assert len(stage.gossip._core.wants) == GOSSIP_WANTED_HASHES_MAX


def test_announcers_of_one_hash_are_bounded() -> None:  # WIRE-34
    peers = [PeerId(number.to_bytes(32, "big")) for number in range(2 * GOSSIP_ANNOUNCERS_PER_HASH_MAX)]
    stage = Playbook(*peers)
    for peer in peers:
        stage.announce(peer, 1)
    tried = 0
    while stage.gossip._core.wants:
        tried += 1
        stage.run(GOSSIP_FETCH_MS_MAX)

    assert tried == GOSSIP_ANNOUNCERS_PER_HASH_MAX


def test_what_the_pool_took_or_refused_is_remembered_within_bounds() -> None:  # WIRE-34
    stage = Playbook()
    for hash_ in numbered(GOSSIP_KNOWN_HASHES_MAX + 5):
        stage.feed(ev.Added((hash_,)))
    stage.feed(ev.Added(tuple(numbered(GOSSIP_KNOWN_HASHES_MAX + 10))))
    for hash_ in numbered(GOSSIP_REFUSED_HASHES_MAX + 10):
        stage.feed(ev.Refused(hash_))

    assert len(stage.gossip._core.known) == GOSSIP_KNOWN_HASHES_MAX
    assert len(stage.gossip._core.refused) == GOSSIP_REFUSED_HASHES_MAX


def test_a_pool_that_never_answers_costs_bounded_memory() -> None:  # WIRE-34
    stage = Playbook(ANNA)
    core = stage.gossip._core
    for hash_ in numbered(GOSSIP_WANTED_HASHES_MAX + 10):
        core.note_submitted(hash_, ANNA)

    assert len(core.submitted) == GOSSIP_WANTED_HASHES_MAX


@unhurried(60)
@given(st.randoms(use_true_random=False))
def test_everything_announced_by_an_honest_peer_arrives_whatever_others_do(dice: random.Random) -> None:
    stage = Playbook(ANNA, BERT, CARL)
    pool = set(range(12))
    taken: set[bytes] = set()
    pending: list[tuple[PeerId, tuple[Hash32, ...]]] = []
    by_hash = {hash_of(number): number for number in pool}

    def perform(effects: list[fx.Effect]) -> None:
        pending.extend(asked(effects).items())
        for one in submitted(effects):
            assert one not in taken
            taken.add(one)
            perform(stage.feed(ev.Added((hash_of(int.from_bytes(one[:8], "big")),))))

    for number in pool:
        for peer in dice.sample((ANNA, BERT, CARL), 3):
            perform(stage.announce(peer, number))
    for _ in range(400):
        if pending:
            peer, wanted = pending.pop(dice.randrange(len(pending)))
            if peer == ANNA:
                perform(stage.deliver(ANNA, *(by_hash[hash_] for hash_ in wanted)))
            elif dice.random() < 0.5:
                some = [number for hash_ in wanted if dice.random() < 0.5 for number in [by_hash[hash_]]]
                perform(stage.deliver(peer, *some))
        else:
            perform(stage.run(GOSSIP_FETCH_MS_MAX))
    assert taken == {raw(number) for number in pool}


# ── Payloads ────────────────────────────────────────────────────────────────────────────────────────────────


def test_payloads_survive_the_journey_up_to_their_limits() -> None:
    most = numbered(GOSSIP_ANNOUNCED_HASHES_MAX)
    assert decode_announcement(encode_hashes(most)) == most
    assert decode_request(encode_hashes(most[:GOSSIP_REQUEST_HASHES_MAX])) == most[:GOSSIP_REQUEST_HASHES_MAX]
    raws = tuple(raw(number) for number in range(GOSSIP_REQUEST_HASHES_MAX))
    assert decode_transactions(encode_transactions(raws)) == raws
    assert decode_transactions(encode_transactions([bytes(MEMPOOL_TRANSACTION_BYTES_MAX)]))


@pytest.mark.parametrize("payload", [b"", b"\x80", b"\xc0", rlp.encode(bytes(31)), rlp.encode([bytes(32)])])
def test_hashes_of_another_shape_are_the_peers_fault(payload: bytes) -> None:
    for decode in (decode_announcement, decode_request):
        with pytest.raises(RemoteError):
            decode(payload)


def test_more_than_the_limits_is_the_peers_fault() -> None:
    with pytest.raises(RemoteError, match="too many"):
        decode_announcement(encode_hashes(numbered(GOSSIP_ANNOUNCED_HASHES_MAX + 1)))
    with pytest.raises(RemoteError, match="too many"):
        decode_request(encode_hashes(numbered(GOSSIP_REQUEST_HASHES_MAX + 1)))
    with pytest.raises(RemoteError):
        decode_transactions(encode_transactions([b"x"] * (GOSSIP_REQUEST_HASHES_MAX + 1)))
    with pytest.raises(RemoteError):
        decode_transactions(encode_transactions([bytes(MEMPOOL_TRANSACTION_BYTES_MAX + 1)]))


@pytest.mark.parametrize("payload", [b"", b"\x80", rlp.encode([b""]), rlp.encode([[b"x"]])])
def test_transactions_of_another_shape_are_the_peers_fault(payload: bytes) -> None:
    with pytest.raises(RemoteError):
        decode_transactions(payload)


@unhurried()
@given(st.binary(max_size=200))
def test_whatever_comes_is_read_or_the_peers_fault(payload: bytes) -> None:
    for decode in (decode_announcement, decode_request, decode_transactions):
        try:
            decode(payload)
        except RemoteError:
            continue
