"""The text of a genesis file: read, checked, and completed, before the Rust core makes block 0 of it.

There are two kinds. Without a `coc` section in `config` it is an Ethereum chain in geth's format, read as
geth reads it. With one it is a chain of ours, and stricter rules hold:

* every fork up to Prague holds from genesis, and the four system contracts are there with their code;
* `extraData` is keccak256 of the canonical encoding of the whole `config`, so the hash of block 0 covers all
rules;
  an empty field is filled in, another value is refused;
* members that nobody reads are refused.

The canonical encoding of a JSON value is its JSON text in UTF-8 with members sorted by code point and no
space between tokens.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import ClassVar, Final

from coc.contracts.registry_parameters import RegistryParameters
from coc.execution.forks import BLOCK_FORKS, TIME_FORKS, ForkSchedule, parse_schedule
from coc.execution.genesis_bft import BftParameters, bft_parameters
from coc.execution.genesis_fields import (
    GenesisInvalid,
    bytes_of,
    field_error,
    number_of,
    object_of,
    refuse_unknown,
)
from coc.execution.genesis_registry import (
    REGISTRY_CONTRACT_ADDRESSES,
    check_registry_accounts,
    registry_parameters,
)
from coc.execution.predeploys import SYSTEM_CONTRACTS
from coc.primitives.frozen import frozen
from coc.primitives.genesis_text import GenesisText, GenesisTextInvalid, check_accounts, cut_genesis
from coc.primitives.keccak import keccak256
from coc.primitives.limits import (
    BLOCK_INTERVAL_SECONDS_MAX,
    EXTRA_DATA_BYTES_MAX,
    GENESIS_FILE_BYTES_MAX,
    GENESIS_VALIDATORS_MAX,
)
from coc.primitives.limits_rotation import FINAL_DEPTH_BLOCKS_DEFAULT, FINAL_DEPTH_BLOCKS_MAX
from coc.primitives.strict_json import Json, JsonInvalid, decode_json
from coc.primitives.types import UINT64_MAX, Address, Hash32
from coc.primitives.validators import Validator, ValidatorSet, address_of_key

_FIELDS: Final = frozenset(
    {"config", "alloc", "timestamp", "extraData", "gasLimit", "difficulty", "nonce", "mixHash", "coinbase"}
    | {"number", "gasUsed", "parentHash", "baseFeePerGas", "excessBlobGas", "blobGasUsed"}
)
_CONFIG_FIELDS: Final = (
    frozenset(BLOCK_FORKS)
    | frozenset(TIME_FORKS)
    | {"chainId", "terminalTotalDifficulty", "terminalTotalDifficultyPassed", "blobSchedule"}
    | {"depositContractAddress", "daoForkSupport", "coc"}
)
_COC_FIELDS: Final = frozenset(
    {"engine", "validators", "blockIntervalSeconds", "gasLimitTarget", "bft", "validatorRegistry"}
    | {"finalDepthBlocks"}
)
_VALIDATOR_FIELDS: Final = frozenset({"consensusKey", "networkKey", "feeRecipient", "power"})
_ENGINES: Final = ("rotation", "bft")
_SYSTEM_CONTRACT_ADDRESSES: Final = tuple(contract.address for contract in SYSTEM_CONTRACTS)


class GenesisMismatch(GenesisInvalid):
    """A genesis of ours whose `extraData` is not the hash of its `config`."""

    id: ClassVar[str] = "COC-GENESIS-MISMATCH"


@frozen
class CocRules:
    """The `coc` section: what makes a chain one of ours."""

    engine: str
    validators: ValidatorSet
    block_interval_s: int
    gas_limit_target: int
    bft: BftParameters | None = None
    """`None` on rotation chains."""
    registry: RegistryParameters | None = None
    """`None` where the validators of genesis stay for ever."""
    final_depth_blocks: int | None = None
    """Blocks above a block that make it final; `None` on BFT chains, where it is final at once."""

    @property
    def has_peers(self) -> bool:
        """Whether nodes of the chain meet each other: not where one validator makes it alone."""
        return self.engine == "bft" or len(self.validators.validators) > 1


@frozen
class Genesis:
    """A checked genesis file."""

    schedule: ForkSchedule
    coc: CocRules | None
    """`None` for an Ethereum chain, on which we never seal."""
    timestamp: int
    gas_limit: int
    account_count: int
    config: bytes
    """The canonical encoding of `config`: on a chain of ours block 0 holds its hash."""
    text: bytes
    """What to hand to the Rust core: the file as it was, or with `extraData` filled in."""


@frozen
class _Outline:
    """A genesis file without its accounts, checked."""

    root: dict[str, Json]
    config: dict[str, Json]
    schedule: ForkSchedule
    rules: CocRules | None

    def genesis(self, account_count: int, text: bytes) -> Genesis:
        """The whole, once its accounts are checked."""
        timestamp = number_of(self.root, "timestamp", UINT64_MAX, default=0)
        gas_limit = number_of(self.root, "gasLimit", UINT64_MAX, default=0)
        config = canonical(self.config)
        return Genesis(self.schedule, self.rules, timestamp, gas_limit, account_count, config, text)


def read_genesis(text: bytes) -> Genesis:
    """Read a genesis file.

    Raises:
        GenesisInvalid: not JSON, a field of the wrong form, or a rule of our chains broken.
        ForksInvalid: a fork schedule that contradicts itself.
    """
    parts = cut(text)
    outline = _read_outline(parts.outline)
    count = _check_accounts(parts.alloc, outline.rules)
    if outline.rules is not None:
        text = _with_config_hash(outline, text)
    return outline.genesis(count, text)


def read_checked_genesis(text: bytes, outline: bytes, account_count: int) -> Genesis:
    """Read a genesis file whose accounts were checked when its chain was made; `outline` is the rest of it.

    Raises:
        GenesisInvalid, ForksInvalid: as `read_genesis`.
    """
    read = _read_outline(outline)
    return read.genesis(account_count, text if read.rules is None else _with_config_hash(read, text))


def cut(text: bytes) -> GenesisText:
    """A genesis file's text in its parts.

    Raises:
        GenesisInvalid: too long, not JSON, or without accounts.
    """
    if len(text) > GENESIS_FILE_BYTES_MAX:
        why = f"{len(text)} bytes where {GENESIS_FILE_BYTES_MAX} are allowed"
        raise GenesisInvalid("the genesis file is too large", why=why)
    try:
        return cut_genesis(text)
    except GenesisTextInvalid as error:
        if error.place == "genesis":
            raise GenesisInvalid("the genesis file is not JSON", why=error.reason) from error
        raise field_error(error.place, error.reason, error.cure) from error


def _read_outline(outline: bytes) -> _Outline:
    try:
        root = decode_json(outline, name="genesis file", bytes_max=GENESIS_FILE_BYTES_MAX)
    except JsonInvalid as error:
        raise GenesisInvalid(error.what, why=error.why, cure=error.cure) from error
    if not isinstance(root, dict):
        raise GenesisInvalid("the genesis file is not a JSON object")
    config = object_of(root, "config")
    schedule = parse_schedule(config)
    timestamp = number_of(root, "timestamp", UINT64_MAX, default=0)
    _check_header(root)
    rules = None
    if config.get("coc") is not None:
        rules = coc_rules(config, number_of(root, "gasLimit", UINT64_MAX))
        _check_ours(root, schedule, timestamp)
    return _Outline(root, config, schedule, rules)


def canonical(value: Json) -> bytes:
    """The canonical encoding of a JSON value; see the module's text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def config_hash(config: Mapping[str, Json]) -> Hash32:
    """What `extraData` of block 0 must be on a chain of ours."""
    return keccak256(canonical(dict(config)))


def _check_header(root: Mapping[str, Json]) -> None:
    for name in ("nonce", "gasLimit", "number", "gasUsed", "excessBlobGas", "blobGasUsed"):
        number_of(root, name, UINT64_MAX, default=0)
    for name in ("difficulty", "baseFeePerGas"):
        number_of(root, name, default=0)
    for name, length in (("mixHash", 32), ("parentHash", 32), ("coinbase", 20)):
        found = len(bytes_of(root, name))
        if found not in (0, length):
            raise field_error(name, f"has {found} bytes", f"write {length} bytes")
    extra = len(bytes_of(root, "extraData"))
    if extra > EXTRA_DATA_BYTES_MAX:
        raise field_error("extraData", f"has {extra} bytes", f"at most {EXTRA_DATA_BYTES_MAX} are allowed")


def _check_accounts(alloc: bytes, rules: CocRules | None) -> int:
    """Check every account, and that the contracts of our chains are among them; how many there are."""
    wanted = () if rules is None else (*_SYSTEM_CONTRACT_ADDRESSES, *REGISTRY_CONTRACT_ADDRESSES)
    try:
        count, found = check_accounts(alloc, is_ours=rules is not None, wanted=wanted)
    except GenesisTextInvalid as error:
        raise field_error(error.place, error.reason, error.cure) from error
    accounts = {address: _account(address, text) for address, text in found.items()}
    if rules is not None:
        _check_system_contracts(accounts)
        if rules.registry is not None:
            check_registry_accounts(accounts)
    return count


def _account(address: Address, text: bytes) -> dict[str, Json]:
    place = f"alloc.0x{address.hex()}"
    try:
        account = decode_json(text, name=f"genesis field `{place}`", bytes_max=GENESIS_FILE_BYTES_MAX)
    except JsonInvalid as error:
        raise GenesisInvalid(error.what, why=error.why, cure=error.cure) from error
    return object_of({place: account}, place)


def coc_rules(config: Mapping[str, Json], gas_limit: int) -> CocRules:
    """The `coc` section of a `config`; `gas_limit` is that of block 0.

    Raises:
        GenesisInvalid: there is none, or it breaks a rule of our chains.
    """
    section = object_of(config, "coc", "config")
    refuse_unknown(section, _COC_FIELDS, "config.coc")
    engine = section.get("engine")
    if not isinstance(engine, str) or engine not in _ENGINES:
        raise field_error("config.coc.engine", "is unknown", f"write one of: {', '.join(_ENGINES)}")
    interval = number_of(section, "blockIntervalSeconds", BLOCK_INTERVAL_SECONDS_MAX, "config.coc")
    if interval == 0:
        raise field_error("config.coc.blockIntervalSeconds", "is 0", "the shortest interval is 1 second")
    target = number_of(section, "gasLimitTarget", UINT64_MAX, "config.coc", default=gas_limit)
    if engine != "bft" and "bft" in section:
        raise field_error("config.coc.bft", f"has no meaning for the engine {engine}", "leave it out")
    bft = bft_parameters(section) if engine == "bft" else None
    validators = _validators(section)
    registry = registry_parameters(section, len(validators.validators))
    depth = _final_depth(section, engine)
    return CocRules(engine, validators, interval, target, bft, registry, depth)


def _final_depth(section: Mapping[str, Json], engine: str) -> int | None:
    place = "config.coc.finalDepthBlocks"
    if engine != "rotation":
        if "finalDepthBlocks" in section:
            raise field_error(place, f"has no meaning for the engine {engine}", "leave it out")
        return None
    default = FINAL_DEPTH_BLOCKS_DEFAULT
    depth = number_of(section, "finalDepthBlocks", FINAL_DEPTH_BLOCKS_MAX, "config.coc", default=default)
    if depth == 0:
        raise field_error(place, "is 0", "write at least 1: a head alone is never final")
    return depth


def _validators(section: Mapping[str, Json]) -> ValidatorSet:
    place = "config.coc.validators"
    listed = section.get("validators")
    if not isinstance(listed, list) or not 1 <= len(listed) <= GENESIS_VALIDATORS_MAX:
        raise field_error(place, f"is not a list of 1 to {GENESIS_VALIDATORS_MAX} validators")
    validators = [_validator(entry, f"{place}.{index}") for index, entry in enumerate(listed)]
    if len({validator.id for validator in validators}) != len(validators):
        raise field_error(place, "names a validator twice")
    return ValidatorSet(tuple(validators))


def _validator(entry: Json, where: str) -> Validator:
    if not isinstance(entry, dict):
        raise field_error(where, "is not an object")
    refuse_unknown(entry, _VALIDATOR_FIELDS, where)
    keys = {name: bytes_of(entry, name, where) for name in ("consensusKey", "networkKey", "feeRecipient")}
    for name, length in (("consensusKey", 64), ("networkKey", 64), ("feeRecipient", 20)):
        if len(keys[name]) != length:
            raise field_error(f"{where}.{name}", f"has {len(keys[name])} bytes", f"write {length} bytes")
    power = number_of(entry, "power", UINT64_MAX, where, default=1)
    if power == 0:
        raise field_error(f"{where}.power", "is 0", "leave the validator out instead")
    consensus_key = keys["consensusKey"]
    return Validator(
        address_of_key(consensus_key), keys["networkKey"], consensus_key, power, Address(keys["feeRecipient"])
    )


def _check_ours(root: Mapping[str, Json], schedule: ForkSchedule, timestamp: int) -> None:
    refuse_unknown(root, _FIELDS, "")
    refuse_unknown(object_of(root, "config"), _CONFIG_FIELDS, "config")
    if schedule.terminal_total_difficulty != 0:
        raise field_error("config.terminalTotalDifficulty", "is not 0", "our chains have no proof of work")
    for key in ("londonBlock", "shanghaiTime", "cancunTime", "pragueTime"):
        if not schedule.is_at_genesis(key, timestamp):
            raise field_error(
                f"config.{key}", "is not in force at genesis", "our chains begin with Prague or later"
            )
    for name in ("difficulty", "number", "gasUsed", "nonce"):
        if number_of(root, name, default=0):
            raise field_error(name, "is not 0", "leave it out")


def _check_system_contracts(accounts: Mapping[Address, Mapping[str, Json]]) -> None:
    for contract in SYSTEM_CONTRACTS:
        account = accounts.get(contract.address)
        if account is None or bytes_of(account, "code") != contract.code:
            place = f"alloc.0x{contract.address.hex()}"
            raise field_error(
                place,
                f"does not hold the contract for {contract.name}",
                "every block calls it; copy the account from a new genesis (`coc up` writes one)",
            )


def _with_config_hash(outline: _Outline, text: bytes) -> bytes:
    """Fill in an empty `extraData`; refuse another value than the hash of `config`."""
    expected = config_hash(outline.config)
    found = bytes_of(outline.root, "extraData")
    if found == expected:
        return text
    if found:
        raise GenesisMismatch(
            "the genesis file's `config` was changed after the chain was made",
            why=f"`extraData` is 0x{found.hex()} and the config's hash is 0x{expected.hex()}",
            cure="restore the original file, or empty extraData to make another chain",
        )
    filled = {name: value for name, value in outline.root.items() if name != "alloc"}
    filled["extraData"] = f"0x{expected.hex()}"
    rest = json.dumps(filled, indent=2, ensure_ascii=False).encode().removesuffix(b"\n}")
    return rest + b',\n  "alloc": ' + cut(text).alloc + b"\n}\n"
