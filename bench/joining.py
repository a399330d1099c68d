"""A fifth node joins a running network and fetches every block: sync by replay.

The clock starts when the node says that it is ready, so it has meeting its peers in it, and ends when it
shows the height that the network had at that moment.
"""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path

from nodes import COC, BenchFailed
from validator_network import OURS, POLL_SECONDS, WAIT_SECONDS_MAX, Network, Node, stop

PORT = 19_555
BYTES_PER_MB = 1_000_000


def figures(net: Network, folder: Path) -> dict[str, float]:
    """Speeds of the fifth node, which asks the first one for the genesis."""
    ready = net.facts[0]
    command = [
        str(COC), "node", "--join", str(ready["wire"]), "--genesis-hash", str(ready["genesisHash"]),
        "--data", str(folder), "--port", str(PORT), "--listen", "127.0.0.1:0", "--json",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        if process.stdout is None or not process.stdout.readline():
            raise BenchFailed("the fifth node ended before it was ready; its words are above")
        began = time.monotonic()
        goal = net.nodes[0].height()
        seconds = _reach(goal) - began
    finally:
        stop(process)
    size_mb = sum(_size_bytes(net.nodes[0], height) for height in range(1, goal + 1)) / BYTES_PER_MB
    return {
        "sync by replay: blocks/s": goal / seconds,
        "sync by replay: MB/s": size_mb / seconds,
        "sync by replay: MB a block": size_mb / goal,
    }


def _reach(height: int) -> float:
    node = Node(PORT, OURS)
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    pause = threading.Event()
    while node.height() < height:
        if time.monotonic() > deadline:
            raise BenchFailed(f"the fifth node came to {node.height()} of {height} blocks")
        pause.wait(POLL_SECONDS)
    return time.monotonic()


def _size_bytes(node: Node, height: int) -> int:
    return int(node.ask("eth_getBlockByNumber", (hex(height), False))["size"], 16)
