"""A node as a real process on a free port: started, awaited, killed or stopped.

`COC_E2E_NODE` chooses the program: `coc` (the default) or `anvil`, the reference node of npm. Running the
client tests against anvil shows that a test asks for Ethereum's behaviour and not for ours.
`COC_E2E_COMMAND` replaces the path of the `coc` command, by default the checkout's own `.venv/bin/coc`.

Readiness is the first answer to `eth_chainId`. Whatever the process writes goes to a log file, whose tail is
part of every error raised here.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

E2E = Path(__file__).resolve().parent
CHECKOUT = E2E.parents[1]
CLIENTS = E2E / "clients"

START_SECONDS_MAX = 60
"""A node that has not answered by then is broken; generous, since tests share their machine with builds."""
STOP_SECONDS_MAX = 20
"""A graceful stop flushes what is unflushed; the published bound for that is far below."""
RPC_SECONDS_MAX = 60
POLL_SECONDS = 0.02
LOG_TAIL_BYTES = 4_000


class NodeMissing(AssertionError):
    """The program under test is not installed."""


class NodeFailed(AssertionError):
    """The node ended, or did not answer, when it should have."""


class RpcError(Exception):
    """An error object in a JSON-RPC answer: `code`, `message`, `data` as the node gave them."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error.get('code')}: {error.get('message')}")
        self.code = error.get("code")
        self.message = str(error.get("message"))
        self.data = error.get("data")


@dataclass(frozen=True, slots=True)
class NodeProcess:
    """One running node. `url` is its JSON-RPC endpoint; `program` is `coc` or `anvil`."""

    program: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def rpc(self, method: str, *params: object) -> Any:
        """One JSON-RPC call on a connection of its own. Raises RpcError, or OSError if nobody answers."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=RPC_SECONDS_MAX)
        try:
            connection.request("POST", "/", body, {"Content-Type": "application/json"})
            answer = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    def log_tail(self) -> str:
        return self.log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")

    def kill(self) -> None:
        """Ends the process as a power cut would end the program: no handler runs."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Asks the process to end, waits, and returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
            raise NodeFailed(
                f"{self.program} ignored SIGTERM for {STOP_SECONDS_MAX} s:\n{self.log_tail()}"
            ) from None


def coc_command() -> Path:
    """Path of the `coc` command. Raises NodeMissing with the cure."""
    path = Path(os.environ.get("COC_E2E_COMMAND", CHECKOUT / ".venv" / "bin" / "coc"))
    if not path.exists():
        raise NodeMissing(f"there is no coc command at {path}: run `make setup`, or set COC_E2E_COMMAND")
    return path


def foundry_binary(name: str) -> Path:
    """The native `anvil` or `cast` that npm installed, else one on PATH. Raises NodeMissing with the cure."""
    for installed in (CLIENTS / "node_modules" / "@foundry-rs").glob(f"{name}-*/bin/{name}"):
        return installed
    on_path = shutil.which(name)
    if on_path is None:
        raise NodeMissing(
            f"{name} is not installed: run tests/e2e/clients/setup.sh"
            f" (on systems other than Linux x86-64, put Foundry's {name} on PATH)"
        )
    return Path(on_path)


def dev_node_command(
    program: str, port: int, *, block_time_s: int | None, extra: Sequence[str] = ()
) -> list[str]:
    """Command line of a development chain; a block a transaction when `block_time_s` is None."""
    if program == "coc":
        sealing = ["--instant"] if block_time_s is None else ["--block-time", str(block_time_s)]
        return [str(coc_command()), "up", "--json", "--port", str(port), *sealing, *extra]
    if program == "anvil":
        sealing = [] if block_time_s is None else ["--block-time", str(block_time_s)]
        return [str(foundry_binary("anvil")), "--port", str(port), *sealing, *extra]
    raise ValueError(f"COC_E2E_NODE is {program!r}; it must be coc or anvil")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def launch(program: str, command: Sequence[str], port: int, log: Path) -> NodeProcess:
    """Starts `command`, which is to listen on `port`, and does not wait for it."""
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    return NodeProcess(program, port, process, log)


def start(program: str, command: Sequence[str], port: int, log: Path) -> NodeProcess:
    """Launches `command` and waits for its first answer. Raises NodeFailed."""
    node = launch(program, command, port, log)
    deadline = time.monotonic() + START_SECONDS_MAX
    pause = threading.Event()
    while not answers(node):
        if node.process.poll() is not None:
            code = node.process.returncode
            raise NodeFailed(f"{program} ended at start with code {code}:\n{node.log_tail()}")
        if time.monotonic() > deadline:
            node.kill()
            raise NodeFailed(f"{program} gave no answer in {START_SECONDS_MAX} s:\n{node.log_tail()}")
        pause.wait(POLL_SECONDS)
    return node


def answers(node: NodeProcess) -> bool:
    """Whether the node takes calls already."""
    try:
        node.rpc("eth_chainId")
    except (OSError, http.client.HTTPException):
        return False
    return True


@contextmanager
def dev_node(
    log: Path, *, block_time_s: int | None = None, extra: Sequence[str] = ()
) -> Iterator[NodeProcess]:
    """A development node in memory for as long as the context lasts."""
    program = os.environ.get("COC_E2E_NODE", "coc")
    port = free_port()
    node = start(program, dev_node_command(program, port, block_time_s=block_time_s, extra=extra), port, log)
    try:
        yield node
    finally:
        if node.process.poll() is None:
            node.stop()
