"""web3.py, unmodified, in an environment of its own, against a live node."""

from __future__ import annotations

import pytest

from tests.e2e.clients.expected import (
    DEV_ACCOUNTS,
    DEV_BALANCE_WEI,
    DEV_CHAIN_ID,
    EMPTY_CODE_HASH,
    EMPTY_TRIE_ROOT,
    EVENT_OF_SET,
)
from tests.e2e.clients.scenario import Scenario
from tests.e2e.node_process import NodeProcess

EXTRA_DATA_BYTES_MAX = 32
DELEGATION_PREFIX = "ef0100"


def test_web3py_deploys_writes_reads_past_and_present_and_decodes_an_event(web3py: Scenario) -> None:
    seen = web3py("contract")
    assert seen["connected"]
    assert seen["chain_id"] == DEV_CHAIN_ID
    assert seen["accounts"] == DEV_ACCOUNTS
    assert 0 < seen["balance"] < DEV_BALANCE_WEI
    assert seen["status"] == 1
    assert seen["event"] == {**EVENT_OF_SET, "by": seen["sender"]}
    assert (seen["values"], seen["entry"], seen["slot_zero"]) == ([7, 42, 43], 42, 43)
    assert seen["has_code"]


def test_web3py_sends_through_an_account_the_node_holds(web3py: Scenario) -> None:
    by_node = web3py("contract")["by_node"]
    assert (by_node["status"], by_node["from"]) == (1, by_node["unlocked"])


@pytest.mark.parametrize("asked", ["calls", "estimates"])
def test_web3py_raises_its_own_exception_for_each_kind_of_revert(web3py: Scenario, asked: str) -> None:
    failures = web3py("reverts")[asked]
    assert failures["reason"]["class"] == "ContractLogicError"
    assert failures["reason"]["message"] == "execution reverted: the probe says no"
    assert failures["error"]["class"] == "ContractCustomError"
    assert failures["error"]["data"].endswith(f"{77:064x}")
    assert (failures["nothing"]["class"], failures["nothing"]["data"]) == ("ContractLogicError", "0x")
    assert failures["division"]["message"] == "Panic error 0x12: Division by zero."
    assert failures["index"]["message"] == "Panic error 0x32: Array index is out of bounds."


def test_web3py_sees_a_mined_revert_as_a_failed_receipt_without_logs(web3py: Scenario) -> None:
    seen = web3py("reverts")
    assert (seen["mined_status"], seen["mined_logs"]) == (0, 0)


def test_web3py_reads_back_the_raw_bytes_of_every_transaction_type(web3py: Scenario) -> None:
    seen = web3py("transactions")
    for number, kind in ((0, "legacy"), (1, "access_list"), (2, "fee_market"), (4, "set_code")):
        facts = seen[kind]
        assert (facts["type"], facts["read_type"], facts["status"]) == (number, number, 1), kind
        assert facts["raw_hash_matches"], kind
        assert facts["recovered"] == facts["sender"], kind
        assert facts["price_charged"] > 0, kind


def test_web3py_delegates_an_account(web3py: Scenario) -> None:
    facts = web3py("transactions")["set_code"]
    assert facts["code"] == DELEGATION_PREFIX + facts["batcher"].removeprefix("0x")
    assert facts["nonce"] == 1


def test_web3py_finds_a_transaction_from_every_side_of_its_block(web3py: Scenario) -> None:
    seen = web3py("chain")
    assert seen["nonces"][1] == seen["nonces"][0] + 1
    assert seen["in_block"] == seen["receipts"] == [seen["transaction"]]
    assert (seen["count"], seen["by_index"]) == (1, seen["transaction"])
    assert seen["access_list"] == [seen["probe"]]
    assert seen["history"] == [3, [2, 2]]
    assert seen["extra_data_bytes"] <= EXTRA_DATA_BYTES_MAX
    assert seen["tags"]["earliest"] == 0
    assert seen["tags"]["finalized"] <= seen["tags"]["safe"] <= seen["tags"]["latest"]
    assert seen["gas_price"] > 0


def test_web3py_says_what_is_not_there(web3py: Scenario) -> None:
    seen = web3py("chain")
    assert (seen["absent_block"], seen["absent_transaction"]) == ("BlockNotFound", "TransactionNotFound")


def test_web3py_finds_events_by_query_and_by_filter(web3py: Scenario) -> None:
    seen = web3py("events")
    assert seen["queried"] == ["note 2"]
    assert (seen["raw"], seen["indices"]) == (3, [[1, 0], [2, 0], [3, 0]])
    assert (seen["new"], seen["again"], seen["all"]) == ([1, 3], 0, [10, 30])
    assert set(seen["blocks"]) >= {block for block, _ in seen["mined"]}
    assert set(seen["pending"]) >= {transaction for _, transaction in seen["mined"]}
    assert seen["uninstalled"] == [True, False]
    assert "filter not found" in seen["after"]


def test_py_trie_verifies_proofs_of_past_and_present_states(web3py: Scenario) -> None:
    seen = web3py("proofs")
    for name in ("contract", "account", "now"):
        assert seen[name]["proved"] == seen[name]["claimed"], name
    assert seen["contract"]["storage"] == [[7, 7], [0, None], [0, None]]
    assert seen["now"]["storage"] == [[8, 8], [8, 8]]
    assert ["0x" + digest for digest in seen["account"]["claimed"][2:]] == [EMPTY_TRIE_ROOT, EMPTY_CODE_HASH]
    assert seen["absent"]["proved"] is None
    assert seen["absent"]["claimed"][:2] == [0, 0]


def test_web3py_may_name_a_slot_by_its_number(web3py: Scenario, node: NodeProcess) -> None:
    if node.program == "anvil":
        pytest.skip("anvil refuses the `0x0` that web3.py sends for slot 0")
    assert web3py("proofs")["short_slot"] == 8
