"""Bytes become requests however they are cut, and only within the bounds."""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coc.adapters.http.reader import AwaitsContinue, Event, Malformed, RequestReader, Upgraded
from coc.adapters.http.requests import HttpRequest
from coc.primitives.limits_rpc import HTTP_HEAD_BYTES_MAX, HTTP_HEADERS_MAX, RPC_BODY_BYTES_MAX
from tests.adapters.http.fakes import post

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

TWO = post(b"one") + b"GET /livez?x=1 HTTP/1.0\r\n\r\n" + post(b"two", b"X-Any: 1")
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def read(*pieces: bytes) -> list[Event]:
    events: list[Event] = []
    reader = RequestReader(events.append)
    for piece in pieces:
        reader.feed(piece)
    return events


def requests_of(events: list[Event]) -> list[HttpRequest]:
    return [event for event in events if isinstance(event, HttpRequest)]


def status_of(events: list[Event]) -> int:
    assert isinstance(events[-1], Malformed)
    return events[-1].status


def test_a_request_is_read_whole() -> None:
    (request,) = requests_of(read(post(b"body", b"X-Name: Value")))

    assert request.method == b"POST"
    assert request.path == b"/"
    assert request.body == b"body"
    assert request.headers[b"x-name"] == b"Value"
    assert request.keep_alive
    assert not request.is_http_1_0


@unhurried
@given(st.lists(st.integers(0, len(TWO)), max_size=8))
def test_it_does_not_matter_where_the_bytes_are_cut(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(TWO)]

    events = read(*(TWO[start:end] for start, end in pairwise(places)))

    assert [(event.method, event.path, event.body) for event in requests_of(events)] == [
        (b"POST", b"/", b"one"),
        (b"GET", b"/livez", b""),
    ], "the second asks for the connection to be closed, so the third is not looked at"


@unhurried
@given(st.lists(st.integers(0, 200), max_size=6))
def test_pipelined_requests_are_read_one_after_the_other(cuts: list[int]) -> None:
    data = post(b"one") + post(b"two") + post(b"three")
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]

    events = read(*(data[start:end] for start, end in pairwise(places)))

    assert [event.body for event in requests_of(events)] == [b"one", b"two", b"three"]


def test_a_chunked_body_is_put_together() -> None:
    (request,) = requests_of(read(CHUNKED, b"3\r\nabc\r\n", b"2\r\nde\r\n0\r\n\r\n"))

    assert request.body == b"abcde"


def test_a_body_is_bounded_by_its_declared_length() -> None:
    assert read(post(b"", length=RPC_BODY_BYTES_MAX)) == []
    assert status_of(read(post(b"", length=RPC_BODY_BYTES_MAX + 1))) == 413


def test_a_chunked_body_is_bounded_as_it_comes() -> None:
    piece = b"100000\r\n" + bytes(0x100000) + b"\r\n"
    pieces = RPC_BODY_BYTES_MAX // 0x100000

    assert read(CHUNKED, *[piece] * pieces) == []
    assert status_of(read(CHUNKED, *[piece] * pieces, b"1\r\nx\r\n")) == 413


@pytest.mark.parametrize("piece", [b"X-A: " + b"a" * 100, b"a"])
def test_a_head_that_never_ends_is_refused(piece: bytes) -> None:
    events = read(b"POST / HTTP/1.1\r\nX-Long: ", *[piece] * (HTTP_HEAD_BYTES_MAX // len(piece) + 1))

    assert status_of(events) == 431


def test_a_target_that_never_ends_is_refused() -> None:
    assert status_of(read(b"GET /", *[b"a" * 1_000] * (HTTP_HEAD_BYTES_MAX // 1_000 + 1))) == 431


def test_a_head_in_one_piece_is_bounded_in_bytes() -> None:
    def head(size: int) -> bytes:
        return b"GET / HTTP/1.1\r\nX: " + b"a" * size + b"\r\n\r\n"

    assert len(requests_of(read(head(HTTP_HEAD_BYTES_MAX - 2)))) == 1
    assert status_of(read(head(HTTP_HEAD_BYTES_MAX))) == 431


def test_a_head_is_bounded_in_header_lines() -> None:
    def head(count: int) -> bytes:
        return b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(count)) + b"\r\n"

    assert len(requests_of(read(head(HTTP_HEADERS_MAX)))) == 1
    assert status_of(read(head(HTTP_HEADERS_MAX + 1))) == 431


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"NONSENSE\r\n\r\n",
        b"POST / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
    ],
)
def test_bytes_that_are_no_request_are_malformed(data: bytes) -> None:
    assert status_of(read(data)) == 400


def test_after_a_refusal_nothing_more_is_read() -> None:
    events = read(b"NONSENSE\r\n\r\n", post(b"later"))

    assert len(events) == 1


def test_a_client_that_waits_before_its_body_is_told_to_go_on() -> None:
    head = post(b"", b"Expect: 100-continue", length=3)

    events = read(head)
    assert events == [AwaitsContinue()]
    assert requests_of(read(head, b"abc"))[0].body == b"abc"
    assert status_of(read(post(b"", b"Expect: miracles", length=3))) == 417


def test_an_upgrade_hands_over_what_came_after_the_request() -> None:
    head = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

    (event,) = read(head + b"\x81\x05frame")

    assert isinstance(event, Upgraded)
    assert event.rest == b"\x81\x05frame"
    assert event.request.headers[b"upgrade"] == b"websocket"


@unhurried
@given(st.lists(st.binary(max_size=200), max_size=5))
def test_any_bytes_are_requests_or_malformed_and_no_exception(pieces: list[bytes]) -> None:
    events = read(*pieces)

    assert sum(isinstance(event, Malformed) for event in events) <= 1


@unhurried
@given(st.binary(max_size=60), st.integers(0, len(TWO)))
def test_bytes_in_the_middle_of_requests_raise_nothing(noise: bytes, place: int) -> None:
    read(TWO[:place], noise, TWO[place:])


# ── The same head again ─────────────────────────────────────────────────────────────────────────────────────

USUAL_LINES = (b"X-Any: 1", b"X-Any: 2", b"X-Any: 3")
ENDING_LINES = (b"Connection: close", b"Expect: 100-continue", b"Upgrade: h2c\r\nConnection: upgrade")
"""Lines that are added to the head of a request."""
BODIES = (b"a", b"b", b"\r\n\r\n", b"\r\nab", b"abcd", post(b"e"))


def repetitive() -> st.SearchStrategy[list[bytes]]:
    """A request that comes a few times, the last time perhaps in two pieces or together with another."""
    usual = st.builds(post, st.sampled_from(BODIES), st.sampled_from(USUAL_LINES))
    ending = st.builds(post, st.sampled_from(BODIES), st.sampled_from(ENDING_LINES))
    old = usual.map(lambda piece: piece.replace(b"HTTP/1.1", b"HTTP/1.0"))
    trailed = usual.map(lambda piece: piece + b"\r\n")
    others = st.sampled_from((CHUNKED + b"1\r\na\r\n0\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\r\n", b"P"))
    again = st.builds(
        lambda piece, times: [piece] * times, st.one_of(usual, trailed, ending, old), st.integers(1, 3)
    )
    cut = st.builds(
        lambda piece, place: [piece, piece[:-place], piece[-place:], piece[-place:]],
        usual,
        st.integers(1, 150),
    )
    joined = st.builds(lambda piece, other: [piece, piece + other], usual, usual)
    return st.one_of(again, again, cut, joined, others.map(lambda piece: [piece]))


def assert_read_as_if_byte_by_byte(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    assert read(*pieces) == read(*(whole[place : place + 1] for place in range(len(whole))))


@unhurried
@given(st.lists(repetitive(), max_size=5))
def test_a_repeated_head_is_read_as_if_byte_by_byte(runs: list[list[bytes]]) -> None:
    assert_read_as_if_byte_by_byte([piece for run in runs for piece in run])


@pytest.mark.parametrize("line", ENDING_LINES)
@pytest.mark.parametrize("order", ["uu", "eue", "uee", "euuee"])
def test_a_head_that_ends_or_waits_is_no_pattern(line: bytes, order: str) -> None:
    kinds = {"u": post(b"a", line), "e": post(b"a", USUAL_LINES[0])}
    assert_read_as_if_byte_by_byte([kinds[each] for each in order])


def test_a_request_inside_a_body_is_a_body() -> None:
    inner = post(b"a", USUAL_LINES[0])
    outer = post(inner)
    assert_read_as_if_byte_by_byte([inner, outer[: -len(inner)], inner, inner])


def test_a_repeated_head_is_known_again_and_its_headers_are_the_same_object() -> None:
    first, second, third = requests_of(read(post(b"one"), post(b"two"), post(b"three")))
    assert second.headers is first.headers
    assert (second.body, third.body) == (b"two", b"three")
    assert third.headers is not first.headers, "another length is another head"
