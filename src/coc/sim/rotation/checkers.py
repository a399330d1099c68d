"""What must hold in every run, found out without the machine's own code."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from coc.consensus.rotation.rules import NetworkRules
from coc.primitives.seals import SignRequest
from coc.primitives.types import Hash32
from coc.primitives.votes import Proposal
from coc.sim.machines.campaign import Violation
from coc.sim.rotation.disk import SimBlock
from coc.sim.rotation.plan import GENESIS


@dataclass(slots=True)
class Watch:
    """Looks at every honest node; `blocks` are all that were ever made."""

    rules: NetworkRules
    blocks: dict[Hash32, SimBlock] = field(default_factory=dict)
    final_at: dict[int, Hash32] = field(default_factory=dict)
    signed: dict[tuple[bytes, int], SignRequest] = field(default_factory=dict)
    moves: int = 0
    reorganisations: int = 0

    # ── Signing ─────────────────────────────────────────────────────────────────────────────────────────────

    def on_sign(self, *, has_intent: bool) -> None:
        """ROT-8: the intent is durable before the signer is asked."""
        if not has_intent:
            raise Violation("record first: the signer was asked before the intent was durable")

    def on_signed(self, key: bytes, request: SignRequest) -> None:
        """ROT-7, ROT-9: one block a slot."""
        earlier = self.signed.setdefault((key, request.round), request)
        if earlier != request:
            raise Violation(f"signed twice: slot {request.round}")

    def on_refused(self, reason: str) -> None:
        """ROT-10: whoever keeps its records never asks for what the mark forbids."""
        raise Violation(f"signer: {reason}")

    # ── Blocks ──────────────────────────────────────────────────────────────────────────────────────────────

    def on_record(self, block: Hash32, author: bytes) -> None:
        """ROT-3, ROT-14, ROT-17: only what keeps the rules is written."""
        found = self.blocks[block]
        parent = self.slot_of(found.facts.parent)
        if not found.is_valid:
            raise Violation("invalid: a block that is not valid was written")
        if found.facts.slot <= parent:
            raise Violation(f"slots: slot {found.facts.slot} on {parent}")
        if author != self.rules.slots.proposer(found.facts.slot).id:
            raise Violation("author: somebody else's slot")

    def on_move(
        self,
        known: set[Hash32],
        roots: tuple[Hash32, Hash32],
        tags: tuple[Hash32, Hash32, Hash32],
        slot_now: int,
    ) -> None:
        """The head is that of the rules and of the present; what is final stays (FC-6, ROT-15, ROT-23)."""
        (root, old_head), (head, safe, final) = roots, tags
        self.moves += 1
        self.reorganisations += not self.is_on(old_head, head)
        if head != GENESIS and self.slot_of(head) > slot_now:
            raise Violation(f"future: a head of slot {self.slot_of(head)} in slot {slot_now}")
        if not self.is_on(root, final) or not self.is_on(final, safe) or not self.is_on(safe, head):
            raise Violation("finality: the final block was taken back")
        if head != self.head_of(root, known):
            raise Violation("choice: another head than that of the rules")
        if final != root:
            self._check_final(head, final)
        self._check_agreement(final)

    def _check_final(self, head: Hash32, final: Hash32) -> None:
        """ROT-21: deep, and signed upon by more than two thirds."""
        above = []
        at = head
        while at != final:
            above.append(self.blocks[at].facts)
            at = self.blocks[at].facts.parent
        size = len(self.rules.slots.validators.validators)
        if len(above) < self.rules.final_depth:
            raise Violation(f"depth: final with {len(above)} blocks upon it")
        if 3 * len({facts.slot % size for facts in above}) <= 2 * size:
            raise Violation("signers: final without the signatures of more than two thirds")

    def _check_agreement(self, final: Hash32) -> None:
        at = final
        while at != GENESIS:
            facts = self.blocks[at].facts
            known = self.final_at.setdefault(facts.height, at)
            if known != at:
                raise Violation(f"agreement: two final blocks at height {facts.height}")
            at = facts.parent

    # ── The rules of fork choice, from scratch ──────────────────────────────────────────────────────────────

    def head_of(self, root: Hash32, known: set[Hash32]) -> Hash32:
        """FC-2 to FC-6."""
        children: dict[Hash32, list[Hash32]] = {}
        for block in known:
            if block not in (root, GENESIS):
                children.setdefault(self.blocks[block].facts.parent, []).append(block)
        order = [root]
        for block in order:
            order += children.get(block, [])
        signed = Counter(self.slot_of(block) for block in order[1:])
        length: dict[Hash32, int] = {}
        weight: dict[Hash32, int] = {}
        for block in reversed(order):
            below = children.get(block, [])
            length[block] = 1 + max((length[child] for child in below), default=0)
            weight[block] = sum(weight[child] for child in below) + (signed[self.slot_of(block)] == 1)
        at = root
        while children.get(at):
            at = min(children[at], key=lambda child: (-length[child], -weight[child], child))
        return at

    def slot_of(self, block: Hash32) -> int:
        """The slot of a block."""
        return 0 if block == GENESIS else self.blocks[block].facts.slot

    def is_on(self, ancestor: Hash32, block: Hash32) -> bool:
        """Whether a block stands on another, or is it."""
        at = block
        while at not in (ancestor, GENESIS):
            at = self.blocks[at].facts.parent
        return at == ancestor


@dataclass(slots=True)
class Ears:
    """What one honest node heard: two seals of one slot must become evidence (ROT-25)."""

    seals: dict[int, Proposal] = field(default_factory=dict)
    doubles: set[int] = field(default_factory=set)

    def on_seal(self, seal: Proposal) -> None:
        """A seal that the node had to take came."""
        first = self.seals.setdefault(seal.round, seal)
        if first.block != seal.block:
            self.doubles.add(seal.round)
