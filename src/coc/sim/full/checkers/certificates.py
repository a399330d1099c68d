"""A certificate proves its block to somebody who trusts nothing but the set: said again, in other words."""

from __future__ import annotations

from coc.primitives.consensus_data import decode_consensus_data
from coc.primitives.votes import CommitCertificate
from coc.sim.full.birth import recover
from coc.sim.full.validator import SimValidator
from coc.sim.full.watching import Checker, Violation


class CertificatesProve(Checker):
    """Each distinct certificate is verified once."""

    def __init__(self) -> None:
        """None was seen."""
        self.seen: set[CommitCertificate] = set()

    def on_decided(self, node: SimValidator, certificate: CommitCertificate) -> None:
        """More than two thirds of the power that the block itself names have signed its hash."""
        if certificate in self.seen:
            return
        self.seen.add(certificate)
        data = decode_consensus_data(node.chain.head.consensus_data)
        entries = data.validators.validators
        signed = [entry for index, entry in enumerate(entries) if certificate.bitmap >> index & 1]
        digest = certificate.request(node.birth.rules.genesis_hash).digest()
        if [recover(digest, each) for each in certificate.signatures] != [each.id for each in signed]:
            raise Violation(f"certificate: height {certificate.height} is signed by others")
        if 3 * sum(each.power for each in signed) <= 2 * sum(each.power for each in entries):
            raise Violation(f"certificate: height {certificate.height} has too little power")
        if certificate.set_hash != data.validators.hash():
            raise Violation(f"certificate: height {certificate.height} names another set")
        if data.original_round > certificate.round:
            raise Violation(f"original round: {data.original_round} after {certificate.round}")
