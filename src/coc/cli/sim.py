"""`coc sim`: whole networks in a simulated world, by seed; a seed that fails is a bug report."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import rich_click as click

from coc.cli.exits import EXIT_FAILED
from coc.primitives.frozen import frozen

STORY_LINES = 60
"""Last lines of a failing run's story that are shown without --story."""


@frozen
class Wish:
    """What is asked of each seed."""

    engine: str
    calm: bool
    story: bool
    as_json: bool


@frozen
class Told:
    """Whether a seed holds, and what is printed of it."""

    holds: bool
    text: str


@frozen
class Held:
    """What a run came to whose seed holds: its facts, and the same in words."""

    facts: dict[str, object]
    words: str
    virtual_s: float
    seconds: float
    story: list[str]


@click.command()
@click.option("--seed", default=0, show_default=True, help="The first seed.")
@click.option("--count", default=1, show_default=True, type=click.IntRange(1), help="How many seeds.")
@click.option(
    "--engine",
    default="bft",
    show_default=True,
    type=click.Choice(["bft", "rotation"]),
    help="Validators that agree by BFT, or take turns.",
)
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1), help="Seeds run side by side.")
@click.option("--calm", is_flag=True, help="Without faults.")
@click.option("--story", is_flag=True, help="Print what every node did, one line a step.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a seed, and nothing else.")
def command(*, seed: int, count: int, engine: str, jobs: int, calm: bool, story: bool, as_json: bool) -> None:
    """Run networks of validators in a simulated world: real nodes and EVM; fake clock, network and disks.

    A run is its seed: it replays to the byte. It fails where nodes have different final blocks, a validator
    signs twice, something durable is lost, or nothing moves after the faults have ended.
    """
    failed = 0
    for told in _all(range(seed, seed + count), Wish(engine, calm, story, as_json), jobs):
        click.echo(told.text)
        failed += not told.holds
    if count > 1 and not as_json:
        click.echo(f"{count - failed} of {count} seeds hold")
    if failed:
        sys.exit(EXIT_FAILED)


def _all(seeds: range, wish: Wish, jobs: int) -> Iterator[Told]:
    """The seeds in their order, each as soon as it and those before it have ended."""
    if jobs == 1:
        yield from (_one(seed, wish) for seed in seeds)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_one, seeds, [wish] * len(seeds))


def _one(seed: int, wish: Wish) -> Told:
    from coc.sim.full.campaign import Failed

    try:
        held = _rotation(seed, wish) if wish.engine == "rotation" else _bft(seed, wish)
    except Failed as failure:
        lines = failure.story if wish.story else failure.story[-STORY_LINES:]
        if wish.as_json:
            facts = {"seed": seed, "holds": False, "why": failure.sentence, "story": lines}
            return Told(holds=False, text=json.dumps(facts))
        return Told(holds=False, text="\n".join([*lines, f"seed {seed}: {failure.sentence}"]))
    if wish.as_json:
        timed = {"virtualSeconds": held.virtual_s, "seconds": round(held.seconds, 3)}
        facts = {"seed": seed, "holds": True, **held.facts, **timed}
        return Told(holds=True, text=json.dumps(facts))
    summary = (
        f"seed {seed}: holds; {held.words}, {held.virtual_s:.0f} s in {held.seconds:.2f} s "
        f"({held.virtual_s / held.seconds:.0f} times real time)"
    )
    return Told(holds=True, text="\n".join([*held.story, summary]))


def _bft(seed: int, wish: Wish) -> Held:
    from coc.sim.full.campaign import run_network
    from coc.sim.full.network import Network
    from coc.sim.full.plan import calm_plan, plan_of

    network = Network(calm_plan(seed) if wish.calm else plan_of(seed))
    started = time.perf_counter()
    outcome = run_network(network)
    seconds = time.perf_counter() - started
    size = network.plan.size
    facts: dict[str, object] = {
        "validators": size,
        "heights": outcome.heights,
        "highestRound": outcome.rounds,
        "messages": outcome.messages,
        "messageBytes": outcome.message_bytes,
        "digest": outcome.digest,
    }
    words = f"{size} validators, {outcome.heights} heights, highest round {outcome.rounds}"
    story = network.world.lines if wish.story else []
    return Held(facts, words, outcome.virtual_ms / 1000, seconds, story)


def _rotation(seed: int, wish: Wish) -> Held:
    from coc.sim.rotation_full.campaign import run_network
    from coc.sim.rotation_full.network import Network
    from coc.sim.rotation_full.plan import FINAL_DEPTH_BLOCKS, calm_plan, plan_of

    network = Network(calm_plan(seed) if wish.calm else plan_of(seed), FINAL_DEPTH_BLOCKS)
    started = time.perf_counter()
    outcome = run_network(network)
    seconds = time.perf_counter() - started
    size = network.plan.size
    facts: dict[str, object] = {
        "validators": size,
        "height": outcome.height,
        "final": outcome.final,
        "reorganisations": outcome.reorganisations,
        "transactions": outcome.transactions,
        "messages": outcome.messages,
        "messageBytes": outcome.message_bytes,
        "digest": outcome.digest,
    }
    words = (
        f"{size} validators in turn, {outcome.height} blocks, {outcome.final} final, "
        f"branches left {outcome.reorganisations} times"
    )
    story = network.world.lines if wish.story else []
    return Held(facts, words, outcome.virtual_ms / 1000, seconds, story)
