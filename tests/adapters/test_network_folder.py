"""The folder of a network: made once, opened again, and never mistaken for another."""

from __future__ import annotations

from pathlib import Path

import pytest

from coc.adapters.network_folder import NETWORK_GENESIS, NetworkFolder, NetworkFolderUnfit
from coc.adapters.validator_keys import shown_validator_keys
from coc.execution.dev_network import dev_validators
from coc.primitives.mnemonic import DEV_MNEMONIC
from coc.primitives.secp256k1 import address_of
from tests.execution.dev_networks import OTHER_MNEMONIC, dev_genesis_file


def opened(root: Path, node_count: int = 2, mnemonic: str = DEV_MNEMONIC) -> NetworkFolder:
    return NetworkFolder(root, dev_validators(mnemonic, node_count), lambda: dev_genesis_file(node_count))


def never() -> bytes:
    raise AssertionError("the genesis that is there is used")


def test_every_node_has_its_own_keys_and_the_same_genesis(tmp_path: Path) -> None:
    made = opened(tmp_path / "net")
    assert made.is_new
    texts = {(made.node(number) / "genesis.json").read_bytes() for number in (1, 2)}
    assert texts == {made.genesis.text} == {(tmp_path / "net" / NETWORK_GENESIS).read_bytes()}
    shown = [shown_validator_keys(made.node(number)).id for number in (1, 2)]
    assert shown == [address_of(each.consensus) for each in dev_validators(DEV_MNEMONIC, 2)]


def test_a_network_that_is_there_goes_on_with_its_genesis(tmp_path: Path) -> None:
    made = opened(tmp_path)
    again = NetworkFolder(tmp_path, dev_validators(DEV_MNEMONIC, 2), never)
    assert (again.is_new, again.genesis.text) == (False, made.genesis.text)


def test_a_node_that_was_wiped_gets_its_keys_and_genesis_back(tmp_path: Path) -> None:
    made = opened(tmp_path)
    before = {path.name: path.read_bytes() for path in made.node(2).rglob("*") if path.is_file()}
    for path in made.node(2).rglob("*"):
        if path.is_file():
            path.unlink()
    opened(tmp_path)
    assert {path.name: path.read_bytes() for path in made.node(2).rglob("*") if path.is_file()} == before


def test_a_start_that_was_cut_off_is_taken_up_again(tmp_path: Path) -> None:
    (tmp_path / f"{NETWORK_GENESIS}.new").write_bytes(b"{")
    made = opened(tmp_path)
    (made.node(2) / "genesis.json").unlink()
    assert (opened(tmp_path).node(2) / "genesis.json").read_bytes() == made.genesis.text


def test_another_number_of_nodes_and_another_mnemonic_are_told_apart(tmp_path: Path) -> None:
    opened(tmp_path)
    with pytest.raises(NetworkFolderUnfit) as fewer:
        opened(tmp_path, node_count=4)
    assert "--nodes 2" in fewer.value.cure
    with pytest.raises(NetworkFolderUnfit) as other:
        opened(tmp_path, mnemonic=OTHER_MNEMONIC)
    assert "--mnemonic" in other.value.cure


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(NetworkFolderUnfit) as refused:
        opened(tmp_path)
    assert "letters.txt" in refused.value.why
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NetworkFolderUnfit):
        opened(tmp_path / "file" / "net")
