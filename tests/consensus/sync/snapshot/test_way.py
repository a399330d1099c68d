"""The way in pages: what a page holds, and that nothing in it is believed. SYNC-3, SYNC-6, SYNC-17."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pytest

from coc.consensus.finality.build import Provable
from coc.consensus.finality.checkpoint import BlockName
from coc.consensus.finality.faults import AnchorUnfit, ProofInvalid
from coc.consensus.finality.records import ChainOrigin, CheckpointAnchor, Link, decode_record
from coc.consensus.finality.verify import Walk, refuse_unfit
from coc.consensus.sync.snapshot import way
from coc.consensus.sync.snapshot.messages import NOTHING, SnapshotMessageInvalid
from coc.consensus.sync.snapshot.way import (
    Untrodden,
    WayRequest,
    at_clock,
    decode_way_request,
    encode_way_request,
    follow_page,
    page_after,
    snapshot_height,
    way_from_genesis,
)
from coc.primitives import rlp
from coc.primitives.errors import CocError, PrimitivesError
from coc.primitives.frozen import replace
from coc.primitives.limits_snapshot import SNAPSHOT_INTERVAL_BLOCKS, SNAPSHOT_WAY_BYTES_MAX
from coc.primitives.types import Hash32, Height
from tests.consensus.finality.forged import ForgedChain, set_of

SETS = ("abcd", "abcd", "abcde", "bcde")


@lru_cache(maxsize=2)
def chain(height: int = SNAPSHOT_INTERVAL_BLOCKS + 2) -> ForgedChain:
    return ForgedChain(height, SETS)


def provable(made: ForgedChain) -> Provable:
    return Provable(made, ChainOrigin(made.genesis_header, made.config), made.rules())


def start(made: ForgedChain) -> Walk:
    return way_from_genesis(made.rules(), made.blocks[0].facts)


def pages(made: ForgedChain) -> list[bytes]:
    """All pages, each asked for behind the one before."""
    walk, found = start(made), list[bytes]()
    while True:
        found.append(page_after(provable(made), WayRequest(walk.block.height)))
        page = follow_page(walk, found[-1])
        if page.target is not None:
            return found
        assert page.walk.block.height > walk.block.height
        walk = page.walk


def test_a_snapshot_is_of_the_last_multiple_of_the_interval() -> None:  # SYNC-6
    every = SNAPSHOT_INTERVAL_BLOCKS
    heights = [snapshot_height(Height(head)) for head in (every - 1, every, every + 1, 3 * every - 1)]
    assert heights == [0, every, every, 2 * every]


def test_one_page_leads_from_genesis_to_the_newest_snapshot_over_changes_of_the_set() -> None:  # SYNC-3
    made = chain()
    page = follow_page(start(made), page_after(provable(made), WayRequest(Height(0))))

    assert page.target is not None
    assert page.target.height == SNAPSHOT_INTERVAL_BLOCKS
    assert page.target.block == made.blocks[SNAPSHOT_INTERVAL_BLOCKS].facts.hash
    assert page.target.certificate == made.blocks[SNAPSHOT_INTERVAL_BLOCKS].certificate
    assert page.walk.set_changes == 2


def test_the_walk_that_is_given_stays_as_it_is() -> None:
    made = chain()
    walk = start(made)
    follow_page(walk, page_after(provable(made), WayRequest(Height(0))))
    assert walk.block.height == 0
    assert walk.validators == made.set_at(1)


def test_a_long_way_comes_in_pages_each_on_from_the_last(monkeypatch: pytest.MonkeyPatch) -> None:  # SYNC-3
    made = chain()
    whole = len(page_after(provable(made), WayRequest(Height(0))))
    assert whole < SNAPSHOT_WAY_BYTES_MAX, "one page is enough for a young chain"
    monkeypatch.setattr(way, "SNAPSHOT_WAY_BYTES_MAX", whole // 5)

    found = pages(made)

    assert 4 < len(found) < 10
    assert max(len(page) for page in found) <= whole // 5 + 100


def test_a_page_has_a_record_however_little_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(way, "SNAPSHOT_WAY_BYTES_MAX", 1)
    page = rlp.decode(page_after(provable(chain()), WayRequest(Height(0))))
    assert len(page) == 1


def test_a_chain_that_has_no_snapshot_behind_the_height_says_nothing() -> None:
    made = chain()
    assert page_after(provable(made), WayRequest(Height(SNAPSHOT_INTERVAL_BLOCKS))) == NOTHING
    assert page_after(provable(ForgedChain(5)), WayRequest(Height(0))) == NOTHING


def test_records_left_out_repeated_or_in_another_order_are_refused() -> None:  # SYNC-1
    made = chain()
    records: Any = rlp.decode(page_after(provable(made), WayRequest(Height(0))))
    wrong: list[list[rlp.Encodable]] = [
        records[1:],
        [records[0], *records],
        [records[1], records[0], *records[2:]],
        [*records, records[-1]],
        [records[-1]],
        [],
        [b""],
        [rlp.encode([1, made.genesis_header, made.config])],
    ]
    for page in wrong:
        with pytest.raises(CocError):
            follow_page(start(made), rlp.encode(page))


def test_every_changed_byte_of_a_record_is_found() -> None:  # SYNC-1
    made = chain()
    records: Any = rlp.decode(page_after(provable(made), WayRequest(Height(0))))
    for place in (0, 7, len(records) - 1):
        record = records[place]
        for offset in range(0, len(record), 97):
            broken = bytearray(record)
            broken[offset] ^= 1
            with pytest.raises(CocError):
                follow_page(start(made), rlp.encode([*records[:place], bytes(broken), *records[place + 1 :]]))


def test_a_block_that_too_few_have_signed_is_refused() -> None:  # SYNC-1
    made = ForgedChain(SNAPSHOT_INTERVAL_BLOCKS, SETS)
    made.put(SNAPSHOT_INTERVAL_BLOCKS, made.child(SNAPSHOT_INTERVAL_BLOCKS, signers=(0, 1)))
    with pytest.raises(CocError, match=r"quorum|power|third"):
        follow_page(start(made), page_after(provable(made), WayRequest(Height(0))))


def test_links_of_a_page_end_before_its_target() -> None:
    records: Any = rlp.decode(page_after(provable(chain()), WayRequest(Height(0))))
    kinds = [isinstance(decode_record(record), Link) for record in records]
    assert kinds == [True] * (len(kinds) - 1) + [False]


def test_a_request_of_the_way_is_a_height_and_perhaps_a_block_or_a_height() -> None:  # SYNC-2
    block = Hash32(bytes(range(32)))
    for request in (
        WayRequest(Height(77)),
        WayRequest(Height(7), block),
        WayRequest(Height(7), until=Height(9)),
    ):
        assert decode_way_request(encode_way_request(request)) == request
    for wrong in (rlp.encode([]), rlp.encode([1, 2, 3]), rlp.encode(b"x"), rlp.encode([1, bytes(31)])):
        with pytest.raises((SnapshotMessageInvalid, PrimitivesError)):
            decode_way_request(wrong)


# ── From a checkpoint ───────────────────────────────────────────────────────────────────────────────────────

YOUNG = 10
LATE = SNAPSHOT_INTERVAL_BLOCKS + 1


def untrodden(made: ForgedChain, height: int, *, name: bool = False, age_s: int = 0) -> Untrodden:
    """The way from a block of the chain, so many seconds after that block."""
    known = made.checkpoint(height)
    trusted = BlockName(known.height, known.block) if name else known
    return Untrodden(made.rules(), trusted, known.time_s + age_s)


def shown(made: ForgedChain, height: int) -> bytes:
    return page_after(provable(made), WayRequest(Height(height), made.blocks[height].facts.hash))


@pytest.mark.parametrize("name", [False, True])
def test_from_a_checkpoint_the_way_is_short_and_leads_to_the_same_block(name: bool) -> None:  # SYNC-17
    made = chain()
    page = follow_page(untrodden(made, YOUNG, name=name, age_s=600), shown(made, YOUNG))
    assert page.target is not None
    assert page.target.height == SNAPSHOT_INTERVAL_BLOCKS
    assert page.walk.anchor_height == YOUNG
    assert len(shown(made, YOUNG)) < len(page_after(provable(made), WayRequest(Height(0))))


def test_a_slow_fetch_is_judged_by_the_clock_of_each_answer_and_not_of_its_beginning() -> None:  # SYNC-18
    made = chain()
    beginning = untrodden(made, YOUNG)
    with pytest.raises(AnchorUnfit, match="clock is wrong"):
        follow_page(beginning, shown(made, YOUNG))
    page = follow_page(at_clock(beginning, beginning.clock_s + 600), shown(made, YOUNG))
    assert page.target is not None
    with pytest.raises(AnchorUnfit, match="too old"):
        follow_page(at_clock(beginning, beginning.clock_s + 601), shown(made, YOUNG))
    assert at_clock(start(made), 1) == start(made), "a way from genesis depends on no clock"


def test_behind_a_checkpoint_younger_than_the_newest_snapshot_comes_the_head() -> None:  # SYNC-17
    made = chain()
    page = follow_page(untrodden(made, LATE, age_s=600), shown(made, LATE))
    assert page.target is not None
    assert page.target.height == made.head
    assert page_after(provable(made), WayRequest(made.head, made.blocks[made.head].facts.hash)) == NOTHING


def test_a_chain_with_another_block_there_shows_no_way_on_from_it() -> None:
    made = chain()
    assert page_after(provable(made), WayRequest(Height(YOUNG), Hash32(bytes(32)))) == NOTHING
    assert page_after(provable(made), WayRequest(Height(10_000), Hash32(bytes(32)))) == NOTHING


def test_the_way_to_a_height_ends_at_that_height() -> None:  # SYNC-18
    made = chain()
    body = page_after(provable(made), WayRequest(Height(0), until=Height(YOUNG)))
    page = follow_page(start(made), body)
    assert page.target is not None
    assert (page.target.height, page.target.block) == (YOUNG, made.blocks[YOUNG].facts.hash)


def test_the_anchor_of_another_block_is_its_senders_lie() -> None:  # SYNC-18
    made = chain()
    for wrong in (shown(made, YOUNG + 1), page_after(provable(made), WayRequest(Height(0)))):
        with pytest.raises((ProofInvalid, SnapshotMessageInvalid)):
            follow_page(untrodden(made, YOUNG), wrong)


def test_a_set_that_the_checkpoints_block_does_not_name_is_its_senders_lie() -> None:  # SYNC-18
    made = chain()
    records: Any = rlp.decode(shown(made, YOUNG))
    anchor = decode_record(records[0])
    assert isinstance(anchor, CheckpointAnchor)
    forged = replace(anchor, next_validators=set_of("wxyz")).encode()
    with pytest.raises(ProofInvalid):
        follow_page(untrodden(made, YOUNG, name=True), rlp.encode([forged, *records[1:]]))


def test_a_checkpoint_older_than_the_trust_period_is_refused_whoever_shows_it() -> None:  # SYNC-18
    made = chain()
    for name in (False, True):
        with pytest.raises(AnchorUnfit, match="too old"):
            follow_page(untrodden(made, YOUNG, name=name, age_s=601), shown(made, YOUNG))


def test_a_checkpoint_whose_parts_do_not_fit_is_refused_whoever_shows_it() -> None:  # SYNC-18
    made = chain()
    known = made.checkpoint(YOUNG)
    wrong = Untrodden(made.rules(), replace(known, time_s=known.time_s + 1), known.time_s)
    with pytest.raises(AnchorUnfit, match="contradicts itself"):
        follow_page(wrong, shown(made, YOUNG))


def test_what_is_known_of_a_checkpoint_is_judged_before_anything_is_asked() -> None:  # SYNC-18
    made = chain()
    known, rules = made.checkpoint(YOUNG), made.rules()
    refuse_unfit(known, rules, known.time_s + 600)
    refuse_unfit(BlockName(known.height, known.block), rules, known.time_s + 10_000)
    fixed = replace(rules, registry=None)
    for wrong, by, now_s in (
        (known, rules, known.time_s + 601),
        (replace(known, genesis_hash=Hash32(bytes(32))), rules, known.time_s),
        (BlockName(Height(0), made.genesis_hash), rules, known.time_s),
        (known, fixed, known.time_s),
    ):
        with pytest.raises(AnchorUnfit) as caught:
            refuse_unfit(wrong, by, now_s)
        assert caught.value.cure
