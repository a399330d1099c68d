"""Making a finality proof from what a node keeps of every block: header, consensus data, certificate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from coc.consensus.finality.checkpoint import Checkpoint
from coc.consensus.finality.faults import FinalityUnprovable
from coc.consensus.finality.header import decode_header
from coc.consensus.finality.records import ChainOrigin, CheckpointAnchor, GenesisAnchor, Link, Record, Target
from coc.consensus.finality.rules import ChainRules
from coc.primitives.consensus_data import ConsensusData, decode_consensus_data
from coc.primitives.consensus_root import NEXT_VALIDATORS_FIELD, siblings_of
from coc.primitives.frozen import frozen
from coc.primitives.limits_finality import FINALITY_LINKS_MAX
from coc.primitives.types import Hash32, Height


class CertifiedChain(Protocol):
    """A chain's decided blocks by height."""

    @property
    def head(self) -> Height:
        """The highest."""
        ...

    def header(self, height: Height) -> bytes:
        """A header as RLP."""
        ...

    def consensus_data(self, height: Height) -> bytes:
        """What the header's consensus root covers."""
        ...

    def certificate(self, height: Height) -> bytes:
        """What decided the block; not asked for block 0."""
        ...


@frozen
class Provable:
    """A chain with its name and its rules."""

    blocks: CertifiedChain
    origin: ChainOrigin
    rules: ChainRules


def build_proof(provable: Provable, target: Height, checkpoint: Checkpoint | None) -> Iterator[Record]:
    """The records that prove a block final, from genesis or from a checkpoint.

    Raises:
        FinalityUnprovable: the chain does not have the block or the checkpoint, or too much lies between.
    """
    blocks, rules = provable.blocks, provable.rules
    start = Height(0) if checkpoint is None else checkpoint.height
    if not start < target <= blocks.head:
        raise FinalityUnprovable(
            f"block {target} cannot be proved from block {start}",
            why=f"the chain ends at block {blocks.head}",
            cure=f"choose a block from {start + 1} to {blocks.head}",
        )
    boundaries = rules.boundaries(Height(start + 1), target)
    if len(boundaries) > FINALITY_LINKS_MAX:
        raise FinalityUnprovable(
            f"block {target} lies too far from block {start}",
            why=f"{len(boundaries)} set periods, at most {FINALITY_LINKS_MAX} are allowed",
            cure="begin at a later checkpoint",
        )
    if checkpoint is None:
        yield GenesisAnchor(provable.origin)
    else:
        yield _checkpoint_anchor(provable, checkpoint)
    yield from records_behind(provable, start, target)


def records_behind(
    provable: Provable, start: Height, target: Height, kept: Callable[[Height], Link | None] = lambda _: None
) -> Iterator[Record]:
    """The links from behind a height to a block, and the block; `kept` has some that the chain lacks.

    Raises:
        FinalityUnprovable: the chain does not keep one of them.
    """
    blocks = provable.blocks
    for boundary in provable.rules.boundaries(Height(start + 1), target):
        yield kept(Height(boundary)) or _link(blocks, Height(boundary))
    yield Target(blocks.header(target), blocks.consensus_data(target), blocks.certificate(target))


def anchor_at(provable: Provable, height: Height) -> CheckpointAnchor:
    """What a verifier who trusts the block at this height begins with.

    Raises:
        FinalityUnprovable: the chain does not keep it, or has no checkpoints.
    """
    blocks = provable.blocks
    if provable.rules.registry is None:
        raise FinalityUnprovable(
            "this chain has no checkpoints",
            why="its validators never change",
            cure="prove the block from genesis; that proof is no longer",
        )
    consensus_data = blocks.consensus_data(height)
    data = _decoded(consensus_data, height)
    siblings = siblings_of(consensus_data, NEXT_VALIDATORS_FIELD)
    return CheckpointAnchor(provable.origin, blocks.header(height), data.next_validators, siblings)


def checkpoint_of(anchor: CheckpointAnchor, rules: ChainRules) -> Checkpoint:
    """The checkpoint that an anchor is, if it says the truth."""
    header, set_hash = decode_header(anchor.header), anchor.next_validators.hash()
    return Checkpoint(rules.genesis_hash, header.height, header.hash, set_hash, header.time_s)


def _checkpoint_anchor(provable: Provable, checkpoint: Checkpoint) -> CheckpointAnchor:
    anchor = anchor_at(provable, checkpoint.height)
    found = checkpoint_of(anchor, provable.rules)
    if found != checkpoint:
        raise FinalityUnprovable(
            "the checkpoint is not of this chain", why=f"block {checkpoint.height} makes it {found.text()}"
        )
    return anchor


def _link(blocks: CertifiedChain, height: Height) -> Link:
    consensus_data = blocks.consensus_data(height)
    data = _decoded(consensus_data, height)
    next_validators = None if data.next_validators == data.validators else data.next_validators
    siblings: tuple[Hash32, ...] = siblings_of(consensus_data, NEXT_VALIDATORS_FIELD)[1:]
    return Link(blocks.header(height), next_validators, siblings, blocks.certificate(height))


def _decoded(consensus_data: bytes, height: Height) -> ConsensusData:
    """Block 0 has no consensus data, and is no checkpoint."""
    if not consensus_data:
        raise FinalityUnprovable(f"block {height} is no checkpoint", cure="prove the block from genesis")
    return decode_consensus_data(consensus_data)
