"""Foundry's `cast`, unmodified, against a live node."""

from __future__ import annotations

import pytest

from tests.e2e.clients.cast_client import UNLOCKED_ACCOUNT, Cast, signer
from tests.e2e.clients.expected import DEV_ACCOUNTS, DEV_BALANCE_WEI, DEV_CHAIN_ID
from tests.e2e.node_process import NodeProcess

LOCAL = DEV_ACCOUNTS[7]
UNLOCKED = DEV_ACCOUNTS[UNLOCKED_ACCOUNT]
FRESH = "0x00000000000000000000000000000000c0ffee01"
FRESH_KEY = "0x" + "5e" * 32
SET = "set(uint256,uint256,string)"
EVENT = "ValueChanged(address indexed,uint256 indexed,uint256,string)"


@pytest.fixture(scope="module")
def cast(node: NodeProcess) -> Cast:
    return Cast.of(node)


@pytest.fixture(scope="module")
def probe(cast: Cast) -> str:
    return cast.deploy("Probe", "constructor(uint256)", "7")


def test_cast_sees_the_chain_its_client_and_its_accounts(cast: Cast) -> None:
    assert cast.number("chain-id") == DEV_CHAIN_ID
    assert "/" in cast("client")
    assert cast.number("block-number") >= 0
    assert 0 < cast.number("balance", LOCAL) <= DEV_BALANCE_WEI
    assert cast.number("gas-price") > 0
    assert cast.number("base-fee") > 0
    assert cast.json("rpc", "eth_accounts") == DEV_ACCOUNTS


def test_cast_deploys_sends_calls_and_reads_slots(cast: Cast, probe: str) -> None:
    receipt = cast.send(probe, SET, "3", "11", "by cast")
    assert (receipt["status"], receipt["from"], receipt["to"]) == ("0x1", LOCAL, probe.lower())
    assert cast.number("call", probe, "value()(uint256)") == 11
    assert cast.number("call", probe, "entries(uint256)(uint256)", "3") == 11
    assert cast.number("storage", probe, "0") == 11
    assert cast.number("storage", probe, cast("index", "uint256", "3", "1")) == 11
    assert cast("code", probe).startswith("0x60")
    assert (
        cast.number("call", probe, "value()(uint256)", "--block", str(int(receipt["blockNumber"], 16))) == 11
    )


def test_cast_sends_every_signed_type(cast: Cast, probe: str) -> None:
    entry = f'[{{"address":"{probe}","storageKeys":["0x{"00" * 32}"]}}]'
    for expected, options in (
        ("0x0", ["--legacy"]),
        ("0x1", ["--legacy", "--access-list", entry]),
        ("0x2", []),
    ):
        receipt = cast.send(FRESH, "--value", "5", *options)
        assert (receipt["type"], receipt["status"]) == (expected, "0x1")
        transaction = cast.json("tx", receipt["transactionHash"])
        assert (transaction["type"], transaction["hash"]) == (expected, receipt["transactionHash"])


def test_cast_delegates_an_account_with_a_signed_authorization(cast: Cast) -> None:
    batcher = cast.deploy("Batcher")
    authorization = cast("wallet", "sign-auth", batcher, "--private-key", FRESH_KEY)
    account = cast("wallet", "address", "--private-key", FRESH_KEY)
    receipt = cast.send(account, "--auth", authorization)
    assert (receipt["type"], receipt["status"]) == ("0x4", "0x1")
    assert cast("code", account) == "0xef0100" + batcher.removeprefix("0x").lower()


def test_cast_lets_the_node_sign_for_an_unlocked_account(cast: Cast) -> None:
    before = cast.number("balance", FRESH)
    receipt = cast.json("send", FRESH, "--value", "9", "--unlocked", "--from", UNLOCKED)
    assert (receipt["status"], receipt["from"]) == ("0x1", UNLOCKED)
    assert cast.number("balance", FRESH) == before + 9


def test_cast_publishes_what_it_signed_offline(cast: Cast) -> None:
    nonce = cast.number("nonce", LOCAL)
    raw = cast("mktx", *signer(), FRESH, "--value", "1")
    receipt = cast.json("receipt", cast.json("publish", raw)["transactionHash"])
    assert (receipt["status"], receipt["from"]) == ("0x1", LOCAL)
    assert cast.number("nonce", LOCAL) == nonce + 1
    assert "nonce too low" in cast.refused("publish", raw) or "already known" in cast.refused("publish", raw)


def test_cast_shows_the_reason_of_each_kind_of_revert(cast: Cast, probe: str) -> None:
    assert "the probe says no" in cast.refused("call", probe, "revertWithReason()")
    assert "the probe says no" in cast.refused("estimate", probe, "revertWithReason()")
    selector = cast("sig", "Refused(address,uint256)")
    for command in ("call", "estimate"):
        assert selector in cast.refused(command, probe, "revertWithError(uint256)", "77")
    panic = cast("sig", "Panic(uint256)")
    assert f"{panic}{0x12:064x}" in cast.refused("call", probe, "divide(uint256)", "0")
    assert f"{panic}{0x32:064x}" in cast.refused("call", probe, "pick(uint256)", "3")
    assert "execution reverted" in cast.refused("call", probe, "revertWithNothing()")


def test_cast_finds_logs_by_event_topics_and_range(cast: Cast, probe: str) -> None:
    first = cast.number("block-number") + 1
    for tag in ("21", "22"):
        cast.send(probe, SET, tag, "1", "logged")
    place = ("--address", probe, "--from-block", str(first), "--to-block", "latest")
    everything = cast.json("logs", *place)
    assert [log["topics"][0] for log in everything] == [cast("sig-event", EVENT)] * 2
    (one,) = cast.json("logs", *place, EVENT, "", "22")
    assert int(one["topics"][2], 16) == 22
    assert cast.json("logs", *place, EVENT, "", "23") == []


def test_cast_reads_a_block_with_its_transactions_and_receipts(cast: Cast) -> None:
    receipt = cast.send(FRESH, "--value", "1")
    number = str(int(receipt["blockNumber"], 16))
    block = cast.json("block", number, "--full")
    assert block["hash"] == receipt["blockHash"]
    (transaction,) = [one for one in block["transactions"] if one["hash"] == receipt["transactionHash"]]
    assert transaction["from"].lower() == LOCAL


def test_the_raw_header_hashes_to_the_block(cast: Cast, node: NodeProcess) -> None:
    if node.program == "anvil":
        pytest.skip("anvil has no debug_getRawHeader")
    raw_header = cast("rpc", "debug_getRawHeader", "latest").strip('"')
    assert cast("keccak", raw_header) == cast.json("block", "latest")["hash"]


def test_cast_shows_the_pool_as_empty_once_everything_is_mined(cast: Cast) -> None:
    status = cast.json("rpc", "txpool_status")
    assert {name: int(count, 16) for name, count in status.items()} == {"pending": 0, "queued": 0}


def test_a_created_access_list_is_what_cast_then_pays_for(cast: Cast, probe: str) -> None:
    call = (probe, SET, "31", "1", "listed")
    created = cast.json("access-list", *call, "--from", LOCAL)
    (entry,) = created["accessList"]
    assert (entry["address"], len(entry["storageKeys"])) == (probe.lower(), 2)
    assert cast.number("estimate", *call, "--from", LOCAL) > 21_000


def test_the_first_node_of_a_proof_hashes_to_the_state_root(cast: Cast, probe: str) -> None:
    proof = cast.json("proof", probe, "0x" + "00" * 32)
    block = cast.json("block", "latest")
    assert cast("keccak", proof["accountProof"][0]) == block["stateRoot"]
    assert cast("keccak", proof["storageProof"][0]["proof"][0]) == proof["storageHash"]
    assert cast("codehash", probe) == proof["codeHash"]
    assert cast("storage-root", probe) == proof["storageHash"]
