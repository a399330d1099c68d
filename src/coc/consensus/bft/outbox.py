"""How own messages leave: persist the intent, sign, append what was signed, send. One at a time (BFT-20).

Nothing is signed before its intent is durable, and a message is sent only after it was appended. While one is
on its way the next ones wait, so the signer sees rising places only.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from coc.consensus.bft.effects import Append, Broadcast, Effect, Persist, Sign
from coc.consensus.bft.wal import Intent, ProposalKept, Record, VoteKept
from coc.primitives.frozen import frozen
from coc.primitives.seals import SignRequest, Step
from coc.primitives.types import Address, Hash32, Signature
from coc.primitives.votes import Proposal, Signed, Vote


@frozen
class Outgoing:
    """A message to be: what will be signed, and the records that must be durable first."""

    intent: Intent
    needs: tuple[Record, ...] = ()

    @property
    def request(self) -> SignRequest:
        """What will be signed."""
        return self.intent.request


@dataclass(slots=True)
class Outbox:
    """The messages on their way, first in, first out."""

    waiting: deque[Outgoing] = field(default_factory=deque)
    current: Outgoing | None = None
    is_durable: bool = False
    has_failed: bool = False
    sequence: int = 0

    def put(self, outgoing: Outgoing) -> list[Effect]:
        """Queue a message."""
        self.waiting.append(outgoing)
        return self.proceed()

    def proceed(self) -> list[Effect]:
        """Begin the next message unless one is on its way."""
        if self.current is not None or not self.waiting:
            return []
        self.current, self.is_durable = self.waiting.popleft(), False
        return self._persist(self.current)

    def resume(self, outgoing: Outgoing) -> list[Effect]:
        """After a restart: the last intent is durable, so the signer is asked for the same again (BFT-22)."""
        self.current, self.is_durable = outgoing, True
        return [Sign(outgoing.request)]

    def on_persisted(self, sequence: int) -> list[Effect]:
        """The intent is durable: ask the signer."""
        if self.current is None or self.is_durable or sequence != self.sequence:
            return []
        self.is_durable = True
        return [Sign(self.current.request)]

    def on_persist_failed(self, sequence: int) -> bool:
        """Whether this was about the message on its way; `retry` tries again."""
        if self.current is None or self.is_durable or sequence != self.sequence:
            return False
        self.has_failed = True
        return True

    def retry(self) -> list[Effect]:
        """Persist again what could not be written."""
        if self.current is None or not self.has_failed:
            return []
        return self._persist(self.current)

    def on_signature(
        self, request: SignRequest, signature: Signature, own: Address
    ) -> tuple[Signed, list[Effect]] | None:
        """The message is whole: append and send it. None if it is not the one on its way."""
        if self.current is None or not self.is_durable or request != self.current.request:
            return None
        self.current = None
        message = signed_message(request, signature, own)
        return message, [Append(record_of(message)), Broadcast(message), *self.proceed()]

    def on_refusal(self, request: SignRequest) -> list[Effect] | None:
        """Give the message up. None if it is not the one on its way."""
        if self.current is None or request != self.current.request:
            return None
        self.current = None
        return self.proceed()

    def clear(self) -> None:
        """Forget all messages: their height is over."""
        self.waiting.clear()
        self.current, self.has_failed = None, False

    def _persist(self, outgoing: Outgoing) -> list[Effect]:
        self.sequence += 1
        self.has_failed = False
        return [Persist(self.sequence, (*outgoing.needs, outgoing.intent))]


def signed_message(request: SignRequest, signature: Signature, own: Address) -> Signed:
    """The vote or proposal that a signature completes."""
    if request.step is Step.PROPOSAL:
        block = request.block or Hash32(bytes(32))
        return Proposal(request.height, request.round, block, request.valid_round, own, signature)
    return Vote(request.height, request.round, request.step, request.block, own, signature)


def record_of(message: Signed) -> Record:
    """The record that keeps an own message."""
    return ProposalKept(message) if isinstance(message, Proposal) else VoteKept(message)
