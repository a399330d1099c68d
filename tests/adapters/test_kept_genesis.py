"""A data folder's genesis: read in full once, and without its accounts while its text stays what it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coc.adapters.chain_port import closing, open_chain
from coc.adapters.data_folder import GENESIS_FILE, FolderUnfit
from coc.adapters.kept_genesis import kept_genesis, noted_genesis, required_kept_genesis
from coc.execution.genesis import GenesisMismatch, read_genesis
from coc.execution.genesis_fields import GenesisInvalid
from tests.adapters.sealed_chain import genesis

OURS = genesis().text
TYPO = "0x" + "07" * 20


def with_typo(text: bytes) -> bytes:
    """The same chain, with a member in an account that nobody reads and the core passes over."""
    root = json.loads(text)
    root["alloc"][TYPO] = {"balance": "0x1", "ballance": "0x2"}
    return json.dumps(root).encode()


def test_a_folder_without_a_chain_has_no_genesis(tmp_path: Path) -> None:
    assert kept_genesis(tmp_path) is None
    with pytest.raises(FolderUnfit, match="holds no chain"):
        required_kept_genesis(tmp_path)


def test_the_genesis_of_a_folder_is_the_same_before_and_after_its_chain_was_made(tmp_path: Path) -> None:
    (tmp_path / GENESIS_FILE).write_bytes(OURS)
    expected = read_genesis(OURS)
    assert kept_genesis(tmp_path) == expected
    with closing(open_chain(OURS, tmp_path, {})):
        pass
    assert (tmp_path / "genesis.note").exists()
    assert kept_genesis(tmp_path) == required_kept_genesis(tmp_path) == expected


def test_accounts_are_checked_again_only_when_the_text_is_another_one(tmp_path: Path) -> None:
    text = with_typo(OURS)
    with pytest.raises(GenesisInvalid, match="ballance"):
        read_genesis(text)
    with closing(open_chain(text, tmp_path, {})):
        pass
    assert required_kept_genesis(tmp_path).account_count == read_genesis(OURS).account_count + 1
    (tmp_path / GENESIS_FILE).write_bytes(text + b"\n")
    with pytest.raises(GenesisInvalid, match="ballance"):
        required_kept_genesis(tmp_path)


def test_the_rules_of_a_chain_are_read_again_at_every_start(tmp_path: Path) -> None:
    with closing(open_chain(OURS, tmp_path, {})):
        pass
    changed = OURS.replace(b'"blockIntervalSeconds": 2', b'"blockIntervalSeconds": 3')
    assert changed != OURS
    with pytest.raises(GenesisMismatch, match="changed after the chain was made"):
        noted_genesis(changed, tmp_path)


def test_a_lost_note_costs_time_and_nothing_else(tmp_path: Path) -> None:
    with closing(open_chain(OURS, tmp_path, {})):
        pass
    (tmp_path / "genesis.note").write_bytes(b"damaged")
    assert kept_genesis(tmp_path) == read_genesis(OURS)
