"""Writes docs/reference/cli.md: every command, argument and option, from the commands themselves.

A test compares the file with what this module renders, so the page and the program cannot differ.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import click

from coc.cli import exits
from coc.cli.main import SUBCOMMANDS, main

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "docs" / "reference" / "cli.md"

OPENING = """\
# Command reference

<!-- Written by `make docs` from the commands; changes belong there. -->

`coc COMMAND --help` says the same in a terminal. Results go to standard output, everything else to standard
error; `--json` makes a result one JSON document.
"""


def render() -> str:
    """The whole page."""
    context = click.Context(main, info_name="coc")
    parts = [OPENING, _exit_codes()]
    for name, (module, _) in SUBCOMMANDS.items():
        if find_spec(module) is None:
            continue  # a command of the road map, not yet there
        parts += _command(_loaded(context, name), click.Context(main, info_name="coc"), name, 2)
    return "\n".join(parts)


def _loaded(context: click.Context, name: str) -> click.Command:
    assert isinstance(main, click.Group)  # noqa: S101 - it is one by its definition
    command = main.get_command(context, name)
    if command is None:
        raise LookupError(f"there is no command `{name}`")
    return command


def _command(command: click.Command, parent: click.Context, name: str, level: int) -> Iterator[str]:
    """A command's section, and those of the commands below it."""
    context = click.Context(command, parent=parent, info_name=name)
    yield f"{'#' * level} {context.command_path}\n"
    yield inspect.cleandoc(command.help or "").replace("\n\x08\n", "\n") + "\n"
    pieces = " ".join(command.collect_usage_pieces(context))
    yield f"```text\n{context.command_path} {pieces}\n```\n"
    options = [each for each in command.params if isinstance(each, click.Option) and not each.hidden]
    rows = [_row(each, context) for each in options]
    if rows:
        yield "\n".join(["| option | default | meaning |", "|---|---|---|", *rows]) + "\n"
    if isinstance(command, click.Group):
        for inner, child in command.commands.items():
            yield from _command(child, context, inner, level + 1)


def _row(option: click.Option, context: click.Context) -> str:
    kind = "" if option.is_flag else " " + option.make_metavar(context).removesuffix(" RANGE")
    names = ", ".join(f"`{name}{_cell(kind)}`" for name in (*option.opts, *option.secondary_opts))
    default = option.get_default(context)
    is_plain = isinstance(default, str | int | float) and not option.is_flag and not option.required
    shown = f"`{default}`" if is_plain and option.show_default else ""
    need = " Required." if option.required else ""
    variable = f" From `{option.envvar}` where it is set." if isinstance(option.envvar, str) else ""
    return f"| {names} | {_cell(shown)} | {_cell(option.help or '')}{_bounds(option)}{need}{variable} |"


def _bounds(option: click.Option) -> str:
    """The numbers that are taken."""
    kind = option.type
    if not isinstance(kind, click.IntRange | click.FloatRange) or kind.min is None:
        return ""
    return f" At least {kind.min:,}." if kind.max is None else f" {kind.min:,} to {kind.max:,}."


def _exit_codes() -> str:
    """The table in the text of the module that ends commands."""
    text = inspect.getdoc(exits) or ""
    table = [line for line in text.splitlines() if line.startswith("|")]
    return "## Exit codes\n\n" + "\n".join(table) + "\n"


def _cell(text: str) -> str:
    flat = " ".join(text.split()).replace("|", "\\|")
    return f" {flat}" if text.startswith(" ") else flat


if __name__ == "__main__":
    PLACE.parent.mkdir(parents=True, exist_ok=True)
    PLACE.write_text(render(), encoding="utf-8")
