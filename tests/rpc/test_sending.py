"""Sending: raw transactions, and those of unlocked accounts, completed and signed here."""

from typing import Any

import msgspec
import pytest

from coc.rpc.errors import CallError
from coc.rpc.eth_send import hash_or_refusal
from coc.rpc.exchange import Exchange
from coc.rpc.faults import transaction_refusal
from coc.rpc.jobs import Submit
from coc.rpc.ports import Accepted, Refused
from tests.rpc.fakes import ALICE, BOB, FakeHeader, FakeTransaction, Node, StorageFailed, digest

ALICE_TEXT, BOB_TEXT = "0x" + ALICE.hex(), "0x" + BOB.hex()


def signed(node: Node) -> dict[str, Any]:
    """What the account was asked to sign last."""
    decoded: dict[str, Any] = msgspec.json.decode(node.submitted[-1].removeprefix(b"signed" + ALICE))
    return decoded


def test_a_raw_transaction_is_answered_with_its_hash() -> None:
    node = Node()

    assert node.ask("eth_sendRawTransaction", "0x0102") == "0x" + digest("0102").hex()
    assert node.submitted == [b"\x01\x02"]


def test_a_refused_transaction_says_why_in_words_that_clients_know() -> None:
    code, message = Node().refusal("eth_sendRawTransaction", "0x" + b"no".hex())

    assert code == -32000
    assert message.startswith("nonce too low: ")


def test_a_failure_of_the_node_is_not_blamed_on_the_transaction() -> None:
    node = Node()
    body = msgspec.json.encode(
        {"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": ["0x01"]}
    )
    exchange = node.dispatcher.handle(body, 0)
    assert isinstance(exchange, Exchange)

    exchange.settle(exchange.ready()[0], StorageFailed("the journal cannot be written: disk full"))

    answer = exchange.body()
    assert answer is not None
    assert msgspec.json.decode(answer)["error"]["code"] == -32002
    assert len(node.defects) == 1


def test_a_journal_that_cannot_be_written_is_the_failure_of_the_node() -> None:
    with pytest.raises(CallError) as refusal:
        hash_or_refusal(Refused("JOURNAL_FAILED", "the journal cannot be written: disk full"))

    assert refusal.value.code == -32002


@pytest.mark.parametrize("raw", ["", "0x1", "0xzz", 5, None, True])
def test_a_raw_transaction_that_is_no_data_is_an_invalid_parameter(raw: Any) -> None:
    assert Node().refusal("eth_sendRawTransaction", raw)[0] == -32602


@pytest.mark.parametrize(
    ("code", "sentence", "told"),
    [
        ("NONCE_TOO_LOW", "have 4, want 5", "nonce too low: have 4, want 5"),
        ("NONCE_TOO_LOW", "nonce too low: 4 < 5", "nonce too low: 4 < 5"),
        (
            "INSUFFICIENT_ACCOUNT_FUNDS",
            "insufficient funds: the transaction can cost 5 wei",
            "insufficient funds for gas * price + value: the transaction can cost 5 wei",
        ),
        ("ALREADY_KNOWN", "", "already known"),
        ("SOMETHING_NEW", "a new reason", "a new reason"),
        ("SOMETHING_NEW", "", "something new"),
        ("", "", "transaction refused"),
    ],
)
def test_a_refusal_is_led_by_known_words(code: str, sentence: str, told: str) -> None:
    assert transaction_refusal(code, sentence) == told


def test_a_transaction_of_an_unlocked_account_is_completed() -> None:
    node = Node()

    node.ask("eth_sendTransaction", {"from": ALICE_TEXT, "to": BOB_TEXT, "value": "0x1"})

    assert signed(node) == {
        "type": "0x2",
        "chainId": "0x539",
        "nonce": "0x0",
        "from": ALICE_TEXT,
        "to": BOB_TEXT,
        "value": "0x1",
        "input": "0x",
        "gas": "0x5208",
        "maxFeePerGas": hex(2 * 8 + 10**9),
        "maxPriorityFeePerGas": hex(10**9),
        "accessList": [],
    }


def test_what_the_client_states_is_kept() -> None:
    node = Node()
    stated = {"gas": "0x6000", "nonce": "0x9", "maxFeePerGas": "0x64", "maxPriorityFeePerGas": "0x2"}

    node.ask("eth_sendTransaction", {"from": ALICE_TEXT, "to": BOB_TEXT, **stated})

    assert {name: signed(node)[name] for name in stated} == stated
    assert not [kind for kind, _ in node.chain.asked if kind == "estimate"]


def test_a_gas_price_makes_a_legacy_transaction() -> None:
    node = Node()

    node.ask("eth_sendTransaction", {"from": ALICE_TEXT, "to": BOB_TEXT, "gasPrice": "0x10"})

    assert signed(node)["type"] == "0x0"
    assert "maxFeePerGas" not in signed(node)


def test_before_london_transactions_are_legacy_or_have_an_access_list() -> None:
    node = Node()
    head = node.chain.head
    node.chain.headers[head.hash] = FakeHeader(head.hash, head.parent_hash, 0, base_fee_per_gas=None)

    node.ask("eth_sendTransaction", {"from": ALICE_TEXT, "to": BOB_TEXT})
    assert signed(node)["type"] == "0x0"
    node.ask("eth_sendTransaction", {"from": ALICE_TEXT, "to": BOB_TEXT, "accessList": []})
    assert signed(node)["type"] == "0x1"


def test_an_authorisation_list_makes_a_set_code_transaction() -> None:
    node = Node()
    entry = {"chainId": "0x1", "address": BOB_TEXT, "nonce": "0x0", "yParity": "0x1", "r": "0x5", "s": "0x6"}

    node.ask("eth_sendTransaction", {"from": ALICE_TEXT, "to": BOB_TEXT, "authorizationList": [entry]})

    assert signed(node)["type"] == "0x4"


@pytest.mark.parametrize(
    "wrong",
    [
        {"chainId": "0x1"},
        {"type": "0x3"},
        {"type": "0x5"},
        {"type": "0x2", "gasPrice": "0x1"},
        {"type": "0x0", "maxFeePerGas": "0x1"},
        {"blobVersionedHashes": []},
        {"to": None},
        {"to": None, "input": "0x"},
        {"from": None},
    ],
)
def test_a_transaction_that_cannot_be_completed_is_an_invalid_parameter(wrong: dict[str, Any]) -> None:
    transaction = {"from": ALICE_TEXT, "to": BOB_TEXT} | wrong

    assert Node().refusal("eth_sendTransaction", transaction)[0] == -32602


def test_a_locked_account_is_refused_with_the_cure() -> None:
    for method in ("eth_sendTransaction", "eth_signTransaction"):
        code, message = Node().refusal(method, {"from": BOB_TEXT, "to": ALICE_TEXT})

        assert code == -32000
        assert message.startswith("unknown account")
        assert "eth_sendRawTransaction" in message


def test_the_nonce_follows_what_waits_in_the_pool() -> None:
    node = Node()
    node.pool.waiting.append(FakeTransaction(digest("waiting"), ALICE, 4))

    node.ask("eth_sendTransaction", {"from": ALICE_TEXT, "to": BOB_TEXT})

    assert signed(node)["nonce"] == "0x5"


def test_transactions_under_way_at_once_get_nonces_of_their_own() -> None:
    node = Node()
    transaction = {"from": ALICE_TEXT, "to": BOB_TEXT, "gas": "0x5208"}
    body = msgspec.json.encode(
        [
            {"jsonrpc": "2.0", "id": n, "method": "eth_sendTransaction", "params": [transaction]}
            for n in range(3)
        ]
    )
    exchange = node.dispatcher.handle(body, 0)
    assert isinstance(exchange, Exchange)

    tickets = exchange.ready()
    nonces = []
    for ticket in tickets:
        assert isinstance(ticket.job, Submit)
        node.submit(ticket.job.raw)
        nonces.append(signed(node)["nonce"])
    for ticket in tickets:
        exchange.settle(ticket, Accepted(digest("any")))

    assert nonces == ["0x0", "0x1", "0x2"]
    node.ask("eth_sendTransaction", transaction)
    assert signed(node)["nonce"] == "0x0", "every nonce was given back, and this pool has counted none"


def test_signing_guesses_nothing() -> None:
    node = Node()
    complete = {
        "from": ALICE_TEXT,
        "to": BOB_TEXT,
        "gas": "0x5208",
        "nonce": "0x0",
        "maxFeePerGas": "0x10",
        "maxPriorityFeePerGas": "0x1",
    }

    assert node.ask("eth_signTransaction", complete).startswith("0x" + b"signed".hex() + ALICE.hex())
    for missing in ("gas", "nonce", "maxFeePerGas"):
        partial = {name: value for name, value in complete.items() if name != missing}
        assert node.refusal("eth_signTransaction", partial)[0] == -32602


def test_messages_and_typed_data_are_signed_by_unlocked_accounts() -> None:
    node = Node()

    assert node.ask("eth_sign", ALICE_TEXT, "0x0102") == ALICE_TEXT + "0102"
    assert node.ask("eth_signTypedData_v4", ALICE_TEXT, {"types": {}}).startswith(ALICE_TEXT)
    assert node.ask("eth_signTypedData_v4", ALICE_TEXT, '{"types":{}}').startswith(ALICE_TEXT)
    assert node.refusal("eth_sign", BOB_TEXT, "0x")[0] == -32000
    assert node.refusal("eth_signTypedData_v4", BOB_TEXT, {"types": {}})[0] == -32000


@pytest.mark.parametrize("typed", [{"primaryType": "Mail"}, "no json", "[1]", 5, [1], "[" * 100_000])
def test_typed_data_of_another_form_is_an_invalid_parameter(typed: Any) -> None:
    assert Node().refusal("eth_signTypedData_v4", ALICE_TEXT, typed)[0] == -32602
