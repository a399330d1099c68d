"""`coc up --nodes N` as a real process: its lines read, its nodes asked, its end awaited.

Nothing is measured in seconds: a test waits for a state, and a deadline, generous since tests share their
machine with builds, only ends one that never comes.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from coc.adapters.rpc_client import NodeUnreachable, RpcClient
from tests.e2e.node_process import NodeFailed, coc_command

T = TypeVar("T")

STATE_SECONDS_MAX = 180
"""A state that has not come by then never will."""
POLL_SECONDS = 0.05


def until(condition: Callable[[], T | None], what: str) -> T:
    """Ask again until the answer is something."""
    deadline = time.monotonic() + STATE_SECONDS_MAX
    pause = threading.Event()
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise NodeFailed(f"never came: {what}")
        pause.wait(POLL_SECONDS)
    return found


@dataclass(frozen=True, slots=True)
class UpNode:
    """One node, as `coc up` announced it."""

    line: dict[str, Any]

    @property
    def pid(self) -> int:
        return int(self.line["pid"])

    def rpc(self, method: str, *params: object) -> Any:
        """One JSON-RPC call on a connection of its own."""
        client = RpcClient(str(self.line["rpc"]), STATE_SECONDS_MAX)
        try:
            return client.call(method, *params)
        finally:
            client.close()

    def height(self) -> int:
        """Of its head; -1 while nobody answers."""
        try:
            return int(self.rpc("eth_blockNumber"), 16)
        except NodeUnreachable:
            return -1

    def hash_at(self, height: int) -> str:
        return str(self.rpc("eth_getBlockByNumber", hex(height), False)["hash"])

    def until_height(self, height: int) -> None:
        until(lambda: self.height() >= height, f"height {height} on node {self.line['node']}")


class Up:
    """A running `coc up`."""

    def __init__(self, folder: Path, nodes: int, *options: str) -> None:
        """Start it in a folder of its own; its output goes to files beside the network."""
        folder.mkdir(parents=True, exist_ok=True)
        self.data = folder / "network"
        self._out, self._err = folder / "out", folder / "err"
        self._count = nodes
        command = [str(coc_command()), "up", "--nodes", str(nodes), "--json", "--data", str(self.data)]
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [*command, *(options or ("--port", "0"))], stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )

    def lines(self) -> list[dict[str, Any]]:
        """What it printed so far, whole lines only."""
        whole = self._out.read_text().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def complaints(self) -> str:
        """What it wrote to standard error so far."""
        return self._err.read_text()

    def nodes(self) -> list[UpNode]:
        """All nodes in their order, once the last has said that it is ready."""

        def ready() -> list[dict[str, Any]] | None:
            if self.process.poll() is not None:
                raise NodeFailed(f"coc up ended with code {self.process.returncode}: {self.complaints()}")
            lines = self.lines()
            return lines if len(lines) == self._count else None

        lines = until(ready, f"{self._count} lines of coc up")
        return [UpNode(line) for line in sorted(lines, key=lambda line: int(line["node"]))]

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STATE_SECONDS_MAX)


@contextmanager
def up(folder: Path, nodes: int, *options: str) -> Iterator[Up]:
    """A network for as long as the context lasts; killed at the end, and by that its nodes."""
    started = Up(folder, nodes, *options)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.wait()


def is_running(pid: int) -> bool:
    """Whether there is such a process; one that only waits to be buried has ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in {"Z", "X"}


def until_gone(pids: Sequence[int]) -> None:
    """Wait until none of the processes is left."""
    until(lambda: not any(map(is_running, pids)), f"the end of {pids}")


def kill(pid: int) -> None:
    """SIGKILL: no handler runs."""
    os.kill(pid, signal.SIGKILL)
