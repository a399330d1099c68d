"""A defect costs one call an error with an id, and is reported; the client's mistakes never look like one."""

import msgspec
import pytest

from coc.adapters.http.containment import contain_everything
from coc.rpc.errors import CATALOGUE, INTERNAL_ERROR
from tests.rpc.fakes import ALICE, Node, StorageFailed

ALICE_TEXT = "0x" + ALICE.hex()


def broken_node(monkeypatch: pytest.MonkeyPatch) -> Node:
    node = Node(contain_everything)

    def broken(block: bytes, address: bytes) -> bytes:
        raise KeyError("an index that should be there")

    monkeypatch.setattr(node.chain, "code", broken)
    return node


def test_a_defect_becomes_an_internal_error_with_an_id(monkeypatch: pytest.MonkeyPatch) -> None:
    node = broken_node(monkeypatch)

    code, message = node.refusal("eth_getCode", ALICE_TEXT)

    assert code == INTERNAL_ERROR
    assert node.defects[0].error_id in message
    assert isinstance(node.defects[0].error, KeyError)
    assert "index" not in message, "what went wrong inside is for the log, not for the client"


def test_one_defect_has_one_id_and_another_has_another(monkeypatch: pytest.MonkeyPatch) -> None:
    node = broken_node(monkeypatch)

    def also_broken(block: bytes, address: bytes, slot: bytes) -> bytes:
        raise KeyError("another")

    monkeypatch.setattr(node.chain, "storage", also_broken)
    node.refusal("eth_getCode", ALICE_TEXT)
    node.refusal("eth_getCode", ALICE_TEXT)
    node.refusal("eth_getStorageAt", ALICE_TEXT, "0x0")

    first, second, third = (defect.error_id for defect in node.defects)
    assert first == second != third


def test_a_defect_spoils_no_other_call_of_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    node = broken_node(monkeypatch)
    calls = [("eth_chainId", []), ("eth_getCode", [ALICE_TEXT]), ("eth_chainId", [])]

    answer = node.send(
        msgspec.json.encode(
            [{"jsonrpc": "2.0", "id": 1, "method": name, "params": params} for name, params in calls]
        )
    )

    assert answer is not None
    assert [entry.get("result") for entry in msgspec.json.decode(answer)] == ["0x539", None, "0x539"]


def test_a_failing_disk_is_named_as_such_and_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node()

    def failing(block: bytes, address: bytes) -> bytes:
        raise StorageFailed("segment 3 of the log cannot be read; run `coc db check`")

    monkeypatch.setattr(node.chain, "code", failing)

    code, message = node.refusal("eth_getCode", ALICE_TEXT)
    assert code == -32002
    assert "storage failed" in message
    assert len(node.defects) == 1


def test_every_code_is_listed_once() -> None:
    codes = [code for code, _ in CATALOGUE]

    assert len(codes) == len(set(codes))
