"""`coc up` and `coc node` before they run: whose keys, which chain, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coc.adapters.keystore import Keystore
from coc.adapters.live_node import NodeChoices
from coc.cli import node, serving, up
from coc.consensus.rotation.engine import Sealing
from coc.execution.dev_genesis import DevGenesis, dev_genesis
from coc.primitives.keystore import LIGHT_COST
from coc.primitives.mnemonic import DEV_MNEMONIC
from coc.primitives.secp256k1 import Secret, address_of
from tests.adapters.sealed_chain import STRANGER, VALIDATOR, validator_of
from tests.cli.folders import coc, ethereum_genesis, own_genesis, refusal
from tests.execution.dev_networks import OTHER_MNEMONIC

OWN = Secret(b"\x09" * 32)
"""A validator's key that nobody knows."""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> list[NodeChoices]:
    """Notes how a node would be run, instead of running it."""
    runs: list[NodeChoices] = []

    def note(choices: NodeChoices, announce: object, *, log_level: str, shows_blocks: bool) -> None:
        runs.append(choices)

    for module in (node, up, serving):
        monkeypatch.setattr(module, "run_node", note)
    return runs


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """The folder of a chain whose validator's key is `OWN`."""
    made = DevGenesis(accounts=[], validator=validator_of(OWN), block_interval_s=3)
    (tmp_path / "private.json").write_bytes(dev_genesis(made))
    coc("init", "--data", tmp_path / "private", "--genesis", tmp_path / "private.json")
    return tmp_path / "private"


def key_file(folder: Path, secret: Secret) -> Path:
    """An encrypted key file with the password `words`, and the password beside it."""
    (folder / "password").write_text("words\n")
    return Keystore(folder / "keys").add(secret, b"words", LIGHT_COST).path


# ── coc node ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_hex_key_seals_at_the_interval_of_genesis(
    run: list[NodeChoices], private: Path, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text(f"0x{OWN.hex()}\n")
    assert coc("node", "--data", private, "--validator-key", tmp_path / "key").exit_code == 0
    (chosen,) = run
    assert chosen.sealing is not None
    assert (chosen.sealing.secret, chosen.sealing.sealing) == (OWN, Sealing.INTERVAL)
    assert chosen.sealing.interval_ms == 3_000
    assert list(chosen.accounts) == []


def test_the_keystore_is_searched_for_the_validators_key(
    run: list[NodeChoices], private: Path, tmp_path: Path
) -> None:
    key_file(tmp_path, STRANGER)
    key_file(tmp_path, OWN)
    options = ["--keystore", tmp_path / "keys", "--password-file", tmp_path / "password"]
    assert coc("node", "--data", private, *options).exit_code == 0
    assert run[0].sealing is not None
    assert run[0].sealing.secret == OWN


def test_without_the_validators_key_a_node_serves_and_seals_nothing(
    run: list[NodeChoices], private: Path, tmp_path: Path
) -> None:
    assert coc("node", "--data", private, "--keystore", tmp_path / "none").exit_code == 0
    assert run[0].sealing is None


def test_a_development_chain_goes_on_with_the_key_everybody_knows_on_this_machine_only(
    run: list[NodeChoices], tmp_path: Path
) -> None:
    coc("init", "--data", tmp_path / "d", "--genesis", own_genesis(tmp_path))
    assert coc("node", "--data", tmp_path / "d").exit_code == 0
    assert run[0].sealing is not None
    assert run[0].sealing.secret == VALIDATOR
    said = refusal(coc("node", "--data", tmp_path / "d", "--host", "0.0.0.0"))
    assert "everybody knows the keys" in said
    assert len(run) == 1


def test_keys_that_do_not_fit_are_refused(run: list[NodeChoices], private: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(STRANGER.hex())
    (tmp_path / "junk").write_text("junk")
    path = key_file(tmp_path, OWN)
    (tmp_path / "wrong").write_text("wrong")
    asked = ["node", "--data", private, "--validator-key"]
    assert "not that of this chain's only validator" in refusal(coc(*asked, tmp_path / "key"))
    assert "holds no key" in refusal(coc(*asked, tmp_path / "junk"))
    assert "COC-KEYFILE-PASSWORD" in refusal(coc(*asked, path, "--password-file", tmp_path / "wrong"))
    assert "--password-file" in refusal(coc(*asked, path))
    assert run == []


def test_an_ethereum_chain_is_served_without_sealing_and_wants_no_key(
    run: list[NodeChoices], tmp_path: Path
) -> None:
    coc("init", "--data", tmp_path / "eth", "--genesis", ethereum_genesis(tmp_path))
    assert coc("node", "--data", tmp_path / "eth", "--host", "0.0.0.0").exit_code == 0
    assert run[0].sealing is None
    (tmp_path / "key").write_text(OWN.hex())
    said = refusal(coc("node", "--data", tmp_path / "eth", "--validator-key", tmp_path / "key"))
    assert "nothing is sealed" in said


# ── coc up ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_up_makes_a_chain_of_what_was_asked_for(run: list[NodeChoices], tmp_path: Path) -> None:
    asked = ["up", "--chain-id", 99, "--gas-limit", 40_000_000, "--accounts", 3, "--instant", "--port", 0]
    assert coc(*asked, "--data", tmp_path / "d").exit_code == 0
    (chosen,) = run
    made = json.loads(chosen.genesis.text)
    assert (made["config"]["chainId"], int(made["gasLimit"], 16)) == (99, 40_000_000)
    assert len(chosen.accounts) == 3
    assert chosen.sealing is not None
    assert chosen.sealing.sealing is Sealing.INSTANT


@pytest.mark.parametrize(("seconds", "interval_s"), [(0.1, 1), (1, 1), (2.4, 2), (12, 12)])
def test_a_block_time_below_a_second_leaves_whole_seconds_in_genesis(
    run: list[NodeChoices], seconds: float, interval_s: int
) -> None:
    coc("up", "--block-time", seconds)
    assert run[0].sealing is not None
    assert run[0].sealing.interval_ms == seconds * 1_000
    assert run[0].sealing.rules.block_interval_s == interval_s


def test_up_refuses_a_folder_of_another_mnemonic_and_a_genesis_that_is_not_ours(
    run: list[NodeChoices], tmp_path: Path
) -> None:
    coc("init", "--data", tmp_path / "d", "--genesis", own_genesis(tmp_path))
    said = refusal(coc("up", "--data", tmp_path / "d", "--mnemonic", OTHER_MNEMONIC))
    assert "--mnemonic" in said
    assert "coc node" in refusal(coc("up", "--genesis", ethereum_genesis(tmp_path)))
    coc("init", "--data", tmp_path / "eth", "--genesis", ethereum_genesis(tmp_path))
    assert "coc node" in refusal(coc("up", "--data", tmp_path / "eth"))
    assert "mnemonic" in refusal(coc("up", "--mnemonic", "test test test"))
    assert run == []


def test_up_with_well_known_keys_stays_on_this_machine(run: list[NodeChoices]) -> None:
    assert "everybody knows the keys" in refusal(coc("up", "--host", "0.0.0.0"))
    assert coc("up", "--host", "0.0.0.0", "--mnemonic", OTHER_MNEMONIC).exit_code == 0
    assert [coc("up", "--host", host).exit_code for host in ("127.0.0.1", "::1", "localhost")] == [0, 0, 0]


def test_choices_that_exclude_each_other_are_a_wrong_command_line(run: list[NodeChoices]) -> None:
    assert coc("up", "--instant", "--manual").exit_code == 2
    assert coc("up", "--accounts", 0).exit_code == 2
    assert coc("up", "--port", 65_536).exit_code == 2
    assert run == []


def test_the_mnemonic_in_the_help_is_the_one_everybody_knows() -> None:
    assert up.DEV_MNEMONIC == DEV_MNEMONIC
    assert address_of(VALIDATOR).hex().startswith("f39f")
