"""`coc sim`: whole networks in a simulated world, by seed; a seed that fails is a bug report."""

from __future__ import annotations

import json
import sys
import time

import rich_click as click

from coc.cli.exits import EXIT_FAILED

STORY_LINES = 60
"""Last lines of a failing run's story that are shown without --story."""


@click.command()
@click.option("--seed", default=0, show_default=True, help="The first seed.")
@click.option("--count", default=1, show_default=True, type=click.IntRange(1), help="How many seeds.")
@click.option("--calm", is_flag=True, help="Without faults.")
@click.option("--story", is_flag=True, help="Print what every node did, one line a step.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a seed, and nothing else.")
def command(*, seed: int, count: int, calm: bool, story: bool, as_json: bool) -> None:
    """Run networks of validators in a simulated world: real nodes and EVM; fake clock, network and disks.

    A run is its seed: it replays to the byte. It fails where two nodes decide different blocks, a validator
    signs twice, something durable is lost, or nothing moves after the faults have ended.
    """
    failed = 0
    for each in range(seed, seed + count):
        failed += not _one(each, calm=calm, story=story, as_json=as_json)
    if count > 1 and not as_json:
        click.echo(f"{count - failed} of {count} seeds hold")
    if failed:
        sys.exit(EXIT_FAILED)


def _one(seed: int, *, calm: bool, story: bool, as_json: bool) -> bool:
    from coc.sim.full.campaign import Failed, run_network
    from coc.sim.full.network import Network
    from coc.sim.full.plan import calm_plan, plan_of

    plan = calm_plan(seed) if calm else plan_of(seed)
    network = Network(plan)
    started = time.perf_counter()
    try:
        outcome = run_network(network)
    except Failed as failure:
        lines = failure.story if story else failure.story[-STORY_LINES:]
        if as_json:
            click.echo(json.dumps({"seed": seed, "holds": False, "why": failure.sentence, "story": lines}))
        else:
            click.echo("\n".join([*lines, f"seed {seed}: {failure.sentence}"]))
        return False
    seconds = time.perf_counter() - started
    speed = outcome.virtual_ms / 1000 / seconds
    if as_json:
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
        click.echo(json.dumps(facts))
        return True
    if story:
        click.echo("\n".join(network.world.lines))
    click.echo(
        f"seed {seed}: holds; {plan.size} validators, {outcome.heights} heights, highest round "
        f"{outcome.rounds}, {outcome.virtual_ms / 1000:.0f} s in {seconds:.2f} s "
        f"({speed:.0f} times real time)"
    )
    return True
