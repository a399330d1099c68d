"""`coc validator sign-again`: for the day on which too many validators have lost what they had signed."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from coc.cli.exits import told
from coc.primitives.errors import CliError

CONFIRMATION = "nobody else can sign"
"""What must be typed, letter by letter."""


@click.command("sign-again")
@click.option(
    "--data",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the stopped validator.",
)
def command(*, data: Path) -> None:
    """Let a validator sign that has lost its write-ahead log, without a height decided by others.

    Only for a network in which those who remember are no two thirds of the stake, so that all wait for each
    other. A validator that signs again may contradict what it signed before the loss: blocks at the height in
    progress may then be decided twice, and its stake may be slashed. Its signer's mark stays in force.
    """
    from coc.adapters.validator.lost_records import accept_loss, find_loss

    with told():
        height = find_loss(data).head + 1
    click.echo(
        f"{data} has no records of votes: nobody knows what this validator has signed for block {height:,}.\n"
        "If others can still decide that block, stop here and start the node: it watches, and votes again "
        "after it.\n"
        "If it signs now and contradicts itself, its stake is slashed; if many do, the chain forks."
    )
    typed = click.prompt(
        f"Type `{CONFIRMATION}` to let it sign", prompt_suffix=": ", default="", show_default=False
    )
    with told():
        if typed.strip() != CONFIRMATION:
            raise CliError(
                "nothing was changed", cure=f"type exactly `{CONFIRMATION}`, or start the node to watch"
            )
        accept_loss(data)
    click.echo("It will sign from its next start on. Start the validators one after the other.")
