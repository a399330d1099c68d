"""Kills a whole network under load, again and again, and demands that it keeps every promise it made.

Each round starts all validators on the folders that the last round left, asks each for what it has
promised, writes to all of them, and ends with SIGKILL to all at once: at a random moment, some time after one
more height, or while they are still starting. In the end one more start must carry out everything that was
acknowledged anywhere, on all nodes alike, and nobody may ever have signed twice.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass

from tests.e2e.crash.promises import PromiseBroken, Promises
from tests.e2e.crash.transfers import RECEIVER
from tests.e2e.crash.writers import Wire
from tests.e2e.network.decisions import conflicts, ledgers_of, offences, verify
from tests.e2e.network.load import NetworkLoad, RoamingWriter
from tests.e2e.network.network_process import (
    Member,
    Network,
    assert_nobody_is_accused,
    check_database,
    same_block,
)

WRITERS = 4
TRANSACTIONS_A_ROUND = 100
"""Of each writer: blocks are in the making at the moment of death, and the pools hold what none has taken."""
LOAD_SECONDS = (0.05, 2.5)
STARTUP_SECONDS = (0.0, 1.5)
STARTUP_DEATHS = 0.2
"""Share of rounds that die while nodes open their folders and meet."""
WAITS_FOR_HEIGHT = 0.5
"""Share of the others that go on until a height more is decided."""
SIGNED_TWICE = b"signed twice"
"""What a node writes of evidence against anybody."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a campaign amounted to."""

    kills: int
    acknowledged: int
    final_blocks: int
    height: int


class NetworkKills:
    """One network, what each of its nodes has promised, and the dice."""

    def __init__(self, network: Network, seed: int) -> None:
        """Nothing has been started yet."""
        self._network = network
        self._dice = random.Random(seed)
        self._writers = [RoamingWriter(index, seed) for index in range(WRITERS)]
        self._ledgers = [Promises() for _ in network.members]
        self._blocks = Promises()

    def run(self, kills: int) -> Outcome:
        """Kill the network so often, then let it live.

        Raises:
            PromiseBroken, UnexpectedRefusal, NodeFailed, AssertionError: what went wrong.
        """
        for number in range(kills):
            if self._dice.random() < STARTUP_DEATHS and number > 0:
                self._die_at_start()
            else:
                self._die_under_load()
        height = self._settle()
        names = {name for ledger in self._ledgers for name in ledger.acknowledged}
        return Outcome(kills, len(names), len(self._blocks.final_blocks), height)

    def _die_at_start(self) -> None:
        self._network.launch()
        threading.Event().wait(self._dice.uniform(*STARTUP_SECONDS))
        assert all(member.is_up for member in self._network.members), self._network.report()
        self._network.kill_all()

    def _die_under_load(self) -> None:
        network = self._network
        network.start()
        for member, ledger in zip(network.members, self._ledgers, strict=True):
            _check(member, ledger)
        load = NetworkLoad(self._writers, network.members, TRANSACTIONS_A_ROUND)
        if self._dice.random() < WAITS_FOR_HEIGHT:
            before = max(member.height() for member in network.members)
            network.until(
                lambda: max(member.height() for member in network.members) > before, "a height more"
            )
        threading.Event().wait(self._dice.uniform(*LOAD_SECONDS))
        network.kill_all()
        load.collect(self._ledgers, self._blocks)

    def _settle(self) -> int:
        """Everything that was acknowledged is carried out, everywhere; the height where it was."""
        network = self._network
        network.start()
        for member in network.members:
            for writer in self._writers:
                network.until(
                    lambda: _nonce(member, writer) >= writer.answered,  # noqa: B023 - asked before the next turn
                    f"nonce {writer.answered} of {writer.sender.address} on node {member.number}",
                )
        top = max(member.height() for member in network.members)
        network.until_height(top)
        same_block(network.members, top)
        for member in network.members:
            for ledger in (*self._ledgers, self._blocks):
                _check(member, ledger, everything=True)
            self._check_sums(member)
        network.stop()
        self._check_folders()
        return top

    def _check_sums(self, member: Member) -> None:
        executed = sum(_nonce(member, writer) for writer in self._writers)
        received = int(member.rpc("eth_getBalance", "0x" + RECEIVER.hex(), "latest"), 16)
        assert received == executed, f"{executed} transfers were executed and {received} wei arrived"

    def _check_folders(self) -> None:
        ledgers = ledgers_of(self._network)
        for ledger in ledgers:
            verify(ledger)
        assert offences(ledgers) == []
        assert conflicts(self._network, ledgers) == []
        assert_nobody_is_accused(self._network.members)
        for member in self._network.members:
            assert SIGNED_TWICE not in member.log.read_bytes(), f"node {member.number} holds evidence"
            check_database(member)


def _check(member: Member, promises: Promises, *, everything: bool = False) -> None:
    wire = Wire(member.port)
    try:
        promises.check(wire, everything=everything)
    except PromiseBroken as broken:
        tail = member.running.log_tail()
        raise PromiseBroken(f"node {member.number}: {broken}\nits log:\n{tail}") from None
    finally:
        wire.close()


def _nonce(member: Member, writer: RoamingWriter) -> int:
    return int(member.rpc("eth_getTransactionCount", writer.sender.address, "latest"), 16)
