"""Some lives of a node's files on a simulated disk, drawn from a seed: chain, log, write-ahead log, mark.

As a program it prints the digest of what a seed leaves, so that processes can be compared.
"""

from __future__ import annotations

import sys
from random import Random
from typing import Any

from coc._native import Chain, Mark, SimDisk, StorageFailed, Wal
from coc.primitives.secp256k1 import Secret, address_of
from tests.adapters.sealed_chain import STRANGER, VALIDATOR, SealedChain

FOLDER = "/validator"
LIVES = 5
BLOCKS_A_LIFE_MAX = 5
TRANSFERS_MAX = 80
"""More than one thread's share of every parallel part."""


class SimulatedLives:
    """One machine's disk, and what is open on it in this life."""

    def __init__(self, seed: int) -> None:
        """Open everything for the first time."""
        self.dice = Random(seed)
        self.disk = SimDisk(seed)
        self.sealed = SealedChain()
        self.chain: Any
        self.wal: Wal
        self.mark: Mark
        self.start()

    def start(self) -> None:
        """Begin a life with what the disk holds."""
        genesis = self.sealed.genesis.text
        self.chain = self.sealed.chain = Chain.open_simulated(genesis, self.disk, b"{}")
        self.wal = Wal.open(FOLDER, self.chain.genesis_hash, self.disk)
        self.mark = Mark.open(FOLDER, "signer.mark", self.disk)

    def grow(self) -> bytes:
        """One block, with what a validator writes for it; its hash."""
        transactions = [self.sealed.judged(raw) for raw in self.transfers()]
        record = self.sealed.build(transactions=transactions)
        self.wal.append_durable([record.block, b"intent"])
        self.mark.save(self.dice.randbytes(self.dice.randint(1, 300)))
        self.wal.append([b"signed"])
        self.sealed.decide(record)
        self.wal.begin_height()
        if self.dice.random() < 0.4:
            self.chain.flush()
        head: bytes = self.chain.head.hash
        return head

    def transfers(self) -> list[bytes]:
        """Transfers to as many accounts, from two."""
        raws = []
        for secret in (VALIDATOR, STRANGER):
            nonce = self.nonce_of(secret)
            raws += [
                self.sealed.transfer(nonce + index, secret, to=f"0x{self.dice.randbytes(20).hex()}")
                for index in range(self.dice.randint(0, TRANSFERS_MAX))
            ]
        return raws

    def nonce_of(self, secret: Secret) -> int:
        """The next nonce of a key."""
        nonce: int = self.chain.accounts(self.chain.head.hash, [address_of(secret)])[0][0]
        return nonce

    def live(self) -> None:
        """All lives, each ended by a power cut, sometimes in the middle of a call, or by a kill."""
        for _ in range(LIVES):
            if self.dice.random() < 0.5:
                self.disk.cut_power_after(self.dice.randint(0, 60))
            try:
                for _ in range(self.dice.randint(1, BLOCKS_A_LIFE_MAX)):
                    self.grow()
            except StorageFailed:
                self.disk.crash()
            else:
                self.disk.kill() if self.dice.random() < 0.3 else self.disk.crash()
            self.start()


def digest_after(seed: int) -> bytes:
    """What the lives of a seed leave on the disk."""
    lives = SimulatedLives(seed)
    lives.live()
    return lives.disk.digest()


if __name__ == "__main__":
    print(digest_after(int(sys.argv[1])).hex())
