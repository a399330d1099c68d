"""Running code without a transaction: `eth_call`, `eth_estimateGas`, `eth_createAccessList`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from coc.primitives.limits_rpc import RPC_CALL_GAS_MAX
from coc.primitives.types import format_data, format_quantity
from coc.rpc.block_refs import BLOCK, BlockRef, Tag, resolve
from coc.rpc.call_object import CALL_OBJECT, CallObject
from coc.rpc.errors import invalid_params, refused
from coc.rpc.jobs import Answer, Pooled
from coc.rpc.methods import Context, Method, Runs
from coc.rpc.overrides import BLOCK_OVERRIDES, NO_OVERRIDES, STATE_OVERRIDES
from coc.rpc.parameters import Parameter
from coc.rpc.ports import Chain
from coc.rpc.reverts import reverted


def call(
    context: Context, request: CallObject, ref: BlockRef, overrides: bytes, block_overrides: bytes
) -> Answer:
    """What the code at `to` returns."""
    chain = context.chain
    block = resolve(chain, ref)
    text = request.to_json()
    return Pooled(lambda: _checked(lambda: _run(chain, block, text, overrides, block_overrides)))


def estimate_gas(context: Context, request: CallObject, ref: BlockRef, overrides: bytes) -> Answer:
    """The least gas with which the call succeeds."""
    chain = context.chain
    block = resolve(chain, ref)
    text = request.to_json()
    return Pooled(lambda: _checked(lambda: _estimate(chain, block, text, overrides)))


def create_access_list(context: Context, request: CallObject, ref: BlockRef) -> Answer:
    """The addresses and slots that the call touches, and its gas with them declared."""
    chain = context.chain
    block = resolve(chain, ref)
    text = request.to_json()
    return Pooled(
        lambda: _checked(lambda: msgspec.Raw(chain.access_list_json(block, text, RPC_CALL_GAS_MAX)))
    )


def _checked(run: Callable[[], Answer]) -> Answer:
    """Run native code; a plain `ValueError` of its own is a request it cannot read, as a number too wide.

    Its other refusals are subclasses with meanings of their own and pass.
    """
    try:
        return run()
    except ValueError as error:
        if type(error) is not ValueError:
            raise
        raise invalid_params(str(error)) from None


def _estimate(chain: Chain, block: bytes, request: bytes, overrides: bytes) -> Answer:
    return format_quantity(chain.estimate_gas(block, request, overrides, RPC_CALL_GAS_MAX))


def _run(chain: Chain, block: bytes, request: bytes, overrides: bytes, block_overrides: bytes) -> Answer:
    result = chain.call(block, request, overrides, block_overrides, RPC_CALL_GAS_MAX)
    if result.status == "success":
        return format_data(result.output)
    if result.status == "revert":
        raise reverted(result.output)
    raise refused(result.reason or "execution halted")


_CALL: Final = Parameter("call", CALL_OBJECT)
_BLOCK: Final = Parameter("block", BLOCK, default=Tag.LATEST)
_OVERRIDES: Final = Parameter("state overrides", STATE_OVERRIDES, default=NO_OVERRIDES)

METHODS: Final = (
    Method(
        "eth_call",
        call,
        (_CALL, _BLOCK, _OVERRIDES, Parameter("block overrides", BLOCK_OVERRIDES, default=NO_OVERRIDES)),
        runs=Runs.POOLED,
        cost=10,
        returns="data",
        doc="Run a call on the state of a block and return its output; nothing is changed.",
    ),
    Method(
        "eth_estimateGas",
        estimate_gas,
        (_CALL, _BLOCK, _OVERRIDES),
        runs=Runs.POOLED,
        cost=20,
        returns="quantity",
        doc="The least gas with which a transaction would succeed.",
    ),
    Method(
        "eth_createAccessList",
        create_access_list,
        (_CALL, _BLOCK),
        runs=Runs.POOLED,
        cost=20,
        returns="{accessList, gasUsed}, with error where the call fails",
        doc="The access list that a transaction would profit from (EIP-2930).",
    ),
)
