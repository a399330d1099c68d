"""Blocks, state, transactions, raw encodings, and what a node says of itself."""

from typing import Any

import pytest

from coc.primitives.limits_rpc import RPC_OVERRIDE_ACCOUNTS_MAX, RPC_POOL_ROWS_MAX, RPC_PROOF_SLOTS_MAX
from coc.rpc.ports import SyncProgress
from tests.rpc.fakes import ALICE, BOB, FakeTransaction, Node, Pruned, UnknownBlock, digest

ALICE_TEXT, BOB_TEXT = "0x" + ALICE.hex(), "0x" + BOB.hex()
IN_BLOCK, IN_POOL = digest("in a block"), digest("in the pool")


def text(raw: bytes) -> str:
    return "0x" + raw.hex()


@pytest.fixture
def node() -> Node:
    node = Node()
    node.chain.extend("one", [digest("first"), IN_BLOCK])
    node.pool.waiting.append(FakeTransaction(IN_POOL, ALICE, 7))
    return node


def test_a_node_says_who_it_is(node: Node) -> None:
    assert node.ask("eth_chainId") == "0x539"
    assert node.ask("net_version") == "1337"
    assert node.ask("eth_blockNumber") == "0x1"
    assert node.ask("web3_clientVersion") == "coc/test"
    assert node.ask("net_listening") is True
    assert node.ask("net_peerCount") == "0x2"
    assert node.ask("eth_accounts") == [ALICE_TEXT]
    assert node.ask("rpc_modules").keys() == {
        "bft",
        "coc",
        "debug",
        "eth",
        "evm",
        "net",
        "rpc",
        "txpool",
        "web3",
    }
    assert node.ask("web3_sha3", "0x") == text(node.context.keccak256(b""))


def test_syncing_is_false_or_says_how_far(node: Node) -> None:
    assert node.ask("eth_syncing") is False

    node.status.progress = SyncProgress(1, 5, 16)

    assert node.ask("eth_syncing") == {"startingBlock": "0x1", "currentBlock": "0x5", "highestBlock": "0x10"}


def test_a_node_without_a_fee_recipient_has_no_coinbase(node: Node) -> None:
    assert node.refusal("eth_coinbase")[0] == -32000

    node.status.fee_recipient = BOB

    assert node.ask("eth_coinbase") == BOB_TEXT


def test_a_block_is_found_by_hash_and_by_number(node: Node) -> None:
    by_number = node.ask("eth_getBlockByNumber", "0x1", False)

    assert by_number == {"hash": text(digest("one")), "number": "0x1", "full": False}
    assert node.ask("eth_getBlockByHash", text(digest("one")), False) == by_number
    assert node.ask("eth_getBlockByNumber", "0x1", True)["full"] is True
    assert node.ask("eth_getBlockByNumber", "0x1") == by_number


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("eth_getBlockByNumber", ["0x9", True]),
        ("eth_getBlockByNumber", ["pending", True]),
        ("eth_getBlockByHash", [text(digest("none")), True]),
        ("eth_getBlockReceipts", ["0x9"]),
        ("eth_getBlockReceipts", [text(digest("none"))]),
        ("eth_getBlockTransactionCountByNumber", ["0x9"]),
        ("eth_getBlockTransactionCountByHash", [text(digest("none"))]),
        ("eth_getUncleCountByBlockNumber", ["0x9"]),
        ("eth_getUncleCountByBlockHash", [text(digest("none"))]),
        ("eth_getUncleByBlockNumberAndIndex", ["0x1", "0x0"]),
        ("eth_getUncleByBlockNumberAndIndex", ["0x9", "0x0"]),
        ("eth_getUncleByBlockHashAndIndex", [text(digest("none")), "0x0"]),
        ("eth_getTransactionByHash", [text(digest("none"))]),
        ("eth_getTransactionReceipt", [text(digest("none"))]),
        ("eth_getTransactionReceipt", [text(IN_POOL)]),
        ("eth_getTransactionByBlockNumberAndIndex", ["0x1", "0x2"]),
        ("eth_getTransactionByBlockNumberAndIndex", ["0x9", "0x0"]),
        ("eth_getTransactionByBlockHashAndIndex", [text(digest("none")), "0x0"]),
        ("eth_getRawTransactionByHash", [text(digest("none"))]),
        ("eth_getRawTransactionByBlockNumberAndIndex", ["0x9", "0x0"]),
        ("eth_getRawTransactionByBlockHashAndIndex", [text(digest("one")), "0x2"]),
        ("debug_getRawTransaction", [text(digest("none"))]),
    ],
)
def test_what_is_not_there_is_null(node: Node, method: str, params: list[Any]) -> None:
    assert node.ask(method, *params) is None


def test_counts_are_quantities(node: Node) -> None:
    assert node.ask("eth_getBlockTransactionCountByNumber", "0x1") == "0x2"
    assert node.ask("eth_getBlockTransactionCountByNumber", "pending") == "0x1"
    assert node.ask("eth_getBlockTransactionCountByHash", text(digest("one"))) == "0x2"
    assert node.ask("eth_getUncleCountByBlockNumber", "0x1") == "0x0"
    assert node.ask("eth_getUncleCountByBlockHash", text(digest("one"))) == "0x0"


def test_an_uncle_is_found_by_its_place_in_the_nephew(node: Node) -> None:
    node.chain.uncles = 2

    assert node.ask("eth_getUncleByBlockNumberAndIndex", "0x1", "0x1") == {"number": "0x1", "index": 1}
    assert node.ask("eth_getUncleByBlockHashAndIndex", text(digest("one")), "0x0")["index"] == 0
    assert node.ask("eth_getUncleByBlockNumberAndIndex", "0x1", "0x2") is None


def test_a_block_that_vanishes_while_it_is_read_is_not_found(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    def vanished(block: bytes, address: bytes) -> bytes:
        raise UnknownBlock("no block has the hash 0x11")

    monkeypatch.setattr(node.chain, "code", vanished)

    assert node.refusal("eth_getCode", ALICE_TEXT)[0] == -32001


def test_a_transaction_is_found_in_the_chain_and_in_the_pool(node: Node) -> None:
    mined = node.ask("eth_getTransactionByHash", text(IN_BLOCK))

    assert mined == {"hash": text(IN_BLOCK)}
    assert node.ask("eth_getTransactionByBlockNumberAndIndex", "0x1", "0x1") == mined
    assert node.ask("eth_getTransactionByBlockHashAndIndex", text(digest("one")), "0x1") == mined
    assert node.ask("eth_getTransactionByHash", text(IN_POOL)) == {"hash": text(IN_POOL), "blockHash": None}


def test_raw_transactions_are_canonical_bytes(node: Node) -> None:
    raw = text(b"\x02" + IN_BLOCK)

    assert node.ask("eth_getRawTransactionByHash", text(IN_BLOCK)) == raw
    assert node.ask("debug_getRawTransaction", text(IN_BLOCK)) == raw
    assert node.ask("eth_getRawTransactionByBlockNumberAndIndex", "0x1", "0x1") == raw
    assert node.ask("eth_getRawTransactionByBlockHashAndIndex", text(digest("one")), "0x1") == raw
    assert node.ask("eth_getRawTransactionByHash", text(IN_POOL)) == text(b"\x02raw")


def test_receipts_come_one_by_one_and_by_block(node: Node) -> None:
    assert node.ask("eth_getTransactionReceipt", text(IN_BLOCK)) == {"transactionHash": text(IN_BLOCK)}
    assert len(node.ask("eth_getBlockReceipts", "latest")) == 2
    assert node.ask("eth_getBlockReceipts", "earliest") == []


def test_an_account_is_read_as_of_a_block(node: Node) -> None:
    node.chain.nonces[ALICE] = 5
    node.chain.slots[(1).to_bytes(32, "big")] = b"\x2a".rjust(32, b"\0")

    assert node.ask("eth_getBalance", ALICE_TEXT, "latest") == hex(10**18)
    assert node.ask("eth_getBalance", BOB_TEXT, "latest") == "0x0"
    assert node.ask("eth_getCode", ALICE_TEXT) == "0x6042"
    assert node.ask("eth_getCode", BOB_TEXT) == "0x"
    assert node.ask("eth_getStorageAt", ALICE_TEXT, "0x1", "latest") == "0x" + "2a".rjust(64, "0")
    assert node.ask("eth_getTransactionCount", ALICE_TEXT, "latest") == "0x5"


def test_a_pending_nonce_counts_what_waits_in_the_pool(node: Node) -> None:
    node.chain.nonces[BOB] = 3

    assert node.ask("eth_getTransactionCount", ALICE_TEXT, "pending") == "0x8"
    assert node.ask("eth_getTransactionCount", BOB_TEXT, "pending") == "0x3"


def test_a_proof_names_slots_as_they_were_asked_for(node: Node) -> None:
    full = "0x" + "00" * 31 + "01"

    proof = node.ask("eth_getProof", ALICE_TEXT, ["0x01", full, "0x0"], "latest")

    assert [entry["key"] for entry in proof["storageProof"]] == ["0x1", full, "0x0"]
    assert proof["address"] == ALICE_TEXT


def test_a_proof_is_bounded_in_slots(node: Node) -> None:
    assert len(node.ask("eth_getProof", ALICE_TEXT, ["0x0"] * RPC_PROOF_SLOTS_MAX)["storageProof"]) > 0
    code, message = node.refusal("eth_getProof", ALICE_TEXT, ["0x0"] * (RPC_PROOF_SLOTS_MAX + 1))
    assert code == -32602
    assert "RPC_PROOF_SLOTS_MAX" in message


def test_raw_blocks_headers_and_receipts_are_consensus_bytes(node: Node) -> None:
    assert node.ask("debug_getRawHeader", "0x1") == "0xc101"
    assert node.ask("debug_getRawBlock", text(digest("one"))) == "0xc102"
    assert node.ask("debug_getRawReceipts", "0x1") == ["0xc103", "0xc103"]
    assert node.ask("debug_getRawReceipts", "0x0") == []


@pytest.mark.parametrize("method", ["debug_getRawHeader", "debug_getRawBlock", "debug_getRawReceipts"])
def test_raw_encodings_of_an_unknown_block_are_an_error(node: Node, method: str) -> None:
    assert node.refusal(method, "0x9")[0] == -32001
    assert node.refusal(method, "2")[0] == -32602


def test_a_body_that_is_no_longer_kept_is_said_to_be_pruned(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pruned(block: bytes, full: bool) -> bytes | None:
        raise Pruned("block 1 was removed with the oldest segments")

    monkeypatch.setattr(node.chain, "block_json", pruned)

    assert node.refusal("eth_getBlockByNumber", "0x1", True)[0] == 4444
    assert node.refusal("eth_getBlockByNumber", "0x1", False)[0] == 4444


def test_the_pool_is_listed_by_sender_and_nonce(node: Node) -> None:
    listed = {"hash": text(IN_POOL), "blockHash": None}

    assert node.ask("txpool_status") == {"pending": "0x1", "queued": "0x0"}
    assert node.ask("txpool_content") == {"pending": {ALICE_TEXT: {"7": listed}}, "queued": {}}
    assert node.ask("txpool_contentFrom", ALICE_TEXT) == {"pending": {"7": listed}, "queued": {}}
    assert node.ask("txpool_inspect")["pending"][ALICE_TEXT]["7"] == f"{BOB_TEXT}: 1 wei + 21000 gas × 9 wei"


def test_a_full_listing_of_the_pool_is_bounded(node: Node) -> None:
    node.pool.waiting = [FakeTransaction(digest(str(n)), ALICE, n) for n in range(RPC_POOL_ROWS_MAX)]
    assert len(node.ask("txpool_inspect")["pending"][ALICE_TEXT]) == RPC_POOL_ROWS_MAX

    node.pool.waiting.append(FakeTransaction(IN_POOL, ALICE, RPC_POOL_ROWS_MAX))

    for method in ("txpool_content", "txpool_inspect"):
        code, message = node.refusal(method)
        assert code == -32005
        assert "RPC_POOL_ROWS_MAX" in message
    assert len(node.ask("txpool_contentFrom", ALICE_TEXT)["pending"]) == RPC_POOL_ROWS_MAX + 1


def test_overrides_are_bounded_in_accounts(node: Node) -> None:
    def overrides(count: int) -> dict[str, Any]:
        return {text(n.to_bytes(20, "big")): {"balance": "0x1"} for n in range(count)}

    assert node.ask("eth_call", {}, "latest", overrides(RPC_OVERRIDE_ACCOUNTS_MAX)) == "0x2a"
    code, message = node.refusal("eth_call", {}, "latest", overrides(RPC_OVERRIDE_ACCOUNTS_MAX + 1))
    assert code == -32602
    assert "RPC_OVERRIDE_ACCOUNTS_MAX" in message
