"""The consensus data of a block: eight fields beside it, whose root stands in its header.

The fields are (version, parent certificate, proposer, original round, VRF proof, evidence, set(h), set(h +
1)). The native side checks that the header carries their root; what they must say is for the engine.
"""

from __future__ import annotations

from functools import lru_cache

from coc.primitives import rlp
from coc.primitives.errors import PrimitivesError
from coc.primitives.frozen import frozen
from coc.primitives.limits_consensus import EVIDENCE_PER_BLOCK_ITEMS_MAX
from coc.primitives.types import Address
from coc.primitives.validators import ValidatorSet, decode_validator_set
from coc.primitives.votes import Evidence, read_evidence

CONSENSUS_DATA_VERSION = 1
CONSENSUS_DATA_KEPT = 16
"""Decoded ones that are remembered: a block's and its parent's are read again at each step of agreeing."""
ROUND_BITS = 64


class ConsensusDataInvalid(PrimitivesError):
    """Bytes that are no consensus data."""

    id = "COC-CONSENSUS-DATA"


@frozen
class ConsensusData:
    """The fields.

    `parent_certificate` is empty for block 1, `vrf_proof` is reserved and empty on rotation chains.
    """

    parent_certificate: bytes
    proposer: Address
    original_round: int
    validators: ValidatorSet
    next_validators: ValidatorSet
    vrf_proof: bytes = b""
    evidence: tuple[Evidence, ...] = ()

    def encode(self) -> bytes:
        """The RLP list of the eight fields."""
        return rlp.encode(
            [
                CONSENSUS_DATA_VERSION,
                self.parent_certificate,
                self.proposer,
                self.original_round,
                self.vrf_proof,
                [piece.item() for piece in self.evidence],
                self.validators.encode(),
                self.next_validators.encode(),
            ]
        )


@lru_cache(maxsize=CONSENSUS_DATA_KEPT)
def decode_consensus_data(data: bytes) -> ConsensusData:
    """Read consensus data back.

    Raises:
        ConsensusDataInvalid: other fields, another version, or too much evidence.
        PrimitivesError: a field cannot be read.
    """
    match rlp.decode(data):
        case [
            bytes() as version,
            bytes() as parent_certificate,
            bytes() as proposer,
            bytes() as original_round,
            bytes() as vrf_proof,
            list() as evidence,
            validators,
            next_validators,
        ] if (
            rlp.uint(version) == CONSENSUS_DATA_VERSION
            and len(proposer) == 20
            and len(evidence) <= EVIDENCE_PER_BLOCK_ITEMS_MAX
        ):
            return ConsensusData(
                parent_certificate,
                Address(proposer),
                rlp.uint(original_round, bits=ROUND_BITS),
                decode_validator_set(validators),
                decode_validator_set(next_validators),
                vrf_proof,
                tuple(read_evidence(piece) for piece in evidence),
            )
    raise ConsensusDataInvalid(
        f"consensus data of version {CONSENSUS_DATA_VERSION} has eight fields "
        f"and at most {EVIDENCE_PER_BLOCK_ITEMS_MAX} pieces of evidence"
    )
