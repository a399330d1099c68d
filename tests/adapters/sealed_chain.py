"""A chain of ours whose blocks a test makes one by one: rightly, or with one thing wrong."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from coc._native import Chain, sign_transaction
from coc.adapters.chain_files import SealedHeader, SealedRecord
from coc.consensus.rotation.slots import RotationRules
from coc.execution.dev_genesis import DevGenesis, dev_genesis
from coc.execution.genesis import Genesis, read_genesis
from coc.primitives import rlp
from coc.primitives.consensus_data import ConsensusData
from coc.primitives.keccak import keccak256
from coc.primitives.mnemonic import DEV_MNEMONIC, dev_secrets
from coc.primitives.seals import Seal, SignRequest, Step
from coc.primitives.secp256k1 import Secret, address_of, public_key_of, sign
from coc.primitives.types import Address, Hash32, Height
from coc.primitives.validators import Validator, ValidatorSet

VALIDATOR, STRANGER = dev_secrets(DEV_MNEMONIC, 2)
GENESIS_TIME_S = 1_700_000_000
INTERVAL_S = 2
"""Two seconds, so that a timestamp can rise and still lie in its parent's slot."""


def validator_of(secret: Secret) -> Validator:
    """A validator whose every key is this one."""
    key = public_key_of(secret)
    return Validator(address_of(secret), key, key, 1, address_of(secret))


def genesis(
    *, interval_s: int = INTERVAL_S, timestamp: int = GENESIS_TIME_S, chain_id: int = 31_337
) -> Genesis:
    """A development chain with one validator."""
    chosen = DevGenesis(
        accounts=[address_of(VALIDATOR), address_of(STRANGER)],
        validator=validator_of(VALIDATOR),
        chain_id=chain_id,
        block_interval_s=interval_s,
        timestamp=timestamp,
    )
    return read_genesis(dev_genesis(chosen))


def rules_of(made: Genesis, chain: Chain) -> RotationRules:
    """The rules of a rotation chain."""
    assert made.coc is not None
    return RotationRules(
        Hash32(chain.genesis_hash), made.timestamp, made.coc.block_interval_s, made.coc.validators
    )


class SealedChain:
    """A chain and its validator."""

    def __init__(self, folder: Path | None = None, made: Genesis | None = None) -> None:
        self.genesis = made or genesis()
        self.chain: Any = Chain.open(self.genesis.text, None if folder is None else str(folder), b"{}")
        self.rules = rules_of(self.genesis, self.chain)

    def data(self, timestamp_s: int, **changed: Any) -> ConsensusData:
        """The consensus data of the next block, with these fields changed."""
        slot = self.rules.slot_at(timestamp_s)
        fields: dict[str, Any] = {
            "parent_certificate": self.chain.head.seal,
            "proposer": self.rules.proposer(slot).id,
            "original_round": slot,
            "validators": self.rules.validators,
            "next_validators": self.rules.validators,
        }
        return ConsensusData(**fields | changed)

    def next_time(self) -> int:
        """The first timestamp that the next block may have."""
        return self.rules.earliest(self.chain.head.timestamp)

    def build(
        self,
        *,
        timestamp_s: int | None = None,
        data: ConsensusData | None = None,
        coinbase: Address | None = None,
        transactions: Iterable[Any] = (),
    ) -> SealedRecord:
        """A block on the head that the native core holds for valid, sealed by the validator."""
        timestamp = self.next_time() if timestamp_s is None else timestamp_s
        encoded = (data or self.data(timestamp)).encode()
        attributes = {
            "timestamp": timestamp,
            "coinbase": f"0x{(coinbase or address_of(VALIDATOR)).hex()}",
            "gas_limit_target": self.chain.head.gas_limit,
            "consensus_data": f"0x{encoded.hex()}",
        }
        head = self.chain.head.hash
        built = self.chain.build(head, json.dumps(attributes).encode(), list(transactions), None)
        return SealedRecord(built.block_rlp, encoded, self.seal(built.hash, timestamp))

    def seal(self, block: bytes, timestamp_s: int, secret: Secret = VALIDATOR, **changed: Any) -> bytes:
        """A seal of a block on the head."""
        slot: int = changed.get("slot", self.rules.slot_at(timestamp_s))
        height = Height(self.chain.head.number + 1)
        genesis_hash = changed.get("genesis_hash", self.rules.genesis_hash)
        request = SignRequest(genesis_hash, height, slot, Step.PROPOSAL, Hash32(block))
        return Seal(slot, sign(secret, request.digest())).encode()

    def decide(self, record: SealedRecord) -> SealedRecord:
        """Make a block the head."""
        hash_ = hash_of(record.block)
        self.chain.execute(record.block, record.consensus_data)
        self.chain.decide(hash_, record.seal)
        self.chain.set_finalized(hash_, hash_)
        return record

    def extend(self, blocks: int = 1, transactions: Iterable[Any] = ()) -> list[SealedRecord]:
        """So many good blocks more, the first with these transactions."""
        records = []
        for _ in range(blocks):
            records.append(self.decide(self.build(transactions=transactions)))
            transactions = ()
        return records

    def transfer(self, nonce: int, secret: Secret = VALIDATOR, **fields: str) -> bytes:
        """A signed transfer of one wei."""
        unsigned = {
            "type": "0x2",
            "chainId": hex(self.chain.chain_id),
            "nonce": hex(nonce),
            "to": f"0x{'11' * 20}",
            "value": "0x1",
            "gas": hex(21_000),
            "maxFeePerGas": hex(10**11),
            "maxPriorityFeePerGas": hex(10**9),
            "input": "0x",
            "accessList": [],
        }
        return sign_transaction(secret, json.dumps(unsigned | fields).encode())

    def judged(self, raw: bytes) -> Any:
        """The native transaction of raw bytes."""
        return self.chain.admit(self.chain.head.hash, [raw])[0][0]

    def file(self, records: list[SealedRecord]) -> list[bytes]:
        """The pieces of a file with these blocks."""
        header = SealedHeader(Hash32(self.chain.genesis_hash), 1, len(records))
        return [header.encode(), *(record.encode() for record in records)]


def hash_of(block: bytes) -> Hash32:
    """The hash of an encoded block."""
    decoded = rlp.decode_list(block)
    return keccak256(rlp.encode(decoded[0]))


def with_header_field(block: bytes, field: int, value: rlp.Encodable) -> bytes:
    """A block whose header has another value in one field."""
    header, *body = rlp.decode_list(block)
    assert isinstance(header, list)
    fields: list[rlp.Encodable] = [*header]
    fields[field] = value
    return rlp.encode([fields, *body])


OTHER_VALIDATORS = ValidatorSet((validator_of(STRANGER),))
