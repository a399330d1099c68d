"""The transaction object of `eth_call`, `eth_estimateGas`, `eth_createAccessList` and `eth_sendTransaction`.

Its members are checked here one by one and written again in canonical form for the native side, so that
nothing a client invents crosses the line: unknown members are left out, as clients send many, and `input` and
`data` become one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from coc.primitives.frozen import frozen, replace
from coc.primitives.types import format_data, format_quantity
from coc.rpc.errors import Json
from coc.rpc.parameters import (
    Kind,
    ParameterInvalid,
    decode_address,
    decode_count,
    decode_data,
    decode_hash32,
    decode_list,
    decode_object,
    decode_quantity,
    decode_uint64,
)

T = TypeVar("T")

_AUTHORIZATION_QUANTITIES: Final = ("chainId", "nonce", "yParity", "r", "s")


@frozen
class CallObject:
    """A transaction as far as the client has stated it; None means not stated."""

    sender: bytes | None = None
    to: bytes | None = None
    gas: int | None = None
    gas_price: int | None = None
    max_fee_per_gas: int | None = None
    max_priority_fee_per_gas: int | None = None
    max_fee_per_blob_gas: int | None = None
    value: int | None = None
    nonce: int | None = None
    chain_id: int | None = None
    type: int | None = None
    data: bytes | None = None
    access_list: list[Json] | None = None
    blob_hashes: list[Json] | None = None
    authorizations: list[Json] | None = None

    def to_json(self) -> bytes:
        """The members that were stated, as execution-apis' GenericTransaction."""
        quantities = {
            "gas": self.gas,
            "gasPrice": self.gas_price,
            "maxFeePerGas": self.max_fee_per_gas,
            "maxPriorityFeePerGas": self.max_priority_fee_per_gas,
            "maxFeePerBlobGas": self.max_fee_per_blob_gas,
            "value": self.value,
            "nonce": self.nonce,
            "chainId": self.chain_id,
            "type": self.type,
        }
        members: dict[str, Json] = {
            name: format_quantity(number) for name, number in quantities.items() if number is not None
        }
        strings = {"from": self.sender, "to": self.to, "input": self.data}
        members |= {name: format_data(raw) for name, raw in strings.items() if raw is not None}
        lists = {
            "accessList": self.access_list,
            "blobVersionedHashes": self.blob_hashes,
            "authorizationList": self.authorizations,
        }
        members |= {name: entries for name, entries in lists.items() if entries is not None}
        return msgspec.json.encode(members)


def decode_call_object(value: object) -> CallObject:
    """Read the object of a call; `type` is checked and dropped, since the other members say what it is."""
    return replace(decode_transaction_object(value), type=None)


def decode_transaction_object(value: object) -> CallObject:
    """Read a transaction object."""
    members = decode_object(value)
    call = CallObject(
        sender=_optional(members, "from", decode_address),
        to=_optional(members, "to", decode_address),
        gas=_optional(members, "gas", decode_uint64),
        gas_price=_optional(members, "gasPrice", decode_quantity),
        max_fee_per_gas=_optional(members, "maxFeePerGas", decode_quantity),
        max_priority_fee_per_gas=_optional(members, "maxPriorityFeePerGas", decode_quantity),
        max_fee_per_blob_gas=_optional(members, "maxFeePerBlobGas", decode_quantity),
        value=_optional(members, "value", decode_quantity),
        nonce=_optional(members, "nonce", decode_uint64),
        chain_id=_optional(members, "chainId", decode_uint64),
        type=_optional(members, "type", decode_count),  # web3.py sends a number
        data=_input(members),
        access_list=_optional(members, "accessList", _access_list),
        blob_hashes=_optional(members, "blobVersionedHashes", _hashes),
        authorizations=_optional(members, "authorizationList", _authorizations),
    )
    _check_fees(call)
    return call


def _optional(members: dict[str, object], name: str, decode: Callable[[object], T]) -> T | None:
    value = members.get(name)
    if value is None:
        return None
    try:
        return decode(value)
    except ParameterInvalid as error:
        raise ParameterInvalid(f"{name}: {error.what}") from None


def _input(members: dict[str, object]) -> bytes | None:
    """`input` is the name; `data` is the older one, and both may be sent if they agree."""
    given = _optional(members, "input", decode_data)
    older = _optional(members, "data", decode_data)
    if given is not None and older is not None and given != older:
        raise ParameterInvalid('both "data" and "input" are set and not equal; please use "input"')
    return older if given is None else given


def _check_fees(call: CallObject) -> None:
    if call.gas_price is not None and (
        call.max_fee_per_gas is not None or call.max_priority_fee_per_gas is not None
    ):
        raise ParameterInvalid("both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified")
    cap, tip = call.max_fee_per_gas, call.max_priority_fee_per_gas
    if cap and tip is not None and tip > cap:
        raise ParameterInvalid(f"maxFeePerGas ({cap}) < maxPriorityFeePerGas ({tip})")


def _access_list(value: object) -> list[Json]:
    entries: list[Json] = []
    for entry in decode_list(value):
        members = decode_object(entry)
        keys = decode_list([] if members.get("storageKeys") is None else members["storageKeys"])
        slots: list[Json] = [format_data(decode_hash32(key)) for key in keys]
        entries.append({"address": format_data(decode_address(members.get("address"))), "storageKeys": slots})
    return entries


def _hashes(value: object) -> list[Json]:
    return [format_data(decode_hash32(entry)) for entry in decode_list(value)]


def _authorizations(value: object) -> list[Json]:
    """EIP-7702 authorisations, each whole."""
    entries: list[Json] = []
    for entry in decode_list(value):
        members = decode_object(entry)
        written: dict[str, Json] = {"address": format_data(decode_address(members.get("address")))}
        for name in _AUTHORIZATION_QUANTITIES:
            written[name] = format_quantity(decode_quantity(members.get(name)))
        entries.append(written)
    return entries


CALL_OBJECT: Final = Kind("call object", decode_call_object)
TRANSACTION_OBJECT: Final = Kind("transaction object", decode_transaction_object)
