"""Whether the certified state is taken in where nothing else cures a difference, and when that is given up.

The state of a block behind the one that differs is fetched beside the chain, proved by certificates as any
snapshot's; the chain is given up for it once it is whole. A node that differs again soon after is counted,
and after a few in a row the fault must be in the program, which no state can cure. DIVERGE-9 … DIVERGE-13.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Final, TypeAlias, assert_never

from coc.primitives.frozen import frozen
from coc.primitives.limits_divergence import (
    DIVERGENCE_FETCH_IDLE_MS_MAX,
    DIVERGENCE_FETCH_REST_MS,
    DIVERGENCE_HEALINGS_MAX,
    DIVERGENCE_SOUND_BLOCKS,
)
from coc.primitives.types import Height, Millis

BY_HAND: Final = "or stop the node and begin in an empty folder with --sync snapshot"
SILENT_PEERS: Final = "no peer has given anything of it for a while"


@frozen
class Healings:
    """How many states were taken in in a row, and the block after which the newest stands."""

    count: int = 0
    height: Height = Height(0)

    def against(self, height: Height) -> int:
        """Those that count where the node differs at this height."""
        return self.count if height <= self.height + DIVERGENCE_SOUND_BLOCKS else 0

    def with_one(self, height: Height, base: Height) -> Healings:
        """After one more: the node differed at `height`, and stands on the state after `base`."""
        return Healings(self.against(height) + 1, base)


@frozen
class Uncured:
    """The search has ended, and nothing that it can do makes this block the same."""

    height: Height


@frozen
class FetchMoved:
    """Something more of the state is here."""


@frozen
class FetchEnded:
    """The fetch cannot go on now."""

    reason: str


@frozen
class Fetched:
    """The whole state is here, and opens as a chain."""


@frozen
class Recovered:
    """The node has come past the block by itself."""


@frozen
class TimerFired:
    """Some time has gone by."""


Input: TypeAlias = Uncured | FetchMoved | FetchEnded | Fetched | Recovered | TimerFired


@frozen
class BeginFetch:
    """Fetch the state after some final block above this height; what is here of it is used."""

    above: Height


@frozen
class EndFetch:
    """Stop fetching; what is here stays."""


@frozen
class TakeIn:
    """Stop, put the fetched chain in the place of ours, and start on it."""


@frozen
class Forget:
    """Remove what was fetched."""


@frozen
class Say:
    """Tell a person how it stands."""

    sentence: str


Effect: TypeAlias = BeginFetch | EndFetch | TakeIn | Forget | Say


class Stand(enum.Enum):
    """How far it is."""

    NOTHING = enum.auto()
    FETCHING = enum.auto()
    RESTING = enum.auto()
    TAKEN = enum.auto()
    GIVEN_UP = enum.auto()


@dataclass(slots=True)
class TakingIn:
    """One difference at a time; `healings` are those of earlier lives."""

    healings: Healings = field(default_factory=Healings)
    stand: Stand = Stand.NOTHING
    _height: Height = field(default=Height(0))
    _until_ms: Millis = field(default=Millis(0))

    def step(self, now_ms: Millis, event: Input) -> list[Effect]:
        """Apply one input and return what must now be done, in order."""
        match event:
            case Uncured():
                return self._on_uncured(now_ms, event)
            case FetchMoved():
                if self.stand is Stand.FETCHING:
                    self._until_ms = Millis(now_ms + DIVERGENCE_FETCH_IDLE_MS_MAX)
                return []
            case FetchEnded():
                return self._rest(now_ms, event.reason) if self.stand is Stand.FETCHING else []
            case Fetched():
                return self._on_fetched()
            case Recovered():
                return self._on_recovered()
            case TimerFired():
                return self._on_timer(now_ms)
            case _:
                assert_never(event)

    def _on_uncured(self, now_ms: Millis, event: Uncured) -> list[Effect]:
        if self.stand is not Stand.NOTHING:
            return []
        self._height = event.height
        taken = self.healings.against(event.height)
        if taken >= DIVERGENCE_HEALINGS_MAX:
            self.stand = Stand.GIVEN_UP
            return [
                Say(
                    f"the certified state was taken in {taken} times in a row and the node differs again: "
                    "the fault is in this program; install a newer release of it, and report this"
                )
            ]
        return self._begin(now_ms)

    def _begin(self, now_ms: Millis) -> list[Effect]:
        self.stand = Stand.FETCHING
        self._until_ms = Millis(now_ms + DIVERGENCE_FETCH_IDLE_MS_MAX)
        # A state after the very block will do: it is as certified.
        return [Say("fetching the certified state"), BeginFetch(Height(self._height - 1))]

    def _rest(self, now_ms: Millis, reason: str) -> list[Effect]:
        self.stand = Stand.RESTING
        self._until_ms = Millis(now_ms + DIVERGENCE_FETCH_REST_MS)
        sentence = (
            f"the certified state is not to be had yet: {reason}; it is tried again by itself, {BY_HAND}"
        )
        return [EndFetch(), Say(sentence)]

    def _on_fetched(self) -> list[Effect]:
        if self.stand is not Stand.FETCHING:
            return []
        self.stand = Stand.TAKEN
        return [EndFetch(), Say("the certified state is here: the node starts again on it"), TakeIn()]

    def _on_recovered(self) -> list[Effect]:
        if self.stand is Stand.TAKEN:
            return []
        was_begun = self.stand in (Stand.FETCHING, Stand.RESTING)
        self.stand = Stand.NOTHING
        return [EndFetch(), Forget()] if was_begun else []

    def _on_timer(self, now_ms: Millis) -> list[Effect]:
        if now_ms < self._until_ms:
            return []
        match self.stand:
            case Stand.FETCHING:
                return self._rest(now_ms, SILENT_PEERS)
            case Stand.RESTING:
                return self._begin(now_ms)
            case _:
                return []
