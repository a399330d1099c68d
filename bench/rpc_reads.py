"""Reads a second over HTTP, 16 connections, side by side with anvil.

    bench/rpc_reads.py [--nodes coc,anvil] [--runs 5] [--scale 1.0] [--save FILE]

One fresh node a run. It holds a token, one block with 200 transfers and one with 200 logs. Measured:
eth_blockNumber, eth_getBalance, eth_call, a full block of 200 transactions, and eth_getLogs of 200 rows.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import generator
from command_line import options_of, show
from e2e_transfers import ARTIFACT, MINT_GAS, deploy_token
from nodes import ACCOUNTS, BenchFailed, RunningNode, machine, require, running
from side_by_side import Comparison, Figures, compare

ROWS = 200
"""Transactions of the large block, and logs of the large range."""
EMIT = "emitTransfers(uint256)"
BALANCE_OF = "balanceOf(address)"


@dataclass(frozen=True, slots=True)
class Question:
    """A figure's name, its request, and how many requests make one measurement of about two seconds."""

    name: str
    method: str
    params: list[object]
    count: int

    def body(self) -> dict[str, object]:
        """The JSON-RPC request."""
        return {"jsonrpc": "2.0", "id": 1, "method": self.method, "params": self.params}


def fill(node: RunningNode, transfers: Path) -> list[Question]:
    """Puts the state to be read on the chain and returns the questions about it."""
    artifact = json.loads(ARTIFACT.read_text())
    methods = artifact["methods"]
    deployer = node.rpc("eth_accounts")[ACCOUNTS - 1]
    token = deploy_token(node)
    emit = {"from": deployer, "to": token, "data": f"0x{methods[EMIT]}{ROWS:064x}", "gas": hex(MINT_GAS)}
    logs_block = node.mined(node.rpc("eth_sendTransaction", emit))["blockNumber"]
    node.await_next_block()
    generator.send(node, transfers, ROWS)
    full = largest_block(node)
    balance_of = f"0x{methods[BALANCE_OF]}{deployer[2:]:0>64}"
    one_block = {"address": token, "fromBlock": logs_block, "toBlock": logs_block}
    return [
        Question("eth_blockNumber/s", "eth_blockNumber", [], 40_000),
        Question("eth_getBalance/s", "eth_getBalance", [deployer, "latest"], 40_000),
        Question("eth_call/s", "eth_call", [{"to": token, "data": balance_of}, "latest"], 20_000),
        Question(f"block of {ROWS} transactions/s", "eth_getBlockByNumber", [full, True], 640),
        Question(f"getLogs of {ROWS}/s", "eth_getLogs", [one_block], 3_200),
    ]


def largest_block(node: RunningNode) -> str:
    """Number of the block that holds all transfers. Raises BenchFailed if they were spread over several."""
    counts: dict[str, int] = {}
    for at in range(int(node.rpc("eth_blockNumber"), 16) + 1):
        counts[hex(at)] = int(node.rpc("eth_getBlockTransactionCountByNumber", hex(at)), 16)
    number = max(counts, key=lambda at: counts[at])
    if counts[number] != ROWS:
        raise BenchFailed(f"{node.name}: the largest block holds {counts[number]} transactions, not {ROWS}")
    return number


def measure(name: str, transfers: Path, scale: float) -> Figures:
    """Requests a second, and the node's CPU time a request, for each question."""
    figures: dict[str, float] = {}
    with running(name) as node:
        for question in fill(node, transfers):
            count = max(generator.CONNECTIONS, int(question.count * scale))
            report = generator.read(node, question.body(), count)
            figures[question.name] = report["per_s"]
            figures[question.name.replace("/s", ": node CPU ms")] = report["node_cpu_ms"]
    return figures


def comparison(nodes: Sequence[str], runs: int, scale: float) -> Comparison:
    """The whole measurement; the last node is the reference. Raises BenchFailed."""
    require(nodes)
    generator.build()
    with tempfile.TemporaryDirectory(prefix="coc-bench-") as folder:
        transfers = Path(folder) / "transfers"
        generator.sign(transfers, ROWS, accounts=1)
        title = f"RPC reads, {generator.CONNECTIONS} connections"
        return compare(title, machine(), nodes, runs, lambda name: measure(name, transfers, scale))


def main() -> int:
    parser = options_of(__doc__, nodes="coc,anvil")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the number of requests")
    options = parser.parse_args()
    return show(lambda: comparison(options.nodes.split(","), options.runs, options.scale), options.save)


if __name__ == "__main__":
    sys.exit(main())
