"""Commit certificates: made from precommits, completed by late ones, verified by everyone who joins."""

from __future__ import annotations

from dataclasses import dataclass, field

from coc.consensus.bft.power import Electorate
from coc.consensus.bft.rules import Verifier
from coc.primitives.errors import ConsensusError
from coc.primitives.secp256k1 import SignatureInvalid
from coc.primitives.types import Address, Hash32, Height, Signature
from coc.primitives.votes import CommitCertificate, Vote


class CertificateInvalid(ConsensusError):
    """A certificate proves nothing: another set, too little power, or a signature of somebody else."""

    id = "COC-CERTIFICATE"


@dataclass(slots=True)
class LastCommit:
    """The decision of a height, with every precommit for it that has come in since (BFT-27)."""

    height: Height
    round: int
    block: Hash32
    electorate: Electorate
    signatures: dict[int, Signature] = field(default_factory=dict)

    def add(self, index: int, signature: Signature) -> None:
        """Take one more precommit, already found authentic."""
        self.signatures.setdefault(index, signature)

    def certificate(self) -> CommitCertificate:
        """The fullest certificate there is."""
        order = sorted(self.signatures)
        return CommitCertificate(
            self.height,
            self.round,
            self.block,
            self.electorate.set_hash,
            sum(1 << index for index in order),
            tuple(self.signatures[index] for index in order),
        )


def certificate_of(electorate: Electorate, votes: dict[int, Vote]) -> CommitCertificate:
    """The certificate that precommits for one block in one round make; `votes` is not empty."""
    vote = next(iter(votes.values()))
    block = vote.block or Hash32(bytes(32))
    signatures = {index: entry.signature for index, entry in votes.items()}
    return LastCommit(vote.height, vote.round, block, electorate, signatures).certificate()


def verify_certificate(
    certificate: CommitCertificate, genesis_hash: Hash32, electorate: Electorate, verify: Verifier
) -> None:
    """Check that the validators of a set made this certificate (BFT-26).

    Raises:
        CertificateInvalid: which condition fails.
    """
    check_set(certificate, electorate)
    signers = certificate.signers()
    if len(signers) != len(certificate.signatures):
        raise CertificateInvalid(
            "a certificate needs one signature a bit",
            why=f"{len(signers)} bits, {len(certificate.signatures)} signatures",
        )
    if signers and signers[-1] >= len(electorate.entries):
        raise CertificateInvalid(f"the set has no entry {signers[-1]}")
    power = sum(electorate.power_at(index) for index in signers)
    if not electorate.is_quorum(power):
        raise CertificateInvalid("too little power signed", why=f"{power} of {electorate.total}")
    digest = certificate.request(genesis_hash).digest()
    for index, signature in zip(signers, certificate.signatures, strict=True):
        try:
            signer = verify(digest, signature)
        except SignatureInvalid as error:
            raise CertificateInvalid(f"signature {index} was made by no key") from error
        check_signer(electorate, index, signer)


def check_signer(electorate: Electorate, index: int, signer: Address) -> None:
    """Check that a signature is that of the entry whose bit is set.

    Raises:
        CertificateInvalid: somebody else made it.
    """
    if signer != electorate.entries[index].id:
        raise CertificateInvalid(f"signature {index} was made by another key")


def check_set(certificate: CommitCertificate, electorate: Electorate) -> None:
    """Check that a certificate speaks of this set.

    Raises:
        CertificateInvalid: it speaks of another one.
    """
    if certificate.set_hash != electorate.set_hash:
        raise CertificateInvalid(
            "the certificate is of another validator set", why=certificate.set_hash.hex()
        )
