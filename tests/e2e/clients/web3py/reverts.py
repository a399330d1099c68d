"""The exceptions that web3.py raises for each kind of revert, from calls and from gas estimates."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from web3.exceptions import ContractLogicError

from .session import Session


def failure_of(attempt: Callable[[], Any]) -> dict[str, Any]:
    """Class, message and data of the ContractLogicError that `attempt` ends with."""
    try:
        attempt()
    except ContractLogicError as error:
        return {"class": type(error).__name__, "message": error.message, "data": error.data}
    return {"class": "no failure"}


def scenario(session: Session) -> dict[str, Any]:
    """Failures by kind, each from a call and from an estimate."""
    probe = session.deploy("Probe", 7)
    functions = probe.functions
    kinds = {
        "reason": functions.revertWithReason(),
        "error": functions.revertWithError(77),
        "nothing": functions.revertWithNothing(),
        "division": functions.divide(0),
        "index": functions.pick(3),
    }
    sender = {"from": session.account.address}
    data = probe.encode_abi("revertWithReason")
    failed = session.send({"to": probe.address, "data": data, "gas": 90_000})
    return {
        "caller": session.account.address,
        "calls": {kind: failure_of(partial(call.call, sender)) for kind, call in kinds.items()},
        "estimates": {kind: failure_of(partial(call.estimate_gas, sender)) for kind, call in kinds.items()},
        "mined_status": failed["status"],
        "mined_logs": len(failed["logs"]),
    }
