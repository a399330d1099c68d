"""Whatever a client sends: one well-formed answer, never -32603, never an exception, bounded in size."""

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from coc.rpc.table import DEVELOPMENT
from tests.rpc.fakes import ALICE, Node, digest

ANSWER_BYTES_MAX = 4_096
"""Bytes of an answer to one hostile call: the errors repeat a bounded piece of what was sent."""

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""No clock decides about a test."""

_TEXTS = st.one_of(
    st.text(max_size=80),
    st.from_regex(r"0x[0-9a-fA-F]{0,70}", fullmatch=True),
    st.sampled_from(
        [
            "0x" + ALICE.hex(),
            "0x" + digest("genesis").hex(),
            "latest",
            "pending",
            "0x0",
            "0x1",
            "0x",
            "safe",
            "0x" + "f" * 64,
        ]
    ),
)
_NAMES = st.sampled_from(
    """to from gas value data input type accessList address topics fromBlock toBlock blockHash blockNumber
    requireCanonical balance stateDiff time blocks""".split()  # noqa: SIM905 - a list of words is read as one
)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**64), 2**65),
        st.floats(allow_nan=False, allow_infinity=False),
        _TEXTS,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(_NAMES, _TEXTS), inner, max_size=4)
    ),
    max_leaves=12,
)


def check(answer: bytes | None) -> None:
    if answer is None:
        return
    decoded = msgspec.json.decode(answer)
    for entry in decoded if isinstance(decoded, list) else [decoded]:
        assert entry["jsonrpc"] == "2.0"
        assert ("result" in entry) != ("error" in entry)
        assert "id" in entry
        if "error" in entry:
            assert entry["error"]["code"] != -32603
            assert isinstance(entry["error"]["message"], str)


@unhurried
@given(st.binary(max_size=300))
@example(b'{"jsonrpc":"2.0","id":"\xed\xa0\x80","method":"eth_chainId"}')
@example(b'{"jsonrpc":"2.0","id":"\\ud800","method":"eth_chainId"}')
@example(b'{"jsonrpc":"2.0","id":1e999,"method":"eth_chainId"}')
@example(b'{"jsonrpc":"2.0","id":1,"method":"\\u0000"}')
@example(b'[{"id":"\xff","jsonrpc":"2.0","method":"eth_chainId"}]')
@example(b'{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"to":"\\ud83d\\ude00"}]}')
def test_any_bytes_get_one_well_formed_answer(body: bytes) -> None:
    check(Node().send(body))


@unhurried
@given(_VALUES)
def test_any_json_gets_one_well_formed_answer(body: Any) -> None:
    check(Node().send(msgspec.json.encode(body)))


@unhurried
@given(
    st.lists(
        st.fixed_dictionaries(
            {}, optional={"jsonrpc": st.just("2.0"), "id": _VALUES, "method": _TEXTS, "params": _VALUES}
        ),
        max_size=5,
    )
)
def test_any_batch_of_near_requests_gets_one_well_formed_answer(items: list[dict[str, Any]]) -> None:
    check(Node().send(msgspec.json.encode(items)))


@pytest.mark.parametrize("method", sorted(DEVELOPMENT))
@settings(unhurried, max_examples=20)
@given(params=st.lists(_VALUES, max_size=5))
def test_any_parameters_get_a_result_or_an_honest_refusal(method: str, params: list[Any]) -> None:
    node = Node()
    node.chain.extend("one", [digest("a transaction")])

    answer = node.request(method, *params)

    check(msgspec.json.encode(answer))
    if "error" in answer:
        assert len(msgspec.json.encode(answer)) < ANSWER_BYTES_MAX
    assert node.defects == []


@unhurried
@given(request_id=_VALUES)
def test_any_id_is_repeated_or_refused(request_id: Any) -> None:
    answer = Node().send(msgspec.json.encode({"jsonrpc": "2.0", "id": request_id, "method": "eth_chainId"}))

    assert answer is not None
    decoded = msgspec.json.decode(answer)
    if "result" in decoded:
        assert decoded["id"] == request_id
        assert not isinstance(request_id, bool | list | dict)
    else:
        assert decoded["error"]["code"] == -32600
