"""A chain of headers without an EVM: real hashes, sets and signatures, all else as a test wants it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import lru_cache

from coc.consensus.finality.build import Provable, build_proof
from coc.consensus.finality.checkpoint import Checkpoint
from coc.consensus.finality.header import Header, decode_header
from coc.consensus.finality.records import ChainOrigin, Record
from coc.consensus.finality.rules import ChainRules, Registry
from coc.consensus.finality.verify import Finality, Trust, verify_proof
from coc.primitives import rlp
from coc.primitives.consensus_data import ConsensusData
from coc.primitives.consensus_root import root_of
from coc.primitives.frozen import replace
from coc.primitives.keccak import keccak256
from coc.primitives.secp256k1 import Secret, address_of, public_key_of, secret_of, sign
from coc.primitives.types import Hash32, Height
from coc.primitives.validators import Validator, ValidatorSet
from coc.primitives.votes import CommitCertificate

GENESIS_TIME_S = 1_000_000
BLOCK_SECONDS = 10
CONFIG = b'{"chainId":7}'
REGISTRY = Registry(period_blocks=4, unbonding_s=900)
CLOCK_TOLERANCE_S = 5


@lru_cache(maxsize=64)
def secret(name: str) -> Secret:
    return secret_of(keccak256(b"forged " + name.encode()))


@lru_cache(maxsize=64)
def validator(name: str, power: int = 1) -> Validator:
    key = public_key_of(secret(name))
    return Validator(address_of(secret(name)), key, key, power, address_of(secret(name)))


def set_of(names: str, powers: Sequence[int] = ()) -> ValidatorSet:
    """One letter a validator."""
    return ValidatorSet(
        tuple(validator(name, power) for name, power in zip(names, powers or (1,) * len(names), strict=True))
    )


def certify(
    genesis_hash: Hash32,
    header: Header,
    names: str,
    electors: ValidatorSet,
    signers: Iterable[int] | None = None,
    round_: int = 0,
) -> CommitCertificate:
    """Precommits for a block by those at these positions, by all where none are given."""
    positions = sorted(range(len(names)) if signers is None else signers)
    empty = CommitCertificate(
        header.height, round_, header.hash, electors.hash(), sum(1 << each for each in positions), ()
    )
    digest = empty.request(genesis_hash).digest()
    return replace(empty, signatures=tuple(sign(secret(names[each]), digest) for each in positions))


@dataclass(frozen=True, slots=True)
class Sealed:
    """A block with what lies beside it."""

    header: bytes
    consensus_data: bytes
    certificate: bytes

    @property
    def facts(self) -> Header:
        return decode_header(self.header)


class ForgedChain:
    """Blocks up to a height; `sets` names the validators of each period, the last entry all later ones."""

    def __init__(
        self,
        height: int = 30,
        sets: Sequence[str] = ("abcd",),
        registry: Registry | None = REGISTRY,
        powers: Sequence[int] = (),
        config: bytes = CONFIG,
    ) -> None:
        self.sets = sets
        self.powers = powers
        self.registry = registry
        self.config = config
        self.genesis_header = header_bytes(0, bytes(32), GENESIS_TIME_S, keccak256(config), bytes(32))
        self.genesis_hash = keccak256(self.genesis_header)
        self.blocks: list[Sealed] = [Sealed(self.genesis_header, b"", b"")]
        for number in range(1, height + 1):
            self.blocks.append(self.child(number))

    # ── Making blocks ───────────────────────────────────────────────────────────────────────────────────────

    def names_at(self, height: int) -> str:
        period = 0 if self.registry is None else height // self.registry.period_blocks
        return self.sets[min(period, len(self.sets) - 1)]

    def set_at(self, height: int) -> ValidatorSet:
        return set_of(self.names_at(height), self.powers)

    def child(
        self,
        number: int,
        *,
        state: bytes = b"state",
        time_s: int | None = None,
        parent: bytes | None = None,
        validators: ValidatorSet | None = None,
        next_validators: ValidatorSet | None = None,
        signers: Iterable[int] | None = None,
    ) -> Sealed:
        """A block at a height, as the rules want it or as they do not, decided by the set of its height."""
        electors = self.set_at(number)
        data = ConsensusData(
            b"",
            electors.validators[0].id,
            0,
            validators or electors,
            next_validators or self.set_at(number + 1),
        ).encode()
        header = header_bytes(
            number,
            keccak256(self.blocks[number - 1].header) if parent is None else parent,
            GENESIS_TIME_S + BLOCK_SECONDS * number if time_s is None else time_s,
            b"",
            root_of(data),
            state,
        )
        names = self.names_at(number)
        certificate = certify(self.genesis_hash, decode_header(header), names, electors, signers)
        return Sealed(header, data, certificate.encode())

    def put(self, number: int, block: Sealed) -> None:
        """Have another block at a height; what builds on it does not notice."""
        self.blocks[number] = block

    # ── As a chain that is asked ────────────────────────────────────────────────────────────────────────────

    @property
    def head(self) -> Height:
        return Height(len(self.blocks) - 1)

    def header(self, height: Height) -> bytes:
        return self.blocks[height].header

    def consensus_data(self, height: Height) -> bytes:
        return self.blocks[height].consensus_data

    def certificate(self, height: Height) -> bytes:
        return self.blocks[height].certificate

    # ── Proofs ──────────────────────────────────────────────────────────────────────────────────────────────

    def rules(self) -> ChainRules:
        return ChainRules(self.genesis_hash, self.set_at(1), CLOCK_TOLERANCE_S, self.registry)

    def checkpoint(self, height: int) -> Checkpoint:
        facts = self.blocks[height].facts
        next_set_hash = self.set_at(height + 1).hash()
        return Checkpoint(self.genesis_hash, facts.height, facts.hash, next_set_hash, facts.time_s)

    def proof(self, target: int, checkpoint: Checkpoint | None = None) -> list[Record]:
        provable = Provable(self, ChainOrigin(self.genesis_header, self.config), self.rules())
        return list(build_proof(provable, Height(target), checkpoint))

    def verify(
        self, records: Iterable[Record], checkpoint: Checkpoint | None = None, now_s: int | None = None
    ) -> Finality:
        """By somebody who trusts this chain's genesis, at the time of the head where none is given."""
        clock_s = self.blocks[-1].facts.time_s if now_s is None else now_s
        trust = Trust(self.genesis_hash, checkpoint)
        return verify_proof(records, trust, clock_s, lambda genesis, config: self.rules())


def forged(sets: tuple[str, ...]) -> ForgedChain:
    """A chain of its own for a test, of blocks that were made once."""
    chain = copy(_made(sets))
    chain.blocks = list(chain.blocks)
    return chain


@lru_cache(maxsize=4)
def _made(sets: tuple[str, ...]) -> ForgedChain:
    return ForgedChain(sets=sets)


def header_bytes(
    number: int, parent: bytes, time_s: int, extra_data: bytes, root: bytes, state: bytes = b"state"
) -> bytes:
    """A header of Prague's 21 fields."""
    roots: list[rlp.Encodable] = [keccak256(state), bytes(32), bytes(32), bytes(256)]
    numbers = [0, number, 30_000_000, 0, time_s]
    fees: list[rlp.Encodable] = [7, bytes(32), 0, 0]
    return rlp.encode(
        [
            parent,
            bytes(32),
            bytes(20),
            *roots,
            *numbers,
            extra_data,
            bytes(32),
            bytes(8),
            *fees,
            root,
            bytes(32),
        ]
    )
