"""A fifth node joins a running network and fetches every block: sync by replay.

It is asked for its height until it has the one that the network had when it was ready. Meeting its peers, up
to the first block that it shows, is a figure of its own; speeds are those of the blocks after that one.
"""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path

from nodes import COC, BenchFailed, stop
from validator_network import OURS, POLL_SECONDS, WAIT_SECONDS_MAX, Network, Node

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
        ready_s = time.monotonic()
        goal = net.nodes[0].height()
        node = Node(PORT, OURS)
        first_s, first = _reach(node, 1)
        last_s, last = _reach(node, goal)
    finally:
        stop(process)
    if last == first:
        raise BenchFailed("the fifth node had all blocks at once: there are too few to take a speed of")
    blocks = [
        net.nodes[0].ask("eth_getBlockByNumber", (hex(height), False))
        for height in range(first + 1, last + 1)
    ]
    seconds = last_s - first_s
    return {
        "sync by replay: ready to first block, s": first_s - ready_s,
        "sync by replay: blocks/s": len(blocks) / seconds,
        "sync by replay: transactions/s": sum(len(block["transactions"]) for block in blocks) / seconds,
        "sync by replay: MB/s": sum(int(block["size"], 16) for block in blocks) / BYTES_PER_MB / seconds,
    }


def _reach(node: Node, height: int) -> tuple[float, int]:
    """When it showed this height, and which it showed."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    pause = threading.Event()
    while (shown := node.height()) < height:
        if time.monotonic() > deadline:
            raise BenchFailed(f"the fifth node came to {shown} of {height} blocks")
        pause.wait(POLL_SECONDS)
    return time.monotonic(), shown
