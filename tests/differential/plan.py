"""Plans: what a random case shall contain, before anything was executed.

A plan is frozen data and independent of results: nonces are counted from what the account has, fees from what
the block costs, timestamps from the parent. Therefore a plan stays meaningful when the shrinker takes parts
out of it. All amounts are wei or gas, all times seconds, all ids raw bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

from .networks import Fork, Network

MAX_UINT256 = 2**256 - 1
MAX_UINT64 = 2**64 - 1
CHAIN_ID = 1
"""Chain id of every fixture, as in the public test suites."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the pre-state."""

    balance: int = 0
    nonce: int = 0
    code: bytes = b""
    storage: tuple[tuple[int, int], ...] = ()

    @property
    def is_empty(self) -> bool:
        """Empty in the sense of EIP-161."""
        return self.balance == 0 and self.nonce == 0 and not self.code


@dataclass(frozen=True, slots=True)
class Authorization:
    """An EIP-7702 authorization. ``nonce_shift`` counts from the authority's nonce before its transaction."""

    signer: int
    address: bytes
    chain_id: int = CHAIN_ID
    nonce_shift: int = 0
    flaw: str = ""
    """One of ``""``, ``"high_s"``, ``"zero_r"``, ``"bad_parity"``."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction of any type before signing."""

    secret: int
    kind: int
    """EIP-2718 type, 0 to 4."""

    gas_limit: int
    to: bytes
    """Twenty bytes, or none for a creation."""

    value: int = 0
    data: bytes = b""
    nonce_shift: int = 0
    """Added to the sender's nonce; anything but 0 makes the transaction invalid."""

    nonce_fixed: int | None = None
    fee_surplus: int = 0
    """Fee cap (or gas price) less the block's base fee."""

    tip: int = 0
    access_list: tuple[tuple[bytes, tuple[int, ...]], ...] = ()
    blob_hashes: tuple[bytes, ...] = ()
    blob_fee_surplus: int = 0
    authorizations: tuple[Authorization, ...] = ()
    chain_id: int | None = CHAIN_ID
    """None leaves a legacy transaction unprotected, as before EIP-155."""

    flaw: str = ""
    """One of ``""``, ``"high_s"``, ``"zero_r"``, ``"huge_r"``, ``"bad_parity"``, ``"unknown_type"``,
    ``"null_to"``."""


@dataclass(frozen=True, slots=True)
class Ommer:
    """A header that lost: child of the ancestor ``depth`` + 1 generations above the including block."""

    depth: int
    coinbase: bytes
    flaw: str = ""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """An EIP-4895 withdrawal; the amount is in gwei."""

    index: int
    validator: int
    address: bytes
    amount_gwei: int


@dataclass(frozen=True, slots=True)
class Block:
    """A block before execution. ``faults`` names mutations that are tried as siblings before it."""

    coinbase: bytes
    seconds: int
    """Time after the parent."""

    back: int = 0
    """Generations above the block before this one; anything but 0 begins a branch."""

    gas_limit_shift: int = 0
    """Change against the parent, in 1024ths of the largest step allowed (-1023 to 1023)."""

    extra_data: bytes = b""
    random: bytes = bytes(32)
    beacon_root: bytes = bytes(32)
    transactions: tuple[Transaction, ...] = ()
    ommers: tuple[Ommer, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Genesis:
    """Header values of block 0 that may be chosen."""

    gas_limit: int
    timestamp: int = 0
    difficulty: int = 0x20000
    base_fee: int = 7
    excess_blob_gas: int = 0
    blob_gas_used: int = 0
    gas_used: int = 0


@dataclass(frozen=True, slots=True)
class Chain:
    """A whole blockchain test."""

    name: str
    network: Network
    genesis: Genesis
    accounts: tuple[tuple[bytes, Account], ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Environment:
    """Block values around a state test."""

    coinbase: bytes
    number: int
    timestamp: int
    gas_limit: int
    difficulty: int
    random: bytes
    base_fee: int
    excess_blob_gas: int


@dataclass(frozen=True, slots=True)
class StateCase:
    """A state test: one transaction in one environment under several forks, with variants of three fields."""

    name: str
    forks: tuple[Fork, ...]
    accounts: tuple[tuple[bytes, Account], ...]
    environment: Environment
    transaction: Transaction
    datas: tuple[bytes, ...]
    gas_limits: tuple[int, ...]
    values: tuple[int, ...]
