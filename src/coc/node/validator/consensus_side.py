"""The engine's effects as the node's, and what the chain answers handed to the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from coc.consensus.bft import effects as fx
from coc.consensus.bft import inputs as bft
from coc.consensus.bft.messages import encode_message
from coc.consensus.bft.wal import BlockKept, Record
from coc.consensus.sync.block_sync import PeerAhead
from coc.consensus.sync.messages import BlockBody
from coc.execution.mempool.effects import JudgeAgain
from coc.node.choosing import choose
from coc.node.validator.core import BuildWish, Core
from coc.node.validator.effects import (
    Alarm,
    AppendRecord,
    BuildBlock,
    DecideBlock,
    Effect,
    EvidenceSeen,
    ExecuteBlock,
    Misbehaved,
    ProveRandomness,
    Send,
    SendAll,
    SendCertificate,
    SetConsensusTimer,
    Sign,
    WriteAhead,
)
from coc.node.validator.inputs import (
    BlockBuilt,
    BlockDecided,
    ConsensusTimer,
    DecisionFailed,
    ExecutionFailed,
    Logged,
    RandomnessProved,
)
from coc.node.validator.sync_side import sync_step
from coc.primitives.consensus_data import ConsensusData
from coc.primitives.types import Hash32, Millis
from coc.wire import kinds

WAL, LOG, EXECUTION, CONSENSUS = "write-ahead log", "block log", "execution", "consensus"
"""Parts that an alarm names."""


def engine_step(core: Core, now_ms: Millis, event: bft.Input) -> list[Effect]:
    """Hand an input to the engine, and its effects on."""
    effects: list[Effect] = []
    for effect in core.engine.step(now_ms, event):
        effects += TRANSLATORS[type(effect)](core, now_ms, effect)
    return effects


def on_timer(core: Core, now_ms: Millis, event: ConsensusTimer) -> list[Effect]:
    """A timer of the engine; with the re-send timer, what failed is tried again too."""
    effects = engine_step(core, now_ms, bft.TimerFired(event.timer))
    if event.timer.kind is not bft.TimerKind.RESEND or not (core.unexecuted or core.unwritten):
        return effects
    again: list[Effect] = list(core.unexecuted.values())
    core.unexecuted.clear()
    if core.unwritten is not None:
        again.append(core.unwritten)
        core.unwritten = None
    return [*effects, *again]


def on_randomness(core: Core, now_ms: Millis, event: RandomnessProved) -> list[Effect]:
    """The VRF proof of the block that the engine wants is here: build it."""
    wish, facts = core.wish, core.facts
    if wish is None or (wish.height, wish.round) != (event.height, event.round) or core.setup.own is None:
        return []
    core.wish = None
    if not event.proof:
        return []
    data = ConsensusData(
        b"" if wish.certificate is None else wish.certificate.encode(),
        core.setup.own,
        wish.round,
        facts.validators,
        facts.next_validators,
        event.proof,
        core.engine.pending_evidence,
    )
    timestamp_s = max(facts.parent_time_ms // 1000 + 1, now_ms // 1000)
    return [
        BuildBlock(facts.height, wish.round, facts.parent, timestamp_s, data, choose(core.pool)),
    ]


def on_built(core: Core, now_ms: Millis, event: BlockBuilt) -> list[Effect]:
    """A block of ours exists: it is served to others from now on, and proposed."""
    core.blocks.keep(event.hash, event.height, event.body)
    core.refused = tuple(event.refused)
    effects: list[Effect] = [Alarm("building", "")]
    if event.outdated:
        effects += engine_step(core, now_ms, bft.EvidenceSettled(event.outdated))
    built = bft.Built(event.height, event.round, event.hash, event.facts)
    return [*effects, *engine_step(core, now_ms, built)]


def on_logged(core: Core, now_ms: Millis, event: Logged) -> list[Effect]:
    """Records are durable."""
    return [Alarm(WAL, ""), *engine_step(core, now_ms, bft.Persisted(event.sequence))]


def on_execution_failed(core: Core, event: ExecutionFailed) -> list[Effect]:
    """Nothing is known about the block: it is neither valid nor invalid, and is tried again."""
    body = core.blocks.body(event.hash)
    if body is not None:
        core.unexecuted[event.hash] = ExecuteBlock(event.hash, body)
    return [Alarm(EXECUTION, f"block 0x{event.hash.hex()} cannot be executed here: {event.reason}")]


def on_decision_failed(core: Core, event: DecisionFailed) -> list[Effect]:
    """The block stays decided; it is written when the disk allows."""
    core.unwritten = core.deciding
    return [Alarm(LOG, f"a decided block cannot be written: {event.reason}")]


def on_decided(core: Core, now_ms: Millis, event: BlockDecided) -> list[Effect]:
    """The next height begins."""
    core.facts = event.facts
    core.wish, core.unwritten, core.deciding = None, None, None
    core.unexecuted.clear()
    core.blocks.opened(event.facts.height)
    settled = [piece.offence() for piece in event.evidence]
    effects: list[Effect] = [Alarm(LOG, ""), Alarm(EXECUTION, ""), Alarm(CONSENSUS, "")]
    if settled:
        effects += engine_step(core, now_ms, bft.EvidenceSettled(tuple(settled)))
    effects += engine_step(core, now_ms, bft.HeightOpened(event.facts))
    again = [waiting for hash_ in core.refused if (waiting := core.pool.view.get(hash_)) is not None]
    core.refused = ()
    return [*effects, JudgeAgain(again, None)] if again else effects


def _on_decide(core: Core, _now_ms: Millis, effect: fx.Decide) -> list[Effect]:
    core.deciding = DecideBlock(effect.block, effect.certificate)
    return [core.deciding]


def _on_build(core: Core, _now_ms: Millis, effect: fx.Build) -> list[Effect]:
    core.wish = BuildWish(effect.height, effect.round, effect.certificate)
    return [ProveRandomness(effect.height, effect.round, effect.parent)]


def _on_execute(core: Core, _now_ms: Millis, effect: fx.Execute) -> list[Effect]:
    body = core.blocks.body(effect.block)
    return [] if body is None else [ExecuteBlock(effect.block, body)]


def _on_persist(core: Core, _now_ms: Millis, effect: fx.Persist) -> list[Effect]:
    return [WriteAhead(effect.sequence, effect.records, _bodies(core, effect.records))]


def _fetch(core: Core, now_ms: Millis, effect: fx.Fetch) -> list[Effect]:
    """Ask peers for a block, unless its bytes are here: the log kept them, or we built it."""
    if core.blocks.body(effect.block) is not None:
        return engine_step(core, now_ms, bft.BlockArrived(effect.block))
    asked = core.blocks.seek(effect.block, effect.holders, core.peers)
    return [Send(peer, kinds.GET_BLOCK.number, effect.block) for peer in asked]


def _bodies(core: Core, records: tuple[Record, ...]) -> dict[Hash32, BlockBody]:
    kept = (record.block for record in records if isinstance(record, BlockKept))
    return {block: body for block in kept if (body := core.blocks.body(block)) is not None}


TRANSLATORS: Final[Mapping[type[fx.Effect], Callable[[Core, Millis, Any], list[Effect]]]] = {
    fx.SetTimer: lambda _core, _now_ms, effect: [SetConsensusTimer(effect.timer, effect.at_ms)],
    fx.Broadcast: lambda _core, _now_ms, effect: [
        SendAll(kinds.CONSENSUS.number, encode_message(effect.message))
    ],
    fx.SendTo: lambda _core, _now_ms, effect: [
        Send(effect.peer, kinds.CONSENSUS.number, encode_message(effect.message))
    ],
    fx.Persist: _on_persist,
    fx.Sign: lambda _core, _now_ms, effect: [Sign(effect.request)],
    fx.Append: lambda _core, _now_ms, effect: [AppendRecord(effect.record)],
    fx.Fetch: _fetch,
    fx.Execute: _on_execute,
    fx.Decide: _on_decide,
    fx.Build: _on_build,
    fx.SendStoredCertificate: lambda _core, _now_ms, effect: [SendCertificate(effect.peer, effect.height)],
    fx.CatchUp: lambda core, now_ms, effect: sync_step(core, now_ms, PeerAhead(effect.peer, effect.height)),
    fx.EvidenceFound: lambda _core, _now_ms, effect: [EvidenceSeen(effect.evidence)],
    fx.Misbehaved: lambda _core, _now_ms, effect: [Misbehaved(effect.peer, effect.reason)],
    fx.Alarm: lambda _core, _now_ms, effect: [Alarm(CONSENSUS, effect.reason)],
}
"""What the node does for every effect of the engine."""
