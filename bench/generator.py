"""The load generator of `bench/load`: built once, run as a process of its own, answering in JSON."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from nodes import CHECKOUT, BenchFailed, RunningNode

SOURCE = CHECKOUT / "bench" / "load"
TARGET = CHECKOUT / "build" / "load"
CONNECTIONS = 16
SIGNERS = 100

Report = dict[str, Any]


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


def send(node: RunningNode, path: Path, batch: int) -> Report:
    """Sends a signed file and waits for its inclusion; the fields are those of `coc-load send`."""
    report = _report(["send", "--file", str(path), "--batch", str(batch)], node)
    if report["missing"] or report["failed"] or report["refused"] or report["included"] != report["sent"]:
        raise BenchFailed(f"{node.name} lost, failed or refused transactions: {report}")
    return report


def read(node: RunningNode, body: object, count: int) -> Report:
    """Repeats one request; the fields are those of `coc-load read`."""
    return _report(["read", "--body", json.dumps(body), "--count", str(count)], node)


def _report(arguments: list[str], node: RunningNode) -> Report:
    place = ["--url", node.url, "--connections", str(CONNECTIONS), "--node-pid", str(node.pid)]
    report: Report = json.loads(_run([*arguments, *place], subprocess.PIPE))
    return report


def _run(arguments: list[str], out: Any) -> bytes:  # noqa: ANN401 (what subprocess takes)
    program = TARGET / "release" / "coc-load"
    done = subprocess.run([program, *arguments], stdout=out, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise BenchFailed(done.stderr.decode(errors="replace").strip())
    return bytes(done.stdout or b"")
