"""A certificate of a peer: it ends the height as our own count would (BFT-26)."""

from __future__ import annotations

from coc.consensus.bft.advance import advance
from coc.consensus.bft.certificates import CertificateInvalid, verify_certificate
from coc.consensus.bft.effects import CatchUp, Effect, Misbehaved
from coc.consensus.bft.inputs import CertificateReceived
from coc.consensus.bft.state import Core
from coc.primitives.types import Millis


def on_certificate(core: Core, now_ms: Millis, event: CertificateReceived) -> list[Effect]:
    """Verify a certificate of this height; a later one says that we are behind."""
    certificate, height = event.certificate, core.height
    if certificate.height > height.facts.height:
        return [CatchUp(event.peer, certificate.height)]
    if certificate.height < height.facts.height or height.certificate is not None:
        return []
    try:
        verify_certificate(certificate, core.setup.rules.genesis_hash, height.electorate, core.setup.verify)
    except CertificateInvalid as error:
        return [Misbehaved(event.peer, str(error))]
    height.certificate = certificate
    return advance(core, now_ms)
