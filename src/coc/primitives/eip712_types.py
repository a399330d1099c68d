"""The types of EIP-712: atomic ones, arrays of any, and the structs a document defines.

A type is read from its name once (`uint8[2][]`). `encodeType` of a struct is its own definition followed by
those of all structs it reaches, in alphabetical order; its hash stands at the head of each value's encoding.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import ClassVar, Final, TypeAlias

from coc.primitives.errors import PrimitivesError, quoted
from coc.primitives.frozen import frozen
from coc.primitives.keccak import keccak256
from coc.primitives.limits import TYPED_DATA_DEPTH_LEVELS_MAX, TYPED_DATA_MEMBERS_MAX, TYPED_DATA_TYPES_MAX
from coc.primitives.types import Hash32

_ARRAY: Final = re.compile(r"(.*)\[([1-9][0-9]{0,8})?\]", re.ASCII | re.DOTALL)
_INTEGER: Final = re.compile(r"(u?)int([1-9][0-9]{0,2})?", re.ASCII)
_FIXED_BYTES: Final = re.compile(r"bytes([1-9][0-9]?)", re.ASCII)


class TypedDataInvalid(PrimitivesError):
    """A typed-data document that cannot be hashed: bad types, or values that do not fit them."""

    id: ClassVar[str] = "COC-TYPED-DATA"


@frozen
class IntegerType:
    """`uintN` or `intN`; N is 256 where it is left out."""

    bits: int
    is_signed: bool


@frozen
class FixedBytesType:
    """`bytes1` to `bytes32`."""

    length: int


@frozen
class PlainType:
    """`bool`, `address`, `string` or `bytes`."""

    name: str


@frozen
class ArrayType:
    """`T[]` or, with a length, `T[n]`."""

    element: Type
    length: int | None


@frozen
class StructType:
    """A struct of the document, by name."""

    name: str


Type: TypeAlias = "IntegerType | FixedBytesType | PlainType | ArrayType | StructType"

_PLAIN: Final = {name: PlainType(name) for name in ("bool", "address", "string", "bytes")}


@frozen
class Member:
    """One member of a struct: its name, its type as written and as read."""

    name: str
    type_name: str
    type: Type


@frozen
class Definitions:
    """All structs of a document, checked; type hashes are worked out once."""

    structs: Mapping[str, Sequence[Member]]
    _hashes: dict[str, Hash32] = field(default_factory=dict)

    def encode_type(self, name: str) -> str:
        """`encodeType` of a struct: its definition, then those it reaches by name."""
        reached = sorted(self._reached(name) - {name})
        return "".join(self._definition(struct) for struct in (name, *reached))

    def type_hash(self, name: str) -> Hash32:
        """`typeHash` of a struct."""
        known = self._hashes.get(name)
        if known is None:
            known = self._hashes[name] = keccak256(self.encode_type(name).encode())
        return known

    def _definition(self, name: str) -> str:
        members = ",".join(f"{member.type_name} {member.name}" for member in self.structs[name])
        return f"{name}({members})"

    def _reached(self, name: str) -> set[str]:
        reached: set[str] = set()
        waiting = [name]
        while waiting:
            struct = waiting.pop()
            if struct not in reached:
                reached.add(struct)
                for member in self.structs[struct]:
                    found = _struct_in(member.type)
                    if found is not None:  # a struct may have an empty name
                        waiting.append(found)
        return reached


def parse_definitions(types: object) -> Definitions:
    """Read the `types` object of a document.

    Raises:
        TypedDataInvalid: another form, a type that does not exist, a member twice, or beyond the limits.
    """
    if not isinstance(types, dict):
        raise TypedDataInvalid("`types` is missing or not an object")
    if len(types) > TYPED_DATA_TYPES_MAX:
        raise TypedDataInvalid("too many types", why=f"{len(types)} where {TYPED_DATA_TYPES_MAX} are allowed")
    member_count = sum(len(members) for members in types.values() if isinstance(members, list))
    if member_count > TYPED_DATA_MEMBERS_MAX:
        raise TypedDataInvalid(
            "too many members", why=f"{member_count} where {TYPED_DATA_MEMBERS_MAX} are allowed"
        )
    names = frozenset(types)
    for name in names:
        if _atomic(name) is not None or _ARRAY.fullmatch(name):
            raise TypedDataInvalid(
                f"a struct cannot be called {quoted(name)}", why="that is another type's name"
            )
    return Definitions({name: _members(name, members, names) for name, members in types.items()})


def _members(struct: str, members: object, names: frozenset[str]) -> tuple[Member, ...]:
    if not isinstance(members, list):
        raise TypedDataInvalid(f"the type {quoted(struct)} is not a list of members")
    parsed = []
    for member in members:
        if not isinstance(member, dict):
            raise TypedDataInvalid(f"a member of {quoted(struct)} is not an object")
        name, type_name = member.get("name"), member.get("type")
        if not isinstance(name, str) or not isinstance(type_name, str):
            raise TypedDataInvalid(f"a member of {quoted(struct)} has no `name` or no `type`")
        parsed.append(Member(name, type_name, parse_type(type_name, names)))
    if len({member.name for member in parsed}) != len(parsed):
        raise TypedDataInvalid(f"the type {quoted(struct)} has two members of one name")
    return tuple(parsed)


def parse_type(name: str, structs: frozenset[str], depth: int = 0) -> Type:
    """Read a type's name.

    Raises:
        TypedDataInvalid: no such type, or more array dimensions than `TYPED_DATA_DEPTH_LEVELS_MAX`.
    """
    if name in structs:
        return StructType(name)
    atomic = _atomic(name)
    if atomic is not None:
        return atomic
    match = _ARRAY.fullmatch(name)
    if match is None:
        raise TypedDataInvalid(
            f"there is no type {quoted(name)}", cure="define it in `types`, or check its spelling"
        )
    if depth >= TYPED_DATA_DEPTH_LEVELS_MAX:
        raise TypedDataInvalid(f"the type {quoted(name)} has too many dimensions")
    return ArrayType(parse_type(match[1], structs, depth + 1), int(match[2]) if match[2] else None)


def _atomic(name: str) -> Type | None:
    if name in _PLAIN:
        return _PLAIN[name]
    if match := _INTEGER.fullmatch(name):
        bits = int(match[2] or 256)
        return IntegerType(bits, is_signed=not match[1]) if bits % 8 == 0 and bits <= 256 else None
    if match := _FIXED_BYTES.fullmatch(name):
        length = int(match[1])
        return FixedBytesType(length) if length <= 32 else None
    return None


def _struct_in(kind: Type) -> str | None:
    while isinstance(kind, ArrayType):
        kind = kind.element
    return kind.name if isinstance(kind, StructType) else None
