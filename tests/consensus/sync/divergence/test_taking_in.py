"""The certified state is taken in where nothing else cures, and not for ever. DIVERGE-9 … DIVERGE-13."""

from __future__ import annotations

import pytest

from coc.consensus.sync.divergence.taking_in import (
    BY_HAND,
    SILENT_PEERS,
    BeginFetch,
    Effect,
    EndFetch,
    Fetched,
    FetchEnded,
    FetchMoved,
    Forget,
    Healings,
    Input,
    Recovered,
    Say,
    Stand,
    TakeIn,
    TakingIn,
    TimerFired,
    Uncured,
)
from coc.primitives.limits_divergence import (
    DIVERGENCE_FETCH_IDLE_MS_MAX,
    DIVERGENCE_FETCH_REST_MS,
    DIVERGENCE_HEALINGS_MAX,
    DIVERGENCE_SOUND_BLOCKS,
)
from coc.primitives.types import Height, Millis

HEIGHT = Height(70)


class Scene:
    """A node that differs at a height, and time."""

    def __init__(self, healings: Healings | None = None) -> None:
        self.taking = TakingIn(healings or Healings())
        self.now_ms = 1_000

    def feed(self, event: Input) -> list[Effect]:
        return self.taking.step(Millis(self.now_ms), event)

    def begun(self) -> Scene:
        self.feed(Uncured(HEIGHT))
        assert self.taking.stand is Stand.FETCHING
        return self

    def wait(self, ms: int) -> list[Effect]:
        self.now_ms += ms
        return self.feed(TimerFired())


def said(effects: list[Effect]) -> str:
    return " ".join(effect.sentence for effect in effects if isinstance(effect, Say))


def test_what_nothing_else_cures_is_fetched_once_from_the_very_block_on() -> None:  # DIVERGE-9
    scene = Scene()
    effects = scene.feed(Uncured(HEIGHT))
    assert effects == [Say("fetching the certified state"), BeginFetch(Height(HEIGHT - 1))]
    assert scene.feed(Uncured(HEIGHT)) == [], "it is under way"


def test_what_was_fetched_and_opens_is_taken_in_and_nothing_stops_that() -> None:  # DIVERGE-10
    scene = Scene().begun()
    effects = scene.feed(Fetched())
    assert effects[0] == EndFetch()
    assert effects[-1] == TakeIn()
    assert scene.feed(Recovered()) == []
    assert scene.wait(DIVERGENCE_FETCH_IDLE_MS_MAX) == []
    assert scene.feed(Fetched()) == [], "once is enough"


def test_a_fetch_that_ends_is_begun_again_after_a_rest_and_the_cure_is_named() -> None:  # DIVERGE-11
    scene = Scene().begun()
    effects = scene.feed(FetchEnded("too young"))
    assert EndFetch() in effects
    assert "too young" in said(effects)
    assert BY_HAND in said(effects)
    assert scene.wait(DIVERGENCE_FETCH_REST_MS - 1) == []
    assert BeginFetch(Height(HEIGHT - 1)) in scene.wait(1)


def test_a_fetch_that_gains_nothing_is_set_down_and_one_that_does_goes_on() -> None:  # DIVERGE-11
    scene = Scene().begun()
    assert scene.wait(DIVERGENCE_FETCH_IDLE_MS_MAX - 1) == []
    assert scene.feed(FetchMoved()) == []
    assert scene.wait(DIVERGENCE_FETCH_IDLE_MS_MAX - 1) == []
    effects = scene.wait(1)
    assert EndFetch() in effects
    assert SILENT_PEERS in said(effects)


def test_what_comes_of_a_fetch_that_was_set_down_is_dropped() -> None:
    scene = Scene().begun()
    scene.feed(FetchEnded("nothing"))
    for event in (Fetched(), FetchMoved(), FetchEnded("again")):
        assert scene.feed(event) == []
    assert scene.taking.stand is Stand.RESTING


@pytest.mark.parametrize("is_resting", [False, True])
def test_a_node_that_comes_past_the_block_by_itself_keeps_its_chain(*, is_resting: bool) -> None:  # DIVERGE-9
    scene = Scene().begun()
    if is_resting:
        scene.feed(FetchEnded("nothing"))
    assert scene.feed(Recovered()) == [EndFetch(), Forget()]
    assert scene.feed(Recovered()) == [], "nothing is left"
    assert scene.begun().taking.stand is Stand.FETCHING, "it may begin anew"


def test_after_a_few_in_a_row_the_program_is_at_fault_and_nothing_more_is_taken_in() -> None:  # DIVERGE-13
    healings = Healings()
    for count in range(DIVERGENCE_HEALINGS_MAX):
        scene = Scene(healings).begun()
        assert scene.feed(Fetched())[-1] == TakeIn()
        healings = healings.with_one(HEIGHT, Height(HEIGHT + 1))
        assert healings.count == count + 1
    scene = Scene(healings)
    effects = scene.feed(Uncured(HEIGHT))
    assert "install a newer release" in said(effects)
    assert len(effects) == 1
    assert scene.wait(DIVERGENCE_FETCH_IDLE_MS_MAX + DIVERGENCE_FETCH_REST_MS) == []
    assert scene.feed(Recovered()) == []


def test_blocks_executed_soundly_since_make_the_count_begin_again() -> None:  # DIVERGE-13
    spent = Healings(DIVERGENCE_HEALINGS_MAX, Height(64))
    last = Height(64 + DIVERGENCE_SOUND_BLOCKS)
    assert spent.against(last) == DIVERGENCE_HEALINGS_MAX
    assert spent.against(Height(last + 1)) == 0
    assert spent.with_one(Height(last + 1), Height(2_048)) == Healings(1, Height(2_048))
