"""JSON as our files use it: whole numbers only, no key twice in an object, bounded size and depth.

A duplicate key in a genesis file would silently change a chain, and a float cannot hold an amount; both are
refused here, once, for genesis, key files and typed data.
"""

from __future__ import annotations

import json
import re
from typing import ClassVar, Final, NoReturn, TypeAlias

from coc.primitives.errors import PrimitivesError, quoted
from coc.primitives.limits import JSON_DEPTH_LEVELS_MAX

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"
"""What `decode_json` returns; numbers are integers of any size."""

_STRING_OR_BRACKET: Final = re.compile(r'"(?:[^"\\]|\\.?)*+(?:"|\Z)|[\[\]{}]', re.DOTALL)
"""A string that never ends goes on to the end of the text: looked for from each of its quotes, it would take
quadratic time.
"""


class JsonInvalid(PrimitivesError):
    """Text that is not JSON, or not JSON as our files use it."""

    id: ClassVar[str] = "COC-JSON"


def decode_json(text: bytes, *, name: str, bytes_max: int) -> Json:
    """Decode one JSON document; `name` says in errors what it is, such as `genesis file`.

    Raises:
        JsonInvalid: too long, not UTF-8, malformed, too deep, a fraction, or a key twice.
    """
    if len(text) > bytes_max:
        raise JsonInvalid(f"the {name} is too large", why=f"{len(text)} bytes where {bytes_max} are allowed")
    try:
        decoded = text.decode()
    except UnicodeDecodeError as error:
        raise JsonInvalid(
            f"the {name} is not UTF-8 text", why=f"byte {error.start} is out of place"
        ) from error
    _check_depth(decoded, name)
    try:
        value: Json = json.loads(
            decoded, object_pairs_hook=_object, parse_float=_no_fraction, parse_constant=_no_fraction
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise JsonInvalid(f"the {name} is not JSON", why=where) from error
    except JsonInvalid as error:
        raise JsonInvalid(f"the {name} cannot be used", why=error.what, cure=error.cure) from error
    except ValueError as error:  # an integer with more digits than Python converts
        raise JsonInvalid(f"the {name} cannot be used", why=str(error)) from error
    return value


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise JsonInvalid(
                    f"the key {quoted(key)} stands twice in one object", cure="remove one of them"
                )
            seen.add(key)
    return members


def _no_fraction(text: str) -> NoReturn:
    raise JsonInvalid(f"{text} is not a whole number", cure="write digits, or a quoted decimal or 0x number")


def _check_depth(text: str, name: str) -> None:
    """Refuse deep nesting before the recursive decoder sees it."""
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        char = match.group()
        if char in ("[", "{"):
            depth += 1
            if depth > JSON_DEPTH_LEVELS_MAX:
                levels = f"more than {JSON_DEPTH_LEVELS_MAX} levels"
                raise JsonInvalid(f"the {name} is nested too deeply", why=levels)
        elif char in ("]", "}"):
            depth -= 1
