"""Hashing typed structured data, as EIP-712 defines it and wallets sign it.

    digest = keccak256(0x19 0x01 ‖ hashStruct(domain) ‖ hashStruct(message))

Documents come as JSON (`eth_signTypedData_v4`). Values must fit their types: no member missing or left over,
no number out of range, no array of another length, no text where bytes belong. Where wallets agree on more
than the EIP says, so do we: numbers may be decimal or `0x` text; a struct, string or bytes that is null
counts as zero; a number stands for its bytes in a string; `EIP712Domain` and `primaryType` may be left out
where they are plain.
"""

from __future__ import annotations

import re
from typing import Final, assert_never

from coc.primitives.eip712_types import (
    ArrayType,
    Definitions,
    FixedBytesType,
    IntegerType,
    PlainType,
    StructType,
    Type,
    TypedDataInvalid,
    parse_definitions,
)
from coc.primitives.errors import quoted
from coc.primitives.frozen import frozen
from coc.primitives.keccak import keccak256
from coc.primitives.limits import TYPED_DATA_BYTES_MAX, TYPED_DATA_DEPTH_LEVELS_MAX
from coc.primitives.strict_json import Json, JsonInvalid, decode_json
from coc.primitives.types import Hash32

DOMAIN: Final = "EIP712Domain"

_DOMAIN_MEMBERS: Final = {
    "name": "string",
    "version": "string",
    "chainId": "uint256",
    "verifyingContract": "address",
    "salt": "bytes32",
}
_ZERO_WORD: Final = bytes(32)
_NUMBER: Final = re.compile(r"-?[0-9]{1,78}|0x[0-9a-fA-F]{1,64}", re.ASCII)
_HEX: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*", re.ASCII)


@frozen
class TypedDataHash:
    """What is signed, and the two hashes it is made of."""

    digest: Hash32
    domain_separator: Hash32
    message_hash: Hash32 | None
    """`None` when the document is nothing but a domain."""


def hash_typed_data(text: bytes) -> TypedDataHash:
    """Hash a document given as JSON.

    Raises:
        TypedDataInvalid: not JSON, or not a document of EIP-712.
    """
    try:
        document = decode_json(text, name="typed data", bytes_max=TYPED_DATA_BYTES_MAX)
    except JsonInvalid as error:
        raise TypedDataInvalid(error.what, why=error.why, cure=error.cure) from error
    return hash_document(document)


def hash_document(document: Json) -> TypedDataHash:
    """Hash a document given as decoded JSON.

    Raises:
        TypedDataInvalid: not a document of EIP-712.
    """
    if not isinstance(document, dict):
        raise TypedDataInvalid("typed data is not an object")
    types, domain, message = document.get("types"), document.get("domain"), document.get("message")
    if not isinstance(domain, dict):
        raise TypedDataInvalid("`domain` is missing or not an object")
    if isinstance(types, dict) and DOMAIN not in types:
        types = {**types, DOMAIN: _implied_domain(domain)}
    definitions = parse_definitions(types)
    primary = _primary_type(definitions, document.get("primaryType"))
    separator = _hash_struct(definitions, DOMAIN, domain, "domain", 0)
    if primary == DOMAIN:
        return TypedDataHash(keccak256(b"\x19\x01" + separator), separator, None)
    message_hash = _hash_struct(definitions, primary, message, "message", 0)
    return TypedDataHash(keccak256(b"\x19\x01" + separator + message_hash), separator, message_hash)


def _implied_domain(domain: dict[str, Json]) -> list[Json]:
    """The definition of `EIP712Domain` that a domain without one implies, in the EIP's order."""
    return [{"name": name, "type": kind} for name, kind in _DOMAIN_MEMBERS.items() if name in domain]


def _primary_type(definitions: Definitions, named: Json) -> str:
    """The struct of the message: named, or the one that no other struct refers to."""
    if named is None:
        candidates = [
            name for name in definitions.structs if name != DOMAIN and not _is_referred_to(definitions, name)
        ]
        if len(candidates) != 1:
            raise TypedDataInvalid("`primaryType` is missing", why="and the types do not make it plain")
        return candidates[0]
    if not isinstance(named, str) or named not in definitions.structs:
        raise TypedDataInvalid(f"`primaryType` is {quoted(named)}, which is not in `types`")
    return named


def _is_referred_to(definitions: Definitions, name: str) -> bool:
    return any(
        re.sub(r"\[[0-9]*\]", "", member.type_name) == name
        for struct, members in definitions.structs.items()
        if struct != name
        for member in members
    )


def _hash_struct(definitions: Definitions, name: str, value: Json, place: str, depth: int) -> Hash32:
    """`hashStruct`: keccak256 of the type's hash and every member's word."""
    if not isinstance(value, dict):
        raise _misfit(place, value, f"an object of type {name}")
    if depth > TYPED_DATA_DEPTH_LEVELS_MAX:
        raise TypedDataInvalid(
            f"`{place}` is nested too deeply", why=f"more than {TYPED_DATA_DEPTH_LEVELS_MAX} levels"
        )
    members = definitions.structs[name]
    known = {member.name for member in members}
    for key in value:
        if key not in known:
            raise TypedDataInvalid(
                f"`{place}.{key}` is not in the type {name}", cure="add it to `types` or remove it"
            )
    words = [bytes(definitions.type_hash(name))]
    for member in members:
        inner = f"{place}.{member.name}"
        if member.name not in value and not isinstance(member.type, StructType):
            raise TypedDataInvalid(f"`{inner}` is missing", why=f"the type {name} has it")
        words.append(_word(definitions, member.type, value.get(member.name), inner, depth + 1))
    return keccak256(b"".join(words))


def _word(definitions: Definitions, kind: Type, value: Json, place: str, depth: int) -> bytes:
    """`encodeData` of one value: 32 bytes."""
    match kind:
        case StructType(name):
            return _ZERO_WORD if value is None else _hash_struct(definitions, name, value, place, depth)
        case ArrayType(element, length):
            return _hash_array(definitions, element, length, value, place, depth)
        case IntegerType(bits, is_signed):
            return _integer(bits, is_signed, value, place)
        case FixedBytesType(length):
            return _hex_bytes(value, length, place).ljust(32, b"\0")
        case PlainType("address"):
            return _hex_bytes(value, 20, place).rjust(32, b"\0")
        case PlainType("bool"):
            if not isinstance(value, bool):
                raise _misfit(place, value, "true or false")
            return bytes(31) + bytes((value,))
        case PlainType(name):
            return _ZERO_WORD if value is None else keccak256(_content(name, value, place))
        case _:
            assert_never(kind)


def _hash_array(
    definitions: Definitions, element: Type, length: int | None, value: Json, place: str, depth: int
) -> bytes:
    if not isinstance(value, list):
        raise _misfit(place, value, "a list")
    if length is not None and len(value) != length:
        raise TypedDataInvalid(f"`{place}` has {len(value)} elements", why=f"its type has {length}")
    if depth > TYPED_DATA_DEPTH_LEVELS_MAX:
        raise TypedDataInvalid(
            f"`{place}` is nested too deeply", why=f"more than {TYPED_DATA_DEPTH_LEVELS_MAX} levels"
        )
    words = [
        _word(definitions, element, item, f"{place}.{index}", depth + 1) for index, item in enumerate(value)
    ]
    return keccak256(b"".join(words))


def _integer(bits: int, is_signed: bool, value: Json, place: str) -> bytes:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        number = int(value, 16) if value.startswith("0x") else int(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        raise _misfit(place, value, "a whole number")
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if is_signed else (0, (1 << bits) - 1)
    if not low <= number <= high:
        kind = f"{'int' if is_signed else 'uint'}{bits}"
        raise TypedDataInvalid(f"`{place}` is {quoted(value)}", why=f"{kind} goes from {low} to {high}")
    return number.to_bytes(32, "big", signed=is_signed)


def _hex_bytes(value: Json, length: int, place: str) -> bytes:
    if not isinstance(value, str) or _HEX.fullmatch(value) is None or len(value) != 2 + 2 * length:
        raise _misfit(place, value, f"0x and {2 * length} hex digits")
    return bytes.fromhex(value[2:])


def _content(kind: str, value: Json, place: str) -> bytes:
    """What a `string` or `bytes` holds."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")
    if not isinstance(value, str):
        raise _misfit(place, value, "text" if kind == "string" else "0x and hex digits")
    if kind == "string":
        return _utf8(value, place)
    if _HEX.fullmatch(value) is None:
        raise _misfit(place, value, "0x and hex digits")
    return bytes.fromhex(value[2:])


def _utf8(text: str, place: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise _misfit(place, text, "text without lone surrogates") from error


def _misfit(place: str, value: Json, expected: str) -> TypedDataInvalid:
    return TypedDataInvalid(f"`{place}` is {quoted(value)}", why=f"its type takes {expected}")
