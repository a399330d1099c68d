"""Processes as a network sees them, shown by small programs in the place of nodes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from coc.adapters import node_processes
from coc.adapters.node_processes import (
    NodePlan,
    NodeProcess,
    NodeState,
    Starter,
    free_ports,
    stop_all,
)
from coc.adapters.nursery import NurseryFailed
from coc.primitives.limits_commands import NODE_LOG_TAIL_BYTES_MAX

READY = 'import signal; print("{\\"rpc\\": \\"http://here\\"}", flush=True); signal.pause()'
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {READY}"
SILENT = "import signal; signal.pause()"


class Programs:
    """Runs Python programs."""

    def __init__(self) -> None:
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, command: Sequence[str], output: int, log: int) -> int:
        process = subprocess.Popen(
            (sys.executable, *command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=log,
            process_group=0,
        )
        self._processes[process.pid] = process
        return process.pid

    def wait(self, pid: int) -> int:
        return self._processes.pop(pid).wait()


class Barren:
    """A starter that has no processes, and knows of none."""

    def start(self, command: Sequence[str], output: int, log: int) -> int:
        raise NurseryFailed("no process can be made", why="there are too many")

    def wait(self, pid: int) -> int:
        raise NurseryFailed("it has ended")


class Watched:
    """A node, and every state that it told."""

    def __init__(self, folder: Path, program: str, number: int = 1, starter: Starter | None = None) -> None:
        starter = starter or Programs()
        self.log = folder / f"node-{number}.log"
        command = ("-c", program)
        self.states: list[NodeState] = []
        self._changed = asyncio.Event()
        self.node = NodeProcess(NodePlan(number, command, self.log, ""), starter, self._note)

    def _note(self, node: NodeProcess) -> None:
        self.states.append(node.state)
        self._changed.set()

    async def becomes(self, state: NodeState) -> None:
        async with asyncio.timeout(60):
            while self.node.state is not state or (state is NodeState.KILLED and self.node.is_alive):
                self._changed.clear()
                await self._changed.wait()


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await work()

    asyncio.run(whole())


def test_a_node_is_running_once_it_has_said_its_line_and_stops_when_asked(tmp_path: Path) -> None:
    async def work() -> None:
        watched = Watched(tmp_path, READY)
        assert (watched.node.is_alive, watched.node.pid) == (False, None)
        watched.node.start()
        await watched.becomes(NodeState.RUNNING)
        assert watched.node.rpc == "http://here"
        assert watched.node.pid is not None
        await watched.node.stop()
        assert watched.states == [
            NodeState.STARTING,
            NodeState.RUNNING,
            NodeState.STOPPING,
            NodeState.STOPPED,
        ]
        assert watched.node.pid is None

    run(work)


def test_a_node_has_a_process_group_of_its_own(tmp_path: Path) -> None:
    async def work() -> None:
        watched = Watched(tmp_path, READY)
        watched.node.start()
        pid = watched.node.pid
        assert pid is not None
        assert os.getpgid(pid) == pid != os.getpgid(0)
        await watched.node.stop()

    run(work)


def test_a_killed_node_is_killed_and_can_be_run_again(tmp_path: Path) -> None:
    async def work() -> None:
        watched = Watched(tmp_path, READY)
        watched.node.start()
        await watched.becomes(NodeState.RUNNING)
        first = watched.node.pid
        watched.node.kill()
        await watched.becomes(NodeState.KILLED)
        assert watched.node.pid is None
        await watched.node.restart()
        await watched.becomes(NodeState.RUNNING)
        assert watched.node.pid != first
        await watched.node.stop()

    run(work)


def test_a_paused_node_does_nothing_until_it_goes_on_and_stops_all_the_same(tmp_path: Path) -> None:
    async def work() -> None:
        watched = Watched(tmp_path, READY)
        watched.node.start()
        await watched.becomes(NodeState.RUNNING)
        watched.node.pause()
        watched.node.go_on()
        watched.node.pause()
        await watched.node.stop()
        assert watched.states[2:] == [
            NodeState.PAUSED,
            NodeState.RUNNING,
            NodeState.PAUSED,
            NodeState.STOPPING,
            NodeState.STOPPED,
        ]

    run(work)


def test_a_node_that_is_paused_before_it_is_ready_goes_on_starting(tmp_path: Path) -> None:
    async def work() -> None:
        watched = Watched(tmp_path, SILENT)
        watched.node.start()
        watched.node.pause()
        watched.node.go_on()
        assert watched.node.state is NodeState.STARTING
        watched.node.kill()
        await watched.becomes(NodeState.KILLED)

    run(work)


def test_who_does_not_stop_in_time_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_processes, "STOP_SECONDS_MAX", 0.01)

    async def work() -> None:
        nodes = [Watched(tmp_path, STUBBORN, number) for number in (1, 2)]
        for watched in nodes:
            watched.node.start()
            await watched.becomes(NodeState.RUNNING)
        await stop_all([watched.node for watched in nodes])
        assert [watched.node.state for watched in nodes] == [NodeState.KILLED] * 2

    run(work)


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("import sys; sys.exit(3)", "ended with exit code 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "ended by SIGKILL"),
        (
            "import sys; sys.exit('Error: the disk is full [COC-X]\\n  → make room')",
            "the disk is full [COC-X]",
        ),
        (
            'import sys; sys.exit(\'{"level": "error", "message": "it broke"}\\n{"level": "info"}\')',
            "it broke",
        ),
        ("raise ValueError('odd')", "ValueError: odd"),
        (f"import sys; sys.exit('Error: long ago' + '\\n' * {NODE_LOG_TAIL_BYTES_MAX})", "exit code 1"),
    ],
)
def test_a_node_that_ends_by_itself_says_why(tmp_path: Path, program: str, why: str) -> None:
    async def work() -> None:
        watched = Watched(tmp_path, program)
        watched.node.start()
        await watched.becomes(NodeState.FAILED)
        assert why in watched.node.why

    run(work)


def test_errors_of_an_earlier_run_are_not_told_again(tmp_path: Path) -> None:
    async def work() -> None:
        watched = Watched(tmp_path, "import sys; sys.exit(4)")
        watched.log.write_text("Error: of yesterday\n")
        watched.node.start()
        await watched.becomes(NodeState.FAILED)
        assert watched.node.why == "ended with exit code 4"

    run(work)


def test_a_node_for_which_there_is_no_process_has_failed_and_says_why(tmp_path: Path) -> None:
    async def work() -> None:
        watched = Watched(tmp_path, READY, starter=Barren())
        watched.node.start()
        assert watched.states == [NodeState.FAILED]
        assert (watched.node.is_alive, watched.node.why) == (
            False,
            "no process can be made: there are too many",
        )
        await watched.node.stop()
        assert watched.states == [NodeState.FAILED]

    run(work)


def test_the_end_of_a_node_counts_as_a_kill_where_nobody_knows_its_exit_code(tmp_path: Path) -> None:
    class Forgetful(Programs):
        def wait(self, pid: int) -> int:
            super().wait(pid)
            return Barren().wait(pid)

    async def work() -> None:
        watched = Watched(tmp_path, "", starter=Forgetful())
        watched.node.start()
        await watched.becomes(NodeState.FAILED)
        assert watched.node.why == "ended by SIGKILL"

    run(work)


def test_ports_that_are_free_differ_and_can_be_listened_on() -> None:
    ports = free_ports(8)
    assert len(set(ports)) == 8
    for port in ports:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", port))


# ── The leash ───────────────────────────────────────────────────────────────────────────────────────────────

CHILD = """
import os, signal, sys
from coc.adapters.leash import end_with
end_with(os.getppid())
print(os.getpid(), flush=True)
signal.pause()
"""
PARENT = f"""
import signal, subprocess, sys
subprocess.Popen([sys.executable, "-c", {CHILD!r}])
signal.pause()
"""


def parent_of_one(sent_to_child: Sequence[signal.Signals]) -> bytes:
    """Kill a parent −9 once its child is bound; what is left to read when the child has ended too."""
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        for number in sent_to_child:
            os.kill(child, number)
        parent.kill()
        return parent.stdout.read()  # the end comes when nobody holds the pipe any more


def test_a_bound_process_ends_when_its_parent_is_killed() -> None:
    assert parent_of_one([]) == b""


def test_a_bound_process_ends_with_its_parent_even_where_it_is_stopped_or_deaf() -> None:
    assert parent_of_one([signal.SIGSTOP]) == b""


def test_a_process_whose_parent_is_another_ends_at_once() -> None:
    program = "import os; from coc.adapters.leash import end_with; end_with(os.getppid() + 1); print('alive')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, b"")
