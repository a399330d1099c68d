"""`coc validator` before anything is sent: whom it means, whose keys it needs, and where no node answers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.folders import coc, refusal

ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """A folder with a validator's keys."""
    coc("keys", "new", "--data", tmp_path / "node", "--insecure")
    return tmp_path / "node"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text("07" * 32)
    return path


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address where nobody answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize("command", ["exit", "withdraw"])
def test_a_validator_is_named_by_address_or_folder_and_not_by_both(
    command: str, node: Path, key: Path
) -> None:
    assert coc("validator", command, "--key", key).exit_code == 2
    assert coc("validator", command, ADDRESS, "--data", node, "--key", key).exit_code == 2
    assert coc("validator", "status", ADDRESS, "--data", node).exit_code == 2


@pytest.mark.parametrize("command", ["join", "exit", "withdraw"])
def test_nothing_is_sent_without_a_key(command: str, node: Path) -> None:
    assert coc("validator", command, "--data", node).exit_code == 2


def test_a_mistyped_address_is_noticed(key: Path) -> None:
    mistyped = ADDRESS.replace("f39F", "f39f")
    assert "checksum" in refusal(coc("validator", "status", mistyped))
    assert "20 bytes" in refusal(coc("validator", "exit", "0x12", "--key", key))


def test_joining_needs_the_validators_keys(key: Path, tmp_path: Path) -> None:
    said = refusal(coc("validator", "join", "--data", tmp_path / "none", "--key", key))
    assert "coc keys new" in said


def test_a_stake_that_is_no_amount_and_a_file_that_is_no_key_are_refused(
    node: Path, key: Path, nobody: str
) -> None:
    key.write_text("not a key")
    assert "holds no key" in refusal(coc("validator", "join", "--data", node, "--key", key, "--rpc", nobody))


def test_where_no_node_answers_the_address_is_told(node: Path, key: Path, nobody: str) -> None:
    for arguments in (["join", "--key", key], ["exit", "--key", key], ["withdraw", "--key", key], ["status"]):
        said = refusal(coc("validator", *arguments, "--data", node, "--rpc", nobody))
        assert nobody in said
        assert "COC-RPC-UNREACHABLE" in said
    assert nobody in refusal(coc("validator", "status", "--rpc", nobody))
    assert "http://HOST:PORT" in refusal(coc("validator", "status", "--rpc", "localhost:8545"))
