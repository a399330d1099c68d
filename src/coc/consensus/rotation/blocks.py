"""A block's way into the tree: bytes, parent, execution, block log (ROT-16, ROT-17)."""

from __future__ import annotations

from coc.consensus.engine import Fetch, Misbehaved
from coc.consensus.fork_choice.tree import TreeBlock
from coc.consensus.rotation.effects import Broadcast, Effect, Execute, Record
from coc.consensus.rotation.heads import choose
from coc.consensus.rotation.inputs import BlockArrived, Executed, RangeArrived, Recorded
from coc.consensus.rotation.rules import BlockFacts
from coc.consensus.rotation.seals import INVALID_BLOCK, take_seal
from coc.consensus.rotation.state import Core, Pending, Sight
from coc.primitives.seals import Seal
from coc.primitives.types import Hash32, Height, Millis


def on_block_arrived(core: Core, now_ms: Millis, event: BlockArrived) -> list[Effect]:
    """The bytes of a block that is sought are here."""
    pending = core.pending.get(event.facts.hash)
    if pending is None or pending.sight is not Sight.SOUGHT:
        return []
    return take_facts(core, now_ms, pending, event.facts)


def on_range(core: Core, now_ms: Millis, event: RangeArrived) -> list[Effect]:
    """Blocks of a peer's chain, with their seals: each as if it were announced and then arrived (ROT-20)."""
    effects: list[Effect] = []
    for sealed in event.blocks:
        facts = sealed.facts
        if facts.hash in core.refused:
            return [*effects, Misbehaved(event.peer, INVALID_BLOCK)]
        proposal = core.proposal_of(facts.hash, facts.height, sealed.seal)
        taken = take_seal(core, now_ms, proposal, (event.peer,), is_needed=True)
        effects += taken.effects
        if taken.is_strange:
            return effects
        if taken.pending is not None and taken.pending.sight is Sight.SOUGHT:
            effects += take_facts(core, now_ms, taken.pending, facts)
    last = event.blocks[-1].facts if event.blocks else None
    if last is not None and (last.hash in core.tree or last.hash in core.pending):
        core.received_until[event.peer] = last.height
    else:
        core.received_until.pop(event.peer, None)
    return effects


def take_facts(core: Core, now_ms: Millis, pending: Pending, facts: BlockFacts) -> list[Effect]:
    """Hold what the bytes say to the seal, then go on towards the tree."""
    if (facts.height, facts.slot) != (pending.seal.height, pending.seal.round):
        return refuse(core, facts.hash)
    pending.facts = facts
    return connect(core, now_ms, facts.hash)


def connect(core: Core, now_ms: Millis, block: Hash32) -> list[Effect]:
    """Execute a block whose parent is in the tree; wait for one that is on its way; seek any other."""
    pending = core.pending[block]
    facts = pending.facts
    if facts is None:
        return []
    parent = core.tree.get(facts.parent)
    if parent is not None:
        if not follows(parent, facts):
            return refuse(core, block)
        pending.sight = Sight.EXECUTING
        return [Execute(block)]
    if facts.parent in core.refused or facts.parent_seal is None:
        return refuse(core, block)
    if facts.height - 1 <= core.tree.root.height:
        del core.pending[block]  # it stands beside what is final (ROT-23)
        return []
    pending.sight = Sight.WAITING
    return _seek_parent(core, now_ms, pending, facts, facts.parent_seal)


def follows(parent: TreeBlock, facts: BlockFacts) -> bool:
    """Whether a block may stand on a parent: the next height, in a later slot (ROT-3)."""
    return facts.height == parent.height + 1 and facts.slot > parent.slot


def _seek_parent(core: Core, now_ms: Millis, pending: Pending, facts: BlockFacts, seal: Seal) -> list[Effect]:
    """Take the parent's seal out of its child (ROT-16)."""
    if facts.parent in core.pending:
        return []
    proposal = core.proposal_of(facts.parent, Height(facts.height - 1), seal)
    taken = take_seal(core, now_ms, proposal, tuple(pending.sources), is_needed=True)
    if taken.is_strange:
        return refuse(core, facts.hash)
    if taken.pending is None:
        del core.pending[facts.hash]  # no branch that may still win holds its parent
        return taken.effects
    return [*taken.effects, Fetch(facts.parent, tuple(taken.pending.sources))]


def on_executed(core: Core, event: Executed) -> list[Effect]:
    """The verdict on a block."""
    pending = core.pending.get(event.block)
    if pending is None or pending.sight is not Sight.EXECUTING:
        return []
    if not event.is_valid:
        return refuse(core, event.block)
    pending.sight = Sight.RECORDING
    return [Record(event.block, Seal(pending.seal.round, pending.seal.signature))]


def on_recorded(core: Core, now_ms: Millis, event: Recorded) -> list[Effect]:
    """The block is durable: it enters the tree and is announced, and those that waited for it go on."""
    pending = core.pending.get(event.block)
    if pending is None or pending.facts is None or pending.sight is not Sight.RECORDING:
        return []
    del core.pending[event.block]
    if not core.tree.add(event.block, pending.facts.parent, pending.facts.slot):
        return []
    core.seals[event.block] = pending.seal
    if len(core.seals) > len(core.tree):  # a leaf had to make room
        core.seals = {block: seal for block, seal in core.seals.items() if block in core.tree}
    effects: list[Effect] = [Broadcast(pending.seal), *choose(core)]
    for block, each in tuple(core.pending.items()):
        if each.sight is Sight.WAITING and each.facts is not None and each.facts.parent == event.block:
            effects += connect(core, now_ms, block)
    return effects


def refuse(core: Core, block: Hash32) -> list[Effect]:
    """Take a block off its way for good, and all that stands on it; who brought them is reported (ROT-17)."""
    effects: list[Effect] = []
    waiting = [block]
    while waiting:
        bad = waiting.pop()
        core.refuse(bad)
        pending = core.pending.pop(bad, None)
        if pending is not None:
            effects += [Misbehaved(peer, INVALID_BLOCK) for peer in pending.sources]
        waiting += [
            child
            for child, each in core.pending.items()
            if each.facts is not None and each.facts.parent == bad
        ]
    return effects
