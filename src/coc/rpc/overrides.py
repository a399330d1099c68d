"""State and block overrides of `eth_call` and `eth_estimateGas`, as execution-apis defines them.

They are checked here and written again in canonical form for the native side.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from coc.primitives.errors import quoted
from coc.primitives.limits_rpc import RPC_OVERRIDE_ACCOUNTS_MAX
from coc.primitives.types import format_data, format_quantity
from coc.rpc.errors import Json
from coc.rpc.parameters import (
    Kind,
    ParameterInvalid,
    decode_address,
    decode_data,
    decode_hash32,
    decode_object,
    decode_quantity,
    decode_uint64,
)

NO_OVERRIDES: Final = b"{}"

Writer = Callable[[object], Json]


def _quantity(value: object) -> Json:
    return format_quantity(decode_quantity(value))


def _uint64(value: object) -> Json:
    return format_quantity(decode_uint64(value))


def _data(value: object) -> Json:
    return format_data(decode_data(value))


def _address(value: object) -> Json:
    return format_data(decode_address(value))


def _hash32(value: object) -> Json:
    return format_data(decode_hash32(value))


def _slots(value: object) -> Json:
    return {
        format_data(decode_hash32(slot)): format_data(decode_hash32(word))
        for slot, word in decode_object(value).items()
    }


_ACCOUNT: Final[dict[str, Writer]] = {
    "nonce": _uint64,
    "code": _data,
    "balance": _quantity,
    "state": _slots,
    "stateDiff": _slots,
    "movePrecompileToAddress": _address,
}

_BLOCK: Final[dict[str, Writer]] = {
    "number": _quantity,
    "difficulty": _quantity,
    "time": _uint64,
    "gasLimit": _uint64,
    "feeRecipient": _address,
    "coinbase": _address,
    "prevRandao": _hash32,
    "random": _hash32,
    "baseFeePerGas": _quantity,
    "baseFee": _quantity,
    "blobBaseFee": _quantity,
    "beaconRoot": _hash32,
}

_OLDER_NAMES: Final = {"coinbase": "feeRecipient", "random": "prevRandao", "baseFee": "baseFeePerGas"}
"""Names of go-ethereum's before execution-apis fixed them."""


def decode_state_overrides(value: object) -> bytes:
    """Account address to what is overridden of it."""
    accounts = decode_object(value)
    if len(accounts) > RPC_OVERRIDE_ACCOUNTS_MAX:
        raise ParameterInvalid(
            f"{len(accounts)} accounts where {RPC_OVERRIDE_ACCOUNTS_MAX} are allowed"
            " (RPC_OVERRIDE_ACCOUNTS_MAX)"
        )
    written: dict[str, Json] = {}
    for address, fields in accounts.items():
        members = _members(fields, _ACCOUNT)
        if "state" in members and "stateDiff" in members:
            raise ParameterInvalid(f"account {quoted(address)} has both 'state' and 'stateDiff'")
        written[format_data(decode_address(address))] = members
    return msgspec.json.encode(written)


def decode_block_overrides(value: object) -> bytes:
    """Facts of the block that the call sees."""
    members = _members(value, _BLOCK)
    return msgspec.json.encode({_OLDER_NAMES.get(name, name): member for name, member in members.items()})


def _members(value: object, writers: dict[str, Writer]) -> dict[str, Json]:
    written: dict[str, Json] = {}
    for name, member in decode_object(value).items():
        writer = writers.get(name)
        if writer is None:
            raise ParameterInvalid(f"unknown override {quoted(name)}")
        if member is None:
            continue
        try:
            written[name] = writer(member)
        except ParameterInvalid as error:
            raise ParameterInvalid(f"{name}: {error.what}") from None
    return written


STATE_OVERRIDES: Final = Kind("state overrides", decode_state_overrides)
BLOCK_OVERRIDES: Final = Kind("block overrides", decode_block_overrides)
