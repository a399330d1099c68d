"""Load on a network until it dies: writers that go from node to node, and a watcher of final blocks on each.

Every node has a ledger of its own for what it acknowledged, since only that node has promised it; what is
final is promised by all, so the blocks that any node shows go into one.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Sequence
from functools import partial

from tests.e2e.crash.promises import Promises
from tests.e2e.crash.transfers import Sender, hash_of
from tests.e2e.crash.writers import ALREADY_THERE, UnexpectedRefusal, Wire
from tests.e2e.network.network_process import GONE, POLL_SECONDS, Member


class RoamingWriter:
    """Sends one account's transfers in order, each to a node that the dice choose."""

    def __init__(self, index: int, seed: int) -> None:
        """The writer of the well-known account `index`."""
        self.sender = Sender(index)
        self.answered = 0
        """Nonces below this were acknowledged."""
        self._dice = random.Random(f"{seed} {index}")

    def run(
        self, members: Sequence[Member], count_max: int, is_over: threading.Event
    ) -> list[tuple[int, str]]:
        """Send until a node is gone, `count_max` are answered, or it is over: who acknowledged which hash."""
        acknowledged: list[tuple[int, str]] = []
        wires = [Wire(member.port) for member in members]
        try:
            while len(acknowledged) < count_max and not is_over.is_set():
                at = self._dice.randrange(len(members))
                raw = self.sender.raw(self.answered)
                answer = wires[at].call("eth_sendRawTransaction", "0x" + raw.hex())
                error = answer.get("error")
                if error and not any(known in str(error.get("message")) for known in ALREADY_THERE):
                    raise UnexpectedRefusal(f"nonce {self.answered} of {self.sender.address}: {error}")
                acknowledged.append((at, hash_of(raw)))
                self.answered += 1
        except GONE:
            pass
        finally:
            for wire in wires:
                wire.close()
        return acknowledged


class NetworkLoad:
    """All writers, and a watcher a node, until the nodes die or what they were promised is collected."""

    def __init__(self, writers: Sequence[RoamingWriter], members: Sequence[Member], count_max: int) -> None:
        """Begin."""
        self._failures: list[AssertionError] = []
        self._acknowledged: list[tuple[int, str]] = []
        self._final: list[tuple[int, str]] = []
        self._is_over = threading.Event()
        jobs: list[Callable[[], None]] = [
            partial(self._write, writer, members, count_max) for writer in writers
        ]
        jobs += [partial(self._watch, member) for member in members]
        self._threads = [threading.Thread(target=job, daemon=True) for job in jobs]
        for thread in self._threads:
            thread.start()

    def collect(self, ledgers: Sequence[Promises], blocks: Promises) -> None:
        """Wait for the threads, and hand over what was promised to them: a ledger a node, and final blocks.

        Raises:
            UnexpectedRefusal: a node refused a valid transaction.
            PromiseBroken: two nodes showed different final blocks.
        """
        self._is_over.set()
        for thread in self._threads:
            thread.join()
        if self._failures:
            raise self._failures[0]
        for at, name in self._acknowledged:
            ledgers[at].acknowledge([name])
        for number, block_hash in self._final:
            blocks.saw_final(number, block_hash)

    def _write(self, writer: RoamingWriter, members: Sequence[Member], count_max: int) -> None:
        try:
            self._acknowledged += writer.run(members, count_max, self._is_over)
        except AssertionError as failure:
            self._failures.append(failure)

    def _watch(self, member: Member) -> None:
        wire = Wire(member.port)
        try:
            while not self._is_over.wait(POLL_SECONDS):
                block = wire.call("eth_getBlockByNumber", "finalized", False)["result"]
                self._final.append((int(block["number"], 16), str(block["hash"])))
        except (*GONE, KeyError, json.JSONDecodeError):
            pass
        finally:
            wire.close()
