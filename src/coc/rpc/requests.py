"""From the bytes of a body to requests, as JSON-RPC 2.0 §4 defines them.

A request is decoded in two steps: first its members, with `params` and `id` left as raw JSON; then, when the
method is known, the parameters. So a call of an unknown method costs no decoding, and an id comes back byte
for byte.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from coc.primitives.limits_rpc import RPC_ID_BYTES_MAX, RPC_JSON_DEPTH_LEVELS_MAX
from coc.rpc.errors import CallError, invalid_params, invalid_request, parse_error

_ABSENT: Final = msgspec.Raw(b"")
_NO_PARAMETERS: Final = frozenset({b"", b"[]", b"null"})
_STRINGS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_INNERMOST: Final = re.compile(rb"\[\]|\{\}")
_NOT_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")


class Request(msgspec.Struct, frozen=True, gc=False):
    """One call: `id` is empty for a notification, `params` where none were sent."""

    method: str
    jsonrpc: str = ""
    params: msgspec.Raw = _ABSENT
    id: msgspec.Raw = _ABSENT


class _Identified(msgspec.Struct, frozen=True, gc=False):
    """What is left of a malformed request: perhaps an id to answer to."""

    id: msgspec.Raw = _ABSENT


_decode_request: Final = msgspec.json.Decoder(Request).decode
_decode_identified: Final = msgspec.json.Decoder(_Identified).decode
_decode_batch: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_value: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode


def decode_request(raw: bytes | msgspec.Raw) -> Request:
    """Decode one request object.

    Raises:
        CallError: -32700 when it is not JSON, -32600 when it is JSON of another form.
    """
    try:
        return _decode_request(raw)
    except msgspec.ValidationError as error:
        check_json(raw)
        raise invalid_request(str(error)) from None
    except msgspec.DecodeError as error:
        raise parse_error(str(error)) from None
    except RecursionError:
        raise _too_deep() from None
    except UnicodeDecodeError:
        raise parse_error("text that is not UTF-8") from None


def decode_batch(body: bytes) -> list[msgspec.Raw]:
    """Split an array into its items, which are not looked at yet.

    Raises:
        CallError: -32700 when it is not JSON.
    """
    try:
        return _decode_batch(body)
    except msgspec.DecodeError as error:
        raise parse_error(str(error)) from None
    except RecursionError:
        raise _too_deep() from None


def decode_parameters(raw: bytes) -> list[object]:
    """Decode a parameter list; absent and null both mean an empty one.

    Raises:
        CallError: -32602 when it is not an array or nested too deeply; -32700 when it is not JSON.
    """
    if raw in _NO_PARAMETERS:
        return []
    if nested_deeper_than(raw, RPC_JSON_DEPTH_LEVELS_MAX):
        raise invalid_params(
            f"parameters nested in more than {RPC_JSON_DEPTH_LEVELS_MAX} levels (RPC_JSON_DEPTH_LEVELS_MAX)"
        )
    try:
        values = _decode_value(raw)
    except msgspec.ValidationError as error:
        raise invalid_params(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise parse_error(str(error)) from None
    if not isinstance(values, list):
        raise invalid_params("parameters are given by position, in an array")
    return values


def decode_id(raw: msgspec.Raw) -> bytes:
    """The JSON of an id, ready to be repeated; empty for a notification.

    Raises:
        CallError: -32600 when it is neither a number, a string nor null, or too long.
    """
    text = bytes(raw)
    if text.isdigit() or not text or text == b"null":
        if len(text) > RPC_ID_BYTES_MAX:
            raise _id_too_long()
        return text
    if len(text) > RPC_ID_BYTES_MAX:
        raise _id_too_long()
    if text[:1] == b'"':
        if text.isascii() and b"\\" not in text:
            return text
        try:
            return _encode(_decode_value(text))
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise parse_error("an id that is not well-formed text") from None
    if text[:1] in b"-0123456789":
        return _checked_number(text)
    raise invalid_request("an id is a number, a string or null")


def _checked_number(text: bytes) -> bytes:
    """A number as it was written, if others can read it too: 1e999 is JSON and nobody's number."""
    try:
        _decode_value(text)
    except msgspec.DecodeError:
        raise invalid_request("an id that is out of the range of numbers") from None
    return text


def salvage_id(raw: bytes | msgspec.Raw) -> bytes:
    """The id of something that is not a request, as far as it has one; `null` otherwise (JSON-RPC 2.0 §5)."""
    try:
        return decode_id(_decode_identified(raw).id) or b"null"
    except (msgspec.DecodeError, CallError, RecursionError, UnicodeDecodeError):
        return b"null"


def check_json(raw: bytes | msgspec.Raw) -> None:
    """Tell JSON of the wrong form from bytes that are no JSON.

    Raises:
        CallError: -32700 when `raw` is not JSON.
    """
    try:
        _decode_value(raw)
    except msgspec.ValidationError:
        return
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise parse_error(str(error)) from None
    except RecursionError:
        raise _too_deep() from None


def nested_deeper_than(raw: bytes, levels_max: int) -> bool:
    """Whether well-formed JSON holds arrays and objects inside one another in more than so many levels.

    Brackets outside of strings are peeled off from the inside, one level a pass, so the work is bounded by
    the size of `raw` times the limit and is done in C.
    """
    if raw.count(b"[") + raw.count(b"{") <= levels_max:
        return False
    brackets = _STRINGS.sub(b"", raw).translate(None, _NOT_BRACKETS)
    for _ in range(levels_max):
        if not brackets:
            return False
        brackets = _peel(brackets)
    return bool(brackets)


def _peel(brackets: bytes) -> bytes:
    """Remove every pair with nothing inside; a pair that becomes empty by it is left for the next pass."""
    return _INNERMOST.sub(b"", brackets)


def _too_deep() -> CallError:
    return invalid_request(
        f"nested in more than {RPC_JSON_DEPTH_LEVELS_MAX} levels (RPC_JSON_DEPTH_LEVELS_MAX)"
    )


def _id_too_long() -> CallError:
    return invalid_request(f"an id longer than {RPC_ID_BYTES_MAX} bytes (RPC_ID_BYTES_MAX)")
