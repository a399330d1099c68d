"""Finality proofs of a stranger: whatever is in them, they show the true block or are refused."""

from __future__ import annotations

import io
from collections.abc import Iterable
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from coc.consensus.finality.faults import FinalityRefused
from coc.consensus.finality.frames import payloads_in, read_proof, write_proof
from coc.consensus.finality.records import Record, decode_record
from coc.primitives import rlp
from tests.consensus.finality.forged import ForgedChain, forged
from tests.fuzz.budget import tries
from tests.fuzz.mutation import misspelled, reshaped, torn

TARGET = 9
START = 2
SETS = ("abc", "abcd", "bcd")


def chain() -> ForgedChain:
    return forged(SETS)


def file_from(start: int) -> bytes:
    checkpoint = chain().checkpoint(start) if start else None
    return b"".join(write_proof(chain().proof(TARGET, checkpoint)))


STARTS = st.sampled_from([0, START])


def judge(records: Iterable[Record], start: int) -> None:
    """Nothing but a refusal may come out, or the block that is the chain's."""
    checkpoint = chain().checkpoint(start) if start else None
    with suppress(FinalityRefused):
        assert chain().verify(records, checkpoint).block == chain().blocks[TARGET].facts


@tries(300)
@given(STARTS, st.data())
def test_a_torn_file_is_refused_or_still_whole(start: int, data: st.DataObject) -> None:  # FIN-1, FIN-9
    file = data.draw(torn(st.just(file_from(start))))

    judge(read_proof(io.BytesIO(file)), start)


@tries(400)
@given(STARTS, st.data())
def test_reshaped_records_show_the_true_block_or_nothing(start: int, data: st.DataObject) -> None:  # FIN-9
    payloads = list(payloads_in(io.BytesIO(file_from(start))))
    index = data.draw(st.integers(0, len(payloads) - 1))
    item = rlp.decode_list(payloads[index])
    place = data.draw(st.integers(1, len(item) - 1))
    field = item[place]
    if data.draw(st.booleans()) and isinstance(field, bytes) and field[:1] >= b"\xc0":
        # What a record carries as bytes is RLP itself: a header, consensus data, a certificate.
        item[place] = rlp.encode(data.draw(reshaped(st.just(rlp.decode(field)))))
        payloads[index] = rlp.encode(item)
    else:
        payloads[index] = rlp.encode(data.draw(reshaped(st.just(item))))

    judge(map(decode_record, payloads), start)


@tries(200)
@given(STARTS, st.data())
def test_records_that_are_misspelled_are_refused(start: int, data: st.DataObject) -> None:  # FIN-1
    payloads = list(payloads_in(io.BytesIO(file_from(start))))
    index = data.draw(st.integers(0, len(payloads) - 1))
    payloads[index] = data.draw(misspelled(st.just(rlp.decode(payloads[index]))))

    judge(map(decode_record, payloads), start)
