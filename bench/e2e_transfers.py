"""End to end over HTTP: signed transfers in, receipts out, side by side with anvil.

    bench/e2e_transfers.py [--nodes coc,coc-disk,anvil] [--runs 5] [--count 20000] [--save FILE]

Each run starts a fresh node with 1 s blocks and a gas limit that is no cap. A hundred accounts send ether and
ERC-20 tokens, signed before the clock starts, over 16 keep-alive connections, singly and in batches of 50. A
load begins just after a block, for every node alike.
Accepted: until the last answer. Included: until the block with the last transaction is seen. A run in which
anything is refused, missing or failed is no result.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import generator
from command_line import options_of, show
from nodes import ACCOUNTS, CHECKOUT, BenchFailed, RunningNode, machine, require, running
from side_by_side import Comparison, Figures, compare

ARTIFACT = CHECKOUT / "tests" / "e2e" / "contracts" / "artifacts" / "Token.json"
DEPLOY_GAS = 3_000_000
MINT_GAS = 10_000_000
BATCHES = (1, 50)
TOKENS_EACH = 10**18
MINT = "mintEach(address[],uint256)"


@dataclass(frozen=True, slots=True)
class Loads:
    """Files of signed transactions, the same for every node and run."""

    transfers: Path
    tokens: Path


def deploy_token(node: RunningNode) -> str:
    """Deploys the token from the last account, gives every signer some, and returns the token's address.

    The deployer's nonce is 0 on a fresh chain, so the address is the same on every node.
    """
    accounts = node.rpc("eth_accounts")
    deployer, signers = accounts[ACCOUNTS - 1], accounts[: ACCOUNTS - 1]
    artifact = json.loads(ARTIFACT.read_text())
    code = artifact["bytecode"] + "00" * 32
    created = node.rpc("eth_sendTransaction", {"from": deployer, "data": code, "gas": hex(DEPLOY_GAS)})
    token: str = node.mined(created)["contractAddress"]
    call = mint_call(artifact["methods"][MINT], signers)
    mint = {"from": deployer, "to": token, "data": call, "gas": hex(MINT_GAS)}
    receipt = node.mined(node.rpc("eth_sendTransaction", mint))
    if receipt["status"] != "0x1":
        raise BenchFailed(f"{node.name}: minting failed: {receipt}")
    return token


def mint_call(selector: str, holders: list[str]) -> str:
    """Calldata of `mintEach(holders, TOKENS_EACH)`."""
    words = [64, TOKENS_EACH, len(holders), *(int(holder, 16) for holder in holders)]
    return "0x" + selector + "".join(f"{word:064x}" for word in words)


def measure(name: str, loads: Loads) -> Figures:
    """All figures of one node: start, idle memory, then each load on a fresh chain."""
    figures: dict[str, float] = {}
    starts: list[float] = []
    for kind, path in (("transfer", loads.transfers), ("ERC-20", loads.tokens)):
        for batch in BATCHES:
            with running(name) as node:
                starts.append(node.first_answer_s)
                figures.setdefault("memory idle, MiB", node.rss_mib())
                if kind == "ERC-20":
                    deploy_token(node)
                node.await_next_block()
                report = generator.send(node, path, batch)
                label = f"{kind}, {'single' if batch == 1 else f'batch of {batch}'}"
                figures[f"{label}: accepted/s"] = report["accepted_per_s"]
                figures[f"{label}: included/s"] = report["included_per_s"]
                figures[f"{label}: node CPU ms/tx"] = report["node_cpu_ms_per_tx"]
                figures[f"{label}: generator CPU ms/tx"] = report["generator_cpu_ms_per_tx"]
                figures[f"{label}: memory after, MiB"] = node.rss_mib()
    return {"first answer, s": statistics.median(starts), **figures}


def prepare(folder: Path, count: int, node_name: str) -> Loads:
    """Signs both loads; the token's address is learned from a node that deploys it."""
    generator.build()
    with running(node_name, block_time_s=None) as node:
        token = deploy_token(node)
    loads = Loads(folder / "transfers", folder / "tokens")
    generator.sign(loads.transfers, count)
    generator.sign(loads.tokens, count, token)
    return loads


def comparison(nodes: Sequence[str], runs: int, count: int) -> Comparison:
    """The whole measurement; the last node is the reference. Raises BenchFailed."""
    require(nodes)
    with tempfile.TemporaryDirectory(prefix="coc-bench-") as folder:
        loads = prepare(Path(folder), count, nodes[-1])
        title = f"End to end, {count:,} transactions, 1 s blocks"
        return compare(title, machine(), nodes, runs, lambda name: measure(name, loads))


def main() -> int:
    parser = options_of(__doc__, nodes="coc,coc-disk,anvil")
    parser.add_argument("--count", type=int, default=20_000, help="transactions a load")
    options = parser.parse_args()
    return show(lambda: comparison(options.nodes.split(","), options.runs, options.count), options.save)


if __name__ == "__main__":
    sys.exit(main())
