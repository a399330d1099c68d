"""Who signs twice, and is caught, is convicted by the chain on every node alike; nobody honest ever is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TypeAlias

from coc.consensus.bft.wal import EvidenceKept
from coc.node.validator.effects import WriteAhead
from coc.primitives.types import Address, Hash32, Height
from coc.primitives.votes import Evidence
from coc.sim.full.validator import SimValidator
from coc.sim.full.watching import Checker, Violation

Charge: TypeAlias = tuple[Address, Height]


class DoubleSignersAreConvicted(Checker):
    """Remembers who was caught at which height, and by which honest nodes, until the chain has judged it.

    What is durable on a node must outlive its lives (BFT-45); it is forgiven only with the node's records.
    """

    def __init__(self) -> None:
        """Nobody was caught."""
        self._heard: defaultdict[int, set[Charge]] = defaultdict(set)
        """What nodes have learned in this life, by position."""
        self._kept: defaultdict[int, set[Charge]] = defaultdict(set)
        """What is durable on them."""
        self._asked_at: list[bytes] = []

    def on_start(self, node: SimValidator) -> None:
        """What it had only heard is gone; what is durable only with its records."""
        self._heard[node.position].clear()
        if node.remembered.is_empty:
            self._kept[node.position].clear()

    def on_evidence(self, node: SimValidator, evidence: Evidence) -> None:
        """The offender is no honest validator."""
        if not node.is_honest:
            return
        honest = {other.address for other in (node, *node.others) if other.is_honest}
        if evidence.offender in honest:
            raise Violation(f"conviction: node {node.position} has evidence against an honest validator")
        self._heard[node.position].add(_charge(evidence))

    def on_written(self, node: SimValidator, effect: WriteAhead) -> None:
        """Evidence is durable with the records that hold it."""
        if not node.is_honest:
            return
        for record in effect.records:
            if isinstance(record, EvidenceKept):
                self._kept[node.position].update(map(_charge, record.pieces))

    def are_judged(self, nodes: Sequence[SimValidator]) -> bool:
        """Whether no node's state can still convict anybody of what he was caught at.

        Asked after every event until it says yes: on the same heads the answer is the same.
        """
        heads = [node.chain.head.hash for node in nodes]
        if heads == self._asked_at:
            return False
        self._asked_at = heads
        charges = set[Charge]().union(*self._heard.values(), *self._kept.values())
        return all(
            not node.sets.can_convict(Hash32(head), offender, height)
            for node, head in zip(nodes, heads, strict=True)
            for offender, height in charges
        )


def _charge(evidence: Evidence) -> Charge:
    return evidence.offender, evidence.first.height
