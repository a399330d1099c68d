"""What the folders of stopped nodes say: which block each height has, who decided it, and in which round.

The round of a height is read from the certificate that the next block carries, which is the same on all
nodes; the certificate beside a block is a node's own, and may hold more signatures or be of a later round.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from coc._native import Chain
from coc.adapters.validator.write_ahead import WAL_FOLDER, WriteAheadLog
from coc.consensus.bft.certificates import verify_certificate
from coc.consensus.bft.power import Electorate
from coc.consensus.bft.proposers import proposer_of
from coc.consensus.bft.wal import ProposalKept, VoteKept
from coc.primitives.consensus_data import ConsensusData, decode_consensus_data
from coc.primitives.seals import Step
from coc.primitives.secp256k1 import recover_address
from coc.primitives.types import Address, Hash32, Height
from coc.primitives.votes import CommitCertificate, decode_certificate
from tests.e2e.network.network_process import Member, Network


@dataclass(frozen=True, slots=True)
class Decision:
    """A height as one node has it."""

    height: int
    hash: bytes
    parent: bytes
    data: ConsensusData
    certificate: CommitCertificate
    """The node's own, which lies beside the block."""

    def first_proposer(self, skipped: frozenset[Address] = frozenset()) -> Address:
        """Whose turn round 0 was, while `skipped` were convicted."""
        return proposer_of(self.data.validators, skipped, Height(self.height), 0).id

    def signers(self) -> set[Address]:
        """Whose precommits the node's own certificate holds."""
        return signers_of(self.certificate, self)


@dataclass(frozen=True, slots=True)
class Ledger:
    """All heights of a node, from 1 on."""

    genesis_hash: Hash32
    decisions: tuple[Decision, ...]

    def __getitem__(self, height: int) -> Decision:
        """A height."""
        return self.decisions[height - 1]

    @property
    def head(self) -> int:
        """The last height."""
        return len(self.decisions)

    def carried(self, height: int) -> CommitCertificate:
        """The certificate of a height that its child carries; not there for the head."""
        return decode_certificate(self[height + 1].data.parent_certificate)

    def round_of(self, height: int) -> int:
        """The round that decided a height."""
        return self.carried(height).round

    def voters(self, height: int) -> set[Address]:
        """Whose precommits the carried certificate of a height holds."""
        return signers_of(self.carried(height), self[height])

    def set_at(self, height: int) -> list[Address]:
        """Who votes at a height, in the order of proposing."""
        return [each.id for each in self[height].data.validators.validators]


def signers_of(certificate: CommitCertificate, decision: Decision) -> set[Address]:
    """Whose bits are set."""
    entries = decision.data.validators.validators
    return {entries[index].id for index in certificate.signers()}


def ledger_of(folder: Path, genesis: bytes) -> Ledger:
    """Read the folder of a node that does not run."""
    with closing(Chain.open(genesis, folder, b"{}")) as chain:
        found = []
        for height in range(1, chain.head.number + 1):
            hash_ = chain.canonical_hash(height)
            header = None if hash_ is None else chain.header(hash_)
            assert header is not None, f"{folder.name} has no block {height}"
            found.append(
                Decision(
                    height,
                    header.hash,
                    header.parent_hash,
                    decode_consensus_data(header.consensus_data),
                    decode_certificate(header.seal),
                )
            )
        return Ledger(Hash32(chain.genesis_hash), tuple(found))


def ledgers_of(network: Network, members: Iterable[Member] | None = None) -> list[Ledger]:
    """The folders of members (of all, where none is named), which must agree on every height they share."""
    found = [ledger_of(each.folder, network.genesis) for each in members or network.members]
    for ledger in found:
        agreed = min(ledger.head, found[0].head)
        mine = [each.hash for each in ledger.decisions[:agreed]]
        assert mine == [each.hash for each in found[0].decisions[:agreed]], "two nodes decided differently"
    return found


def verify(ledger: Ledger) -> None:
    """Every height stands on the one before, and is proved by certificates of its own set."""
    parent: bytes = ledger.genesis_hash
    for decision in ledger.decisions:
        assert decision.parent == parent
        electorate = Electorate.of(decision.data.validators)
        certificates = [decision.certificate]
        if decision.height < ledger.head:
            certificates.append(ledger.carried(decision.height))
        for certificate in certificates:
            assert (certificate.height, certificate.block) == (decision.height, decision.hash)
            verify_certificate(certificate, ledger.genesis_hash, electorate, recover_address)
        parent = decision.hash


def offences(ledgers: Sequence[Ledger]) -> list[tuple[Address, Height, int, Step]]:
    """Double signing that blocks tell of."""
    return [
        piece.offence()
        for ledger in ledgers
        for decision in ledger.decisions
        for piece in decision.data.evidence
    ]


def conflicts(network: Network, ledgers: Sequence[Ledger]) -> list[str]:
    """Places where somebody voted for two values, as far as certificates and write-ahead logs show."""
    seen: dict[tuple[Address, int, int, Step], Hash32 | None] = {}
    found: list[str] = []

    def saw(place: tuple[Address, int, int, Step], block: Hash32 | None) -> None:
        if seen.setdefault(place, block) != block:
            found.append(f"0x{place[0].hex()} at {place[1:]}")

    for ledger in ledgers:
        for decision in ledger.decisions:
            certificates = [decision.certificate]
            if decision.height < ledger.head:
                certificates.append(ledger.carried(decision.height))
            for certificate in certificates:
                for signer in signers_of(certificate, decision):
                    saw((signer, decision.height, certificate.round, Step.PRECOMMIT), certificate.block)
    for member in network.members:
        log = WriteAheadLog(member.folder / WAL_FOLDER, ledgers[0].genesis_hash)
        for record in log.content.records:
            match record:
                case VoteKept(vote):
                    saw((vote.validator, vote.height, vote.round, vote.step), vote.block)
                case ProposalKept(proposal):
                    place = (proposal.validator, proposal.height, proposal.round, Step.PROPOSAL)
                    saw(place, proposal.block)
                case _:
                    pass
    return found
