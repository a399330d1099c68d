"""`coc genesis new`: public files in, one file and its hash out, and everything that cannot be is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from coc.adapters.validator_file import read_validator_file
from coc.contracts.addresses import VALIDATOR_REGISTRY
from coc.execution.genesis import read_genesis
from coc.primitives.limits import BFT_TIMEOUT_MS_MAX, BLOCK_INTERVAL_SECONDS_MAX
from coc.primitives.units import ETHER
from tests.cli.folders import coc, facts, refusal

ONE, TWO = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the public files of three validators."""
    folder = tmp_path_factory.mktemp("validators")
    for number in (1, 2, 3):
        data = tmp_path_factory.mktemp("node")
        coc("keys", "new", "--data", data, "--insecure")
        shutil.copy(data / "keys" / "validator.json", folder / f"{number}.json")
    return folder


def make(public: Path, out: Path, *options: object) -> Any:
    asked = ["genesis", "new", "--validators-dir", public, "--chain-id", 77, "--timestamp", 1_700_000_000]
    return coc(*asked, "--out", out, "--json", *options)


def test_the_file_makes_a_chain_with_the_printed_hash(public: Path, tmp_path: Path) -> None:
    said = facts(make(public, tmp_path / "g.json"))
    made = facts(coc("init", "--data", tmp_path / "d", "--genesis", tmp_path / "g.json", "--json"))
    assert (made["genesisHash"], made["chainId"]) == (said["genesisHash"], 77)
    text = coc("genesis", "new", "--validators-dir", public, "--chain-id", 77, "--out", tmp_path / "h.json")
    assert "genesis hash 0x" in text.stdout


def test_validators_stand_in_the_order_they_were_given_in(public: Path, tmp_path: Path) -> None:
    files = [public / f"{number}.json" for number in (2, 1, 3)]
    given = [part for file in files for part in ("--validator", file)]
    said = facts(coc("genesis", "new", *given, "--chain-id", 77, "--out", tmp_path / "g.json", "--json"))
    rules = read_genesis((tmp_path / "g.json").read_bytes()).coc
    assert rules is not None
    listed = [(each.id, each.consensus_key) for each in rules.validators.validators]
    expected = [read_validator_file(file) for file in files]
    assert listed == [(each.id, each.consensus_key) for each in expected]
    assert said["validators"] == [each.json()["id"] for each in expected]


def test_equal_choices_give_an_equal_file_and_another_choice_another_hash(
    public: Path, tmp_path: Path
) -> None:
    first, again = (facts(make(public, tmp_path / name)) for name in ("a", "b"))
    other = facts(make(public, tmp_path / "c", "--vote-ms", 501))
    assert first["genesisHash"] == again["genesisHash"] != other["genesisHash"]
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_what_was_chosen_stands_in_the_file(public: Path, tmp_path: Path) -> None:
    options = {
        "--block-time": 3,
        "--propose-ms": 2_000,
        "--period-blocks": 7,
        "--stake": "48",
        "--stake-min": "40",
        "--power-unit": "2",
        "--slash": "500000 gwei",
        "--unbonding-seconds": 60,
        "--validators-max": 9,
    }
    facts(make(public, tmp_path / "g", *(part for option in options.items() for part in option)))
    root = json.loads((tmp_path / "g").read_bytes())
    section = root["config"]["coc"]
    registry = section["validatorRegistry"]
    assert (section["engine"], section["blockIntervalSeconds"], section["bft"]["proposeMs"]) == (
        "bft",
        3,
        2000,
    )
    assert [each["power"] for each in section["validators"]] == [24] * 3
    assert (registry["periodBlocks"], registry["unbondingSeconds"], registry["validatorsMax"]) == (7, 60, 9)
    assert int(registry["stakeMinWei"], 16) == 40 * ETHER
    assert int(registry["slashWei"], 16) == 500_000 * 10**9
    assert int(root["alloc"][f"0x{VALIDATOR_REGISTRY.hex()}"]["balance"], 16) == 3 * 48 * ETHER


def test_accounts_start_with_what_they_were_given(public: Path, tmp_path: Path) -> None:
    facts(make(public, tmp_path / "g", "--fund", f"{ONE}=1.5", "--fund", TWO))
    alloc = json.loads((tmp_path / "g").read_bytes())["alloc"]
    assert int(alloc[ONE.lower()]["balance"], 16) == 15 * ETHER // 10
    assert int(alloc[TWO.lower()]["balance"], 16) == 10_000 * ETHER


def test_times_that_can_only_be_typing_errors_are_a_wrong_command_line(public: Path, tmp_path: Path) -> None:
    facts(make(public, tmp_path / "longest", "--block-time", BLOCK_INTERVAL_SECONDS_MAX))
    facts(make(public, tmp_path / "slowest", "--cap-ms", BFT_TIMEOUT_MS_MAX))
    assert make(public, tmp_path / "g", "--block-time", BLOCK_INTERVAL_SECONDS_MAX + 1).exit_code == 2
    assert make(public, tmp_path / "g", "--cap-ms", BFT_TIMEOUT_MS_MAX + 1).exit_code == 2
    assert not (tmp_path / "g").exists()


def test_an_existing_file_is_left_as_it_is(public: Path, tmp_path: Path) -> None:
    (tmp_path / "g").write_text("mine")
    assert "never overwritten" in refusal(make(public, tmp_path / "g"))
    assert (tmp_path / "g").read_text() == "mine"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--stake", "31"), "--stake-min"),
        (("--slash", "0"), "slashWei"),
        (("--power-unit", "64"), "stakeMinWei"),
        (("--validators-max", 2), "validatorsMax"),
        (("--cap-ms", 10), "capMs"),
        (("--fund", "0x12"), "20 bytes"),
        (("--fund", f"{ONE}=much"), "COC-AMOUNT"),
        (("--fund", f"0x{VALIDATOR_REGISTRY.hex()}"), "system contract"),
    ],
)
def test_choices_that_no_chain_could_live_with_are_refused(
    public: Path, tmp_path: Path, options: tuple[object, ...], reason: str
) -> None:
    assert reason in refusal(make(public, tmp_path / "g", *options))
    assert not (tmp_path / "g").exists()


def test_a_validator_twice_is_refused_with_both_files(public: Path, tmp_path: Path) -> None:
    shutil.copytree(public, tmp_path / "v")
    shutil.copy(public / "1.json", tmp_path / "v" / "again.json")
    said = refusal(make(tmp_path / "v", tmp_path / "g"))
    assert "again.json" in said
    assert "1.json" in said


def test_validators_come_from_files_or_from_one_folder(public: Path, tmp_path: Path) -> None:
    asked = ["genesis", "new", "--chain-id", 77, "--out", tmp_path / "g"]
    assert coc(*asked).exit_code == 2
    assert coc(*asked, "--validators-dir", public, "--validator", public / "1.json").exit_code == 2
    assert coc("genesis", "new", "--validators-dir", public, "--out", tmp_path / "g").exit_code == 2
    (tmp_path / "empty").mkdir()
    assert "no .json file" in refusal(coc(*asked, "--validators-dir", tmp_path / "empty"))
    (tmp_path / "empty" / "x.json").write_text("{}")
    assert "does not name a validator" in refusal(coc(*asked, "--validators-dir", tmp_path / "empty"))


def test_validators_that_take_turns_have_no_stake_and_a_depth_of_finality(
    public: Path, tmp_path: Path
) -> None:  # ROT-21
    said = facts(make(public, tmp_path / "g", "--engine", "rotation", "--final-depth", 9))
    section = json.loads((tmp_path / "g").read_bytes())["config"]["coc"]
    assert (section["engine"], section["finalDepthBlocks"]) == ("rotation", 9)
    assert "validatorRegistry" not in section
    assert len(said["validators"]) == len(section["validators"]) == 3
    made = facts(coc("init", "--data", tmp_path / "d", "--genesis", tmp_path / "g", "--json"))
    assert made["genesisHash"] == said["genesisHash"]


@pytest.mark.parametrize(
    ("engine", "option"), [("rotation", ("--stake", "48")), ("bft", ("--final-depth", "7"))]
)
def test_what_means_nothing_to_the_engine_is_refused(
    public: Path, tmp_path: Path, engine: str, option: tuple[str, str]
) -> None:
    refused = make(public, tmp_path / "g", "--engine", engine, *option)
    assert refused.exit_code == 2
    assert f"{option[0]} means nothing to the engine {engine}" in refused.stderr
    assert not (tmp_path / "g").exists()
