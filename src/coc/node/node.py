"""A node as one machine: the consensus engine and the mempool, and what passes between them.

It has no I/O of its own. The live program and the simulator fill the same ports: they perform the effects
and hand in what comes of them. Consensus goes first: a decided block moves the pool to its head before the
engine asks for the next one.
"""

from __future__ import annotations

from typing import TypeAlias, assert_never

from coc.consensus.engine import ConsensusEngine
from coc.consensus.rotation import engine as rotation
from coc.consensus.rotation.engine import Sealing, SetTimer
from coc.execution.mempool.effects import Added, BecameReady, JudgeAgain
from coc.execution.mempool.inputs import HeadChanged, JournalFailed, Judged, Submit
from coc.execution.mempool.pool import Mempool
from coc.node.choosing import choose
from coc.node.effects import BuildBlock, Effect
from coc.node.inputs import (
    Arrived,
    BlockBuilt,
    BlockDecided,
    Input,
    Mine,
    SealingFailed,
    Signed,
    Start,
    TimerFired,
)
from coc.primitives.limits import SEAL_RETRY_MS
from coc.primitives.types import Hash32, Millis

Engine: TypeAlias = ConsensusEngine[rotation.Input, rotation.Effect]
"""What makes blocks: the rotation engine alone, or the idle one of a node that only serves."""


class Node:
    """One node: what makes blocks, and what waits for them."""

    def __init__(self, engine: Engine, pool: Mempool, sealing: Sealing) -> None:
        """The engine stands on the same head as the pool."""
        self._engine = engine
        self._sealing = sealing
        self._refused: list[Hash32] = []
        self.pool = pool

    def step(self, now_ms: Millis, event: Input) -> list[Effect]:
        """Apply one input and return what must now be done, in order."""
        match event:
            case Start():
                effects = self._engine_step(now_ms, rotation.Started())
                return effects + self._seal_if_instant(now_ms)
            case TimerFired():
                return self._engine_step(now_ms, rotation.Due()) + self._seal_if_instant(now_ms)
            case Arrived():
                submit = Submit(event.head, event.origin, event.candidates)
                return self._pool_step(now_ms, submit)
            case Mine():
                return self._engine_step(now_ms, rotation.Demanded(event.ticket, event.timestamp_s))
            case BlockBuilt():
                return self._on_built(now_ms, event)
            case Signed():
                return self._engine_step(now_ms, rotation.Signed(event.signature))
            case BlockDecided():
                return self._on_decided(now_ms, event)
            case SealingFailed():
                return self._engine_step(
                    now_ms, rotation.Failed(event.reason, SEAL_RETRY_MS, event.keeps_block)
                )
            case Judged() | JournalFailed():
                return self._pool_step(now_ms, event)
            case _:
                assert_never(event)

    def _on_built(self, now_ms: Millis, event: BlockBuilt) -> list[Effect]:
        """Refused transactions are judged again on the new head, or at once where no block comes of it."""
        self._refused = list(event.refused)
        effects = self._engine_step(now_ms, rotation.BlockBuilt(event.hash, event.is_empty))
        is_signed = any(isinstance(effect, rotation.Sign) for effect in effects)
        return effects if is_signed else self._judge_refused() + effects

    def _on_decided(self, now_ms: Millis, event: BlockDecided) -> list[Effect]:
        moved = HeadChanged(event.pool_head, event.changed, event.included, rules_changed=event.rules_changed)
        of_pool: list[Effect] = list(self.pool.step(now_ms, moved))
        # The engine's effects go first: a journal that cannot be written must not swallow them.
        effects = self._engine_step(now_ms, rotation.Decided(event.engine_head))
        return effects + self._seal_if_instant(now_ms) + self._judge_refused() + of_pool

    def _judge_refused(self) -> list[Effect]:
        again = [waiting for hash_ in self._refused if (waiting := self.pool.view.get(hash_)) is not None]
        self._refused = []
        return [JudgeAgain(again, None)] if again else []

    def _pool_step(self, now_ms: Millis, event: Submit | Judged | JournalFailed) -> list[Effect]:
        effects: list[Effect] = list(self.pool.step(now_ms, event))
        is_instant = self._sealing is Sealing.INSTANT
        if is_instant and any(isinstance(effect, Added | BecameReady) for effect in effects):
            # By way of the timer: if the journal refuses these transactions, nothing after it is performed,
            # and the engine must not believe that a block is being built.
            effects.append(SetTimer(now_ms))
        return effects

    def _seal_if_instant(self, now_ms: Millis) -> list[Effect]:
        """An instant chain seals whenever something can run."""
        if self._sealing is not Sealing.INSTANT or next(self.pool.best(), None) is None:
            return []
        return self._engine_step(now_ms, rotation.TransactionsReady())

    def _engine_step(self, now_ms: Millis, event: rotation.Input) -> list[Effect]:
        effects: list[Effect] = []
        for effect in self._engine.step(now_ms, event):
            if isinstance(effect, rotation.Build):
                chosen = choose(self.pool)
                effects.append(BuildBlock(effect.parent, effect.timestamp_s, effect.consensus_data, chosen))
            else:
                effects.append(effect)
        return effects
