"""The fork schedule: read as geth reads it, checked for sense, condensed as EIP-2124 says."""

from __future__ import annotations

from typing import Any

import pytest

from coc.execution.forks import (
    MAINNET_BLOBS,
    MAINNET_DEPOSIT_CONTRACT,
    BlobParameters,
    ForkId,
    ForksInvalid,
    parse_schedule,
)
from coc.execution.genesis_fields import GenesisInvalid
from coc.primitives.types import parse_hash

MAINNET_GENESIS = parse_hash("0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3")
MAINNET: dict[str, Any] = {
    "chainId": 1,
    "homesteadBlock": 1_150_000,
    "daoForkBlock": 1_920_000,
    "daoForkSupport": True,
    "eip150Block": 2_463_000,
    "eip155Block": 2_675_000,
    "eip158Block": 2_675_000,
    "byzantiumBlock": 4_370_000,
    "constantinopleBlock": 7_280_000,
    "petersburgBlock": 7_280_000,
    "istanbulBlock": 9_069_000,
    "muirGlacierBlock": 9_200_000,
    "berlinBlock": 12_244_000,
    "londonBlock": 12_965_000,
    "arrowGlacierBlock": 13_773_000,
    "grayGlacierBlock": 15_050_000,
    "terminalTotalDifficulty": 58_750_000_000_000_000_000_000,
    "shanghaiTime": 1_681_338_455,
    "cancunTime": 1_710_338_135,
    "pragueTime": 1_746_612_311,
    "osakaTime": 1_764_798_551,
    "bpo1Time": 1_765_290_071,
    "bpo2Time": 1_767_747_671,
    "blobSchedule": {
        name: {
            "target": blobs.target,
            "max": blobs.max,
            "baseFeeUpdateFraction": blobs.base_fee_update_fraction,
        }
        for name, blobs in MAINNET_BLOBS.items()
    },
}


@pytest.mark.parametrize(
    ("height", "timestamp", "checksum", "following"),
    [
        (0, 0, "fc64ec04", 1_150_000),
        (1_149_999, 0, "fc64ec04", 1_150_000),
        (1_150_000, 0, "97c2c34c", 1_920_000),
        (1_920_000, 0, "91d1f948", 2_463_000),
        (2_463_000, 0, "7a64da13", 2_675_000),
        (2_675_000, 0, "3edd5b10", 4_370_000),
        (4_370_000, 0, "a00bc324", 7_280_000),
        (7_280_000, 0, "668db0af", 9_069_000),
        (12_965_000, 0, "b715077d", 13_773_000),
        (15_050_000, 0, "f0afd0e3", 1_681_338_455),
        (20_000_000, 1_681_338_455, "dce96c2d", 1_710_338_135),
        (20_000_000, 1_710_338_135, "9f3d2254", 1_746_612_311),
        (20_000_000, 1_746_612_311, "c376cf8b", 1_764_798_551),
        (20_000_000, 1_764_798_551, "5167e2a6", 1_765_290_071),
        (20_000_000, 1_765_290_071, "cba2a1c0", 1_767_747_671),
        (20_000_000, 1_767_747_671, "07c9462e", 0),
    ],
)
def test_mainnets_fork_ids_are_the_published_ones(
    height: int, timestamp: int, checksum: str, following: int
) -> None:
    found = parse_schedule(MAINNET).fork_id(MAINNET_GENESIS, 1_438_269_973, height, timestamp)
    assert found == ForkId(bytes.fromhex(checksum), following)


def test_forks_that_hold_from_genesis_do_not_count_in_the_fork_id() -> None:
    schedule = parse_schedule({"chainId": 7, "homesteadBlock": 0})
    assert schedule.fork_id(MAINNET_GENESIS, 0, 5, 5) == ForkId(bytes.fromhex("fc64ec04"), 0)


def test_names_come_oldest_first_and_once() -> None:
    schedule = parse_schedule(MAINNET)
    assert schedule.names_at(0, 0) == []
    assert schedule.names_at(2_675_000, 0) == ["Homestead", "DAO", "TangerineWhistle", "SpuriousDragon"]
    assert schedule.names_at(20_000_000, 1_767_747_671)[-3:] == ["Osaka", "BPO1", "BPO2"]


def test_blob_parameters_are_read_by_fork() -> None:
    schedule = parse_schedule(MAINNET)
    assert schedule.blobs["bpo2"] == BlobParameters(14, 21, 11_684_671)
    assert schedule.deposit_contract == MAINNET_DEPOSIT_CONTRACT
    assert parse_schedule({"chainId": 1}).blobs == {}


def without(*keys: str) -> dict[str, Any]:
    return {key: value for key, value in MAINNET.items() if key not in keys}


@pytest.mark.parametrize(
    "key", ["daoForkBlock", "petersburgBlock", "muirGlacierBlock", "grayGlacierBlock", "bpo1Time"]
)
def test_an_optional_fork_may_be_left_out(key: str) -> None:
    parse_schedule(without(key))


@pytest.mark.parametrize(
    "key", ["homesteadBlock", "byzantiumBlock", "berlinBlock", "shanghaiTime", "osakaTime"]
)
def test_a_fork_that_later_ones_build_on_cannot_be_left_out(key: str) -> None:
    with pytest.raises(ForksInvalid, match=key):
        parse_schedule(without(key))


@pytest.mark.parametrize(
    "changed",
    [
        {"istanbulBlock": 1},
        {"pragueTime": 1},
        {"bpo2Time": 1},
        {"blobSchedule": {"bpo1": {"target": 1, "max": 1, "baseFeeUpdateFraction": 1}}},
        {"blobSchedule": {"cancun": {"target": 2, "max": 1, "baseFeeUpdateFraction": 1}}},
        {"blobSchedule": {"cancun": {"target": 1, "max": 1, "baseFeeUpdateFraction": 0}}},
    ],
)
def test_a_schedule_that_contradicts_itself_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ForksInvalid):
        parse_schedule(MAINNET | changed)


def test_forks_by_time_need_london() -> None:
    with pytest.raises(ForksInvalid, match="londonBlock"):
        parse_schedule({"chainId": 1, "shanghaiTime": 0})


@pytest.mark.parametrize(
    "changed",
    [
        {"chainId": None},
        {"chainId": 0},
        {"chainId": 2**64},
        {"chainId": True},
        {"chainId": "one"},
        {"homesteadBlock": -1},
        {"cancunTime": "soon"},
        {"blobSchedule": []},
        {"blobSchedule": {"cancun": 3}},
        {"blobSchedule": {"cancun": {"target": 1, "max": 1}}},
        {"depositContractAddress": 5},
        {"depositContractAddress": "0x00"},
    ],
)
def test_a_field_of_the_wrong_form_is_named(changed: dict[str, Any]) -> None:
    with pytest.raises(GenesisInvalid) as caught:
        parse_schedule(MAINNET | changed)
    assert next(iter(changed)) in str(caught.value)
