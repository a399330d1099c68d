"""Typed parameters: how a JSON value becomes an argument, and what the documentation calls its type.

A `Kind` decodes one value and never coerces: a number is not a quantity, a boolean is not an integer, nothing
is trimmed or padded. It raises `ParameterInvalid`, or `CallError` where execution-apis fixes another code. A
`Parameter` is a kind with a name and perhaps a default; null and a missing trailing value both mean the
default.
"""

from __future__ import annotations

from binascii import Error as BinasciiError
from binascii import unhexlify
from collections.abc import Callable
from typing import Any, ClassVar, Final, Generic, TypeVar

from coc.primitives.errors import HexInvalid, RpcError, quoted
from coc.primitives.frozen import frozen
from coc.primitives.types import UINT64_MAX, UINT256_MAX, parse_quantity
from coc.rpc.errors import invalid_params, refused

T = TypeVar("T")


class ParameterInvalid(RpcError):
    """A value is not of the kind that its place asks for; becomes -32602 with the parameter's name."""

    id: ClassVar[str] = "COC-RPC-PARAMETER"


class _Required:
    """The default of a parameter that has none."""


REQUIRED: Final = _Required()


@frozen
class Kind(Generic[T]):
    """A type of parameter: what the documentation calls it, and how a JSON value is read."""

    name: str
    decode: Callable[[object], T]


@frozen
class Parameter:
    """One place in a method's parameter list."""

    name: str
    kind: Kind[Any]
    default: Any = REQUIRED

    @property
    def required(self) -> bool:
        """Whether a call without it is refused."""
        return isinstance(self.default, _Required)


def bind(parameters: tuple[Parameter, ...], values: list[object]) -> tuple[Any, ...]:
    """Decode a positional parameter list.

    Raises:
        CallError: -32602 when a value is missing, superfluous or of another kind.
    """
    if len(values) > len(parameters):
        raise invalid_params(f"too many arguments: got {len(values)}, want at most {len(parameters)}")
    arguments: list[Any] = []
    for index, parameter in enumerate(parameters):
        value = values[index] if index < len(values) else None
        if value is None and not (parameter.required and index < len(values)):
            if parameter.required:
                raise invalid_params(f"missing value for required argument {index} ({parameter.name})")
            arguments.append(parameter.default)
            continue
        try:
            arguments.append(parameter.kind.decode(value))
        except ParameterInvalid as error:
            raise invalid_params(f"invalid argument {index} ({parameter.name}): {error.what}") from None
    return tuple(arguments)


def decode_text(value: object) -> str:
    """Any string."""
    if not isinstance(value, str):
        raise ParameterInvalid(f"want a string, got {kind_of(value)}")
    return value


def decode_boolean(value: object) -> bool:
    """`true` or `false`, nothing that merely looks like it."""
    if not isinstance(value, bool):
        raise ParameterInvalid(f"want true or false, got {kind_of(value)}")
    return value


def decode_data(value: object) -> bytes:
    """`0x` and an even number of hex digits."""
    text = decode_text(value)
    if not text.startswith("0x"):
        raise ParameterInvalid(f"hex string without 0x prefix: {quoted(text)}")
    try:
        return unhexlify(text[2:])
    except (BinasciiError, ValueError):
        reason = "hex string of odd length" if len(text) % 2 else "invalid hex string"
        raise ParameterInvalid(f"{reason}: {quoted(text)}") from None


def decode_address(value: object) -> bytes:
    """20 bytes; any letter case, since a checksum speaks to people."""
    return _fixed(value, 20, "an address")


def decode_hash32(value: object) -> bytes:
    """32 bytes, all written out."""
    return _fixed(value, 32, "a hash")


def decode_quantity(value: object) -> int:
    """A quantity of at most 256 bits: `0x0`, or hex digits without a leading zero."""
    return _quantity(value, UINT256_MAX)


def decode_uint64(value: object) -> int:
    """A quantity of at most 64 bits."""
    return _quantity(value, UINT64_MAX)


def decode_count(value: object) -> int:
    """A 64-bit quantity, or a plain JSON integer, which older clients send for counts."""
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value <= UINT64_MAX:
            raise ParameterInvalid(f"a count lies between 0 and 2^64 - 1, got {value}")
        return value
    return _quantity(value, UINT64_MAX)


def decode_storage_slot(value: object) -> bytes:
    """A storage slot as 32 bytes; fewer digits, as in `0x0`, are padded on the left.

    Raises:
        CallError: -32000, the code that execution-apis' tests fix for a bad slot.
    """
    text = decode_text(value)
    if not text.startswith("0x"):
        raise refused(f"unable to decode storage key: hex string without 0x prefix: {quoted(text)}")
    if len(text) > 66:
        raise refused("unable to decode storage key: hex string too long, want at most 32 bytes")
    try:
        return unhexlify(text[2:].rjust(64, "0"))
    except (BinasciiError, ValueError):
        raise refused(f"unable to decode storage key: invalid hex string: {quoted(text)}") from None


def decode_percentiles(value: object) -> list[float]:
    """Rising percentages between 0 and 100."""
    numbers: list[float] = []
    for entry in decode_list(value):
        if isinstance(entry, bool) or not isinstance(entry, int | float):
            raise ParameterInvalid(f"want numbers, got {kind_of(entry)}")
        if not 0 <= entry <= 100:
            raise ParameterInvalid(f"a percentile lies between 0 and 100, got {entry}")
        if numbers and entry < numbers[-1]:
            raise ParameterInvalid(f"percentiles must rise, got {entry} after {numbers[-1]}")
        numbers.append(float(entry))
    return numbers


def decode_list(value: object) -> list[object]:
    """A JSON array."""
    if not isinstance(value, list):
        raise ParameterInvalid(f"want an array, got {kind_of(value)}")
    return value


def decode_object(value: object) -> dict[str, object]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise ParameterInvalid(f"want an object, got {kind_of(value)}")
    return value


def list_of(kind: Kind[T], items_max: int, limit: str) -> Kind[list[T]]:
    """An array of one kind with at most `items_max` entries; `limit` names the bound in the refusal."""

    def decode(value: object) -> list[T]:
        entries = decode_list(value)
        if len(entries) > items_max:
            raise ParameterInvalid(f"{len(entries)} entries where {items_max} are allowed ({limit})")
        return [kind.decode(entry) for entry in entries]

    return Kind(f"array of {kind.name}", decode)


def kind_of(value: object) -> str:
    """The JSON name of a value's type, for a refusal."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "an array" if isinstance(value, list) else "an object"


def _fixed(value: object, size: int, what: str) -> bytes:
    raw = decode_data(value)
    if len(raw) != size:
        raise ParameterInvalid(f"{what} has {size} bytes, got {len(raw)}")
    return raw


def _quantity(value: object, maximum: int) -> int:
    text = decode_text(value)
    if not text.startswith("0x"):
        raise ParameterInvalid(f"hex string without 0x prefix: {quoted(text)}")
    try:
        return parse_quantity(text, maximum)
    except HexInvalid as error:
        raise ParameterInvalid(f"{error.what}: {quoted(text)}") from None


TEXT: Final = Kind("string", decode_text)
BOOLEAN: Final = Kind("boolean", decode_boolean)
DATA: Final = Kind("data", decode_data)
ADDRESS: Final = Kind("address", decode_address)
HASH32: Final = Kind("hash32", decode_hash32)
QUANTITY: Final = Kind("quantity", decode_quantity)
UINT64: Final = Kind("quantity (64 bits)", decode_uint64)
COUNT: Final = Kind("quantity or integer", decode_count)
STORAGE_SLOT: Final = Kind("storage slot", decode_storage_slot)
PERCENTILES: Final = Kind("array of percentiles", decode_percentiles)
