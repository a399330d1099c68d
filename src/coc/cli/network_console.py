"""The live view of a network in a terminal: what the nodes say, again and again, and keys to act on them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Final

from rich.console import Console, RenderableType
from rich.live import Live

from coc.adapters.node_processes import NodeProcess, NodeState
from coc.adapters.node_readings import NodeReader, Reading
from coc.cli.keyboard import DOWN, UP, keyboard
from coc.cli.network_view import Row, network_view

LOOK_SECONDS: Final = 0.5
"""Between two questions to a node: twice a block of the shortest interval, and little beside its work."""


class NetworkConsole:
    """Asks, draws, and does what keys say."""

    def __init__(self, stop: asyncio.Event) -> None:
        """`stop` is set by the key that quits."""
        self._stop = stop
        self._nodes: Sequence[NodeProcess] = ()
        self._readings: dict[int, Reading] = {}
        self._silent: set[int] = set()
        self._chosen: int | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._exits = ExitStack()
        self._live: Live | None = None

    def open(self, nodes: Sequence[NodeProcess]) -> None:
        """Take the terminal."""
        self._nodes = nodes
        if self._exits.enter_context(keyboard(self._on_key)):
            self._chosen = nodes[0].number
        threads = ThreadPoolExecutor(len(nodes), thread_name_prefix="reading")
        self._exits.callback(threads.shutdown, wait=False, cancel_futures=True)
        self._live = Live(self._view(), console=Console(highlight=False), auto_refresh=False)
        self._exits.enter_context(self._live)
        for node in nodes:
            self._spawn(self._follow(node, threads))

    def on_change(self, node: NodeProcess) -> None:
        """Show it at once."""
        self._silent.discard(node.number)
        self._draw()

    def close(self) -> None:
        """Give the terminal back; the last picture stays."""
        for task in self._tasks:
            task.cancel()
        self._draw()
        self._exits.close()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _follow(self, node: NodeProcess, threads: ThreadPoolExecutor) -> None:
        """Ask a node as long as the view is there."""
        reader: NodeReader | None = None
        while True:
            if node.state is NodeState.RUNNING:
                if reader is None or reader.url != node.rpc:
                    reader = NodeReader(node.rpc, threads)
                self._on_reading(node, await reader.read())
            await asyncio.sleep(LOOK_SECONDS)

    def _on_reading(self, node: NodeProcess, reading: Reading | None) -> None:
        if node.state is not NodeState.RUNNING:  # it was ended while it was asked
            return
        if reading is None:
            self._silent.add(node.number)
        else:
            self._silent.discard(node.number)
            self._readings[node.number] = reading
        self._draw()

    # ── Keys ────────────────────────────────────────────────────────────────────────────────────────────────

    def _on_key(self, key: str) -> None:
        numbers = [node.number for node in self._nodes]
        if key == "q":
            self._stop.set()
        elif key.isdecimal() and int(key) in numbers:
            self._chosen = int(key)
        elif key in {UP, DOWN} and self._chosen is not None:
            place = numbers.index(self._chosen) + (1 if key == DOWN else -1)
            self._chosen = numbers[place % len(numbers)]
        elif self._chosen is not None and not self._stop.is_set():
            self._act(key, self._nodes[numbers.index(self._chosen)])
        self._draw()

    def _act(self, key: str, node: NodeProcess) -> None:
        actions: dict[str, Callable[[], None]] = {
            "k": node.kill,
            "p": node.go_on if node.state is NodeState.PAUSED else node.pause,
            "r": lambda: self._spawn(node.restart()),
        }
        if key in actions:
            actions[key]()

    # ── Drawing ─────────────────────────────────────────────────────────────────────────────────────────────

    def _draw(self) -> None:
        if self._live is None:
            return
        try:
            self._live.update(self._view(), refresh=True)
        except OSError:  # the terminal is gone; the nodes are stopped in order by the signal that says so
            self._live = None

    def _view(self) -> RenderableType:
        rows = [
            Row(
                node.number,
                node.state,
                node.pid,
                node.rpc,
                self._readings.get(node.number),
                is_silent=node.number in self._silent,
                why=node.why,
            )
            for node in self._nodes
        ]
        return network_view(rows, None if self._stop.is_set() else self._chosen)
