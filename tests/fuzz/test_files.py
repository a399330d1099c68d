"""Test files of others: whatever they say, each case passes or fails with a sentence."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from coc import _native
from coc.primitives import rlp
from tests.fuzz.budget import tries
from tests.fuzz.corpus import block_items, blocktests, statetests
from tests.fuzz.mutation import reshaped, rewritten, torn
from tests.fuzz.refusals import judge as judge_refusal

CHAINS = st.deferred(lambda: st.sampled_from(blocktests()))
STATES = st.deferred(lambda: st.sampled_from(statetests()))
NAMES = {"name", "fork", "pass", "stateRoot", "error"}


GAS_MAX = 2**22
"""A test's own gas limit is all that ends it, as with every EVM: campaigns keep it small."""


def hurried(test: Any) -> Any:
    """The same state test with gas limits that a fraction of a second can burn."""
    if not isinstance(test, dict) or not isinstance(test.get("transaction"), dict):
        return test
    limits = test["transaction"].get("gasLimit")
    if not isinstance(limits, list):
        return test
    small = [
        limit if isinstance(limit, str) and len(limit) <= len(hex(GAS_MAX)) else "0x0" for limit in limits
    ]
    return test | {"transaction": test["transaction"] | {"gasLimit": small}}


def judge(run: Any, text: bytes) -> None:
    try:
        results = json.loads(run(text))
    except ValueError as refusal:
        judge_refusal(refusal)
        return
    for result in results:
        assert set(result) == NAMES
        assert result["pass"] == (result["error"] is None)


@tries(400)
@given(rewritten(STATES))
def test_a_rewritten_state_test_passes_or_says_why_not(test: Any) -> None:
    judge(_native.run_statetests, json.dumps({"case": hurried(test)}).encode())


@tries(200)
@given(rewritten(CHAINS))
def test_a_rewritten_block_test_passes_or_says_why_not(test: Any) -> None:
    judge(_native.run_blocktests, json.dumps({"case": test}).encode())


@tries(300)
@given(CHAINS, st.data())
def test_a_chain_with_reshaped_blocks_goes_on_without_them(test: dict[str, Any], data: st.DataObject) -> None:
    items = block_items(test)
    chosen = data.draw(st.integers(0, len(items) - 1))
    hostile = [data.draw(reshaped(st.just(items[chosen]), 2)) for _ in range(6)]
    blocks = [*test["blocks"][: chosen + 1], *({"rlp": "0x" + rlp.encode(item).hex()} for item in hostile)]
    blocks += test["blocks"][chosen:]
    judge(_native.run_blocktests, json.dumps({"case": test | {"blocks": blocks}}).encode())


@tries(150)
@given(torn(st.one_of(STATES, CHAINS).map(lambda test: json.dumps({"case": test}).encode())))
def test_torn_text_is_no_test_file_or_one_that_says_what_is_wrong(text: bytes) -> None:
    judge(_native.run_statetests, text)
    judge(_native.run_blocktests, text)
