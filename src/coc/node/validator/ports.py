"""What a node of a BFT chain needs of the world, as narrow Protocols: chain handle, set reader, signer."""

from __future__ import annotations

from typing import Any, Protocol

from coc.primitives.frozen import frozen
from coc.primitives.seals import SignRequest
from coc.primitives.types import Address, Hash32, Height, Signature
from coc.primitives.validators import ValidatorSet


class BlockHeader(Protocol):
    """Facts of a known block, with what lies beside it."""

    @property
    def hash(self) -> bytes:
        """Its hash."""
        ...

    @property
    def parent_hash(self) -> bytes:
        """Its parent's."""
        ...

    @property
    def number(self) -> int:
        """Its height."""
        ...

    @property
    def timestamp(self) -> int:
        """In seconds."""
        ...

    @property
    def gas_limit(self) -> int:
        """Its own."""
        ...

    @property
    def coinbase(self) -> bytes:
        """Its fee recipient."""
        ...

    @property
    def mix_hash(self) -> bytes:
        """The chain's randomness after it."""
        ...

    @property
    def consensus_data(self) -> bytes:
        """As RLP."""
        ...

    @property
    def seal(self) -> bytes:
        """The certificate that decided it; empty for a candidate and for block 0."""
        ...


class BuiltBlock(Protocol):
    """A block that was built."""

    @property
    def hash(self) -> bytes:
        """Its hash."""
        ...

    @property
    def block_rlp(self) -> bytes:
        """Its bytes."""
        ...

    @property
    def refused(self) -> list[tuple[bytes, str, str]]:
        """Transactions that did not fit: hash, code, sentence."""
        ...


class ChainHandle(Protocol):
    """The native chain, as far as a validator uses it."""

    @property
    def genesis_hash(self) -> bytes:
        """Hash of block 0."""
        ...

    @property
    def head(self) -> BlockHeader:
        """The newest block."""
        ...

    def header(self, block: bytes) -> BlockHeader | None:
        """A known block's facts."""
        ...

    def block_rlp(self, block: bytes) -> bytes | None:
        """A known block's bytes."""
        ...

    def canonical_hash(self, number: int) -> bytes | None:
        """The block at a height."""
        ...

    def execute(self, block_rlp: bytes, consensus_data: bytes) -> bytes:
        """Validate and execute a block: its hash."""
        ...

    def build(
        self, parent: bytes, attributes_json: bytes, transactions: list[Any], time_budget_ms: int | None
    ) -> BuiltBlock:
        """Build a block."""
        ...

    def decide(self, block: bytes, seal: bytes, durable: bool = True) -> None:
        """Write a block into the log and make it the head."""
        ...

    def sync(self) -> None:
        """Make every decided block durable."""
        ...

    def accounts(self, block: bytes, addresses: list[bytes]) -> list[tuple[int, int, bool]]:
        """Nonce, balance and whether there is code, after a block."""
        ...

    def set_finalized(self, safe: bytes, finalized: bytes) -> None:
        """Name the final block."""
        ...

    def transaction_hashes(self, block: bytes) -> list[bytes]:
        """Of a block, in order."""
        ...

    def changed_accounts(self, block: bytes, addresses: list[bytes]) -> list[tuple[int, int, int, bool]]:
        """Those that a block changed."""
        ...

    def next_base_fee(self, block: bytes) -> int:
        """Of a block's child."""
        ...

    def next_blob_base_fee(self, block: bytes) -> int:
        """Of a block's child."""
        ...


class SetReader(Protocol):
    """Validators as the state after a block has them."""

    def validators(self, block: Hash32, height: Height) -> ValidatorSet:
        """set(height), read from the state after `block`, which fixes it."""
        ...

    def skipped(self, block: Hash32) -> frozenset[Address]:
        """Who is convicted in the state after `block`, so that it proposes nothing."""
        ...

    def can_convict(self, block: Hash32, validator: Address, height: Height) -> bool:
        """Whether evidence against a validator at a height counts in the state after `block`."""
        ...


@frozen
class Faults:
    """The chain's exceptions: about the block, about a block that is not known, about this machine."""

    invalid: type[Exception]
    unknown: type[Exception]
    storage: type[Exception]


class SignerPort(Protocol):
    """Who holds the consensus key."""

    def sign(self, request: SignRequest) -> Signature:
        """Sign, with the mark durable before.

        Raises:
            SigningRefusedError: the mark forbids it, or it could not be made durable.
        """
        ...

    def prove(self, alpha: bytes) -> bytes:
        """An ECVRF proof."""
        ...


class StaticSets:
    """The set that genesis names, for a chain without a registry: nobody joins, leaves or is convicted."""

    def __init__(self, validators: ValidatorSet) -> None:
        """`validators` holds at every height."""
        self._validators = validators

    def validators(self, block: Hash32, height: Height) -> ValidatorSet:
        """The one set."""
        del block, height
        return self._validators

    def skipped(self, block: Hash32) -> frozenset[Address]:
        """Nobody."""
        del block
        return frozenset()

    def can_convict(self, block: Hash32, validator: Address, height: Height) -> bool:
        """Never."""
        del block, validator, height
        return False
