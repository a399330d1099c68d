"""The BFT machine: `step(now_ms, input) -> list[effect]`. The dispatch; what happens is in `handle/`.

One machine lives as long as its node. It is built with the height it begins in; the next ones are opened by
`HeightOpened`, the answer to `Decide`.

The dispatch is a table by class: a `match` asks `isinstance` for one class after the other, and to be told no
by a frozen class costs more than most handlers do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from coc.consensus.bft.effects import Effect
from coc.consensus.bft.handle.block import on_block_arrived, on_built, on_executed
from coc.consensus.bft.handle.certificate import on_certificate
from coc.consensus.bft.handle.evidence import on_evidence, on_evidence_settled
from coc.consensus.bft.handle.opened import first_height, on_opened, on_started
from coc.consensus.bft.handle.own import (
    on_diverged,
    on_persist_failed,
    on_persisted,
    on_signature,
    on_signature_refused,
)
from coc.consensus.bft.handle.proposal import on_proposal
from coc.consensus.bft.handle.status import on_peer_came, on_peer_gone, on_status
from coc.consensus.bft.handle.timer import on_timer
from coc.consensus.bft.handle.vote import on_vote
from coc.consensus.bft.inputs import (
    BlockArrived,
    Built,
    CertificateReceived,
    Diverged,
    EvidenceReceived,
    EvidenceSettled,
    Executed,
    HeightOpened,
    Input,
    PeerCame,
    PeerGone,
    Persisted,
    PersistFailed,
    ProposalReceived,
    SignatureMade,
    SignatureRefused,
    Started,
    StatusReceived,
    TimerFired,
    VoteReceived,
)
from coc.consensus.bft.messages import Status
from coc.consensus.bft.resend import status_of
from coc.consensus.bft.rules import Setup
from coc.consensus.bft.state import Core
from coc.consensus.bft.vote_count import VoteCount
from coc.primitives.types import Height, Millis
from coc.primitives.validators import ValidatorSet
from coc.primitives.votes import Evidence

Handler: TypeAlias = Callable[[Core, Millis, Any], list[Effect]]
"""What happens upon an input of one class."""

HANDLERS: Final[Mapping[type[Input], Handler]] = {
    HeightOpened: on_opened,
    PeerCame: on_peer_came,
    ProposalReceived: on_proposal,
    VoteReceived: on_vote,
    CertificateReceived: on_certificate,
    StatusReceived: on_status,
    EvidenceReceived: on_evidence,
    EvidenceSettled: on_evidence_settled,
    PeerGone: on_peer_gone,
    BlockArrived: on_block_arrived,
    Built: on_built,
    Executed: on_executed,
    Persisted: on_persisted,
    PersistFailed: on_persist_failed,
    SignatureMade: on_signature,
    SignatureRefused: on_signature_refused,
    Diverged: on_diverged,
    TimerFired: on_timer,
}
"""Every input but `Started`, which goes on where the machine was built to begin."""


class BftMachine:
    """Agrees with the other validators on one block a height, or follows them."""

    def __init__(self, setup: Setup, opening: HeightOpened, now_ms: Millis) -> None:
        """Nothing is asked for before `Started`."""
        self._handlers: Mapping[type[Input], Handler] = {
            **HANDLERS,
            Started: lambda core, now_ms, _event: on_started(core, now_ms, opening),
        }
        self._core = Core(
            setup, first_height(setup, opening, now_ms), is_watching=setup.silent_above is not None
        )

    def step(self, now_ms: Millis, event: Input) -> list[Effect]:
        """Apply one input and return what must now be done, in order."""
        return self._handlers[type(event)](self._core, now_ms, event)

    @property
    def status(self) -> Status:
        """Where the machine stands, for people and peers."""
        return status_of(self._core.height)

    @property
    def height(self) -> Height:
        """The height in progress."""
        return self._core.height.facts.height

    @property
    def is_watching(self) -> bool:
        """Whether nothing is signed because the write-ahead log was lost (BFT-41)."""
        return self._core.is_watching

    @property
    def has_diverged(self) -> bool:
        """Whether nothing is signed because a certified block is invalid here (BFT-11)."""
        return self._core.has_diverged

    @property
    def power_heard(self) -> tuple[int, int]:
        """Power of the validators heard in this round or later ones, and of all: more than 2/3 are needed."""
        height = self._core.height
        heard = [index for index, round_ in height.votes.highest.items() if round_ >= height.round]
        return sum(height.electorate.power_at(index) for index in heard), height.electorate.total

    @property
    def vote_count(self) -> VoteCount:
        """How many votes have counted since the start."""
        return self._core.vote_count

    @property
    def validators(self) -> ValidatorSet:
        """The set of the height in progress."""
        return self._core.height.facts.validators

    @property
    def pending_evidence(self) -> tuple[Evidence, ...]:
        """What a block of ours may include, oldest first."""
        return self._core.evidence.pending()
