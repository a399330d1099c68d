"""Every block leads to the same accounts everywhere, and its transactions, and no others, have run."""

from __future__ import annotations

from coc.node.rotation.effects import RecordBlock
from coc.primitives.types import Hash32
from coc.sim.full.network import CLIENTS, client_address
from coc.sim.full.watching import Violation
from coc.sim.rotation_full.node import SimRotationNode
from coc.sim.rotation_full.watching import Checker

Accounts = tuple[tuple[int, int, bool], ...]


class OneStateABlock(Checker):
    """Asks each node for the accounts of the clients after each block that it writes."""

    def __init__(self) -> None:
        """No state was seen."""
        self.after: dict[Hash32, Accounts] = {}
        self.run: dict[bytes, int] = {}

    def on_recorded(self, node: SimRotationNode, wish: RecordBlock) -> None:
        """Compare with what others found, and the nonces with the number of transactions."""
        block = wish.hash
        header = node.chain.header(block)
        if not node.is_honest or header is None:
            return
        clients: list[bytes] = [client_address(index) for index in range(CLIENTS)]
        found = tuple(node.chain.accounts(block, clients))
        if self.after.setdefault(block, found) != found:
            raise Violation(f"state: node {node.position} has other accounts after block {header.number}")
        before = self.run.get(header.parent_hash, 0)
        self.run[block] = before + (node.chain.transaction_count(block) or 0)
        if sum(nonce for nonce, _, _ in found) != self.run[block]:
            raise Violation(
                f"state: transactions of block {header.number} have not run as often as they stand"
            )
        if sum(balance for _, balance, _ in found) > self._balance_before(node, header.parent_hash, clients):
            raise Violation(f"state: coins appeared in block {header.number}")

    @staticmethod
    def _balance_before(node: SimRotationNode, parent: bytes, clients: list[bytes]) -> int:
        return sum(balance for _, balance, _ in node.chain.accounts(parent, clients))
