"""Why a finality proof is refused, or cannot be made: whose fault each is, says its type."""

from __future__ import annotations

from coc.primitives.errors import ConsensusError


class FinalityRefused(ConsensusError):
    """A proof that shows nothing; which of the kinds below, says the type."""

    id = "COC-FINALITY"


class ProofFileInvalid(FinalityRefused):
    """Bytes that are no proof: damaged, cut short, or of another format."""

    id = "COC-FINALITY-FILE"


class ProofInvalid(FinalityRefused):
    """A whole file whose records do not prove what they claim."""

    id = "COC-FINALITY-PROOF"


class AnchorUnfit(FinalityRefused):
    """A proof that begins elsewhere than at what the verifier trusts, or at what is too old to be trusted."""

    id = "COC-FINALITY-ANCHOR"


class FinalityUnprovable(ConsensusError):
    """A proof that this chain cannot give."""

    id = "COC-FINALITY-UNPROVABLE"


class CheckpointInvalid(ConsensusError):
    """Text that is no checkpoint."""

    id = "COC-CHECKPOINT"
