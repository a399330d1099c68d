"""Every error an answer can carry: its code, and the sentence that goes with it.

The codes are those of JSON-RPC 2.0 §5.1, EIP-1474, EIP-1898, and execution-apis (3 for a revert, 4444 for
pruned history). A mistake of the client never becomes -32603: that code means a defect of ours, and carries
an id to report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, TypeAlias

import msgspec

from coc.primitives.errors import RpcError
from coc.primitives.limits_rpc import RPC_METHOD_CHARS_MAX

Json: TypeAlias = "bool | int | float | str | msgspec.Raw | Sequence[Json] | Mapping[str, Json] | None"
"""What an answer is made of; `msgspec.Raw` holds JSON that the native side has already written."""

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
SERVER_ERROR: Final = -32000
RESOURCE_NOT_FOUND: Final = -32001
RESOURCE_UNAVAILABLE: Final = -32002
RESPONSE_TOO_LARGE: Final = -32003
METHOD_NOT_SUPPORTED: Final = -32004
LIMIT_EXCEEDED: Final = -32005
EXECUTION_REVERTED: Final = 3
PRUNED_HISTORY: Final = 4444

CATALOGUE: Final[tuple[tuple[int, str], ...]] = (
    (PARSE_ERROR, "the body is not JSON"),
    (INVALID_REQUEST, "the JSON is not a request, or the batch is empty or too long"),
    (METHOD_NOT_FOUND, "no method of that name is served here"),
    (INVALID_PARAMS, "a parameter is missing, superfluous or of another form"),
    (INTERNAL_ERROR, "a defect of ours; the message carries an id to report"),
    (SERVER_ERROR, "the request is well-formed and was refused: transactions, signing, halted execution"),
    (RESOURCE_NOT_FOUND, "the block named does not exist here (EIP-1898)"),
    (RESOURCE_UNAVAILABLE, "the node cannot serve it now: the disk failed or a part is switched off"),
    (RESPONSE_TOO_LARGE, "the batch's answers together would exceed the limit"),
    (LIMIT_EXCEEDED, "a published limit was met, or the node is busy"),
    (EXECUTION_REVERTED, "the call reverted; `data` holds the revert data"),
    (PRUNED_HISTORY, "the block is known and what was asked of it is no longer kept (EIP-4444)"),
)


class CallError(RpcError):
    """An answer's error object: a code of the catalogue, a sentence, and data where the code defines some."""

    id: ClassVar[str] = "COC-RPC-CALL"

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        """`data` is left out of the answer when None."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def to_json(self) -> dict[str, Json]:
        """The `error` member of a response."""
        body: dict[str, Json] = {"code": self.code, "message": self.message}
        if self.data is not None:
            body["data"] = self.data
        return body


def parse_error(reason: str) -> CallError:
    """The body is not JSON."""
    return CallError(PARSE_ERROR, f"parse error: {reason}")


def invalid_request(reason: str) -> CallError:
    """The JSON is not a request object."""
    return CallError(INVALID_REQUEST, f"invalid request: {reason}")


def method_not_found(name: str) -> CallError:
    """No such method; the name is cut to a bounded length."""
    shown = name if len(name) <= RPC_METHOD_CHARS_MAX else name[:RPC_METHOD_CHARS_MAX] + "…"
    return CallError(METHOD_NOT_FOUND, f"the method {shown} does not exist/is not available")


def invalid_params(reason: str) -> CallError:
    """A parameter is wrong."""
    return CallError(INVALID_PARAMS, reason)


def refused(reason: str) -> CallError:
    """Well-formed, and refused."""
    return CallError(SERVER_ERROR, reason)


def block_not_found(named: str) -> CallError:
    """The block that a state was asked of is unknown."""
    return CallError(RESOURCE_NOT_FOUND, f"block not found: {named}")


def limit_exceeded(reason: str) -> CallError:
    """A published limit; `reason` says which and what to do."""
    return CallError(LIMIT_EXCEEDED, reason)


def unavailable(reason: str) -> CallError:
    """The node cannot serve it now."""
    return CallError(RESOURCE_UNAVAILABLE, reason)


def internal_error(error_id: str) -> CallError:
    """A defect of ours, named by an id that is the same each time the same line fails."""
    return CallError(
        INTERNAL_ERROR, f"internal error {error_id}: please report this id with the node's log line"
    )
