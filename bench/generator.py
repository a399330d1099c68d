"""The load generator of `bench/load`: built once, run as a process of its own, answering in JSON."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nodes import CHECKOUT, BenchFailed, RunningNode

SOURCE = CHECKOUT / "bench" / "load"
TARGET = CHECKOUT / "build" / "load"
PROGRAM = TARGET / "release" / "coc-load"
CONNECTIONS = 16
SIGNERS = 100

Report = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Aim:
    """Where a load goes and how: the nodes share its connections; the first one is watched."""

    urls: Sequence[str]
    dialect: str
    batch: int
    rate: int | None = None
    """Transactions a second; as fast as they are taken without it."""

    def arguments(self) -> list[str]:
        """As options of the generator."""
        rate = [] if self.rate is None else ["--rate", str(self.rate)]
        place = ["--url", ",".join(self.urls), "--connections", str(CONNECTIONS)]
        return [*place, "--dialect", self.dialect, "--batch", str(self.batch), *rate]


def build() -> None:
    """Builds the generator if it is not built. Raises BenchFailed when cargo does not succeed."""
    environment = {**os.environ, "CARGO_TARGET_DIR": str(TARGET)}
    command = ["cargo", "build", "--quiet", "--release", "--locked"]
    if subprocess.run(command, cwd=SOURCE, env=environment, check=False).returncode != 0:
        raise BenchFailed("the load generator does not build; cargo's words are above")


def sign(path: Path, count: int, token: str | None = None, accounts: int = SIGNERS) -> None:
    """Writes `count` signed transfers by the first `accounts`, each from nonce 0; of `token` if given."""
    options = ["--token", token] if token else []
    with path.open("wb") as out:
        _run(["sign", "--count", str(count), "--accounts", str(accounts), *options], out)


def kvstore(path: Path, count: int, size_bytes: int) -> None:
    """Writes `count` transactions for CometBFT's kvstore, shared out as if a hundred accounts sent them."""
    options = ["--count", str(count), "--accounts", str(SIGNERS), "--bytes", str(size_bytes)]
    with path.open("wb") as out:
        _run(["kvstore", *options], out)


def send(node: RunningNode, path: Path, batch: int) -> Report:
    """Sends a signed file and waits for its inclusion; the fields are those of `coc-load send`."""
    report = _report(["send", "--file", str(path), "--batch", str(batch)], node)
    return _whole(node.name, report)


def send_to(aim: Aim, path: Path) -> Report:
    """As `send`, to several nodes."""
    report: Report = json.loads(
        _run(["send", "--file", str(path), *aim.arguments()], subprocess.PIPE)
    )  # fmt: skip
    return _whole(", ".join(aim.urls), report)


def start_feeding(aim: Aim, path: Path, acknowledged: Path) -> subprocess.Popen[bytes]:
    """Sends until the nodes are gone; then the ids of what they acknowledged are in a file."""
    places = ["--file", str(path), "--acknowledged", str(acknowledged)]
    return subprocess.Popen([PROGRAM, "feed", *places, *aim.arguments()], stdout=subprocess.PIPE)


def find_again(aim: Aim, acknowledged: Path) -> Report:
    """Which of the acknowledged transactions are in blocks, or come into some; fields of `coc-load find`."""
    options = ["--url", aim.urls[0], "--dialect", aim.dialect, "--acknowledged", str(acknowledged)]
    report: Report = json.loads(_run(["find", *options], subprocess.PIPE))
    return report


def read(node: RunningNode, body: object, count: int) -> Report:
    """Repeats one request; the fields are those of `coc-load read`."""
    return _report(["read", "--body", json.dumps(body), "--count", str(count)], node)


def _whole(name: str, report: Report) -> Report:
    if report["missing"] or report["failed"] or report["refused"] or report["included"] != report["sent"]:
        told = {field: value for field, value in report.items() if field != "seen_s"}
        raise BenchFailed(f"{name} lost, failed or refused transactions: {told}")
    return report


def _report(arguments: list[str], node: RunningNode) -> Report:
    place = ["--url", node.url, "--connections", str(CONNECTIONS), "--node-pid", str(node.pid)]
    report: Report = json.loads(_run([*arguments, *place], subprocess.PIPE))
    return report


def _run(arguments: list[str], out: Any) -> bytes:  # noqa: ANN401 (what subprocess takes)
    done = subprocess.run([PROGRAM, *arguments], stdout=out, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise BenchFailed(done.stderr.decode(errors="replace").strip())
    return bytes(done.stdout or b"")
