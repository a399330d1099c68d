"""Networks of validators under measurement: started, asked for their height, weighed, and killed.

A network is known by its ports before anything answers there, so that what it does can be timed from its
command on. `Coc` starts `coc up --nodes 4` (or a single node, for comparison); `cometbft.py` has the anchor.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from stat import S_ISREG
from typing import IO, Any, Protocol

import generator
from nodes import ACCOUNTS, COC, GAS_LIMIT, BenchFailed, stop

VALIDATORS = 4
TARGET_S = 1.0
"""Seconds between two blocks that every network is told to aim for."""
FIRST_PORT = 19_545
WAIT_SECONDS_MAX = 90.0
POLL_SECONDS = 0.004
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
BYTES_A_BLOCK = 512
"""What `st_blocks` counts in."""
KIB_PER_MIB = 1_024


Facts = Mapping[str, Any]
"""What a node says of itself."""


@dataclass(frozen=True, slots=True)
class Language:
    """How a network is asked for its height, and what the load generator calls its dialect."""

    dialect: str
    final_dialect: str
    method: str
    params: object
    height_of: Callable[[Any], int]


class Node:
    """One node behind a kept-alive connection, which is opened when it is needed."""

    def __init__(self, port: int, language: Language) -> None:
        """Nothing has to listen there yet."""
        self.port = port
        self._language = language
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_SECONDS_MAX)

    @property
    def url(self) -> str:
        """The JSON-RPC endpoint."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, params: object) -> Any:  # noqa: ANN401 (JSON)
        """One JSON-RPC call. Raises OSError or HTTPException where nobody answers."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        try:
            self._connection.request("POST", "/", body, {"Content-Type": "application/json"})
            answer = json.loads(self._connection.getresponse().read())
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        if "error" in answer:
            raise BenchFailed(f"{self.url}: {method}: {answer['error']}")
        return answer["result"]

    def height(self) -> int:
        """What it shows as its head; -1 where nobody answers."""
        try:
            return self._language.height_of(self.ask(self._language.method, self._language.params))
        except (OSError, http.client.HTTPException):
            return -1


class Network:
    """A started network."""

    def __init__(
        self, language: Language, ports: Sequence[int], ready: Callable[[], Sequence[Facts]]
    ) -> None:
        """`ready` waits until all have started."""
        self.began = time.monotonic()
        self.language = language
        self.nodes = [Node(port, language) for port in ports]
        self._ready = ready

    @property
    def urls(self) -> list[str]:
        """Where the nodes answer."""
        return [node.url for node in self.nodes]

    @cached_property
    def facts(self) -> Sequence[Facts]:
        """What is known of each node once it has started: its `pid`, and what it says of itself."""
        return self._ready()

    @property
    def _pids(self) -> list[int]:
        return [int(each["pid"]) for each in self.facts]

    def await_height(self, height: int) -> float:
        """When the first node showed this height. Raises BenchFailed if it never does."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        pause = threading.Event()
        while self.nodes[0].height() < height:
            if time.monotonic() > deadline:
                raise BenchFailed(f"no block {height} in {WAIT_SECONDS_MAX:.0f} s")
            pause.wait(POLL_SECONDS)
        return time.monotonic()

    def arrivals(self, count: int) -> list[float]:
        """When the first node showed each of the next heads, the first of them as the point of reference."""
        head = self.nodes[0].height()
        return [self.await_height(height) for height in range(head + 1, head + count + 2)]

    def processor_seconds(self) -> float:
        """Of all nodes so far."""
        return sum(_processor_seconds(pid) for pid in self._pids)

    def memory_mib(self) -> float:
        """Resident memory of the largest node."""
        return max(_resident_mib(pid) for pid in self._pids)

    def kill(self, *places: int) -> None:
        """`kill -9` some nodes, counted from 0; all where none is named."""
        for place in places or range(len(self.nodes)):
            os.kill(self._pids[place], signal.SIGKILL)


class System(Protocol):
    """A kind of network that can be measured."""

    name: str

    def running(self, folder: Path) -> AbstractContextManager[Network]:
        """The network of a folder: new where it is empty, else as it was left."""
        ...

    def write_load(self, path: Path, count: int, *, is_saturating: bool) -> None:
        """Write a file of transactions for the generator."""
        ...

    def disk_bytes(self, folder: Path) -> Mapping[str, int]:
        """What one node holds on its disk, by part; `all` among them."""
        ...


# ── Ours ────────────────────────────────────────────────────────────────────────────────────────────────────

OURS = Language(
    "ethereum", "ethereum-final", "eth_blockNumber", (), lambda number: int(number, 16)
)  # fmt: skip


class Coc:
    """`coc up` with a data folder: four validators, or one node alone."""

    def __init__(self, node_count: int = VALIDATORS) -> None:
        """Nothing is started."""
        self.name = "coc" if node_count > 1 else "coc, one node"
        self.node_count = node_count

    @contextmanager
    def running(self, folder: Path) -> Iterator[Network]:
        """The network of a folder."""
        several = ["--nodes", str(self.node_count)] if self.node_count > 1 else ["--block-time", "1"]
        command = [
            str(COC), "up", *several, "--json", "--port", str(FIRST_PORT), "--data", str(folder),
            "--accounts", str(ACCOUNTS), "--gas-limit", str(GAS_LIMIT),
        ]  # fmt: skip
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        ports = [FIRST_PORT + place for place in range(self.node_count)]
        try:
            yield Network(OURS, ports, lambda: self._read_ready(process))
        finally:
            stop(process)

    def write_load(self, path: Path, count: int, *, is_saturating: bool) -> None:  # noqa: ARG002 (the same)
        """Transfers between a hundred accounts."""
        generator.sign(path, count)

    def disk_bytes(self, folder: Path) -> Mapping[str, int]:
        """Log, state and index of the first node."""
        home = folder / "node-1" if self.node_count > 1 else folder
        parts = {part: allocated_bytes(home / part) for part in ("log", "state", "index")}
        return {"all": allocated_bytes(home), **parts}

    def _read_ready(self, process: subprocess.Popen[str]) -> list[Facts]:
        facts = [json.loads(_line(process.stdout)) for _ in range(self.node_count)]
        return sorted(facts, key=lambda each: int(each.get("node", 1)))


def _line(output: IO[str] | None) -> str:
    line = output.readline() if output else ""
    if not line:
        raise BenchFailed("`coc up` ended before all its nodes were ready; its words are above")
    return line


# ── What the system says of processes and folders ───────────────────────────────────────────────────────────


def allocated_bytes(folder: Path) -> int:
    """What the files of a folder take on the disk: a file with holes counts without them."""
    size = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # a running node removes files
            status = path.stat()
            size += status.st_blocks * BYTES_A_BLOCK if S_ISREG(status.st_mode) else 0
    return size


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def _resident_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / KIB_PER_MIB
