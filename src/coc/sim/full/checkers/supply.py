"""Coins are conserved: what all accounts of a run hold, the burned base fee included, never grows."""

from __future__ import annotations

from coc.primitives.types import Address
from coc.primitives.votes import CommitCertificate
from coc.sim.full.validator import SimValidator
from coc.sim.full.watching import Checker, Violation


class NothingIsMinted(Checker):
    """Adds up the accounts that a run uses, now and then."""

    EVERY_BLOCKS = 5

    def __init__(self) -> None:
        """The sum is that of the first look."""
        self.accounts: tuple[Address, ...] = ()
        self.sum_wei: int | None = None
        self.height = 0

    def on_decided(self, node: SimValidator, certificate: CommitCertificate) -> None:
        """Compare with the sum before: fees may burn, nothing may appear."""
        if not self.accounts or certificate.height % self.EVERY_BLOCKS or certificate.height <= self.height:
            return
        self.height = certificate.height
        held = sum(balance for _, balance, _ in node.chain.accounts(certificate.block, list(self.accounts)))
        if self.sum_wei is not None and held > self.sum_wei:
            raise Violation(f"supply: {held - self.sum_wei} wei appeared before block {certificate.height}")
        self.sum_wei = held
