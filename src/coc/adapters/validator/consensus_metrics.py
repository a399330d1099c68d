"""What a node of a BFT chain shows of agreeing: where it stands, and what that cost so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from coc.adapters.metrics import Kind, Metrics, Series
from coc.consensus.bft.inputs import Timer, TimerKind
from coc.consensus.bft.vote_count import VoteCount
from coc.primitives.seals import Step
from coc.primitives.votes import VOTE_STEPS
from coc.rpc.ports import Agreeing


class ConsensusMetrics:
    """Counts what the runtime tells it, and reads the rest when somebody asks."""

    def __init__(self) -> None:
        """Nothing has happened."""
        self._timeouts: Counter[str] = Counter()
        self._messages: Counter[str] = Counter()
        self._rounds_lost = 0
        self._log_syncs = 0
        self._evidence = 0

    def show(
        self,
        metrics: Metrics,
        agreeing: Callable[[], Agreeing],
        votes: Callable[[], VoteCount],
        peers: Callable[[], int],
    ) -> None:
        """Add the series."""
        metrics.add(*_standing(agreeing), Series("coc_peers", Kind.GAUGE, "Peers connected.", peers))
        metrics.add(*_voting(votes), *self._happened())

    def on_timer(self, timer: Timer, height: int, round_: int) -> None:
        """A timer has gone off; the one for re-sending is no timeout."""
        is_ours = (timer.height, timer.round) == (height, round_)
        if is_ours and timer.kind in (TimerKind.PROPOSE, TimerKind.PREVOTE, TimerKind.PRECOMMIT):
            self._timeouts[timer.kind.value] += 1

    def on_message(self, kind: str) -> None:
        """A peer sent a message."""
        self._messages[kind.lower()] += 1

    def on_decided(self, round_: int) -> None:
        """A height was decided in this round."""
        self._rounds_lost += round_

    def on_log_synced(self) -> None:
        """Records are durable."""
        self._log_syncs += 1

    def on_evidence(self) -> None:
        """A validator signed twice."""
        self._evidence += 1

    def _happened(self) -> list[Series]:
        return [
            Series(
                "coc_bft_timeouts",
                Kind.COUNTER,
                "Timeouts of a step that was still in progress, by step.",
                lambda: self._timeouts,
                "step",
            ),
            Series(
                "coc_bft_rounds_lost",
                Kind.COUNTER,
                "Rounds of decided heights that ended without a decision.",
                lambda: self._rounds_lost,
            ),
            Series(
                "coc_wire_messages",
                Kind.COUNTER,
                "Messages received from peers, by kind.",
                lambda: self._messages,
                "kind",
            ),
            Series("coc_wal_syncs", Kind.COUNTER, "Writes of the write-ahead log.", lambda: self._log_syncs),
            Series(
                "coc_bft_evidence",
                Kind.COUNTER,
                "Offences of double signing that were seen.",
                lambda: self._evidence,
            ),
        ]


def _standing(agreeing: Callable[[], Agreeing]) -> list[Series]:
    return [
        Series("coc_bft_height", Kind.GAUGE, "Height in progress.", lambda: agreeing().height),
        Series("coc_bft_round", Kind.GAUGE, "Round in progress.", lambda: agreeing().round),
        Series(
            "coc_bft_watching",
            Kind.GAUGE,
            "1 where nothing is signed because the write-ahead log was lost.",
            lambda: float(agreeing().is_watching),
        ),
        Series(
            "coc_sync_goal_height",
            Kind.GAUGE,
            "Height that the furthest peer works on.",
            lambda: agreeing().goal,
        ),
    ]


def _voting(votes: Callable[[], VoteCount]) -> list[Series]:
    return [
        Series(
            "coc_bft_votes",
            Kind.COUNTER,
            "Votes that counted, by step: others' and our own, each once.",
            lambda: _by_step(votes().all),
            "step",
        ),
        Series(
            "coc_bft_nil_votes",
            Kind.COUNTER,
            "Votes that counted and were for no block, by step.",
            lambda: _by_step(votes().nil),
            "step",
        ),
    ]


def _by_step(counted: Mapping[Step, int]) -> dict[str, float]:
    """Both steps of a vote by name: one that never came is 0."""
    return {step.name.lower(): counted[step] for step in VOTE_STEPS.values()}
