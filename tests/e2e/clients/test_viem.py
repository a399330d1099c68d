"""viem, unmodified, against a live node."""

from __future__ import annotations

from tests.e2e.clients.expected import DEV_CHAIN_ID, EVENT_OF_SET
from tests.e2e.clients.scenario import Scenario

WORD_DIGITS = 64


def test_viem_deploys_simulates_writes_and_decodes_an_event(javascript: Scenario) -> None:
    seen = javascript("viem/contract")
    assert seen["chainId"] == DEV_CHAIN_ID
    assert (seen["status"], seen["value"]) == ("success", 42)
    assert seen["event"] == {**EVENT_OF_SET, "by": seen["sender"]}
    assert seen["transactionCount"] >= 2
    assert seen["confirmations"] >= 1


def test_viem_reads_many_things_in_one_batch_request(javascript: Scenario) -> None:
    seen = javascript("viem/contract")
    assert seen["batched"] == [42, 42, 0, DEV_CHAIN_ID]
    number, seconds, chain, base_fee_wei = seen["facts"]
    assert number == seen["head"]
    assert chain == DEV_CHAIN_ID
    assert min(seconds, base_fee_wei) > 0


def test_viem_calls_on_a_state_it_overrides(javascript: Scenario) -> None:
    assert javascript("viem/contract")["overridden"] == 0x63


def test_viem_makes_its_own_errors_of_each_kind_of_revert(javascript: Scenario) -> None:
    seen = javascript("viem/reverts")
    reads = seen["reads"]
    assert reads["reason"] == {"name": "Error", "args": ["the probe says no"], "reason": "the probe says no"}
    assert reads["error"] == {"name": "Refused", "args": [seen["caller"], 77], "reason": None}
    assert (reads["division"]["name"], reads["division"]["args"]) == ("Panic", [0x12])
    assert (reads["index"]["name"], reads["index"]["args"]) == ("Panic", [0x32])
    assert seen["simulated"]["reason"] == "pay something"
    for estimate in seen["estimates"].values():
        assert estimate == {"estimate": True, "cause": "ExecutionRevertedError", "reason": 3}
    assert "exceeds the balance" in seen["poor"]["message"]


def test_viem_sends_every_type_and_rebuilds_its_hash_from_what_it_reads(javascript: Scenario) -> None:
    seen = javascript("viem/transactions")
    assert seen["accounts"] == 10
    assert seen["prepared"] == {"type": "eip1559", "gas": 21_000, "chainId": DEV_CHAIN_ID}
    for kind in ("legacy", "eip2930", "eip1559", "eip7702"):
        facts = seen[kind]
        assert (facts["type"], facts["receiptType"], facts["status"]) == (kind, kind, "success")
        assert facts["sameHash"], kind


def test_viem_lets_the_node_sign_for_an_unlocked_account(javascript: Scenario) -> None:
    unlocked = javascript("viem/transactions")["unlocked"]
    assert unlocked["status"] == "success"
    assert unlocked["sameHash"]


def test_viem_delegates_an_account_and_reads_the_delegation(javascript: Scenario) -> None:
    delegated = javascript("viem/transactions")["eip7702"]
    assert delegated["delegatedTo"] == delegated["batcher"]
    assert delegated["received"] == 8 + 9


def test_viem_polls_the_filters_it_installed(javascript: Scenario) -> None:
    seen = javascript("viem/events")
    assert seen["changes"] == [1, 3]
    assert seen["again"] == 0
    assert set(seen["blockHashes"]) >= {receipt["block"] for receipt in seen["receipts"]}
    assert set(seen["pendingHashes"]) >= {receipt["transaction"] for receipt in seen["receipts"]}
    assert (seen["removed"], seen["removedAgain"]) == (True, False)


def test_viem_watches_events_and_block_numbers(javascript: Scenario) -> None:
    seen = javascript("viem/events")
    assert seen["watched"] == [10, 20, 30]
    first = seen["installedAt"]
    assert seen["blockNumbers"] == [first, first + 1, first + 2]
    assert [event["note"] for event in seen["events"]] == ["note 2"]


def test_viem_reads_blocks_fees_lists_proofs_and_tags(javascript: Scenario) -> None:
    seen = javascript("viem/reads")
    block = seen["block"]
    assert block["hasTransaction"]
    assert block["fullTransactions"]
    assert block["count"] == block["transactions"]
    assert seen["byIndex"]
    assert seen["history"] == {"baseFees": 3, "rewards": [2, 2]}
    assert seen["fees"]["max"] >= seen["fees"]["tip"]
    assert seen["fees"]["gasPrice"] > 0
    assert seen["accessList"] == [{"address": seen["probe"], "slots": 2}]
    assert seen["proof"]["value"] == 7
    assert seen["proof"]["codeHash"] == seen["codeHash"]
    assert seen["codeMatches"]
    assert int(seen["storage"], 16) == 7
    assert len(seen["storage"]) == len("0x") + WORD_DIGITS


def test_viem_orders_the_block_tags(javascript: Scenario) -> None:
    seen = javascript("viem/reads")
    tags = seen["tagged"]
    assert tags["earliest"] == 0
    assert tags["finalized"] <= tags["safe"] <= tags["latest"]
    assert seen["missing"] == "TransactionReceiptNotFoundError"


def test_viem_reads_the_pending_state_as_the_latest_when_nothing_waits(javascript: Scenario) -> None:
    seen = javascript("viem/reads")
    assert seen["pendingState"] == seen["latestState"]
    assert seen["pendingBlock"] in ("BlockNotFoundError", seen["tagged"]["latest"] + 1)
