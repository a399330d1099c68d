"""From an exception to the error a client sees.

What the native side raises on purpose has a code of its own; everything else is a defect and gets an id made
of the place that failed, so that two reports of one defect carry the same id.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Final, TypeVar

from coc.primitives.frozen import frozen
from coc.rpc.errors import (
    PRUNED_HISTORY,
    RESOURCE_NOT_FOUND,
    CallError,
    internal_error,
    limit_exceeded,
    refused,
    unavailable,
)
from coc.rpc.ports import ChainFaults
from coc.rpc.reverts import call_failure

T = TypeVar("T")

_ERROR_ID_BYTES: Final = 4


@frozen
class Defect:
    """A failure nobody planned for, for the log: the id that the client was told, and the exception."""

    error_id: str
    error: Exception


@frozen
class Translator:
    """Knows the native side's exception types, and whom to tell of a defect."""

    faults: ChainFaults
    report: Callable[[Defect], None]

    def translate(self, error: Exception) -> CallError:
        """The error object for `error`; anything unknown is reported and becomes -32603 with its id."""
        faults = self.faults
        if isinstance(error, CallError):
            return error
        if isinstance(error, faults.call_failed):
            return call_failure(_sentence(error), _second(error, b""))
        if isinstance(error, faults.transaction_invalid):
            return refused(transaction_refusal(_second(error, ""), _sentence(error)))
        if isinstance(error, faults.unknown_block):
            return CallError(RESOURCE_NOT_FOUND, f"block not found: {_sentence(error)}")
        if isinstance(error, faults.limit_exceeded):
            return limit_exceeded(_sentence(error))
        if isinstance(error, faults.pruned):
            return CallError(PRUNED_HISTORY, f"pruned history unavailable: {_sentence(error)}")
        if isinstance(error, faults.storage_failed):
            self.report(Defect(error_id_of(error), error))
            return unavailable(f"the node's storage failed ({error_id_of(error)}); see its log for the cure")
        self.report(Defect(error_id_of(error), error))
        return internal_error(error_id_of(error))


def error_id_of(error: Exception) -> str:
    """`COC-RPC-` and eight hex digits over the type of the error and the function and line that raised it."""
    place = ""
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        place = f"{code.co_qualname}:{trace.tb_lineno}"
        trace = trace.tb_next
    digest = blake2b(f"{type(error).__qualname__}@{place}".encode(), digest_size=_ERROR_ID_BYTES)
    return f"COC-RPC-{digest.hexdigest()}"


_PHRASES: Final[dict[str, str]] = {
    "ALREADY_KNOWN": "already known",
    "GAS_ALLOWANCE_EXCEEDED": "exceeds block gas limit",
    "GAS_LIMIT_EXCEEDS_MAXIMUM": "transaction gas limit too high",
    "INITCODE_SIZE_EXCEEDED": "max initcode size exceeded",
    "INSUFFICIENT_ACCOUNT_FUNDS": "insufficient funds for gas * price + value",
    "INSUFFICIENT_FUNDS": "insufficient funds for gas * price + value",
    "INSUFFICIENT_MAX_FEE_PER_BLOB_GAS": "max fee per blob gas less than block blob gas fee",
    "INSUFFICIENT_MAX_FEE_PER_GAS": "max fee per gas less than block base fee",
    "INTRINSIC_GAS_BELOW_FLOOR_GAS_COST": "insufficient gas for floor data gas cost",
    "INTRINSIC_GAS_TOO_LOW": "intrinsic gas too low",
    "INVALID_CHAINID": "invalid chain id for signer",
    "INVALID_SIGNATURE_VRS": "invalid sender",
    "NONCE_IS_MAX": "nonce has max value",
    "NONCE_MISMATCH_TOO_HIGH": "nonce too high",
    "NONCE_MISMATCH_TOO_LOW": "nonce too low",
    "NONCE_TOO_LOW": "nonce too low",
    "OVERSIZED": "oversized data",
    "POOL_FULL": "txpool is full",
    "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS": "max priority fee per gas higher than max fee per gas",
    "REPLACEMENT_UNDERPRICED": "replacement transaction underpriced",
    "SENDER_NOT_EOA": "sender not an eoa",
    "TYPE_NOT_SUPPORTED": "transaction type not supported",
}
"""Stable codes of a refusal, by the Rust core and the pool, and go-ethereum's words for them: wallets look
for those.
"""


def transaction_refusal(code: str, sentence: str) -> str:
    """The sentence of a refused transaction, led by the words that clients look for."""
    phrase = _PHRASES.get(code)
    if phrase is None or sentence.startswith(phrase):
        return sentence or code.replace("_", " ").lower() or "transaction refused"
    opening, colon, rest = sentence.partition(": ")
    if colon and phrase.startswith(opening):
        sentence = rest  # the sentence begins with the same words, shortened
    return f"{phrase}: {sentence}" if sentence else phrase


def _sentence(error: Exception) -> str:
    return str(error.args[0]) if error.args else type(error).__name__


def _second(error: Exception, absent: T) -> T:
    """The second argument of an error if it is of the kind of `absent`, otherwise that."""
    second = error.args[1] if len(error.args) > 1 else absent
    return second if isinstance(second, type(absent)) else absent
