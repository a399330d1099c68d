"""What was acknowledged comes back, whatever else is in the file; a failed write leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coc.adapters.journal import (
    JOURNAL_FILE,
    RECORD_MAGIC,
    Journal,
    JournalError,
    encode_record,
    parse_journal,
    sync,
)
from coc.primitives.limits import MEMPOOL_TRANSACTION_BYTES_MAX
from tests.adapters.full_disk import file_size_at_most

RAWS = [b"first", b"second" * 20, b"\xc0Txn inside"]

some_raws = st.lists(st.binary(min_size=1, max_size=60), max_size=6)


def test_what_was_appended_comes_back_in_order_after_a_restart(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(RAWS[:1])
    journal.append(RAWS[1:])
    journal.close()
    content = Journal(tmp_path).read()
    assert (content.raws, content.damaged_bytes) == (RAWS, 0)


def test_only_the_owner_can_read_the_journal(tmp_path: Path) -> None:
    Journal(tmp_path).close()
    assert (tmp_path / JOURNAL_FILE).stat().st_mode & 0o777 == 0o600


@given(some_raws, st.integers(0, 400))
def test_a_torn_end_costs_only_what_it_cuts(raws: list[bytes], kept: int) -> None:
    records = [encode_record(raw) for raw in raws]
    data = b"".join(records)[:kept]
    whole = 0
    while whole < len(records) and sum(map(len, records[: whole + 1])) <= kept:
        whole += 1
    content = parse_journal(data)
    assert content.raws == raws[:whole]
    assert content.damaged_bytes == len(data) - sum(map(len, records[:whole]))


@given(some_raws, some_raws, st.binary(max_size=40))
def test_bytes_that_are_no_record_are_passed_over(
    before: list[bytes], after: list[bytes], junk: bytes
) -> None:
    data = b"".join(map(encode_record, before)) + junk + b"".join(map(encode_record, after))
    assert parse_journal(data).raws == before + after


@given(
    st.lists(st.binary(min_size=1, max_size=60), min_size=3, max_size=3), st.integers(0), st.integers(0, 7)
)
def test_a_flipped_bit_costs_only_the_record_it_is_in(raws: list[bytes], place: int, bit: int) -> None:
    records = [encode_record(raw) for raw in raws]
    middle = bytearray(records[1])
    middle[place % len(middle)] ^= 1 << bit
    content = parse_journal(records[0] + bytes(middle) + records[2])
    assert content.raws == [raws[0], raws[2]]
    assert content.damaged_bytes == len(middle)


@given(st.binary(max_size=300))
def test_junk_is_an_empty_journal(junk: bytes) -> None:
    content = parse_journal(junk)
    assert (content.raws, content.damaged_bytes) == ([], len(junk))


def test_a_length_beyond_the_limit_is_no_record_and_is_not_read() -> None:
    largest = encode_record(bytes(MEMPOOL_TRANSACTION_BYTES_MAX))
    beyond = encode_record(bytes(MEMPOOL_TRANSACTION_BYTES_MAX + 1))
    assert parse_journal(largest).raws == [bytes(MEMPOOL_TRANSACTION_BYTES_MAX)]
    assert parse_journal(beyond).raws == []
    assert parse_journal(RECORD_MAGIC + b"\xff" * 8).raws == []


def test_an_append_without_room_is_refused_and_leaves_the_journal_as_it_was(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([b"kept"])
    length = (tmp_path / JOURNAL_FILE).stat().st_size
    with file_size_at_most(length + 7), pytest.raises(JournalError) as caught:
        journal.append([b"lost" * 50])
    assert caught.value.cure
    assert (tmp_path / JOURNAL_FILE).stat().st_size == length
    journal.append([b"later"])
    assert journal.read().raws == [b"kept", b"later"]


def test_a_rewrite_without_room_leaves_the_old_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([b"kept"])
    with file_size_at_most(10), pytest.raises(JournalError):
        journal.rewrite([b"new" * 50])
    assert journal.read().raws == [b"kept"]
    assert [path.name for path in tmp_path.iterdir()] == [JOURNAL_FILE]
    journal.append([b"later"])
    assert journal.read().raws == [b"kept", b"later"]


def test_a_rewrite_replaces_everything_and_appending_goes_on(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(RAWS)
    journal.rewrite([b"alive"])
    journal.append([b"new"])
    assert journal.read().raws == [b"alive", b"new"]


def test_only_what_was_appended_since_the_last_sync_is_synced(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert journal.take_unsynced() is None
    journal.append([b"x"])
    descriptor = journal.take_unsynced()
    assert descriptor is not None
    journal.rewrite([b"y"])  # a sync on another thread outlives the file that it began with
    sync(descriptor)
    assert journal.take_unsynced() is None


def test_a_journal_that_cannot_be_opened_says_which_and_how_to_cure_it(tmp_path: Path) -> None:
    (tmp_path / JOURNAL_FILE).mkdir()
    with pytest.raises(JournalError) as caught:
        Journal(tmp_path)
    assert JOURNAL_FILE in caught.value.what
    assert caught.value.cure
