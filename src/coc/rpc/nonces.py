"""Which nonce a transaction sent through an unlocked account gets when several are under way at once.

Between the choice of a nonce and the admission to the pool other requests of the same account may come; each
takes the next free one. A nonce is given back when its transaction has been admitted (the pool counts it
then) or refused.
"""

from __future__ import annotations


class NonceBook:
    """Nonces given out and not yet settled, by account; empty when no request is under way."""

    __slots__ = ("_taken",)

    def __init__(self) -> None:
        """Nothing is taken."""
        self._taken: dict[bytes, set[int]] = {}

    def take(self, address: bytes, lowest: int) -> int:
        """The first nonce from `lowest` that nobody has; it stays taken until given back."""
        taken = self._taken.setdefault(address, set())
        nonce = lowest
        while nonce in taken:
            nonce += 1
        taken.add(nonce)
        return nonce

    def give_back(self, address: bytes, nonce: int) -> None:
        """The transaction with that nonce has been admitted or refused."""
        taken = self._taken.get(address, set())
        taken.discard(nonce)
        if not taken:
            self._taken.pop(address, None)
