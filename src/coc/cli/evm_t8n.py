"""`coc evm t8n`: the transition tool, called as go-ethereum's `evm t8n` is.

Three JSON documents go in, from files or together from standard input; up to three come out, to files or
together to standard output or standard error. What they mean is decided in the native core.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import msgspec
import rich_click as click

from coc.adapters.evm_tool import TransitionRules, transition
from coc.cli.exits import fail
from coc.cli.interrupts import interruptible
from coc.primitives.frozen import frozen

FORKS: Final = (
    *("Frontier", "Homestead", "Dao", "EIP150", "EIP158", "Byzantium", "Constantinople", "ConstantinopleFix"),
    *("Istanbul", "MuirGlacier", "Berlin", "London", "ArrowGlacier", "GrayGlacier", "Merge", "Paris"),
    *("Shanghai", "Cancun", "Prague", "Osaka", "BPO1", "BPO2", "BPO3", "BPO4"),
)
"""Names of rules that hold from the first block on; test generators look for them in the help."""

REWARD_WEI_MAX: Final = 2**63 - 1
"""go-ethereum's flag is a signed 64-bit integer."""

STREAMS: Final = ("stdout", "stderr")


@frozen
class Inputs:
    """Where the three inputs are: file names, or `stdin`."""

    alloc: str
    env: str
    txs: str

    def read(self) -> tuple[bytes, bytes, bytes]:
        """The JSON texts; standard input is read once, for all that are there."""
        together: dict[str, msgspec.Raw] = {}
        if "stdin" in (self.alloc, self.env, self.txs):
            together = _members(sys.stdin.buffer.read())
        if self.txs == "stdin" and "txsRlp" in together and "txs" not in together:
            together["txs"] = together["txsRlp"]
        return (
            _text(self.alloc, "alloc", together),
            _text(self.env, "env", together),
            _text(self.txs, "txs", together),
        )


def _members(text: bytes) -> dict[str, msgspec.Raw]:
    """The members of a JSON object, each still text."""
    try:
        return msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, RecursionError) as error:
        fail(f"standard input does not read as a JSON object with alloc, env and txs: {error}")


def _text(place: str, name: str, together: dict[str, msgspec.Raw]) -> bytes:
    if place == "stdin":
        if name not in together:
            fail(f"standard input has no {name}, which --input.{name} says is there")
        return bytes(together[name])
    try:
        return Path(place).read_bytes()
    except OSError as error:
        fail(f"{place} cannot be read as --input.{name}: {error.strerror}")


def deliver(folder: Path, documents: dict[str, tuple[str, bytes]]) -> None:
    """Write each document, `name: (place, text)`, where it goes; those for one stream leave as one object."""
    streams: dict[str, dict[str, msgspec.Raw]] = {stream: {} for stream in STREAMS}
    for name, (place, text) in documents.items():
        if place in streams:
            streams[place][name] = msgspec.Raw(text.strip())
        elif place:
            try:
                (folder / place).write_bytes(text)
            except OSError as error:
                fail(f"{folder / place} cannot be written as --output.{name}: {error.strerror}")
    for stream, members in streams.items():
        if members:
            together = msgspec.json.format(msgspec.json.encode(members), indent=2)
            click.echo(together, err=stream == "stderr")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(f"{folder} cannot be made as --output.basedir: {error.strerror}")


@click.command("t8n")
@click.option(
    "--input.alloc",
    "input_alloc",
    default="alloc.json",
    show_default=True,
    help="Accounts before, or `stdin`.",
)
@click.option(
    "--input.env", "input_env", default="env.json", show_default=True, help="The block, or `stdin`."
)
@click.option(
    "--input.txs",
    "input_txs",
    default="txs.json",
    show_default=True,
    help="Its transactions, or `stdin`: objects, signed or with `secretKey`, or the RLP of their list.",
)
@click.option(
    "--output.basedir",
    "folder",
    default=Path(),
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the outputs, made where it is not there; the current one without it.",
)
@click.option(
    "--output.alloc",
    "output_alloc",
    default="alloc.json",
    show_default=True,
    help="File for the accounts after, or `stdout`, `stderr`, or nothing.",
)
@click.option(
    "--output.result",
    "output_result",
    default="result.json",
    show_default=True,
    help="File for roots, receipts and rejected transactions, or `stdout`, `stderr`, or nothing.",
)
@click.option(
    "--output.body",
    "output_body",
    default="",
    help="File for the RLP of the transactions, or `stdout`, `stderr`.",
)
@click.option(
    "--state.fork",
    "fork",
    default="GrayGlacier",
    show_default=True,
    help=f"Rules: {' '.join(FORKS)}, or a transition such as ParisToShanghaiAtTime15k.",
)
@click.option(
    "--state.chainid",
    "chain_id",
    default=1,
    show_default=True,
    type=click.IntRange(0, 2**64 - 1),
    help="Chain id.",
)
@click.option(
    "--state.reward",
    "reward",
    default=0,
    show_default=True,
    type=click.IntRange(-1, REWARD_WEI_MAX),
    help="Wei for the block; with -1 nobody is paid, and an empty beneficiary is not touched.",
)
@click.option(
    "--state-test",
    is_flag=True,
    help="Only the transactions: no system calls, rewards, withdrawals, requests.",
)
@click.option("--trace", is_flag=True, help="Write `trace-INDEX-HASH.jsonl` (EIP-3155) for each transaction.")
def command(
    *,
    input_alloc: str,
    input_env: str,
    input_txs: str,
    folder: Path,
    output_alloc: str,
    output_result: str,
    output_body: str,
    fork: str,
    chain_id: int,
    reward: int,
    state_test: bool,
    trace: bool,
) -> None:
    """Apply transactions to a state and print what they did."""
    inputs = Inputs(input_alloc, input_env, input_txs).read()
    _make(folder)
    rules = TransitionRules(fork, chain_id, reward, state_test, folder if trace else None)
    try:
        with interruptible():
            after, result, body = transition(inputs, rules)
    except (ValueError, OSError) as error:
        fail(str(error))
    deliver(
        folder,
        {"alloc": (output_alloc, after), "result": (output_result, result), "body": (output_body, body)},
    )
