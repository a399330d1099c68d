"""`bft_*`: where a node stands in agreeing on blocks, and what proves them.

The words are those of this project; the white paper's *prepare* is a prevote here, its *commit* a precommit.
"""

from __future__ import annotations

from typing import Final

from coc.primitives.consensus_data import decode_consensus_data
from coc.primitives.types import format_data, format_quantity
from coc.primitives.validators import ValidatorSet
from coc.primitives.votes import decode_certificate
from coc.rpc.block_refs import BLOCK, BlockRef, find
from coc.rpc.errors import Json
from coc.rpc.jobs import Answer, Pooled
from coc.rpc.methods import Context, Method, Runs
from coc.rpc.parameters import Parameter


def status(context: Context) -> Answer:
    """Height, round and step in progress; null on a chain without rounds."""
    facts = context.status.agreeing()
    if facts is None:
        return None
    return {
        "height": format_quantity(facts.height),
        "round": format_quantity(facts.round),
        "step": facts.step,
        "validator": None if facts.validator is None else format_data(facts.validator),
        "watching": facts.is_watching,
        "diverged": facts.has_diverged,
        "evidence": format_quantity(facts.evidence),
        "goal": format_quantity(facts.goal),
    }


def validators(context: Context, ref: BlockRef) -> Answer:
    """The set that decided a block, in the order of proposing; null for block 0 and unknown ones."""
    block = find(context.chain, ref)
    return None if block is None else Pooled(lambda: _validators(context, block))


def certificate(context: Context, ref: BlockRef) -> Answer:
    """What proves a block final; null for block 0, unknown ones, and chains without certificates."""
    block = find(context.chain, ref)
    return None if block is None else Pooled(lambda: _certificate(context, block))


def _validators(context: Context, block: bytes) -> Json:
    header = context.chain.header(block)
    if header is None or not header.consensus_data:
        return None
    data = decode_consensus_data(header.consensus_data)
    return {
        "proposer": format_data(data.proposer),
        "originalRound": format_quantity(data.original_round),
        "setHash": format_data(data.validators.hash()),
        "validators": _entries(data.validators),
    }


def _entries(validators: ValidatorSet) -> list[Json]:
    return [
        {
            "id": format_data(entry.id),
            "power": format_quantity(entry.power),
            "consensusKey": format_data(entry.consensus_key),
            "networkKey": format_data(entry.network_key),
            "feeRecipient": format_data(entry.fee_recipient),
        }
        for entry in validators.validators
    ]


def _certificate(context: Context, block: bytes) -> Json:
    header = context.chain.header(block)
    if header is None or not header.seal or context.status.agreeing() is None:
        return None
    found = decode_certificate(header.seal)
    return {
        "height": format_quantity(found.height),
        "round": format_quantity(found.round),
        "blockHash": format_data(found.block),
        "setHash": format_data(found.set_hash),
        "bitmap": format_quantity(found.bitmap),
        "signatures": [format_data(signature) for signature in found.signatures],
    }


METHODS: Final = (
    Method(
        "bft_status",
        status,
        returns="object or null",
        doc="Height, round and step that this node works on, whether it votes, and how far its peers are.",
    ),
    Method(
        "bft_validators",
        validators,
        (Parameter("block", BLOCK),),
        Runs.POOLED,
        cost=4,
        returns="object or null",
        doc="Who proposed a block, and the validator set that decided it.",
    ),
    Method(
        "bft_certificate",
        certificate,
        (Parameter("block", BLOCK),),
        Runs.POOLED,
        cost=4,
        returns="object or null",
        doc="The commit certificate of a block: precommits of more than two thirds of the power.",
    ),
)
