"""The rotation machine of a network: `step(now_ms, input) -> list[effect]`. The dispatch, and nothing else.

Every sealed block, ours and others', goes one way: seal, bytes, parent, execution, block log, tree. Each time
the tree grows the head is chosen again, and with it what is safe and what is final. One machine lives as long
as its node.
"""

from __future__ import annotations

from typing import assert_never

from coc.consensus.engine import (
    PeerGone,
    Persisted,
    PersistFailed,
    SignatureMade,
    SignatureRefused,
    Started,
)
from coc.consensus.fork_choice.tree import ForkTree, TreeBlock
from coc.consensus.rotation import blocks, making, peers, seals
from coc.consensus.rotation.effects import Effect
from coc.consensus.rotation.evidence import DoubleSeal
from coc.consensus.rotation.heads import choose
from coc.consensus.rotation.inputs import (
    BlockArrived,
    Built,
    EvidenceReceived,
    Executed,
    Input,
    RangeArrived,
    Recorded,
    SealReceived,
    StatusReceived,
    TimerFired,
    TimerKind,
)
from coc.consensus.rotation.messages import Status
from coc.consensus.rotation.rules import Opening, Setup
from coc.consensus.rotation.state import Core
from coc.primitives.limits_rotation import PENDING_BLOCKS_MAX
from coc.primitives.types import Hash32, Millis


class RotationMachine:
    """Makes blocks in its slots and follows the best branch of all that were made."""

    def __init__(self, setup: Setup, opening: Opening) -> None:
        """Nothing is asked for before `Started`."""
        final = opening.final
        self._opening = opening
        self._core = Core(setup, ForkTree(final.hash, final.height, final.slot))
        if final.seal is not None:
            proposal = self._core.proposal_of(final.hash, final.height, final.seal)
            self._core.seals[final.hash] = proposal
        for sealed in opening.chain:
            facts = sealed.facts
            self._core.tree.add(facts.hash, facts.parent, facts.slot)
            proposal = self._core.proposal_of(facts.hash, facts.height, sealed.seal)
            self._core.seals[facts.hash] = proposal
            self._core.remember_seal(proposal)

    def step(self, now_ms: Millis, event: Input, /) -> list[Effect]:
        """Apply one input and return what must now be done, in order."""
        core = self._core
        match event:
            case Started():
                resumed = making.resume(core, now_ms, self._opening)
                chosen = choose(core)
                return [*chosen, *resumed, *making.on_slot(core, now_ms), *peers.speak(core, now_ms)]
            case SealReceived():
                return seals.on_seal(core, now_ms, event)
            case StatusReceived():
                return peers.on_status(core, now_ms, event)
            case EvidenceReceived():
                return seals.on_evidence(core, event)
            case PeerGone():
                return peers.on_peer_gone(core, event)
            case BlockArrived():
                return blocks.on_block_arrived(core, now_ms, event)
            case RangeArrived():
                return blocks.on_range(core, now_ms, event)
            case Built():
                return making.on_built(core, event)
            case Executed():
                return blocks.on_executed(core, event)
            case Recorded():
                return blocks.on_recorded(core, now_ms, event)
            case Persisted():
                return making.on_persisted(core, event)
            case PersistFailed():
                return making.on_persist_failed(core, event)
            case SignatureMade():
                return making.on_signature(core, now_ms, event)
            case SignatureRefused():
                return making.on_signature_refused(core, event)
            case TimerFired():
                return self._on_timer(now_ms, event)
            case _:
                assert_never(event)

    def _on_timer(self, now_ms: Millis, event: TimerFired) -> list[Effect]:
        core, timer = self._core, event.timer
        match timer.kind:
            case TimerKind.SLOT:
                return making.on_slot(core, now_ms) if timer.slot == core.awaited_slot else []
            case TimerKind.HELD:
                return seals.release_held(core, core.slot_now(now_ms))
            case TimerKind.RESEND:
                return peers.speak(core, now_ms)
            case _:
                assert_never(timer.kind)

    def is_on_its_way(self, block: Hash32) -> bool:
        """Whether the bytes of a block are, or will be, needed: it is not in the tree yet."""
        making = self._core.making
        is_made = making is not None and making.facts is not None and making.facts.hash == block
        return is_made or block in self._core.pending

    @property
    def takes_ranges(self) -> bool:
        """Whether many more blocks have room on their way: those that wait must not have to make it."""
        return len(self._core.pending) <= PENDING_BLOCKS_MAX // 2

    @property
    def head(self) -> TreeBlock:
        """The block that the chain ends in."""
        return self._core.tree.head

    @property
    def final(self) -> TreeBlock:
        """The newest block that is never taken back."""
        return self._core.tree.root

    @property
    def status(self) -> Status:
        """Where the machine stands, as peers are told."""
        return peers.status_of(self._core)

    @property
    def evidence(self) -> tuple[DoubleSeal, ...]:
        """Who signed twice, oldest first."""
        return tuple(self._core.evidence.found.values())

    @property
    def size(self) -> int:
        """How many things of all kinds the machine holds, for whoever watches that it is bounded."""
        core = self._core
        seals_kept = sum(len(each) for each in core.slots.values())
        on_their_way = len(core.pending) + len(core.refused) + len(core.received_until)
        return len(core.tree) + len(core.seals) + seals_kept + on_their_way + len(core.evidence.found)
