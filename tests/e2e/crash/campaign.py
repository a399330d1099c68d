"""Kills a node under load, again and again, and demands that it keeps every promise it made.

    python -m tests.e2e.crash.campaign --kills 200 [--seed N] [--data DIR]

Each round opens the same data folder, checks what earlier rounds were promised, writes from several accounts,
watches final blocks, and ends with SIGKILL at a random moment; some rounds die before the first answer, so
that recovery itself is interrupted. Rounds alternate between timed and instant blocks. In the end the pool
drains, all promises are asked for again, the sums of nonces and of the receiver's balance must agree, and
`coc db check` must find nothing.

A kill keeps what the operating system was handed; lost writes are for the faulty disk's own tests.
"""

from __future__ import annotations

import argparse
import random
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.crash.promises import PromiseBroken, Promises
from tests.e2e.crash.transfers import RECEIVER, Sender
from tests.e2e.crash.writers import Load, Wire, Writer
from tests.e2e.node_process import NodeFailed, NodeProcess, coc_command, free_port, launch, start

WRITERS = 4
TRANSACTIONS_A_ROUND = 400
"""Of each writer: enough for blocks to be in the making at the moment of death, few enough for the pool."""
LOAD_SECONDS = (0.05, 1.5)
STARTUP_SECONDS = (0.0, 0.6)
STARTUP_DEATHS = 0.2
"""Share of rounds that die while the node opens its data folder."""
GAS_LIMIT = 1_000_000_000
DRAIN_SECONDS_MAX = 60
CHECK_SECONDS_MAX = 120
DRAIN_POLL_SECONDS = 0.1
CHECK_EVERY = 10
"""Rounds between two runs of `coc db check`."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a campaign amounted to."""

    seed: int
    kills: int
    acknowledged: int
    final_blocks: int

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.kills} kills, {self.acknowledged} acknowledged transactions"
            f" and {self.final_blocks} final blocks kept"
        )


class Campaign:
    """One data folder, the promises made by every node that ran on it, and the dice."""

    def __init__(self, folder: Path, seed: int, program: str = "coc") -> None:
        self._data = folder / "data"
        self._log = folder / "node.log"
        self._program = program
        self._dice = random.Random(seed)
        self._writers = [Writer(Sender(index)) for index in range(WRITERS)]
        self.promises = Promises()
        self.seed = seed

    def run(self, kills: int) -> Outcome:
        """Kills `kills` nodes, then lets one live. Raises PromiseBroken, NodeFailed or UnexpectedRefusal."""
        for number in range(kills):
            if self._dice.random() < STARTUP_DEATHS and number > 0:
                self._die_at_start()
            else:
                self._die_under_load()
            if number % CHECK_EVERY == CHECK_EVERY - 1:
                self.check_database()
        self._settle()
        self.check_database()
        return Outcome(self.seed, kills, len(self.promises.acknowledged), len(self.promises.final_blocks))

    def _command(self, port: int, *sealing: str) -> list[str]:
        if self._program != "coc":
            return [self._program, "--port", str(port), "--silent"]
        place = ["--data", str(self._data), "--gas-limit", str(GAS_LIMIT)]
        return [str(coc_command()), "up", "--json", "--port", str(port), *place, *sealing]

    def _sealing(self) -> tuple[str, ...]:
        return ("--instant",) if self._dice.random() < 0.5 else ("--block-time", "1")

    def _open(self, *sealing: str) -> NodeProcess:
        port = free_port()
        return start(self._program, self._command(port, *sealing), port, self._log)

    def _die_under_load(self) -> None:
        node = self._open(*self._sealing())
        try:
            self._check(node)
            load = Load(self._writers, node.port, TRANSACTIONS_A_ROUND)
            threading.Event().wait(self._dice.uniform(*LOAD_SECONDS))
        finally:
            node.kill()
        load.collect(self.promises)

    def _die_at_start(self) -> None:
        port = free_port()
        node = launch(self._program, self._command(port, *self._sealing()), port, self._log)
        threading.Event().wait(self._dice.uniform(*STARTUP_SECONDS))
        if node.process.poll() is not None:
            raise NodeFailed(f"the node ended by itself at start:\n{node.log_tail()}")
        node.kill()

    def _settle(self) -> None:
        node = self._open("--block-time", "1")
        try:
            self._drain(node)
            self._check(node, everything=True)
            self._check_sums(node)
            code = node.stop()
        finally:
            if node.process.poll() is None:
                node.kill()
        if code != 0:
            raise NodeFailed(f"a graceful stop ended with code {code}:\n{node.log_tail()}")

    def _check(self, node: NodeProcess, *, everything: bool = False) -> None:
        wire = Wire(node.port)
        try:
            self.promises.check(wire, everything=everything)
        except PromiseBroken as broken:
            raise PromiseBroken(f"{broken} (seed {self.seed})\nnode log:\n{node.log_tail()}") from None
        finally:
            wire.close()

    def _drain(self, node: NodeProcess) -> None:
        """Waits until every acknowledged nonce is executed: nothing that was promised may wait for ever."""
        deadline = time.monotonic() + DRAIN_SECONDS_MAX
        pause = threading.Event()
        for writer in self._writers:
            while self._nonce(node, writer) < writer.answered:
                if time.monotonic() > deadline:
                    raise PromiseBroken(
                        f"{writer.sender.address} waits for nonce {self._nonce(node, writer)}"
                    )
                pause.wait(DRAIN_POLL_SECONDS)
        head = node.rpc("eth_getBlockByNumber", "finalized", False)
        self.promises.saw_final(int(head["number"], 16), head["hash"])

    def _check_sums(self, node: NodeProcess) -> None:
        executed = sum(self._nonce(node, writer) for writer in self._writers)
        received = int(node.rpc("eth_getBalance", "0x" + RECEIVER.hex(), "latest"), 16)
        if received != executed:
            raise PromiseBroken(f"{executed} transfers were executed and {received} wei arrived")

    @staticmethod
    def _nonce(node: NodeProcess, writer: Writer) -> int:
        return int(node.rpc("eth_getTransactionCount", writer.sender.address, "latest"), 16)

    def check_database(self) -> None:
        """Runs `coc db check` on the folder nobody has open."""
        if self._program != "coc":
            return
        command = [str(coc_command()), "db", "check", "--data", str(self._data)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=CHECK_SECONDS_MAX, check=False)
        if done.returncode != 0:
            raise NodeFailed(f"coc db check found damage (seed {self.seed}):\n{done.stdout}{done.stderr}")


def main() -> int:
    """Runs a campaign of any length and prints its seed first, so that a failure can be repeated."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    parser.add_argument("--data", type=Path, help="keep the data folder here instead of a temporary one")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="coc-crash-") as temporary:
        print(Campaign(options.data or Path(temporary), options.seed).run(options.kills))
    return 0


if __name__ == "__main__":
    sys.exit(main())
