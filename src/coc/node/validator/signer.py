"""Whoever holds the consensus key: signs above its mark, which is durable before a signature leaves (BFT-40).

The live program gives it a mark on disk, the simulator one on a disk that forgets. A signer process answers
the same requests over a socket.
"""

from __future__ import annotations

from typing import ClassVar, Protocol

from coc.consensus.signing_mark import BelowMark, Marked, decode_request, encode_request, judge
from coc.node.validator.signing_order import Judge
from coc.primitives.errors import NodeError
from coc.primitives.seals import SignRequest
from coc.primitives.secp256k1 import Secret, public_key_of, sign
from coc.primitives.types import Signature
from coc.primitives.vrf import prove


class SigningRefused(NodeError):
    """The signer will not sign this: its mark forbids it, or could not be made durable."""

    id: ClassVar[str] = "COC-SIGNING-REFUSED"


class MarkFile(Protocol):
    """A small durable value."""

    @property
    def payload(self) -> bytes | None:
        """What was saved last; None where nothing was."""
        ...

    def save(self, payload: bytes) -> None:
        """Make a new value durable.

        Raises:
            OSError, RuntimeError: it could not be written.
        """
        ...


class MarkedSigner:
    """A consensus key with a mark."""

    def __init__(
        self,
        secret: Secret,
        mark: MarkFile,
        judge_by: Judge | None = None,
    ) -> None:
        """Take up the mark as it was left; `judge_by` says what may be signed above it, if not BFT-40.

        Raises:
            MarkInvalid, RlpInvalid: it cannot be read.
        """
        self._secret = secret
        self._file = mark
        self._judge_by = judge_by
        self.public_key = public_key_of(secret)
        payload = mark.payload
        self._mark = decode_request(payload) if payload else None

    @property
    def mark(self) -> SignRequest | None:
        """The last request signed; None before the first."""
        return self._mark

    def sign(self, request: SignRequest) -> Signature:
        """Sign a request above the mark, or the mark's own again.

        Raises:
            SigningRefused: the mark forbids it, or could not be made durable.
        """
        verdict = (self._judge_by or judge)(self._mark, request)
        if isinstance(verdict, BelowMark):
            raise SigningRefused("the signer refuses", why=verdict.reason)
        if isinstance(verdict, Marked):
            try:
                self._file.save(encode_request(request))
            except (OSError, RuntimeError) as error:
                raise SigningRefused(
                    "the signer's mark cannot be written", why=str(error), cure="make room on its disk"
                ) from error
            self._mark = request
        return sign(self._secret, request.digest())

    def prove(self, alpha: bytes) -> bytes:
        """An ECVRF proof over `alpha`; a proof binds to nothing, so no mark guards it."""
        return prove(self._secret, alpha)
