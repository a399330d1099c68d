"""Blocks of a real chain of four validators, with certificates that their keys make: all keys are known."""

from __future__ import annotations

from collections.abc import Sequence

from coc import _native
from coc._native import BlockInvalid, Chain, StorageFailed, Transaction, UnknownBlock
from coc.consensus.bft.proposers import proposer_of
from coc.consensus.sync.messages import BlockBody, CertifiedBlock
from coc.node.validator.chain_door import ChainDoor, ChainRules
from coc.node.validator.effects import BuildBlock
from coc.node.validator.ports import Faults
from coc.node.validator.registry_sets import RegistrySets
from coc.primitives.consensus_data import ConsensusData
from coc.primitives.frozen import replace
from coc.primitives.secp256k1 import Secret, address_of, recover_address, sign
from coc.primitives.types import Hash32, Height
from coc.primitives.votes import CommitCertificate
from coc.primitives.vrf import prove
from coc.sim.full.network import REGISTRY, chain_file, validator_secret

FILE = chain_file((1, 1, 1, 1))
SECRETS = {address_of(validator_secret(index)): validator_secret(index) for index in range(4)}


class Forge:
    """A chain, and the keys of all its validators."""

    def __init__(self, chain: Chain | None = None) -> None:
        self.chain = chain or Chain.open(FILE.text, None, b"")
        sets = RegistrySets(self.chain, REGISTRY.period_blocks)
        faults = Faults(BlockInvalid, UnknownBlock, StorageFailed)
        rules = ChainRules(sets, recover_address, FILE.rules.gas_limit_target)
        self.door = ChainDoor(self.chain, _native.check_block, faults, rules)
        self.genesis_hash = Hash32(self.chain.genesis_hash)

    def wish(
        self, round_: int = 0, transactions: Sequence[Transaction] = (), **changes: object
    ) -> BuildBlock:
        """What the proposer of a round would have built on the head; `changes` are to its consensus data."""
        facts = self.door.next_height()
        proposer = proposer_of(facts.validators, facts.skipped, facts.height, round_)
        alpha = self.door.randomness_input(facts.parent, facts.height)
        data = ConsensusData(
            b"" if facts.parent_certificate is None else facts.parent_certificate.encode(),
            proposer.id,
            round_,
            facts.validators,
            facts.next_validators,
            prove(SECRETS[proposer.id], alpha),
        )
        data = replace(data, **changes)
        time_s = facts.parent_time_ms // 1000 + 1
        return BuildBlock(facts.height, round_, facts.parent, time_s, data, list(transactions))

    def body(self, round_: int = 0, **changes: object) -> BlockBody:
        return self.door.build(self.wish(round_, (), **changes)).body

    def certificate(
        self, body: BlockBody, round_: int = 0, signers: tuple[int, ...] = (0, 1, 2, 3)
    ) -> CommitCertificate:
        """What precommits of these positions of the set prove."""
        found = self.door.check(body)
        assert found is not None
        entries = self.door.next_height().validators
        unsigned = CommitCertificate(found[1], round_, found[0], entries.hash(), 0, ())
        digest = unsigned.request(self.genesis_hash).digest()
        signatures = tuple(sign(self.secret(position), digest) for position in signers)
        return replace(unsigned, bitmap=sum(1 << position for position in signers), signatures=signatures)

    def secret(self, position: int) -> Secret:
        return SECRETS[self.door.next_height().validators.validators[position].id]

    def certified(self, round_: int = 0, signers: tuple[int, ...] = (0, 1, 2, 3)) -> CertifiedBlock:
        body = self.body(round_)
        certificate = self.certificate(body, round_, signers)
        return CertifiedBlock(body.block, body.consensus_data, certificate.encode())

    def extend(self, count: int) -> list[CertifiedBlock]:
        """Decide so many blocks; what a peer would be given."""
        return [self.decide() for _ in range(count)]

    def decide(self, *transactions: Transaction) -> CertifiedBlock:
        """Decide a block with these transactions; what a peer would be given."""
        built = self.door.build(self.wish(transactions=transactions))
        assert built.refused == []
        certificate = self.certificate(built.body)
        self.door.decide(built.hash, certificate, [])
        return CertifiedBlock(built.body.block, built.body.consensus_data, certificate.encode())

    @property
    def height(self) -> Height:
        return Height(self.chain.head.number)
