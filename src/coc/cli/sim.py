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

    calm: bool
    story: bool
    as_json: bool


@frozen
class Told:
    """Whether a seed holds, and what is printed of it."""

    holds: bool
    text: str


@click.command()
@click.option("--seed", default=0, show_default=True, help="The first seed.")
@click.option("--count", default=1, show_default=True, type=click.IntRange(1), help="How many seeds.")
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1), help="Seeds run side by side.")
@click.option("--calm", is_flag=True, help="Without faults.")
@click.option("--story", is_flag=True, help="Print what every node did, one line a step.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a seed, and nothing else.")
def command(*, seed: int, count: int, jobs: int, calm: bool, story: bool, as_json: bool) -> None:
    """Run networks of validators in a simulated world: real nodes and EVM; fake clock, network and disks.

    A run is its seed: it replays to the byte. It fails where two nodes decide different blocks, a validator
    signs twice, something durable is lost, or nothing moves after the faults have ended.
    """
    failed = 0
    for told in _all(range(seed, seed + count), Wish(calm, story, as_json), jobs):
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
    from coc.sim.full.campaign import Failed, run_network
    from coc.sim.full.network import Network
    from coc.sim.full.plan import calm_plan, plan_of

    plan = calm_plan(seed) if wish.calm else plan_of(seed)
    network = Network(plan)
    started = time.perf_counter()
    try:
        outcome = run_network(network)
    except Failed as failure:
        lines = failure.story if wish.story else failure.story[-STORY_LINES:]
        if wish.as_json:
            facts = {"seed": seed, "holds": False, "why": failure.sentence, "story": lines}
            return Told(holds=False, text=json.dumps(facts))
        return Told(holds=False, text="\n".join([*lines, f"seed {seed}: {failure.sentence}"]))
    seconds = time.perf_counter() - started
    if wish.as_json:
        facts = {
            "seed": seed,
            "holds": True,
            "validators": plan.size,
            "heights": outcome.heights,
            "highestRound": outcome.rounds,
            "virtualSeconds": outcome.virtual_ms / 1000,
            "seconds": round(seconds, 3),
            "messages": outcome.messages,
            "messageBytes": outcome.message_bytes,
            "digest": outcome.digest,
        }
        return Told(holds=True, text=json.dumps(facts))
    speed = outcome.virtual_ms / 1000 / seconds
    summary = (
        f"seed {seed}: holds; {plan.size} validators, {outcome.heights} heights, highest round "
        f"{outcome.rounds}, {outcome.virtual_ms / 1000:.0f} s in {seconds:.2f} s "
        f"({speed:.0f} times real time)"
    )
    return Told(holds=True, text="\n".join([*(network.world.lines if wish.story else ()), summary]))
