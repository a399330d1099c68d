"""`evm_mine`: sealing on demand, for chains started with `--manual`."""

from __future__ import annotations

from typing import Final

from coc.primitives.frozen import frozen
from coc.primitives.limits_rpc import RPC_MINE_BLOCKS_MAX
from coc.rpc.errors import invalid_params
from coc.rpc.jobs import Answer, Wait
from coc.rpc.methods import Context, Method, Runs
from coc.rpc.parameters import Kind, Parameter, decode_count, decode_object


@frozen
class MineRequest:
    """How many blocks, and the time of the first where the client sets it."""

    blocks: int = 1
    timestamp_s: int | None = None


def mine(context: Context, request: MineRequest) -> Answer:
    """Seal blocks now; "0x0" when they are in the chain."""
    if not 1 <= request.blocks <= RPC_MINE_BLOCKS_MAX:
        raise invalid_params(
            f"{request.blocks} blocks; between 1 and {RPC_MINE_BLOCKS_MAX} are sealed at once"
            " (RPC_MINE_BLOCKS_MAX)"
        )
    head_time = context.chain.head.timestamp
    if request.timestamp_s is not None and request.timestamp_s <= head_time:
        raise invalid_params(f"timestamp {request.timestamp_s} is not after the head's, {head_time}")
    sealer = context.sealer
    return Wait(lambda done: sealer.seal(request.blocks, request.timestamp_s, done), lambda: "0x0")


def _decode_mine_request(value: object) -> MineRequest:
    """A timestamp, or `{timestamp, blocks}`."""
    if not isinstance(value, dict):
        return MineRequest(timestamp_s=decode_count(value))
    members = decode_object(value)
    blocks, timestamp_s = members.get("blocks"), members.get("timestamp")
    return MineRequest(
        blocks=1 if blocks is None else decode_count(blocks),
        timestamp_s=None if timestamp_s is None else decode_count(timestamp_s),
    )


METHODS: Final = (
    Method(
        "evm_mine",
        mine,
        (
            Parameter(
                "options",
                Kind("timestamp or {timestamp, blocks}", _decode_mine_request),
                default=MineRequest(),
            ),
        ),
        runs=Runs.WAITING,
        cost=50,
        returns='"0x0"',
        doc="Seal blocks now; only on development chains.",
    ),
)
