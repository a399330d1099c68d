"""The engine's effects as the node's, and what the chain answers handed to the engine."""

from __future__ import annotations

from typing import assert_never

from coc.consensus import engine
from coc.consensus.bft.wal import BlockKept, Record
from coc.consensus.rotation import effects as fx
from coc.consensus.rotation import inputs as ev
from coc.consensus.rotation.messages import Status, encode_message
from coc.consensus.sync.messages import BlockBody, BlockRange, encode_range
from coc.execution.mempool.effects import JudgeAgain
from coc.execution.mempool.inputs import HeadChanged
from coc.node.choosing import choose
from coc.node.rotation.core import Core, Source
from coc.node.rotation.effects import (
    BuildSlotBlock,
    DoubleSealSeen,
    Effect,
    JudgeBlock,
    MoveTags,
    RecordBlock,
    SetRotationTimer,
)
from coc.node.rotation.inputs import (
    BlockJudged,
    BlockRecorded,
    MoveFailed,
    RecordFailed,
    RotationTimer,
    SlotBlockBuilt,
    TagsMoved,
)
from coc.node.rotation.tags import Tags
from coc.node.validator import gossip_side
from coc.node.validator.consensus_side import CONSENSUS, EXECUTION, LOG, WAL
from coc.node.validator.effects import Alarm, AppendRecord, Misbehaved, Send, SendAll, Sign, WriteAhead
from coc.node.validator.inputs import ExecutionFailed, Logged, Signed
from coc.primitives.consensus_data import ConsensusData
from coc.primitives.limits_consensus import BLOCK_REPLY_BYTES_MAX, SYNC_ANSWER_MS_MAX
from coc.primitives.types import Hash32, Millis
from coc.wire import kinds

FINALITY = "finality"
"""The part that an alarm names while nothing becomes final."""


def engine_step(core: Core, now_ms: Millis, event: ev.Input) -> list[Effect]:
    """Hand an input to the engine, and its effects on."""
    effects: list[Effect] = []
    for effect in core.engine.step(now_ms, event):
        effects += _translated(core, now_ms, effect)
    return effects


def on_timer(core: Core, now_ms: Millis, event: RotationTimer) -> list[Effect]:
    """A timer of the engine; with the one for statuses, what failed is tried again too."""
    effects = engine_step(core, now_ms, ev.TimerFired(event.timer))
    if event.timer.kind is not ev.TimerKind.RESEND:
        return effects
    core.bodies.tidy(core.engine.is_on_its_way)
    effects += [_finality(core), *core.unwritten.values()]
    core.unwritten.clear()
    for block in tuple(core.unexecuted):
        effects += _execute(core, block)
    return [*effects, *_move_on(core)]


def on_built(core: Core, now_ms: Millis, event: SlotBlockBuilt) -> list[Effect]:
    """A block of ours exists."""
    core.bodies.keep(event.facts, event.body)
    core.refused = tuple(event.refused)
    return [Alarm("building", ""), *engine_step(core, now_ms, ev.Built(event.facts))]


def on_judged(core: Core, now_ms: Millis, event: BlockJudged) -> list[Effect]:
    """The verdict on a block."""
    core.unexecuted.pop(event.hash, None)
    return [Alarm(EXECUTION, ""), *engine_step(core, now_ms, ev.Executed(event.hash, event.is_valid))]


def on_execution_failed(core: Core, event: ExecutionFailed) -> list[Effect]:
    """Nothing is known about the block: it is neither valid nor invalid, and is tried again."""
    core.unexecuted[event.hash] = None
    return [Alarm(EXECUTION, f"block 0x{event.hash.hex()} cannot be executed here: {event.reason}")]


def on_recorded(core: Core, now_ms: Millis, event: BlockRecorded) -> list[Effect]:
    """The block is in the log, and its bytes are there for whoever asks."""
    core.bodies.drop(event.hash)
    return [Alarm(LOG, ""), *engine_step(core, now_ms, ev.Recorded(event.hash))]


def on_record_failed(core: Core, event: RecordFailed) -> list[Effect]:
    """It is written when the disk allows; where the core has let go of it, it is executed once more."""
    block = event.wish.hash
    core.unwritten[block] = event.wish
    core.unexecuted[block] = None
    return [Alarm(LOG, f"a block cannot be written: {event.reason}")]


def on_logged(core: Core, now_ms: Millis, event: Logged) -> list[Effect]:
    """Records are durable."""
    return [Alarm(WAL, ""), *engine_step(core, now_ms, engine.Persisted(event.sequence))]


def on_signed(core: Core, now_ms: Millis, event: Signed) -> list[Effect]:
    """A block of ours is sealed: whatever kept us from it is over."""
    made = engine.SignatureMade(event.request, event.signature)
    return [Alarm(CONSENSUS, ""), *engine_step(core, now_ms, made)]


def on_moved(core: Core, now_ms: Millis, event: TagsMoved) -> list[Effect]:
    """The chain ends elsewhere: the pool stands there, and what was taken back waits again."""
    core.moving = None
    core.final_written = event.final_height
    moved = HeadChanged(
        event.pool_head, event.changed, event.included, event.orphaned, rules_changed=event.rules_changed
    )
    again = [waiting for hash_ in core.refused if (waiting := core.pool.view.get(hash_)) is not None]
    core.refused = ()
    # The engine's effects go first: a journal that cannot be written must not swallow them.
    effects: list[Effect] = [Alarm(LOG, ""), *_move_on(core)]
    if again:
        effects.append(JudgeAgain(again, None))
    return [*effects, *gossip_side.pool_step(core, now_ms, moved)]


def on_move_failed(core: Core, event: MoveFailed) -> list[Effect]:
    """The chain stays where it is; the same tags are tried again with the next status, or newer ones."""
    core.moving = None
    core.next_move = core.next_move or MoveTags(event.tags)
    return [Alarm(LOG, f"the chain's final block cannot be written down: {event.reason}")]


def _move_on(core: Core) -> list[Effect]:
    """Write the newest tags, unless others are being written: who catches up moves many blocks at once."""
    if core.moving is not None or core.next_move is None:
        return []
    core.moving, core.next_move = core.next_move, None
    return [core.moving]


def _finality(core: Core) -> Alarm:
    """Whether blocks become final; if not, because more than a third of the validators sign none."""
    rules, head, final = core.setup.rules, core.engine.head, core.engine.final
    unfinal = head.height - final.height
    turns = 2 * len(rules.slots.validators.validators)
    if unfinal <= rules.final_depth + turns:
        return Alarm(FINALITY, "")
    return Alarm(
        FINALITY,
        f"{unfinal} blocks above block {final.height} are not final: fewer than {rules.quorum} of "
        f"{turns // 2} validators sign blocks of this branch",
    )


def _translated(core: Core, now_ms: Millis, effect: fx.Effect) -> list[Effect]:
    match effect:
        case fx.SetTimer():
            return [SetRotationTimer(effect.timer, effect.at_ms)]
        case fx.Build():
            return [_build(core, effect)]
        case engine.Fetch():
            return _fetch(core, now_ms, effect)
        case fx.FetchRange():
            return _fetch_range(core, now_ms, effect)
        case fx.Execute():
            return _execute(core, effect.block)
        case engine.Persist():
            return [WriteAhead(effect.sequence, effect.records, _kept(core, effect.records))]
        case engine.Sign():
            return [Sign(effect.request)]
        case engine.Append():
            return [AppendRecord(effect.record)]
        case fx.Record():
            return _record(core, effect)
        case fx.MoveHead():
            core.next_move = MoveTags(Tags(effect.head, effect.safe, effect.final))
            return _move_on(core)
        case fx.Broadcast():
            message = core.status if isinstance(effect.message, Status) else effect.message
            return [SendAll(kinds.CONSENSUS.number, encode_message(message))]
        case fx.EvidenceFound():
            return [DoubleSealSeen(effect.evidence)]
        case engine.Misbehaved():
            return [Misbehaved(effect.peer, effect.reason)]
        case engine.Alarm():
            return [Alarm(CONSENSUS, effect.reason)]
        case _:
            assert_never(effect)


def _build(core: Core, wish: fx.Build) -> BuildSlotBlock:
    slots = core.setup.rules.slots
    seal = b"" if wish.parent_seal is None else wish.parent_seal.encode()
    proposer = slots.proposer(wish.slot).id
    data = ConsensusData(seal, proposer, wish.slot, slots.validators, slots.validators)
    return BuildSlotBlock(wish.parent, slots.begins_s(wish.slot), data, choose(core.pool))


def _fetch(core: Core, now_ms: Millis, effect: engine.Fetch) -> list[Effect]:
    """Ask peers for a block, unless its bytes are here: the log kept them, or a range brought them."""
    kept = core.bodies.get(effect.block)
    if kept is not None:
        return engine_step(core, now_ms, ev.BlockArrived(kept.facts))
    return _ask(core, effect.block, effect)


def _ask(core: Core, block: Hash32, effect: engine.Fetch | None) -> list[Effect]:
    holders = () if effect is None else effect.holders
    asked = core.bodies.seek(block, holders, core.peers)
    return [Send(peer, kinds.GET_BLOCK.number, block) for peer in asked]


def _fetch_range(core: Core, now_ms: Millis, effect: fx.FetchRange) -> list[Effect]:
    """Ask a peer for blocks of its chain, one answer at a time, while there is room for them."""
    source = core.source
    is_bound = source is not None and now_ms < source.at_ms + SYNC_ANSWER_MS_MAX
    if is_bound and source is not None and (source.is_asked or source.peer != effect.peer):
        return []
    has_room = core.engine.takes_ranges and not core.bodies.is_half_full
    if not has_room or effect.peer not in core.peers:
        return []
    core.source = Source(effect.peer, now_ms, is_asked=True)
    wish = encode_range(BlockRange(effect.first, BLOCK_REPLY_BYTES_MAX))
    return [Send(effect.peer, kinds.GET_BLOCKS.number, wish)]


def _execute(core: Core, block: Hash32) -> list[Effect]:
    """Execute a block; where its bytes had to make room they are asked for once more."""
    kept = core.bodies.get(block)
    if kept is not None:
        core.unexecuted.pop(block, None)
        return [JudgeBlock(block, kept.body)]
    if not core.engine.is_on_its_way(block):
        core.unexecuted.pop(block, None)
        return []
    core.unexecuted[block] = None
    return _ask(core, block, None)


def _record(core: Core, effect: fx.Record) -> list[Effect]:
    kept = core.bodies.get(effect.block)
    body = BlockBody(b"", b"") if kept is None else kept.body
    return [RecordBlock(effect.block, effect.seal, body)]


def _kept(core: Core, records: tuple[Record, ...]) -> dict[Hash32, BlockBody]:
    names = (record.block for record in records if isinstance(record, BlockKept))
    return {block: kept.body for block in names if (kept := core.bodies.get(block)) is not None}
