"""When which of Ethereum's rules begin: the fork schedule of geth's `config` object.

Forks up to Gray Glacier begin at a block number, Paris at a total difficulty, later ones at a timestamp;
forks that only change blob parameters (EIP-7892) have a time and an entry in `blobSchedule`. The execution of
the rules is the Rust core's; here the schedule is checked, named, and condensed into the fork id of EIP-2124.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import ClassVar, Final

from coc.execution.genesis_fields import address_of_text, field_error, number_of, object_of
from coc.primitives.errors import ExecutionError
from coc.primitives.frozen import frozen
from coc.primitives.strict_json import Json
from coc.primitives.types import UINT64_MAX, Address, Hash32, parse_address

BLOCK_FORKS: Final = {
    "homesteadBlock": "Homestead",
    "daoForkBlock": "DAO",
    "eip150Block": "TangerineWhistle",
    "eip155Block": "SpuriousDragon",
    "eip158Block": "SpuriousDragon",
    "byzantiumBlock": "Byzantium",
    "constantinopleBlock": "Constantinople",
    "petersburgBlock": "Petersburg",
    "istanbulBlock": "Istanbul",
    "muirGlacierBlock": "MuirGlacier",
    "berlinBlock": "Berlin",
    "londonBlock": "London",
    "arrowGlacierBlock": "ArrowGlacier",
    "grayGlacierBlock": "GrayGlacier",
    "mergeNetsplitBlock": "MergeNetsplit",
}
"""Keys of `config` that hold a block number, in order of activation, and the fork each begins."""

TIME_FORKS: Final = {
    "shanghaiTime": "Shanghai",
    "cancunTime": "Cancun",
    "pragueTime": "Prague",
    "osakaTime": "Osaka",
    "bpo1Time": "BPO1",
    "bpo2Time": "BPO2",
    "bpo3Time": "BPO3",
    "bpo4Time": "BPO4",
    "bpo5Time": "BPO5",
}
"""Keys of `config` that hold a timestamp, in order of activation, and the fork each begins."""

OPTIONAL_FORKS: Final = frozenset(
    {"daoForkBlock", "petersburgBlock", "muirGlacierBlock", "arrowGlacierBlock", "grayGlacierBlock"}
    | {"mergeNetsplitBlock"}
    | {key for key in TIME_FORKS if key.startswith("bpo")}
)
"""Forks that a chain may leave out although it has later ones."""

MAINNET_DEPOSIT_CONTRACT: Final = parse_address("0x00000000219ab540356cBB839Cbe05303d7705Fa")


class ForksInvalid(ExecutionError):
    """A fork schedule that contradicts itself."""

    id: ClassVar[str] = "COC-GENESIS-FORKS"


@frozen
class BlobParameters:
    """How many blobs a block aims at and may hold, and how fast their price moves (EIP-7840)."""

    target: int
    max: int
    base_fee_update_fraction: int


MAINNET_BLOBS: Final = {
    "cancun": BlobParameters(3, 6, 3_338_477),
    "prague": BlobParameters(6, 9, 5_007_716),
    "osaka": BlobParameters(6, 9, 5_007_716),
    "bpo1": BlobParameters(10, 15, 8_346_193),
    "bpo2": BlobParameters(14, 21, 11_684_671),
}
"""Mainnet's blob parameters by fork (EIP-4844, EIP-7691, EIP-8134, EIP-8135)."""


@frozen
class ForkId:
    """EIP-2124: a checksum of genesis and past forks, and the next fork's block or time (0 for none)."""

    checksum: bytes
    next: int


@frozen
class ForkSchedule:
    """A checked schedule. A key that is absent from `blocks` or `times` never begins."""

    chain_id: int
    blocks: Mapping[str, int]
    times: Mapping[str, int]
    terminal_total_difficulty: int | None
    """`None`: the chain never leaves proof of work."""
    blobs: Mapping[str, BlobParameters]
    """By fork name in lower case, as `blobSchedule` has it; empty means the forks' defaults."""
    deposit_contract: Address

    def is_at_genesis(self, key: str, timestamp: int) -> bool:
        """Whether the fork of this `config` key holds in a genesis block with this timestamp."""
        if key in BLOCK_FORKS:
            return self.blocks.get(key) == 0
        return key in self.times and self.times[key] <= timestamp

    def fork_id(self, genesis_hash: Hash32, genesis_time: int, height: int, timestamp: int) -> ForkId:
        """The fork id at a head (EIP-2124, with the timestamps of EIP-6122)."""
        checksum = zlib.crc32(genesis_hash)
        blocks = sorted({at for at in self.blocks.values() if at > 0})
        times = sorted({at for at in self.times.values() if at > genesis_time})
        for at, now in [(at, height) for at in blocks] + [(at, timestamp) for at in times]:
            if now < at:
                return ForkId(checksum.to_bytes(4, "big"), at)
            checksum = zlib.crc32(at.to_bytes(8, "big"), checksum)
        return ForkId(checksum.to_bytes(4, "big"), 0)

    def names_at(self, height: int, timestamp: int) -> list[str]:
        """The forks that have begun at a head, oldest first, each name once."""
        begun = [name for key, name in BLOCK_FORKS.items() if self.blocks.get(key, height + 1) <= height]
        begun += [name for key, name in TIME_FORKS.items() if self.times.get(key, timestamp + 1) <= timestamp]
        return list(dict.fromkeys(begun))


def parse_schedule(config: Mapping[str, Json]) -> ForkSchedule:
    """Read and check the schedule in a `config` object.

    Raises:
        GenesisInvalid: a field of the wrong type or range.
        ForksInvalid: forks out of order, one left out, or blob parameters that make no sense.
    """
    blocks = {
        key: number_of(config, key, UINT64_MAX, "config") for key in BLOCK_FORKS if _is_set(config, key)
    }
    times = {key: number_of(config, key, UINT64_MAX, "config") for key in TIME_FORKS if _is_set(config, key)}
    total_difficulty = None
    if _is_set(config, "terminalTotalDifficulty"):
        total_difficulty = number_of(config, "terminalTotalDifficulty", place="config")
    _check_order(BLOCK_FORKS, blocks)
    _check_order(TIME_FORKS, times)
    if times and "londonBlock" not in blocks:
        raise ForksInvalid(
            f"`config.{next(iter(times))}` is set and `config.londonBlock` is not",
            why="every fork by time builds on London",
            cure="set londonBlock",
        )
    schedule = ForkSchedule(
        number_of(config, "chainId", UINT64_MAX, "config"),
        blocks,
        times,
        total_difficulty,
        _blob_schedule(config, times),
        _deposit_contract(config),
    )
    if schedule.chain_id == 0:
        raise field_error("config.chainId", "is 0, and signatures must be bound to a chain")
    return schedule


def _is_set(config: Mapping[str, Json], key: str) -> bool:
    return config.get(key) is not None


def _check_order(forks: Mapping[str, str], chosen: Mapping[str, int]) -> None:
    """A fork is never later than the one after it, and only optional ones are left out (as geth)."""
    missing, last_key, last = "", "", 0
    for key in forks:
        if key not in chosen:
            if key not in OPTIONAL_FORKS:
                missing = missing or key
            continue
        if missing:
            raise ForksInvalid(
                f"`config.{key}` is set and `config.{missing}` is not",
                why="a fork builds on all before it",
                cure=f"set {missing} to {chosen[key]} or earlier",
            )
        if chosen[key] < last:
            raise ForksInvalid(
                f"`config.{key}` is {chosen[key]}, before `config.{last_key}` at {last}",
                why="forks begin in their order",
                cure=f"set {key} to {last} or later",
            )
        last_key, last = key, chosen[key]


def _blob_schedule(config: Mapping[str, Json], times: Mapping[str, int]) -> dict[str, BlobParameters]:
    if not _is_set(config, "blobSchedule"):
        return {}
    schedule = {}
    for name, entry in object_of(config, "blobSchedule", "config").items():
        place = f"config.blobSchedule.{name}"
        if not isinstance(entry, dict):
            raise field_error(place, "is not an object")
        parameters = BlobParameters(
            *(number_of(entry, key, 2**32 - 1, place) for key in ("target", "max", "baseFeeUpdateFraction"))
        )
        if parameters.target > parameters.max:
            raise ForksInvalid(
                f"`{place}` aims at more blobs than it allows", cure="raise max or lower target"
            )
        if parameters.base_fee_update_fraction == 0:
            raise ForksInvalid(f"`{place}.baseFeeUpdateFraction` is 0", why="the blob price divides by it")
        schedule[name] = parameters
    for key in times:
        name = key.removesuffix("Time")
        if key.startswith("bpo") and name not in schedule:
            raise ForksInvalid(
                f"`config.{key}` is set and `config.blobSchedule.{name}` is not",
                why="such a fork is nothing but new blob parameters",
                cure=f"add the entry or remove {key}",
            )
    return schedule


def _deposit_contract(config: Mapping[str, Json]) -> Address:
    if not _is_set(config, "depositContractAddress"):
        return MAINNET_DEPOSIT_CONTRACT
    text = config["depositContractAddress"]
    if not isinstance(text, str):
        raise field_error("config.depositContractAddress", "is not a string")
    return address_of_text(text, "config.depositContractAddress")
