"""Running a node of a rotation chain: what taking turns asks for beyond what every node with peers does."""

from __future__ import annotations

from typing import assert_never

from coc.adapters.flushing import Flusher
from coc.adapters.validator.peer_runtime import PeerPorts, PeerRuntime
from coc.adapters.validator.rotation_errands import RotationErrands
from coc.adapters.validator.rotation_metrics import RotationMetrics
from coc.adapters.validator.write_ahead import WriteAheadLog
from coc.adapters.wire.network import Network
from coc.node.rotation.chain_door import RotationDoor
from coc.node.rotation.effects import (
    BuildSlotBlock,
    DoubleSealSeen,
    JudgeBlock,
    MoveTags,
    Own,
    ReadBlock,
    ReadRange,
    RecordBlock,
    SetRotationTimer,
)
from coc.node.rotation.inputs import Own as OwnInput
from coc.node.rotation.inputs import RotationTimer
from coc.node.rotation.machine import RotationNode
from coc.node.validator.effects import Shared, WriteAhead
from coc.node.validator.inputs import Common
from coc.primitives.types import Millis
from coc.primitives.validators import ValidatorSet


class RotationRuntime(PeerRuntime[OwnInput, Own]):
    """Performs a node's effects and hands in what comes of them."""

    def __init__(
        self, node: RotationNode, door: RotationDoor, ports: PeerPorts, validators: ValidatorSet
    ) -> None:
        """Nothing runs before `start`; the validators are those of genesis."""
        self._node = node
        self._validators = validators
        self.metrics = RotationMetrics()
        flusher = Flusher(ports.chain, ports.service_workers, ports.telemetry)
        pools = (ports.consensus_workers, ports.deciders)
        self._errands = RotationErrands(door, pools, flusher, self.feed)
        super().__init__(node.pool, ports, self._errands, self.metrics)

    def start(self, network: Network) -> None:
        """Read the journal back and begin.

        Raises:
            JournalError: the journal cannot be read.
        """
        super().start(network)
        self._let_in_first(self._validators)

    def _step(self, now_ms: Millis, event: Common | OwnInput) -> list[Shared | Own]:
        return self._node.step(now_ms, event)

    def _perform_own(self, effect: Own) -> None:
        match effect:
            case SetRotationTimer():
                self._at(effect.at_ms, RotationTimer(effect.timer))
            case ReadBlock():
                self._errands.read(effect)
            case ReadRange():
                self._errands.read_range(effect)
            case BuildSlotBlock():
                self._errands.build(effect)
            case JudgeBlock():
                self._errands.judge(effect)
            case RecordBlock():
                self._errands.record(effect)
            case MoveTags():
                old = self._ports.chain.head.hash
                self._errands.move(effect, self._pool.view.senders(), lambda: self._on_head(old))
            case DoubleSealSeen():
                self.metrics.on_evidence()
                offence = effect.evidence.first
                self._ports.telemetry.notice(
                    f"validator 0x{offence.validator.hex()} signed two blocks for slot {offence.round}; "
                    "nobody is punished for it on this chain"
                )
            case _:
                assert_never(effect)

    def _persist(self, wal: WriteAheadLog, effect: WriteAhead) -> None:
        """One block of ours at a time: what was kept of the last one has served."""
        wal.begin_height()
        wal.persist(effect)

    def _on_head(self, old: bytes) -> None:
        chain = self._ports.chain
        self._pace.on_block()
        self._ports.telemetry.block(chain.head)
        left = chain.header(old)
        if left is not None and chain.canonical_hash(left.number) != old:
            self.metrics.on_reorganisation()
