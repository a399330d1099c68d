"""`coc evm run`: code on a state, without a transaction around it, as go-ethereum's `evm run` does it.

The returned data go to standard output, gas and times to standard error.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import rich_click as click

from coc.adapters.evm_tool import run_code
from coc.cli.exits import EXIT_FAILED, fail
from coc.cli.interrupts import interruptible

_FILE = click.Path(dir_okay=False, allow_dash=True, path_type=Path)


def _read(path: Path, option: str) -> bytes:
    """A file's bytes, or those of standard input for `-`."""
    if str(path) == "-":
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        fail(f"{path} cannot be read as {option}: {error.strerror}")


def _hex_of(text: str | None, path: Path | None, names: tuple[str, str]) -> str | None:
    """Hexadecimal digits given as text or in a file, without the space around and between them."""
    if text is not None and path is not None:
        raise click.UsageError(f"Give {names[0]} or {names[1]}, not both.")
    if path is not None:
        text = _read(path, names[1]).decode("ascii", errors="replace")
    return None if text is None else "".join(text.split())


def _report_times(report: dict[str, str], gas_used: int) -> None:
    """Gas, time and rate of a benchmark on standard error."""
    nanoseconds = int(report["medianNanoseconds"])
    rate = gas_used * 1_000 / nanoseconds if nanoseconds else 0.0
    click.echo(f"{nanoseconds} ns/op (median of {report['runs']} runs), {rate:.1f} Mgas/s", err=True)


@click.command("run")
@click.argument("positional", metavar="[CODE]", required=False)
@click.option("--code", help="Code in hexadecimal, as CODE.")
@click.option("--codefile", type=_FILE, help="File with the code in hexadecimal; `-` is standard input.")
@click.option(
    "--input", "data", help="Data of the call in hexadecimal; with --create, arguments after the code."
)
@click.option("--inputfile", type=_FILE, help="File with the data in hexadecimal.")
@click.option(
    "--gas", default=10_000_000_000, show_default=True, type=click.IntRange(0, 2**64 - 1), help="Gas."
)
@click.option("--value", default="0", show_default=True, help="Wei sent with the call.")
@click.option("--sender", help="Who calls: an address.")
@click.option("--receiver", help="Who is called and has the code: an address.")
@click.option(
    "--create", is_flag=True, help="Run the code as the making of a contract; its code is the output."
)
@click.option("--state.fork", "fork", help="Rules; without it the genesis file's, or the newest there are.")
@click.option("--prestate", type=_FILE, help="Genesis file whose accounts, block and rules hold.")
@click.option("--json", "trace", is_flag=True, help="Print every step (EIP-3155) instead of the output.")
@click.option("--bench", is_flag=True, help="Run again and again, and print gas, median time and Mgas/s.")
def command(
    *,
    positional: str | None,
    code: str | None,
    codefile: Path | None,
    data: str | None,
    inputfile: Path | None,
    gas: int,
    value: str,
    sender: str | None,
    receiver: str | None,
    create: bool,
    fork: str | None,
    prestate: Path | None,
    trace: bool,
    bench: bool,
) -> None:
    """Run EVM code and print what it returns.

    No transaction stands around it: nothing is charged before the code runs, and the gas used is what the
    code used, before refunds. Exit code 1 where the code fails.
    """
    if positional is not None and code is not None:
        raise click.UsageError("Give CODE or --code, not both.")
    request = {
        "code": _hex_of(positional if code is None else code, codefile, ("the code", "--codefile")),
        "input": _hex_of(data, inputfile, ("--input", "--inputfile")),
        "gas": gas,
        "value": value,
        "sender": sender,
        "receiver": receiver,
        "create": create,
        "fork": fork,
    }
    if request["code"] is None and (prestate is None or create):
        raise click.UsageError("Give the code to run: CODE, --code or --codefile.")
    genesis = None if prestate is None else _read(prestate, "--prestate")
    try:
        with interruptible():
            report = json.loads(run_code(json.dumps(request).encode(), genesis, trace=trace, bench=bench))
    except (ValueError, OSError) as error:
        fail(str(error))
    if not trace:
        click.echo(report["output"])
    click.echo(f"gas used: {report['gasUsed']}", err=True)
    if "runs" in report:
        _report_times(report, report["gasUsed"])
    if report["error"] is not None:
        click.echo(f"Error: {report['error']}", err=True)
        sys.exit(EXIT_FAILED)
