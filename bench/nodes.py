"""Nodes under measurement: started on a free port, asked over HTTP, weighed through /proc, and stopped.

The peers are `coc` (memory), `coc-disk` (the same with a data folder, so every block is durable) and `anvil`
(npm's binary, memory). All get the same block time, gas limit and funded accounts.
"""

from __future__ import annotations

import http.client
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[1]
COC = Path(os.environ.get("COC_COMMAND", CHECKOUT / ".venv" / "bin" / "coc"))
ANVIL_PLACES = CHECKOUT / "tests" / "e2e" / "clients" / "node_modules" / "@foundry-rs"

PEERS = ("coc", "coc-disk", "anvil")
GAS_LIMIT = 1_000_000_000
"""No cap for any load here: a block a second of 30 M gas would measure the gas limit."""
BLOCK_TIME_S = 1
ACCOUNTS = 101
"""A hundred sign the load, the last one deploys."""

START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 30
POLL_SECONDS = 0.003
KIB_PER_MIB = 1_024


class BenchFailed(Exception):
    """A measurement could not be made; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class RunningNode:
    """A node that has answered; `first_answer_s` counts from the start of its process."""

    name: str
    port: int
    pid: int
    first_answer_s: float

    @property
    def url(self) -> str:
        """The JSON-RPC endpoint."""
        return f"http://127.0.0.1:{self.port}"

    def rpc(self, method: str, *params: object) -> Any:  # noqa: ANN401 (JSON)
        """One JSON-RPC call. Raises BenchFailed with the node's own words."""
        answer = _post(self.port, method, params)
        if "error" in answer:
            raise BenchFailed(f"{self.name}: {method}: {answer['error']}")
        return answer["result"]

    def mined(self, transaction: str) -> dict[str, Any]:
        """Waits for the receipt of a transaction."""
        pause = threading.Event()
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            receipt: dict[str, Any] | None = self.rpc("eth_getTransactionReceipt", transaction)
            if receipt is not None:
                return receipt
            pause.wait(POLL_SECONDS)
        raise BenchFailed(f"{self.name}: {transaction} was not mined in {START_SECONDS_MAX} s")

    def await_next_block(self) -> None:
        """Returns just after a block was made, so that what is sent next has a whole interval to itself."""
        pause = threading.Event()
        head = self.rpc("eth_blockNumber")
        deadline = time.monotonic() + START_SECONDS_MAX
        while self.rpc("eth_blockNumber") == head:
            if time.monotonic() > deadline:
                raise BenchFailed(f"{self.name} made no block in {START_SECONDS_MAX} s")
            pause.wait(POLL_SECONDS)

    def rss_mib(self) -> float:
        """Resident memory of the process."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / KIB_PER_MIB


def available(name: str) -> str | None:
    """Nothing when the peer can be started; otherwise what is missing."""
    if name == "anvil":
        return None if _anvil() else "anvil is missing: run tests/e2e/clients/setup.sh"
    return None if COC.exists() else f"there is no coc at {COC}: run `make setup` or set COC_COMMAND"


def require(names: Sequence[str]) -> None:
    """Raises BenchFailed with all that is missing if one of the peers cannot be started."""
    missing = [reason for reason in map(available, names) if reason]
    if missing:
        raise BenchFailed("; ".join(missing))


@contextmanager
def running(name: str, *, block_time_s: int | None = BLOCK_TIME_S) -> Iterator[RunningNode]:
    """A fresh node of that name; a block a transaction when `block_time_s` is None."""
    folder = Path(tempfile.mkdtemp(prefix="coc-bench-"))
    port = free_port()
    try:
        with started(name, _command(name, port, folder / "data", block_time_s), port) as node:
            yield node
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def started(name: str, command: Sequence[str], port: int) -> Iterator[RunningNode]:
    """The process of a command that serves JSON-RPC on that port, once it has answered."""
    with tempfile.NamedTemporaryFile(prefix="coc-bench-", suffix=".log") as log:
        began = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        try:
            first_answer_s = _await_answer(process, port, began, Path(log.name))
            yield RunningNode(name, port, process.pid, first_answer_s)
        finally:
            stop(process)


def machine() -> str:
    """One line that names where the figures come from."""
    info = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(
        (line.split(":", 1)[1].strip() for line in info if line.startswith("model name")), "unknown CPU"
    )
    memory_kib = int(Path("/proc/meminfo").read_text().split()[1])
    gib = round(memory_kib / KIB_PER_MIB / KIB_PER_MIB)
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} × {model}, {gib} GiB, {system}"


def _command(name: str, port: int, data: Path, block_time_s: int | None) -> list[str]:
    shared = ["--port", str(port), "--accounts", str(ACCOUNTS), "--gas-limit", str(GAS_LIMIT)]
    timed = [] if block_time_s is None else ["--block-time", str(block_time_s)]
    if name == "anvil":
        return [str(_anvil()), "--silent", *shared, *timed]
    if name not in PEERS:
        raise BenchFailed(f"{name} is not one of {', '.join(PEERS)}")
    stored = ["--data", str(data)] if name == "coc-disk" else []
    return [str(COC), "up", "--json", *shared, *(timed or ["--instant"]), *stored]


def _anvil() -> Path | None:
    found = sorted(ANVIL_PLACES.glob("anvil-*/bin/anvil"))
    on_path = shutil.which("anvil")
    return found[0] if found else Path(on_path) if on_path else None


def free_port() -> int:
    """One that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_answer(process: subprocess.Popen[bytes], port: int, began: float, log: Path) -> float:
    pause = threading.Event()
    while time.monotonic() - began < START_SECONDS_MAX:
        try:
            _post(port, "eth_chainId", ())
        except (OSError, http.client.HTTPException):
            if process.poll() is not None:
                break
            pause.wait(POLL_SECONDS)
        else:
            return time.monotonic() - began
    tail = log.read_bytes()[-2_000:].decode(errors="replace")
    raise BenchFailed(f"{process.args!r} gave no answer:\n{tail}")


def _post(port: int, method: str, params: object) -> dict[str, Any]:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS_MAX)
    try:
        connection.request("POST", "/", body, {"Content-Type": "application/json"})
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return answer


def stop(process: subprocess.Popen[Any]) -> None:
    """Ask a process to end, and end it where it does not."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
