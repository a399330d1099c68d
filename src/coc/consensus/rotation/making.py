"""Blocks of ours: built in our slots, and sealed so that no crash can make two of one (ROT-7 to ROT-13)."""

from __future__ import annotations

from coc.consensus.bft.wal import BlockKept, Intent, ProposalKept
from coc.consensus.engine import (
    Alarm,
    Append,
    Persist,
    Persisted,
    PersistFailed,
    Sign,
    SignatureMade,
    SignatureRefused,
)
from coc.consensus.rotation.blocks import connect
from coc.consensus.rotation.effects import Build, Effect, SetTimer
from coc.consensus.rotation.finality import may_build
from coc.consensus.rotation.inputs import Built, Timer, TimerKind
from coc.consensus.rotation.rules import BlockFacts, Opening
from coc.consensus.rotation.state import Core, Making, Pending, Sight
from coc.primitives.limits_rotation import UNFINAL_BLOCKS_MAX
from coc.primitives.seals import NO_VALID_ROUND, SignRequest, Step
from coc.primitives.types import Address, Hash32, Height, Millis
from coc.primitives.votes import Proposal

TOO_MANY_UNFINAL = (
    f"{UNFINAL_BLOCKS_MAX} blocks are not final, because more than two thirds of the validators have not "
    "signed since; only those that are missing may add more"
)


def on_slot(core: Core, now_ms: Millis) -> list[Effect]:
    """A slot of ours begins: build on the head, unless something forbids it, and wait for the next one."""
    own = core.setup.own
    if own is None:
        return []
    return [*_build(core, now_ms, own), *_next_slot(core, now_ms, own)]


def _build(core: Core, now_ms: Millis, own: Address) -> list[Effect]:
    rules, slot, head = core.setup.rules, core.slot_now(now_ms), core.tree.head
    if rules.slots.proposer(slot).id != own or slot <= max(head.slot, core.signed_slot):
        return []
    if slot <= core.setup.silent_until_slot or _is_under_way(core):
        return []
    if not may_build(rules, head, slot, UNFINAL_BLOCKS_MAX):
        return [Alarm(TOO_MANY_UNFINAL)]
    core.making = Making(slot, head.hash)
    return [Build(slot, Height(head.height + 1), head.hash, core.seal_of(head.hash))]


def _is_under_way(core: Core) -> bool:
    """Whether a block of ours waits for log or signer; one that is only being built may be given up."""
    return core.making is not None and core.making.request is not None


def _next_slot(core: Core, now_ms: Millis, own: Address) -> list[Effect]:
    """The timer of our next slot, which is at most a turn away."""
    rules = core.setup.rules.slots
    first = core.slot_now(now_ms) + 1
    slots = range(first, first + len(rules.validators.validators))
    mine = next((slot for slot in slots if rules.proposer(slot).id == own), None)
    if mine is None:
        return []
    core.awaited_slot = mine
    return [SetTimer(Timer(TimerKind.SLOT, mine), rules.begins_ms(mine))]


def on_built(core: Core, event: Built) -> list[Effect]:
    """The block is there: keep its bytes and what we are about to sign, unless the head has moved (ROT-7)."""
    making, facts = core.making, event.facts
    if making is None or making.request is not None or facts.slot != making.slot:
        return []
    if making.parent != core.tree.head.hash or facts.parent != making.parent:
        core.making = None
        return []
    genesis = core.setup.rules.slots.genesis_hash
    making.facts = facts
    making.request = SignRequest(genesis, facts.height, facts.slot, Step.PROPOSAL, facts.hash)
    core.signed_slot = max(core.signed_slot, making.slot)
    core.sequence += 1
    intent = Intent(making.request, None, None)
    return [Persist(core.sequence, (BlockKept(facts.height, facts.hash), intent))]


def on_persisted(core: Core, event: Persisted) -> list[Effect]:
    """The intent is durable: ask the signer (ROT-8)."""
    making = core.making
    if making is None or making.request is None or making.is_durable or event.sequence != core.sequence:
        return []
    making.is_durable = True
    return [Sign(making.request)]


def on_persist_failed(core: Core, event: PersistFailed) -> list[Effect]:
    """Sign nothing, and give the block up: its slot is soon over (ROT-12)."""
    making = core.making
    if making is None or making.request is None or making.is_durable or event.sequence != core.sequence:
        return []
    core.making = None
    return [Alarm(f"the write-ahead log cannot be written, so nothing is signed: {event.reason}")]


def on_signature(core: Core, now_ms: Millis, event: SignatureMade) -> list[Effect]:
    """The block is sealed: from here on it goes the way of every other one."""
    making, own = core.making, core.setup.own
    if making is None or own is None or making.facts is None or event.request != making.request:
        return []
    if not making.is_durable:
        return []
    core.making = None
    facts = making.facts
    seal = Proposal(facts.height, facts.slot, facts.hash, NO_VALID_ROUND, own, event.signature)
    return [Append(ProposalKept(seal)), *_enter(core, now_ms, seal, facts)]


def on_signature_refused(core: Core, event: SignatureRefused) -> list[Effect]:
    """Give the block up: it must not exist twice (ROT-12)."""
    if core.making is None or event.request != core.making.request:
        return []
    core.making = None
    return [Alarm(f"the signer refused: {event.reason}")]


def resume(core: Core, now_ms: Millis, opening: Opening) -> list[Effect]:
    """What the records of an earlier life bind us to: slots that are used, a block to finish (ROT-10)."""
    kept = {facts.hash: facts for facts in opening.kept}
    sealed: dict[Hash32, Proposal] = {}
    last: SignRequest | None = None
    for record in opening.records:
        if isinstance(record, Intent):
            last = record.request
            core.signed_slot = max(core.signed_slot, last.round)
        elif isinstance(record, ProposalKept):
            sealed[record.proposal.block] = record.proposal
    if last is None or last.block is None or last.block not in kept or last.block in core.tree:
        return []
    facts = kept[last.block]
    if last.block in sealed:
        return _enter(core, now_ms, sealed[last.block], facts)
    if core.setup.own is None:
        return []
    core.making = Making(last.round, facts.parent, facts, last, is_durable=True)
    return [Sign(last)]


def _enter(core: Core, now_ms: Millis, seal: Proposal, facts: BlockFacts) -> list[Effect]:
    core.remember_seal(seal)
    if facts.height <= core.tree.root.height or seal.block in core.tree:
        return []
    core.pending[seal.block] = Pending(seal, Sight.SOUGHT, facts=facts)
    return connect(core, now_ms, seal.block)
