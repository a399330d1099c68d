"""A process that writes a chain and does as it is told: `python -m tests.e2e.disk.writer DIR`.

Each line on standard input is an order; the answer is one line of JSON with what happened and where the chain
is.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from coc._native import Chain, StorageFailed
from tests.adapters.sealed_chain import SealedChain, genesis, rules_of

OPTIONS = {"reserve_bytes": 2 << 20, "log_segment_bytes": 256 << 10, "index_budget_bytes": 1 << 30}
"""Small enough that a test fills its disk in a moment."""
INPUT_BYTES = 40_000
"""Input of each transaction, so that a handful of blocks is a MiB."""


class Writer(SealedChain):
    """A chain with small segments whose blocks each hold one large transaction."""

    def __init__(self, folder: Path) -> None:
        self.genesis = genesis()
        self.chain: Any = Chain.open(self.genesis.text, str(folder), json.dumps(OPTIONS).encode())
        self.rules = rules_of(self.genesis, self.chain)

    def grow(self, blocks: int) -> None:
        """So many blocks more."""
        for _ in range(blocks):
            nonce = self.chain.head.number
            raw = self.transfer(nonce, input=f"0x{'01' * INPUT_BYTES}", gas=hex(5_000_000))
            self.decide(self.build(transactions=[self.judged(raw)]))

    def obey(self, order: str) -> None:
        """Carry out one order."""
        match order.split():
            case ["grow", count]:
                self.grow(int(count))
            case ["flush"]:
                self.chain.flush()
            case ["close"]:
                self.chain.close()
            case _:
                raise ValueError(order)

    def facts(self) -> dict[str, Any]:
        """Where the chain is, and how its head's state answers."""
        head = self.chain.head
        nonce, *_ = self.chain.account(head.hash, bytes.fromhex(self.sender()))
        return {"number": head.number, "hash": head.hash.hex(), "nonce": nonce}

    def sender(self) -> str:
        """Whose transactions they are, in hex."""
        accounts = json.loads(self.genesis.text)["alloc"]
        raw = self.judged(self.transfer(0))
        found: str = raw.sender.hex()
        assert any(found in address.lower() for address in accounts)
        return found


def main(folder: Path) -> None:
    """Open the chain, say how that went, and obey until the orders end."""
    try:
        writer = Writer(folder)
    except StorageFailed as error:
        _say({"failed": error.args[0], "out_of_space": error.args[1]})
        return
    _say({"recovered": json.loads(writer.chain.recovered), **writer.facts()})
    for order in sys.stdin:
        said: dict[str, Any] = {}
        try:
            writer.obey(order)
        except StorageFailed as error:
            said = {"failed": error.args[0], "out_of_space": error.args[1]}
        _say({**said, **writer.facts()})


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
