"""What a node of a rotation chain shows of taking turns: how far finality is, and what that cost so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from coc.adapters.metrics import Kind, Metrics, Series


class RotationMetrics:
    """Counts what the runtime tells it, and reads the rest when somebody asks."""

    def __init__(self) -> None:
        """Nothing has happened."""
        self._messages: Counter[str] = Counter()
        self._log_syncs = 0
        self._evidence = 0
        self._reorganisations = 0

    def show(
        self,
        metrics: Metrics,
        final: Callable[[], int],
        goal: Callable[[], int],
        peers: Callable[[], int],
    ) -> None:
        """Add the series."""
        metrics.add(
            Series("coc_final_height", Kind.GAUGE, "Height up to which nothing is taken back.", final),
            Series("coc_sync_goal_height", Kind.GAUGE, "Height of the furthest peer's head.", goal),
            Series("coc_peers", Kind.GAUGE, "Peers connected.", peers),
            Series(
                "coc_reorganisations",
                Kind.COUNTER,
                "Times that the head moved to another branch.",
                lambda: self._reorganisations,
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
                "coc_rotation_evidence",
                Kind.COUNTER,
                "Slots for which a validator was seen to sign two blocks.",
                lambda: self._evidence,
            ),
        )

    def on_message(self, kind: str) -> None:
        """A peer sent a message."""
        self._messages[kind.lower()] += 1

    def on_log_synced(self) -> None:
        """Records are durable."""
        self._log_syncs += 1

    def on_evidence(self) -> None:
        """A validator signed twice."""
        self._evidence += 1

    def on_reorganisation(self) -> None:
        """Blocks were taken back."""
        self._reorganisations += 1
