"""`coc evm`: what people who test EVMs use, with the conventions of go-ethereum's `evm`.

Test files are read here and run in the native core, one call a file with the interpreter lock released,
`--jobs` at a time. `t8n` and `run` have files of their own.
"""

import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import rich_click as click

from coc.adapters.evm_tool import run_blocktests, run_statetests
from coc.cli import evm_run, evm_t8n

type_of_run = Callable[[bytes], bytes]

EXIT_FAILED = 1
"""Exit code when a test failed or a file could not be read as tests."""


def print_version(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    """Names the version in the form by which test generators know go-ethereum's tool."""
    if wanted:
        from coc.adapters.release import client_version

        click.echo(f"evm version {client_version()}")
        ctx.exit()


@click.group()
@click.option(
    "-v",
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=print_version,
    help="Print the version.",
)
def command() -> None:
    """Run EVM tests and code."""


command.add_command(evm_t8n.command)
command.add_command(evm_run.command)


def test_files(paths: tuple[Path, ...]) -> Iterator[Path]:
    """The JSON files named by `paths`: files as they are, folders with all below them in order of name."""
    for path in paths:
        if path.is_dir():
            yield from sorted(found for found in path.rglob("*.json") if not found.name.startswith("."))
        else:
            yield path


def run_files(run: type_of_run, paths: tuple[Path, ...], jobs: int) -> list[dict[str, object]]:
    """The results of all cases in all files, in the files' order."""

    def run_one(path: Path) -> list[dict[str, object]]:
        try:
            results: list[dict[str, object]] = json.loads(run(path.read_bytes()))
        except (OSError, ValueError) as error:
            return [{"name": str(path), "fork": "", "pass": False, "stateRoot": None, "error": str(error)}]
        return results

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        return [case for cases in pool.map(run_one, test_files(paths)) for case in cases]


def report(results: list[dict[str, object]], summary: bool) -> None:
    """Prints the results, or one line, and leaves with exit code 1 where a case failed."""
    passed = sum(1 for case in results if case["pass"])
    if summary:
        for case in results:
            if not case["pass"]:
                click.echo(f"{case['name']} [{case['fork']}]: {case['error']}", err=True)
        click.echo(f"{passed}/{len(results)}")
    else:
        click.echo(json.dumps(results, indent=2))
    if passed != len(results) or not results:
        sys.exit(EXIT_FAILED)


def test_command(name: str, run: type_of_run, text: str) -> None:
    """Adds one of the two test runners to the group."""

    @command.command(name, help=text)
    @click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
    @click.option(
        "--summary", is_flag=True, help="Print one line `passed/total`; failures go to standard error."
    )
    @click.option(
        "--jobs", default=1, show_default=True, type=click.IntRange(1, 64), help="Files run at a time."
    )
    def run_tests(paths: tuple[Path, ...], summary: bool, jobs: int) -> None:
        report(run_files(run, paths, jobs), summary)


test_command("statetest", run_statetests, "Run state tests (GeneralStateTests format) in files or folders.")
test_command("blocktest", run_blocktests, "Run block tests (BlockchainTests format) in files or folders.")
