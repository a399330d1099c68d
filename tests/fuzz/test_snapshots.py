"""What strangers ask of a state and say of it: answered or refused, and what is taken in is the truth."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from coc._native import Chain, SimDisk, SnapshotBuilder, SnapshotRefused
from coc.consensus.finality.build import records_behind
from coc.consensus.finality.header import decode_header
from coc.consensus.sync.snapshot.messages import (
    KEY_MAX,
    Range,
    decode_numbered,
    encode_codes_request,
    encode_state_request,
    key_of,
)
from coc.consensus.sync.snapshot.way import decode_way_request, follow_page, way_from_genesis
from coc.primitives import rlp
from coc.primitives.errors import CocError
from coc.primitives.types import Hash32, Height
from tests.consensus.finality.real_chain import HEIGHT, history
from tests.fuzz.budget import tries
from tests.fuzz.mutation import misspelled, reshaped, torn

BYTES_MAX = 1 << 20


@dataclass(frozen=True)
class Story:
    """A whole fetch: requests of ranges and of codes with their answers, and the surroundings."""

    block: Hash32
    state: tuple[tuple[bytes, bytes], ...]
    codes: tuple[tuple[bytes, bytes], ...]
    surroundings: bytes


def builder() -> SnapshotBuilder:
    chain = history().chain
    header = chain.header_rlp(history().hash_at(HEIGHT))
    assert header is not None
    return SnapshotBuilder.begin_simulated(history().genesis.text, SimDisk(1), header, b"")


@cache
def story() -> Story:
    chain, made = history().chain, builder()
    block = Hash32(history().hash_at(HEIGHT))
    wishes, state, codes = [Range(None, 0, KEY_MAX)], [], []
    while wishes:
        request = encode_state_request(block, BYTES_MAX, [wishes.pop()])
        answer = chain.state_ranges(request)
        state.append((request, answer))
        ((_, storages, wanted),), _ = made.add_state(request, answer)
        wishes += [Range(Hash32(account), key_of(start), KEY_MAX) for account, start in storages]
        if wanted:
            request = encode_codes_request([Hash32(code) for code in wanted])
            codes.append((request, chain.codes(request)))
            assert made.add_codes(*codes[-1]) == []
    surroundings = chain.surroundings(block)
    assert surroundings is not None
    return Story(block, tuple(state), tuple(codes), surroundings)


def hostile(data: st.DataObject, original: bytes) -> bytes:
    """The bytes, damaged in one way or another."""
    item = st.just(rlp.decode(original))
    ways = (torn(st.just(original)), misspelled(item), reshaped(item).map(rlp.encode))
    return data.draw(st.one_of(*ways))


def finished(made: SnapshotBuilder) -> None:
    """Whatever lies were told before, the true answers lead to the true state."""
    for request, answer in story().state:
        made.add_state(request, answer)
    for request, answer in story().codes:
        made.add_codes(request, answer)
    made.add_surroundings(story().surroundings)
    assert made.stand.next is None
    made.finish(b"seal")


@tries(300)
@given(st.data())
def test_requests_of_strangers_are_answered_or_refused(data: st.DataObject) -> None:
    chain: Chain = history().chain
    asked = data.draw(st.sampled_from([*story().state, *story().codes]))[0]
    body = hostile(data, asked)
    for answer in (chain.state_ranges, chain.codes, chain.surroundings):
        with suppress(ValueError):
            assert len(answer(body) or b"") < 2 * BYTES_MAX
    with suppress(CocError):
        decode_numbered(body)
    with suppress(CocError):
        decode_way_request(body)


@tries(150)
@given(st.data())
def test_lies_about_a_state_are_refused_and_the_truth_is_taken_afterwards(data: st.DataObject) -> None:
    made = builder()
    request, answer = story().state[0]
    lie = hostile(data, answer)
    with suppress(SnapshotRefused):
        made.add_state(request, lie)
        assert rlp.decode(lie) == rlp.decode(answer), "only the truth is taken"
    finished(made)


@tries(150)
@given(st.data())
def test_lies_about_codes_and_the_block_are_refused(data: st.DataObject) -> None:
    made = builder()
    made.add_state(*story().state[0])
    request, answer = data.draw(st.sampled_from(story().codes))
    with suppress(SnapshotRefused):
        made.add_codes(request, hostile(data, answer))
    lie = hostile(data, story().surroundings)
    with suppress(SnapshotRefused):
        made.add_surroundings(lie)
        assert lie == story().surroundings
    made.close()


@tries(200)
@given(st.data())
def test_a_page_of_the_way_shows_a_true_block_or_nothing(data: st.DataObject) -> None:
    provable = history().provable
    header = provable.blocks.header(Height(0))
    walk = way_from_genesis(provable.rules, decode_header(header))
    records = records_behind(provable, Height(0), Height(HEIGHT))
    lie = hostile(data, rlp.encode([record.encode() for record in records]))
    with suppress(CocError):
        found = follow_page(walk, lie)
        assert found.walk.block.hash == history().hash_at(found.walk.block.height)
        assert found.target is None or found.target.block == history().hash_at(found.target.height)
