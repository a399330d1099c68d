"""Genesis files: geth's read as geth reads them, ours held to their own hash and rules."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coc.execution.dev_genesis import DEV_BALANCE, DevGenesis, dev_genesis
from coc.execution.forks import ForksInvalid
from coc.execution.genesis import (
    GenesisMismatch,
    canonical,
    config_hash,
    read_genesis,
)
from coc.execution.genesis_fields import GenesisInvalid
from coc.execution.predeploys import DEPOSITS, SYSTEM_CONTRACTS
from coc.primitives.errors import CocError
from coc.primitives.keccak import keccak256
from coc.primitives.limits import (
    BLOCK_INTERVAL_SECONDS_MAX,
    EXTRA_DATA_BYTES_MAX,
    GENESIS_FILE_BYTES_MAX,
    GENESIS_VALIDATORS_MAX,
)
from coc.primitives.limits_rotation import FINAL_DEPTH_BLOCKS_DEFAULT, FINAL_DEPTH_BLOCKS_MAX
from coc.primitives.types import Address
from coc.primitives.validators import Validator, ValidatorSet, address_of_key

ACCOUNTS = [Address(bytes([number]) * 20) for number in (1, 2, 3)]
KEY = bytes(range(64))
VALIDATOR = Validator(address_of_key(KEY), KEY, KEY, 1, ACCOUNTS[0])
OURS: dict[str, Any] = json.loads(dev_genesis(DevGenesis(ACCOUNTS, VALIDATOR)))
GETHS: dict[str, Any] = {
    "config": {"chainId": 1337, "homesteadBlock": 0, "eip150Block": 0, "ethash": {}},
    "nonce": "0x42",
    "timestamp": "1234",
    "extraData": "0x686f727365",
    "gasLimit": "0x1388",
    "difficulty": "0x400000",
    "mixhash": "an unknown member, which geth ignores",
    "alloc": {
        "9ca0e998df92c5351cecbbb6dba82ac2266f7e0c": {
            "balance": "1000",
            "code": "0x60",
            "storage": {"0x03": "0x07"},
        },
        "0xcd2a3d9f938e13cd947ec05abc7fe734df8dd826": {"balance": "0x10", "nonce": 3, "secretKey": "ignored"},
    },
}


def read(genesis: Any) -> Any:
    return read_genesis(json.dumps(genesis).encode())


def changed(genesis: dict[str, Any], place: str, value: Any) -> dict[str, Any]:
    """A copy with one member set (`config.coc.engine`), or removed with `None`."""
    copy: dict[str, Any] = json.loads(json.dumps(genesis))
    *parents, name = place.split(".")
    target = copy
    for parent in parents:
        target = target[parent]
    if value is None:
        target.pop(name)
    else:
        target[name] = value
    return copy


def listed(number: int, **changes: Any) -> dict[str, Any]:
    """A validator as the file lists it."""
    key = "0x" + number.to_bytes(64, "big").hex()
    return {"consensusKey": key, "networkKey": key, "feeRecipient": "0x" + "09" * 20, "power": 1} | changes


def ours(place: str, value: Any) -> dict[str, Any]:
    """Our genesis with one member changed and its hash left to be filled in."""
    return changed(changed(OURS, "extraData", "0x"), place, value)


def test_geths_format_is_read_as_geth_reads_it() -> None:
    text = json.dumps(GETHS).encode()
    genesis = read_genesis(text)
    assert genesis.coc is None
    assert (genesis.timestamp, genesis.gas_limit, genesis.account_count) == (1234, 5000, 2)
    assert genesis.text == text


def test_an_empty_hex_number_is_zero_as_for_geth() -> None:
    assert read(changed(GETHS, "timestamp", "0x")).timestamp == 0


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("config", None),
        ("config", []),
        ("alloc", None),
        ("alloc.0x00", {}),
        ("alloc.9CA0E998df92c5351cecbbb6dba82ac2266f7e0c", {}),
        ("alloc.0x9ca0e998df92c5351cecbbb6dba82ac2266f7e0c", {}),
        ("alloc.9ca0e998df92c5351cecbbb6dba82ac2266f7e0c", "1"),
        ("alloc.9ca0e998df92c5351cecbbb6dba82ac2266f7e0c.balance", "1 ether"),
        ("alloc.9ca0e998df92c5351cecbbb6dba82ac2266f7e0c.balance", "0x1" + "0" * 64),
        ("alloc.9ca0e998df92c5351cecbbb6dba82ac2266f7e0c.nonce", 2**64),
        ("alloc.9ca0e998df92c5351cecbbb6dba82ac2266f7e0c.code", "0x0"),
        ("alloc.9ca0e998df92c5351cecbbb6dba82ac2266f7e0c.storage", []),
        ("alloc.9ca0e998df92c5351cecbbb6dba82ac2266f7e0c.storage.0x1", "0x01"),
        ("alloc.9ca0e998df92c5351cecbbb6dba82ac2266f7e0c.storage.0x03", "0x" + "00" * 33),
        ("timestamp", -1),
        ("gasLimit", "many"),
        ("difficulty", False),
        ("coinbase", "0x00"),
        ("mixHash", "0x00"),
        ("extraData", "0x" + "00" * (EXTRA_DATA_BYTES_MAX + 1)),
    ],
)
def test_a_field_that_cannot_be_used_is_refused(place: str, value: Any) -> None:
    with pytest.raises(GenesisInvalid):
        read(changed(GETHS, place, value))


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{", b'{"config": {}, "config": {}}', b'{"alloc": 1.5}', b"\xff"]
)
def test_what_is_no_genesis_at_all_is_refused(text: bytes) -> None:
    with pytest.raises(GenesisInvalid):
        read_genesis(text)


def test_a_file_beyond_the_limit_is_refused_unread() -> None:
    with pytest.raises(GenesisInvalid, match="too large"):
        read_genesis(b" " * (GENESIS_FILE_BYTES_MAX + 1))


def test_a_development_genesis_is_one_of_ours_and_complete() -> None:
    text = dev_genesis(DevGenesis(ACCOUNTS, VALIDATOR, chain_id=99, block_interval_s=2, gas_limit=30_000_000))
    genesis = read_genesis(text)
    assert genesis.text == text
    assert genesis.schedule.chain_id == 99
    assert genesis.schedule.names_at(0, 0)[-1] == "BPO2"
    assert genesis.coc is not None
    assert genesis.coc.validators == ValidatorSet((VALIDATOR,))
    assert (genesis.coc.block_interval_s, genesis.coc.gas_limit_target) == (2, 30_000_000)
    assert genesis.account_count == len(ACCOUNTS) + len(SYSTEM_CONTRACTS) + len([DEPOSITS])
    assert json.loads(text)["alloc"]["0x" + "02" * 20] == {"balance": hex(DEV_BALANCE)}


def test_the_same_choices_give_the_same_chain_and_others_another() -> None:
    assert dev_genesis(DevGenesis(ACCOUNTS, VALIDATOR)) == dev_genesis(DevGenesis(ACCOUNTS, VALIDATOR))
    assert dev_genesis(DevGenesis(ACCOUNTS, VALIDATOR)) != dev_genesis(
        DevGenesis(ACCOUNTS, VALIDATOR, timestamp=1)
    )


def test_the_canonical_encoding_sorts_members_and_keeps_no_space() -> None:
    assert (
        canonical({"b": [1, True, None], "a": "é", "A": {}}) == '{"A":{},"a":"é","b":[1,true,null]}'.encode()
    )
    assert config_hash({"chainId": 1}) == keccak256(b'{"chainId":1}')


@given(st.permutations(list(OURS["config"])))
def test_the_hash_of_a_config_does_not_depend_on_the_order_of_its_members(order: list[str]) -> None:
    assert config_hash({key: OURS["config"][key] for key in order}) == config_hash(OURS["config"])


def test_an_empty_extra_data_is_filled_in() -> None:
    genesis = read(changed(OURS, "extraData", None))
    assert json.loads(genesis.text)["extraData"] == "0x" + config_hash(OURS["config"]).hex()
    assert read_genesis(genesis.text).text == genesis.text


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("config.chainId", 7),
        ("config.bpo2Time", 9),
        ("config.coc.blockIntervalSeconds", 5),
        ("config.coc.validators", [listed(9)]),
    ],
)
def test_a_rule_changed_after_the_fact_is_noticed(place: str, value: Any) -> None:
    with pytest.raises(GenesisMismatch, match="changed after the chain was made"):
        read(changed(OURS, place, value))


@pytest.mark.parametrize("contract", SYSTEM_CONTRACTS, ids=lambda contract: contract.name)
def test_a_chain_of_ours_without_a_system_contract_is_refused(contract: Any) -> None:
    place = f"alloc.0x{contract.address.hex()}"
    for wrong in (changed(OURS, place, None), changed(OURS, f"{place}.code", "0x6000")):
        with pytest.raises(GenesisInvalid, match="alloc"):
            read(wrong)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("config.terminalTotalDifficulty", None),
        ("config.terminalTotalDifficulty", 1),
        ("config.londonBlock", 1),
        ("config.ethash", {}),
        ("difficulty", "0x1"),
        ("number", 1),
        ("gasLimit", None),
        ("typo", 1),
        ("config.coc.engine", "bft"),
        ("config.coc.engine", None),
        ("config.coc.typo", 1),
        ("config.coc.blockIntervalSeconds", 0),
        ("config.coc.blockIntervalSeconds", BLOCK_INTERVAL_SECONDS_MAX + 1),
        ("config.coc.finalDepthBlocks", 0),
        ("config.coc.finalDepthBlocks", FINAL_DEPTH_BLOCKS_MAX + 1),
        ("config.coc.finalDepthBlocks", "six"),
        ("config.coc.validators", []),
        ("config.coc.validators", ["0x" + "01" * 64]),
        ("config.coc.validators", [listed(1, consensusKey=None)]),
        ("config.coc.validators", [listed(1, networkKey="0x01")]),
        ("config.coc.validators", [listed(1, feeRecipient=5)]),
        ("config.coc.validators", [listed(1, power=0)]),
        ("config.coc.validators", [listed(1, stake=5)]),
        ("config.coc.validators", [listed(1), listed(1, power=2)]),
        ("alloc.0x" + "01" * 20 + ".ballance", "1"),
    ],
)
def test_a_chain_of_ours_is_held_to_the_stricter_rules(place: str, value: Any) -> None:
    with pytest.raises(CocError) as caught:
        read(ours(place, value))
    assert isinstance(caught.value, GenesisInvalid | ForksInvalid)
    assert not isinstance(caught.value, GenesisMismatch)


def test_a_chain_of_ours_cannot_begin_before_prague() -> None:
    early = ours("config.osakaTime", 5)
    for key in ("pragueTime", "bpo1Time", "bpo2Time"):
        early["config"][key] = 5
    with pytest.raises(GenesisInvalid, match="pragueTime"):
        read(early)


def test_a_first_validator_set_has_at_most_as_many_as_the_limit() -> None:
    many = [listed(number) for number in range(GENESIS_VALIDATORS_MAX + 1)]
    assert (
        len(read(ours("config.coc.validators", many[:-1])).coc.validators.validators)
        == GENESIS_VALIDATORS_MAX
    )
    with pytest.raises(GenesisInvalid, match="validators"):
        read(ours("config.coc.validators", many))


@given(st.data())
def test_any_damage_to_the_text_is_refused_or_leaves_a_readable_genesis(data: st.DataObject) -> None:
    text = json.dumps(GETHS).encode()
    place = data.draw(st.integers(0, len(text) - 1))
    junk = data.draw(st.binary(max_size=3))
    damaged = text[:place] + junk + text[place + data.draw(st.integers(0, 3)) :]
    try:
        read_genesis(damaged)
    except (GenesisInvalid, ForksInvalid):
        return


def test_how_deep_a_final_block_lies_is_a_rule_of_rotation_chains_with_a_default() -> None:  # ROT-21
    assert read(OURS).coc.final_depth_blocks == FINAL_DEPTH_BLOCKS_DEFAULT
    chosen = changed(OURS, "extraData", None)
    deep = changed(chosen, "config.coc.finalDepthBlocks", FINAL_DEPTH_BLOCKS_MAX)
    assert read(deep).coc.final_depth_blocks == FINAL_DEPTH_BLOCKS_MAX
    with pytest.raises(GenesisMismatch):
        read(changed(OURS, "config.coc.finalDepthBlocks", 7))
