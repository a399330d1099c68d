"""The unlocked accounts of a development chain, and signing with them."""

from __future__ import annotations

from typing import Final

import msgspec

from coc.primitives.types import format_data
from coc.rpc.errors import Json, invalid_params, refused
from coc.rpc.jobs import Answer
from coc.rpc.methods import Context, Method
from coc.rpc.parameters import ADDRESS, DATA, Kind, Parameter, ParameterInvalid, decode_object


def accounts(context: Context) -> Answer:
    """The addresses that can sign here."""
    addresses: list[Json] = [format_data(address) for address in context.accounts.addresses()]
    return addresses


def sign(context: Context, address: bytes, message: bytes) -> Answer:
    """Sign a message for people (EIP-191)."""
    return format_data(context.accounts.sign_message(unlocked(context, address), message))


def sign_typed_data(context: Context, address: bytes, typed_data: bytes) -> Answer:
    """Sign typed data (EIP-712)."""
    try:
        return format_data(context.accounts.sign_typed_data(unlocked(context, address), typed_data))
    except ValueError as error:
        raise invalid_params(f"typed data: {error}") from None


def unlocked(context: Context, address: bytes | None) -> bytes:
    """The address, if it can sign here.

    Raises:
        CallError: -32602 when none is given, -32000 when it is not unlocked.
    """
    if address is None:
        raise invalid_params("from not specified")
    if address not in context.accounts.addresses():
        raise refused(
            f"unknown account {format_data(address)}: only those that eth_accounts lists can sign here;"
            " sign yourself and use eth_sendRawTransaction"
        )
    return address


def _decode_typed_data(value: object) -> bytes:
    """An EIP-712 document: an object, or its JSON in a string as some wallets send it."""
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            raise ParameterInvalid("the string is not JSON") from None
    return msgspec.json.encode(decode_object(value))


METHODS: Final = (
    Method(
        "eth_accounts",
        accounts,
        returns="array of addresses",
        doc="The unlocked development accounts; empty on other chains.",
    ),
    Method(
        "eth_sign",
        sign,
        (Parameter("address", ADDRESS), Parameter("message", DATA)),
        cost=5,
        returns="data, 65 bytes",
        doc="Sign a message with an unlocked account (EIP-191).",
    ),
    Method(
        "eth_signTypedData_v4",
        sign_typed_data,
        (Parameter("address", ADDRESS), Parameter("typed data", Kind("typed data", _decode_typed_data))),
        cost=10,
        returns="data, 65 bytes",
        doc="Sign typed data with an unlocked account (EIP-712).",
    ),
)
