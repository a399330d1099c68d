"""JSON as our files use it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coc.primitives.limits import JSON_DEPTH_LEVELS_MAX
from coc.primitives.strict_json import Json, JsonInvalid, decode_json

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def decoded(text: bytes) -> Json:
    return decode_json(text, name="genesis file", bytes_max=10_000)


@given(DOCUMENTS)
def test_what_was_written_is_read(document: Json) -> None:
    text = json.dumps(document).encode()
    assert decode_json(text, name="document", bytes_max=len(text)) == document


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    try:
        decoded(text)
    except JsonInvalid:
        return


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"{", "line 1, column 2"),
        (b'{"a": 1, "a": 2}', "'a' stands twice"),
        (b'{"a": 1.0}', "1.0 is not a whole number"),
        (b'{"a": 1e18}', "1e18 is not a whole number"),
        (b"NaN", "NaN is not a whole number"),
        (b'"\xff"', "byte 1 is out of place"),
        (b"1" * 5_000, "digits"),
    ],
)
def test_what_our_files_never_hold_is_refused_with_its_place(text: bytes, reason: str) -> None:
    with pytest.raises(JsonInvalid) as caught:
        decoded(text)
    assert reason in str(caught.value)


def test_depth_is_bounded_and_brackets_inside_strings_do_not_count() -> None:
    deepest = b"[" * JSON_DEPTH_LEVELS_MAX + b"]" * JSON_DEPTH_LEVELS_MAX
    decoded(deepest)
    decoded(json.dumps("[" * 500).encode())
    for text in (b"[" + deepest + b"]", b'["]]]]",' * (JSON_DEPTH_LEVELS_MAX + 1)):
        with pytest.raises(JsonInvalid, match="nested too deeply"):
            decoded(text)


def test_a_document_beyond_its_bound_is_refused_unread() -> None:
    with pytest.raises(JsonInvalid, match="too large"):
        decode_json(b"[]", name="document", bytes_max=1)


def test_a_string_that_never_ends_takes_one_pass() -> None:
    for end in (b"", b"\\", b"[" * JSON_DEPTH_LEVELS_MAX):
        text = b'"' + b'\\"' * 1_000_000 + end
        with pytest.raises(JsonInvalid, match="not JSON"):
            decode_json(text, name="file", bytes_max=len(text))
