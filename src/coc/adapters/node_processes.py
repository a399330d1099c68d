"""The nodes of one machine's network as processes: started, watched, paused, killed, stopped.

A node says that it is ready by one line of JSON on standard output; the end of that output is the end of the
process. Each has a process group of its own, so that Ctrl-C in a terminal reaches the network's parent alone,
which then stops them in order. Who makes a process of a command is the starter's matter (`nursery`).
"""

from __future__ import annotations

import asyncio
import enum
import json
import os
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from coc.primitives.errors import AdapterError
from coc.primitives.frozen import frozen
from coc.primitives.limits_commands import NODE_LOG_TAIL_BYTES_MAX

STOP_SECONDS_MAX: Final = 20.0
"""How long a node may take to end when asked: it answers its clients, and flushes. Then it is killed."""

_READ_BYTES: Final = 65_536
"""Taken from a node's output at once; its one line has some 500."""


class NodeState(enum.Enum):
    """What a node does, in the word that is shown."""

    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    """It was asked to end, and did."""
    KILLED = "killed"
    FAILED = "failed"
    """It ended by itself, or somebody else ended it."""


@frozen
class NodePlan:
    """How to run a node; its number is counted from 1."""

    number: int
    command: Sequence[str]
    """What follows `coc`."""
    log: Path
    rpc: str
    """Where it will serve; empty where the system chooses the port."""


class Starter(Protocol):
    """Makes processes of nodes, each with a process group of its own."""

    def start(self, command: Sequence[str], output: int, log: int) -> int:
        """Run a command that writes to these descriptors, which stay the caller's to close; its pid.

        Raises:
            AdapterError: there is no process to be had.
        """
        ...

    def wait(self, pid: int) -> int:
        """Wait for the end of a process; its exit code, negative for a signal. Until then the pid is its own.

        Raises:
            AdapterError: nobody knows any more.
        """
        ...


class NodeProcess:
    """One node; `on_change` is told of it when its state is another."""

    def __init__(self, plan: NodePlan, starter: Starter, on_change: Callable[[NodeProcess], None]) -> None:
        """Nothing runs yet; needs a running loop."""
        self.number = plan.number
        self.rpc = plan.rpc
        """Where it serves, as far as that is known."""
        self.state = NodeState.STOPPED
        self.ready: dict[str, object] = {}
        """What it said when it was ready; empty before."""
        self.why = ""
        """Why it ended by itself."""
        self._plan = plan
        self._starter = starter
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self.pid: int | None = None
        """Of its process, while there is one."""
        self._output = b""
        self._log_start = 0
        self._gone = asyncio.Event()
        self._gone.set()

    @property
    def is_alive(self) -> bool:
        """Whether there is a process."""
        return self.pid is not None

    # ── What is done to it ──────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Run it; where it runs nothing is done."""
        if self.pid is not None:
            return
        self._output, self.ready, self.why = b"", {}, ""
        reading, writing = os.pipe()
        try:
            with self._plan.log.open("ab") as log:
                self._log_start = log.tell()
                self.pid = self._starter.start(self._plan.command, writing, log.fileno())
        except AdapterError as error:
            os.close(reading)
            self.why = f"{error.what}: {error.why}"
            self._become(NodeState.FAILED)
            return
        finally:
            os.close(writing)
        self._gone.clear()
        os.set_blocking(reading, False)
        self._loop.add_reader(reading, self._read, reading)
        self._become(NodeState.STARTING)

    def pause(self) -> None:
        """Stop it where it is, as a machine that hangs."""
        if self.state in {NodeState.STARTING, NodeState.RUNNING}:
            self._signal(signal.SIGSTOP)
            self._become(NodeState.PAUSED)

    def go_on(self) -> None:
        """Let it go on where it was paused."""
        if self.state is NodeState.PAUSED:
            self._signal(signal.SIGCONT)
            self._become(NodeState.RUNNING if self.ready else NodeState.STARTING)

    def kill(self) -> None:
        """End it as a power cut would end the program: no handler runs."""
        if self.pid is not None:
            self._become(NodeState.KILLED)
            self._signal(signal.SIGKILL)

    def ask_to_stop(self) -> None:
        """Ask it to end in order; a paused one must go on for that."""
        if self.pid is not None and self.state is not NodeState.KILLED:
            self._become(NodeState.STOPPING)
            self._signal(signal.SIGTERM)
            self._signal(signal.SIGCONT)

    async def stop(self) -> None:
        """End it in order, or by force after `STOP_SECONDS_MAX`."""
        self.ask_to_stop()
        try:
            async with asyncio.timeout(STOP_SECONDS_MAX):
                await self._gone.wait()
        except TimeoutError:
            self.kill()
            await self._gone.wait()

    async def restart(self) -> None:
        """End it in order where it runs, and run it again."""
        await self.stop()
        self.start()

    def _signal(self, number: signal.Signals) -> None:
        if self.pid is not None:
            with suppress(ProcessLookupError):  # whoever forked it is gone, and it too
                os.kill(self.pid, number)

    # ── What it does ────────────────────────────────────────────────────────────────────────────────────────

    def _read(self, descriptor: int) -> None:
        try:
            chunk = os.read(descriptor, _READ_BYTES)
        except BlockingIOError:
            return
        if not chunk:
            self._loop.remove_reader(descriptor)
            os.close(descriptor)
            self._ended()
        elif not self.ready:
            line, is_whole, _ = (self._output + chunk).partition(b"\n")
            self._output = line[:_READ_BYTES]
            if is_whole:
                self._on_line(line)

    def _on_line(self, line: bytes) -> None:
        try:
            said = json.loads(line)
        except ValueError:
            return
        if isinstance(said, dict):
            self.ready = said
            self.rpc = str(said.get("rpc", self.rpc))
            if self.state is NodeState.STARTING:
                self._become(NodeState.RUNNING)

    def _ended(self) -> None:
        if self.pid is None:
            return
        try:
            code = self._starter.wait(self.pid)
        except AdapterError:  # the starter was ended, and by that all nodes
            code = -signal.SIGKILL
        self.pid = None
        if self.state is NodeState.STOPPING:
            self._become(NodeState.STOPPED)
        elif self.state is not NodeState.KILLED:
            self.why = _why_it_ended(code, self._plan.log, self._log_start)
            self._become(NodeState.FAILED)
        else:
            self._on_change(self)
        self._gone.set()

    def _become(self, state: NodeState) -> None:
        self.state = state
        self._on_change(self)


async def stop_all(nodes: Sequence[NodeProcess]) -> None:
    """End every node in order, all at the same time."""
    await asyncio.gather(*(node.stop() for node in nodes))


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on; all are taken before any is let go, so they differ."""
    taken = [socket.socket() for _ in range(count)]
    try:
        for each in taken:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in taken]
    finally:
        for each in taken:
            each.close()


def _why_it_ended(code: int, log: Path, start: int) -> str:
    """The last error that a node wrote; where it wrote none, or was ended by a signal, how it ended."""
    if code < 0:
        try:
            return f"ended by {signal.Signals(-code).name}"
        except ValueError:
            return f"ended by signal {-code}"
    how = f"ended with exit code {code}"
    try:
        with log.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(start, end - NODE_LOG_TAIL_BYTES_MAX))
            lines = file.read(NODE_LOG_TAIL_BYTES_MAX).decode(errors="replace").splitlines()
    except OSError:
        return how
    return _last_error(lines) or how


def _last_error(lines: Sequence[str]) -> str:
    """Of the log lines and sentences that a node writes, the last that is an error, without its dress."""
    for line in reversed(lines):
        if line.startswith("Error: "):
            return line.removeprefix("Error: ")
        if line.startswith("{"):
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict) and record.get("level") in {"error", "critical"}:
                return str(record.get("message"))
    return next((line.strip() for line in reversed(lines) if line and not line.startswith(("{", "  →"))), "")
