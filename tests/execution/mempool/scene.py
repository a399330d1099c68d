"""A small language for mempool scenarios: named senders, transactions by fee and nonce, one pool to drive."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

from coc.execution.mempool.admission import PoolLimits
from coc.execution.mempool.effects import Effect
from coc.execution.mempool.inputs import (
    RUNS_NOW,
    Account,
    Candidate,
    Head,
    HeadChanged,
    JournalFailed,
    Judged,
    Origin,
    Submit,
    Verdict,
)
from coc.execution.mempool.pool import Mempool
from coc.primitives.types import Address, Hash32, Height, Millis

GWEI = 10**9
RICH = 10**24
ALICE = Address(b"alice".ljust(20, b"\0"))
BOB = Address(b"bob".ljust(20, b"\0"))
CAROL = Address(b"carol".ljust(20, b"\0"))

_serial = count(1)


@dataclass(frozen=True, slots=True)
class Tx:
    """A decoded transaction as the native module would hand it over."""

    sender: Address
    nonce: int
    max_fee_per_gas: int = 10 * GWEI
    max_priority_fee_per_gas: int = GWEI
    gas_limit: int = 21_000
    value: int = 0
    max_fee_per_blob_gas: int = 0
    blob_count: int = 0
    authorities: tuple[bytes, ...] = ()
    size: int = 110
    to: bytes | None = None
    serial: int = field(default_factory=lambda: next(_serial))

    @property
    def hash(self) -> Hash32:
        return Hash32(self.serial.to_bytes(32, "big"))

    @property
    def raw(self) -> bytes:
        return b"raw" + self.hash

    def json(self) -> bytes:
        return b"{}"

    @property
    def max_cost(self) -> int:
        return (
            self.value
            + self.gas_limit * self.max_fee_per_gas
            + (self.blob_count << 17) * self.max_fee_per_blob_gas
        )


def head_at(
    height: int, *, base_fee: int = GWEI, blob_base_fee: int = 1, gas_limit: int = 30_000_000
) -> Head:
    return Head(Hash32(height.to_bytes(32, "big")), Height(height), base_fee, blob_base_fee, gas_limit)


class Scene:
    """A pool, the accounts its shell would read, and short ways to speak to it."""

    def __init__(self, bounds: PoolLimits | None = None, *, has_journal: bool = True) -> None:
        self.pool = Mempool(head_at(0), bounds or PoolLimits(), has_journal=has_journal)
        self.accounts: dict[Address, Account] = {}

    def account_of(self, address: Address) -> Account:
        return self.accounts.get(address, Account(0, RICH))

    def candidate(self, tx: Tx, verdict: Verdict = RUNS_NOW) -> Candidate:
        return Candidate(tx, verdict, self.account_of(tx.sender))

    def submit(self, *txs: Tx, origin: Origin = Origin.LOCAL, verdict: Verdict = RUNS_NOW) -> list[Effect]:
        candidates = [self.candidate(tx, verdict) for tx in txs]
        return self.pool.step(Millis(0), Submit(self.pool.head.hash, origin, candidates))

    def move_head(
        self,
        *,
        changed: dict[Address, Account] | None = None,
        included: tuple[Tx, ...] = (),
        orphaned: tuple[Tx, ...] = (),
        head: Head | None = None,
        rules_changed: bool = False,
    ) -> list[Effect]:
        self.accounts.update(changed or {})
        event = HeadChanged(
            head or head_at(self.pool.head.height + 1),
            changed or {},
            [tx.hash for tx in included],
            [self.candidate(tx) for tx in orphaned],
            rules_changed,
        )
        return self.pool.step(Millis(0), event)

    def judge(self, *verdicts: tuple[Tx, Verdict]) -> list[Effect]:
        return self.pool.step(
            Millis(0), Judged(self.pool.head.hash, [(tx.hash, verdict) for tx, verdict in verdicts])
        )

    def fail_journal(self) -> list[Effect]:
        return self.pool.step(Millis(0), JournalFailed("no space left on device"))

    def waiting(self) -> set[bytes]:
        return set(self.pool._holdings.by_hash)
