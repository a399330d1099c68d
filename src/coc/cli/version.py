"""`coc version`: the release, and what it is built on."""

from __future__ import annotations

import json
import platform
import sys

import rich_click as click

from coc.adapters.release import client_version


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, as_json: bool) -> None:
    """Print the version."""
    facts = {
        "client": client_version(),
        "python": platform.python_version(),
        "platform": f"{sys.platform} {platform.machine()}",
    }
    click.echo(json.dumps(facts) if as_json else "  ".join(facts.values()))
