"""`coc prove-finality` and `coc verify-finality`: a file from a folder, judged where there is no folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from coc.consensus.finality.frames import write_proof
from coc.consensus.finality.rules import Registry
from coc.contracts.registry_parameters import RegistryParameters
from coc.execution.dev_genesis import config_with, validator_json
from coc.execution.genesis import canonical
from coc.execution.genesis_bft import BftParameters
from tests.cli.folders import coc, ethereum_genesis, facts, own_genesis, refusal
from tests.consensus.finality.forged import ForgedChain, set_of
from tests.consensus.finality.real_chain import HEIGHT, history

AGES_S = 2**40
"""Unbonding on the forged chain: its checkpoints are young for longer than anybody runs this test."""
TARGET = 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a network, as one of its nodes left it."""
    folder = tmp_path_factory.mktemp("network") / "data"
    history().copy_into(folder)
    return folder


@pytest.fixture(scope="module")
def proof(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("proof") / "block.finality"
    assert coc("prove-finality", "--data", folder, "--height", TARGET, "--out", file).exit_code == 0
    return file


@pytest.fixture(scope="module")
def forged() -> ForgedChain:
    """A chain with a genuine config, which this test may date as it likes."""
    parameters = RegistryParameters(period_blocks=4, unbonding_s=AGES_S)
    section = {
        "engine": "bft",
        "validators": [validator_json(each) for each in set_of("abcd").validators],
        "blockIntervalSeconds": 10,
        "bft": BftParameters().json(),
        "validatorRegistry": parameters.json(),
    }
    config = canonical(config_with(7, section))  # type: ignore[arg-type]  # JSON of several functions
    return ForgedChain(15, ("abcd", "abcd", "abcde"), Registry(4, AGES_S), config=config)


def genesis_hash() -> str:
    return f"0x{history().genesis_hash.hex()}"


def checks(number: int) -> dict[str, Any]:
    """What must be said of a block."""
    header = history().chain.header(history().hash_at(number))
    assert header is not None
    return {
        "number": number,
        "hash": f"0x{header.hash.hex()}",
        "stateRoot": f"0x{header.state_root.hex()}",
        "timestamp": header.timestamp,
        "checkpoint": history().checkpoint(number).text(),
    }


def test_a_proof_from_a_folder_is_verified_with_the_genesis_hash_alone(proof: Path) -> None:  # FIN-3, FIN-13
    said = facts(coc("verify-finality", proof, "--genesis-hash", genesis_hash(), "--json"))

    assert said["final"] is True
    assert said.items() >= checks(TARGET).items()
    assert (said["provedFrom"], said["setPeriods"], said["setChanges"]) == (0, 2, 1)
    assert said["signatures"] >= 9


def test_the_genesis_file_does_as_well_as_its_hash(proof: Path, tmp_path: Path) -> None:  # FIN-3
    file = tmp_path / "genesis.json"
    file.write_bytes(history().genesis.text)

    result = coc("verify-finality", proof, "--genesis", file)

    assert result.exit_code == 0
    line = result.stdout.strip()
    assert line.startswith(f"block {TARGET} {checks(TARGET)['hash']} is final")
    assert checks(TARGET)["stateRoot"] in line
    assert "from genesis: set changes 1, signatures" in line


def test_the_head_is_proved_where_no_height_is_named(folder: Path, tmp_path: Path) -> None:  # FIN-13
    said = facts(coc("prove-finality", "--data", folder, "--out", tmp_path / "head", "--json"))

    assert said.items() >= checks(HEIGHT).items()
    assert said["bytes"] == (tmp_path / "head").stat().st_size
    shown = coc("verify-finality", tmp_path / "head", "--genesis-hash", genesis_hash(), "--json")
    assert facts(shown)["setChanges"] == 2


def test_a_proof_is_told_with_the_checkpoint_that_it_gives(folder: Path, tmp_path: Path) -> None:  # FIN-10
    result = coc("prove-finality", "--data", folder, "--height", 9, "--out", tmp_path / "nine")

    assert result.stdout.splitlines()[-1] == f"checkpoint {checks(9)['checkpoint']}"


def test_a_checkpoint_is_all_that_must_be_known(forged: ForgedChain, tmp_path: Path) -> None:  # FIN-4
    checkpoint = forged.checkpoint(6)
    file = tmp_path / "proof"
    file.write_bytes(b"".join(write_proof(forged.proof(10, checkpoint))))

    said = facts(coc("verify-finality", file, "--checkpoint", checkpoint.text(), "--json"))
    line = coc("verify-finality", file, "--checkpoint", checkpoint.text()).stdout

    assert (said["number"], said["provedFrom"], said["setChanges"]) == (10, 6, 1)
    assert said["checkpoint"] == forged.checkpoint(10).text()
    assert "from the checkpoint 6: set changes 1" in line
    assert "--checkpoint" in refusal(
        coc("verify-finality", file, "--genesis-hash", f"0x{forged.genesis_hash.hex()}")
    )


def test_a_stale_checkpoint_proves_nothing_and_leaves_no_file(folder: Path, tmp_path: Path) -> None:  # FIN-11
    """The network's blocks are of 2023, and its checkpoints good for 13 s."""
    file = tmp_path / "stale"
    stale = history().checkpoint(5).text()

    said = refusal(coc("prove-finality", "--data", folder, "--out", file, "--from-checkpoint", stale))

    assert "the checkpoint is too old" in said
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_is_a_sentence_or_json_and_exit_code_one(proof: Path) -> None:  # FIN-2
    arguments = ("verify-finality", proof, "--genesis-hash", f"0x{'1' * 64}")

    assert "COC-FINALITY-ANCHOR" in refusal(coc(*arguments))
    result = coc(*arguments, "--json")
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    assert (said["final"], said["id"]) == (False, "COC-FINALITY-ANCHOR")
    assert said["what"] == "the proof is of another chain"
    assert said["why"].startswith("its genesis is ")


def test_a_damaged_or_foreign_file_is_refused_with_a_sentence(proof: Path, tmp_path: Path) -> None:  # FIN-1
    whole = proof.read_bytes()
    file = tmp_path / "other"
    for content, reason in (
        (whole[:-1], "is damaged at its record 4: the file ends within it"),
        (whole[:1000] + b"\0" + whole[1001:], "is damaged at its record 1: its checksum does not match"),
        (whole + b"\0", "is damaged at its record 5"),
        (b"", "is no finality proof"),
        (history().genesis.text, "is no finality proof"),
    ):
        file.write_bytes(content)

        assert reason in refusal(coc("verify-finality", file, "--genesis-hash", genesis_hash()))


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--genesis-hash", f"0x{'1' * 64}", "--checkpoint", "x"),
        ("--genesis", "no such file"),
    ],
)
def test_exactly_one_thing_is_trusted(proof: Path, options: tuple[str, ...]) -> None:  # FIN-3, FIN-4
    assert coc("verify-finality", proof, *options).exit_code == 2


@pytest.mark.parametrize(
    ("options", "reason"),
    [(("--genesis-hash", "0x12"), "COC-HEX"), (("--checkpoint", "7"), "COC-CHECKPOINT")],
)
def test_what_is_trusted_must_be_well_written(proof: Path, options: tuple[str, str], reason: str) -> None:
    """FIN-10."""
    assert reason in refusal(coc("verify-finality", proof, *options))


def test_what_a_folder_cannot_prove_is_refused(folder: Path, tmp_path: Path) -> None:  # FIN-13
    arguments = ("prove-finality", "--data", folder, "--out", tmp_path / "proof")
    of_another = ForgedChain(3).checkpoint(2).text()

    assert f"the chain ends at block {HEIGHT}" in refusal(coc(*arguments, "--height", HEIGHT + 1))
    assert "not of this chain" in refusal(coc(*arguments, "--from-checkpoint", of_another))
    assert "holds no chain" in refusal(
        coc("prove-finality", "--data", tmp_path / "none", "--out", tmp_path / "proof")
    )
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_not_written_over(folder: Path, proof: Path) -> None:  # FIN-13
    before = proof.read_bytes()

    assert "is there already" in refusal(coc("prove-finality", "--data", folder, "--out", proof))
    assert proof.read_bytes() == before


def test_a_chain_without_certificates_proves_nothing(tmp_path: Path) -> None:  # FIN-13
    for genesis, reason in (
        (own_genesis(tmp_path), "its engine is rotation"),
        (ethereum_genesis(tmp_path), "it is an Ethereum chain"),
    ):
        data = tmp_path / genesis.stem
        assert coc("init", "--data", data, "--genesis", genesis).exit_code == 0

        assert reason in refusal(coc("prove-finality", "--data", data, "--out", tmp_path / "proof"))
