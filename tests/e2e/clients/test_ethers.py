"""ethers v6, unmodified, against a live node."""

from __future__ import annotations

from tests.e2e.clients.expected import (
    DEV_ACCOUNTS,
    DEV_BALANCE_WEI,
    DEV_CHAIN_ID,
    EMPTY_CODE_HASH,
    EMPTY_TRIE_ROOT,
    EVENT_OF_SET,
    KECCAK_OF_NOTHING,
    next_base_fee_wei,
)
from tests.e2e.clients.scenario import Scenario

EXTRA_DATA_BYTES_MAX = 32
MAPPING_ENTRY_SLOTS = 2


def test_ethers_connects_and_sees_the_funded_accounts(javascript: Scenario) -> None:
    seen = javascript("ethers/connect")
    assert (seen["chainId"], seen["netVersion"]) == (DEV_CHAIN_ID, str(DEV_CHAIN_ID))
    assert seen["clientVersion"].count("/") >= 1
    assert seen["keccakOfEmpty"] == KECCAK_OF_NOTHING
    assert seen["syncing"] is False
    assert [account.lower() for account in seen["accounts"]] == DEV_ACCOUNTS
    assert seen["localAddress"].lower() == DEV_ACCOUNTS[1]
    assert seen["genesisBalance"] == DEV_BALANCE_WEI
    assert 0 < seen["balance"] <= DEV_BALANCE_WEI
    assert (seen["unusedNonce"], seen["unusedCode"]) == (0, "0x")
    assert seen["earliestNumber"] == 0
    assert seen["finalizedNumber"] <= seen["safeNumber"] <= seen["head"]
    assert seen["absentBlock"] is None


def test_ethers_deploys_writes_reads_and_decodes_an_event(javascript: Scenario) -> None:
    seen = javascript("ethers/deploy")
    assert seen["codeMatches"]
    assert seen["deployedTo"] == seen["expectedAddress"]
    assert (seen["before"], seen["after"], seen["entry"], seen["slotZero"]) == (7, 42, 42, 42)
    assert seen["status"] == 1
    assert seen["event"] == {**EVENT_OF_SET, "by": seen["sender"]}
    assert seen["pastValue"] == 7


def test_ethers_waits_for_timed_blocks_as_it_does_for_instant_ones(javascript_timed: Scenario) -> None:
    seen = javascript_timed("ethers/deploy")
    assert (seen["status"], seen["before"], seen["after"]) == (1, 7, 42)


def test_ethers_sends_from_an_account_the_node_holds(javascript: Scenario) -> None:
    seen = javascript("ethers/unlocked")
    assert seen["from"] == seen["signer"]
    assert (seen["status"], seen["gasUsed"], seen["nonces"]) == (1, 21_000, 3)
    assert seen["received"] == 1_500_000_000_000_000_000
    assert (seen["probeBalance"], seen["probeValue"]) == (1_005, 9)


def test_ethers_decodes_each_kind_of_revert_from_calls_and_estimates(javascript: Scenario) -> None:
    seen = javascript("ethers/reverts")
    reverts = {"name": "Error", "args": ["the probe says no"]}
    decoded = {
        "reason": reverts,
        "error": {"name": "Refused", "args": [seen["caller"], 77]},
        "nothing": None,
        "division": {"name": "Panic", "args": [0x12]},
        "index": {"name": "Panic", "args": [0x32]},
    }
    for kind, expected in decoded.items():
        call, estimate = seen["failures"][kind]["call"], seen["failures"][kind]["estimate"]
        assert (call["code"], estimate["code"]) == ("CALL_EXCEPTION", "CALL_EXCEPTION"), kind
        assert call["custom"] == expected, kind
        assert call["data"] == estimate["data"], kind
        assert estimate["rpc"]["code"] == 3, kind
        assert estimate["rpc"]["message"].startswith("execution reverted"), kind
    assert seen["failures"]["nothing"]["call"]["data"] == "0x"
    assert seen["failures"]["reason"]["estimate"]["rpc"]["message"] == "execution reverted: the probe says no"
    assert seen["poor"]["code"] == "INSUFFICIENT_FUNDS"


def test_ethers_sees_a_mined_revert_as_a_failed_receipt(javascript: Scenario) -> None:
    mined = javascript("ethers/reverts")["mined"]
    assert (mined["code"], mined["status"], mined["logs"]) == ("CALL_EXCEPTION", 0, 0)
    assert 21_000 < mined["gasUsed"] < 100_000


def test_fee_data_foretells_what_the_next_block_charges(javascript: Scenario) -> None:
    seen = javascript("ethers/fees")
    parent, block, history = seen["parent"], seen["block"], seen["history"]
    assert block["baseFee"] == next_base_fee_wei(parent["baseFee"], parent["gasUsed"], parent["gasLimit"])
    assert history["oldest"] == seen["headWhenAsked"] - 2
    assert len(history["baseFees"]) == 4
    assert history["baseFees"][-1] == block["baseFee"]
    assert history["baseFees"][-2] == parent["baseFee"]
    assert [len(row) for row in history["rewards"]] == [3, 3, 3]
    assert all(0 < ratio < 1 for ratio in history["ratios"])
    assert seen["fees"]["maxFee"] >= block["baseFee"] + seen["fees"]["tip"]
    assert seen["fees"]["gasPrice"] >= block["baseFee"]
    assert seen["tipMethod"] == seen["fees"]["tip"]
    assert seen["blobBaseFee"] >= 1
    assert seen["spent"] == seen["charged"]
    assert seen["transferEstimate"] == 21_000
    assert seen["noncesBefore"][0] == seen["noncesBefore"][1]
    assert seen["noncesAfter"] == [nonce + 1 for nonce in seen["noncesBefore"]]


def test_ethers_reads_back_every_transaction_type_as_the_bytes_it_sent(javascript: Scenario) -> None:
    seen = javascript("ethers/transaction_types")
    for number, kind in ((0, "legacy"), (1, "accessList"), (2, "feeMarket"), (4, "setCode")):
        facts = seen[kind]
        assert (facts["type"], facts["readType"], facts["status"]) == (number, number, 1), kind
        assert facts["sameHash"], kind
        assert facts["hasBlock"], kind
        assert facts["sender"] == seen["wallet"], kind


def test_an_account_that_delegates_runs_a_batch_of_calls(javascript: Scenario) -> None:
    facts = javascript("ethers/transaction_types")["setCode"]
    assert facts["delegated"]
    assert facts["accountNonce"] == 2
    assert facts["received"] == 1 + 2 + 3
    assert facts["batchEvents"] == ["Executed"]


def test_block_hashes_and_roots_follow_from_what_rpc_shows(javascript: Scenario) -> None:
    seen = javascript("ethers/blocks")
    assert len(seen["blocks"]) == 4
    for number, block in seen["blocks"].items():
        assert block["headerHash"] == block["hash"], number
        assert block["computedTransactionsRoot"] == block["transactionsRoot"], number
        assert block["computedReceiptsRoot"] == block["receiptsRoot"], number
        assert block["count"] == block["countMethod"], number
        assert block["uncles"] == 0, number
        assert block["gasUsed"] == block["lastCumulative"], number
        assert block["extraDataBytes"] <= EXTRA_DATA_BYTES_MAX, number
    head = seen["head"]
    assert seen["sameByHash"]
    assert seen["parent"] == seen["blocks"][str(head - 1)]["hash"]


def test_ethers_finds_logs_by_query_by_filter_and_by_listening(javascript: Scenario) -> None:
    seen = javascript("ethers/logs")
    assert seen["heard"] == [{"tag": tag, "value": tag * 10} for tag in (1, 2, 3)]
    assert [(event["tag"], event["value"]) for event in seen["queried"]] == [(1, 10), (3, 30)]
    assert seen["counts"] == {
        "address": 3,
        "addresses": 6,
        "topic": 6,
        "anyThenSender": 6,
        "alternatives": 4,
        "noMatch": 0,
        "oneBlock": 1,
    }


def test_installed_filters_give_each_change_once_and_end_when_uninstalled(javascript: Scenario) -> None:
    seen = javascript("ethers/logs")
    assert seen["changes"]["logs"] == [entry["transaction"] for entry in seen["hashes"]]
    assert set(seen["changes"]["blocks"]) >= {entry["block"] for entry in seen["hashes"]}
    assert seen["changes"]["pendingHasAll"]
    assert seen["again"] == 0
    assert seen["allOfFilter"] == 3
    assert (seen["uninstalled"], seen["uninstalledAgain"]) == (True, False)
    assert "filter not found" in seen["errorAfter"]


def test_a_created_access_list_names_the_slots_and_the_gas(javascript: Scenario) -> None:
    seen = javascript("ethers/access_list")
    assert seen["error"] is None
    (entry,) = seen["list"]
    assert entry["address"].lower() == seen["probe"].lower()
    assert len(entry["storageKeys"]) == MAPPING_ENTRY_SLOTS
    assert seen["gasUsed"] == seen["promisedGas"]


def test_ethereumjs_verifies_proofs_of_what_is_there_and_of_what_is_not(javascript: Scenario) -> None:
    seen = javascript("ethers/proofs")
    contract, wallet, absent = seen["contract"], seen["wallet"], seen["absent"]
    assert contract["proven"] == contract["claimed"]
    assert contract["claimed"]["codeHash"] == seen["codeHash"]
    assert [entry["claimed"] for entry in contract["storage"]] == [99, 99, 0]
    assert [entry["proven"] for entry in contract["storage"]] == [99, 99, None]
    assert wallet["proven"] == wallet["claimed"]
    assert wallet["claimed"]["balance"] == seen["walletBalance"]
    assert wallet["claimed"]["storageHash"] == EMPTY_TRIE_ROOT
    assert wallet["claimed"]["codeHash"] == EMPTY_CODE_HASH
    assert absent["proven"] is None
    assert (absent["claimed"]["nonce"], absent["claimed"]["balance"]) == (0, 0)
    assert seen["tampered"] == "refused"
