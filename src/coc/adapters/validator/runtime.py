"""Running a node of a BFT chain: what agreeing on blocks asks for beyond what every node with peers does."""

from __future__ import annotations

from typing import Final, TypeAlias, assert_never

from coc.adapters.flushing import Flusher
from coc.adapters.validator.block_errands import BlockErrands
from coc.adapters.validator.consensus_metrics import ConsensusMetrics
from coc.adapters.validator.peer_runtime import PeerPorts, PeerRuntime
from coc.consensus.bft.inputs import Timer, TimerKind
from coc.node.validator.chain_door import ChainDoor
from coc.node.validator.effects import (
    AdoptBlocks,
    BuildBlock,
    CheckBlock,
    DecideBlock,
    EvidenceSeen,
    ExecuteBlock,
    ProveRandomness,
    SendCertificate,
    SetConsensusTimer,
    SetSyncTimer,
    Shared,
)
from coc.node.validator.inputs import Common, ConsensusTimer, Input, SyncTimer
from coc.node.validator.machine import ValidatorNode
from coc.primitives.types import Millis
from coc.primitives.validators import ValidatorSet

AGREEING = "agreeing"
"""The part that telemetry names when it fails."""
ROUNDS_WITHOUT_REASON_MAX: Final = 3
"""Rounds that a height may take before the node says what it waits for: one dead proposer costs one."""

Own: TypeAlias = (
    SetConsensusTimer
    | SendCertificate
    | CheckBlock
    | ProveRandomness
    | BuildBlock
    | ExecuteBlock
    | DecideBlock
    | AdoptBlocks
    | SetSyncTimer
    | EvidenceSeen
)


class ValidatorRuntime(PeerRuntime[Input, Own]):
    """Performs a node's effects and hands in what comes of them."""

    def __init__(self, node: ValidatorNode, door: ChainDoor, ports: PeerPorts) -> None:
        """Nothing runs before `start`."""
        self._node = node
        self.metrics = ConsensusMetrics()
        self._privileged: ValidatorSet | None = None
        """The set whose members the network lets in first."""
        flusher = Flusher(ports.chain, ports.service_workers, ports.telemetry)
        pools = (ports.consensus_workers, ports.deciders)
        self._errands = BlockErrands(door, pools, flusher, self.feed)
        super().__init__(node.pool, ports, self._errands, self.metrics)

    def _step(self, now_ms: Millis, event: Common | Input) -> list[Shared | Own]:
        return self._node.step(now_ms, event)

    def _perform_own(self, effect: Own) -> None:
        match effect:
            case SetConsensusTimer():
                delay_s = max(0, effect.at_ms - self._now()) / 1000
                self._loop.call_later(delay_s, self._on_consensus_timer, effect.timer)
            case SetSyncTimer():
                self._at(effect.at_ms, SyncTimer())
            case SendCertificate():
                self._serve(effect)
            case (
                CheckBlock()
                | ProveRandomness()
                | BuildBlock()
                | ExecuteBlock()
                | DecideBlock()
                | AdoptBlocks()
            ):
                self._make(effect)
            case EvidenceSeen():
                self.metrics.on_evidence()
                offender = effect.evidence.offender.hex()
                self._ports.telemetry.notice(f"validator 0x{offender} signed twice; a block will say so")
            case _:
                assert_never(effect)

    def _on_consensus_timer(self, timer: Timer) -> None:
        status = self._node.engine.status
        self.metrics.on_timer(timer, status.height, status.round)
        if timer.kind is TimerKind.RESEND and status.round >= ROUNDS_WITHOUT_REASON_MAX:
            heard, total = self._node.engine.power_heard
            self._ports.telemetry.problem(
                AGREEING,
                f"no decision at height {status.height} in {status.round} rounds: validators with "
                f"{heard} of {total} of the power are heard, more than two thirds are needed",
            )
        self.feed(ConsensusTimer(timer))

    def _make(
        self,
        effect: CheckBlock | ProveRandomness | BuildBlock | ExecuteBlock | DecideBlock | AdoptBlocks,
    ) -> None:
        match effect:
            case AdoptBlocks():
                self._errands.adopt(effect, self._node.pool.view.senders(), self._on_block)
            case CheckBlock():
                self._errands.check(effect)
            case ProveRandomness():
                if self._ports.signer is not None:
                    self._errands.prove(effect, self._ports.signer)
            case BuildBlock():
                self._errands.build(effect)
            case ExecuteBlock():
                self._errands.execute(effect)
            case DecideBlock():
                self.metrics.on_decided(effect.certificate.round)
                known = self._node.pool.view.senders()
                self._errands.decide(effect, known, self._ports.wal, self._on_block)
            case _:
                assert_never(effect)

    def _on_block(self) -> None:
        self._pace.on_block()
        self._ports.telemetry.block(self._ports.chain.head)
        self._ports.telemetry.recovered(AGREEING)
        validators = self._node.engine.validators
        if validators is not self._privileged and self._network is not None:
            self._privileged = validators
            self._let_in_first(validators)

    def _may_wait(self, event: Common | Input) -> bool:
        return isinstance(event, SyncTimer) or super()._may_wait(event)
