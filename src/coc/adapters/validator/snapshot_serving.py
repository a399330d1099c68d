"""Giving peers the pieces of a state, on a thread of its own, and of each peer only so much at a time.

It stands between network and node: requests about snapshots are answered here, everything else is handed on.
Nothing is decided in answering, so the node's machine hears nothing of it. SYNC-5, SYNC-6.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final, Protocol

from coc._native import Chain
from coc.adapters.finality_files import provable_chain
from coc.adapters.flushing import sentence_of
from coc.adapters.telemetry import Telemetry
from coc.adapters.validator.way_file import WayFile
from coc.adapters.wire.network_setup import Router
from coc.adapters.workers import Workers
from coc.consensus.finality.build import Provable
from coc.consensus.finality.records import Link
from coc.consensus.sync.snapshot.messages import NOTHING, Numbered, decode_numbered, encode_numbered
from coc.consensus.sync.snapshot.way import decode_way_request, page_after
from coc.execution.genesis import Genesis
from coc.primitives.errors import ConsensusError, PrimitivesError
from coc.primitives.frozen import frozen
from coc.primitives.limits_snapshot import SNAPSHOT_SERVED_PER_PEER_REQUESTS_MAX, SNAPSHOT_SERVED_REQUESTS_MAX
from coc.primitives.types import Height, PeerId
from coc.wire.identity import PeerFacts
from coc.wire.kinds import (
    CODES,
    GET_CODES,
    GET_HEADERS,
    GET_STATE,
    GET_WAY,
    HEADERS,
    STATE,
    WAY,
    Kind,
)

ANSWER_OF: Final = {GET_WAY: WAY, GET_HEADERS: HEADERS, GET_STATE: STATE, GET_CODES: CODES}
SERVING: Final = "serving a state"
"""The part that telemetry names when it fails."""


class Talker(Protocol):
    """The network, as far as it is spoken to."""

    def send(self, peer: PeerId, kind: Kind, payload: bytes) -> bool:
        """Send a peer a message."""
        ...

    def misbehaved(self, peer: PeerId, reason: str) -> None:
        """A peer did what no honest peer does."""
        ...


class Answerer(Protocol):
    """What has the pieces."""

    def answer(self, kind: Kind, body: bytes) -> bytes:
        """The body of the answer to a request; may take long."""
        ...


class Pieces:
    """What an open chain can give of its states, and of the way to the newest of them."""

    def __init__(self, chain: Chain, genesis: Genesis, folder: Path | None) -> None:
        """`chain` stays open as long as it is asked; the folder may have the way to where it begins."""
        self._chain = chain
        self._folder = folder
        # Only when the first asks: it reads the genesis file once more.
        self._provable: Callable[[], Provable] = cache(lambda: provable_chain(chain, genesis))
        self._kept: Callable[[], Callable[[Height], Link | None]] = cache(self._way)

    def answer(self, kind: Kind, body: bytes) -> bytes:
        """The body of the answer to a request.

        Raises:
            ValueError, ConsensusError, PrimitivesError: it is no request.
            ChainFailed, StorageFailed: this machine cannot read what is asked for.
        """
        if kind is GET_WAY:
            return page_after(self._provable(), decode_way_request(body), self._kept())
        if kind is GET_HEADERS:
            return self._chain.surroundings(body) or NOTHING
        if kind is GET_STATE:
            return self._chain.state_ranges(body)
        return self._chain.codes(body)

    def _way(self) -> Callable[[Height], Link | None]:
        registry = self._provable().rules.registry
        if registry is None or self._folder is None:
            return lambda _: None
        return WayFile(self._folder, registry.period_blocks).link


@frozen
class ServingPorts:
    """What answers, where, and whom to tell."""

    pieces: Answerer
    workers: Workers
    telemetry: Telemetry
    network: Callable[[], Talker]


class SnapshotServing:
    """A router in front of the node's."""

    def __init__(self, behind: Router, ports: ServingPorts) -> None:
        """`behind` gets whatever is no request about a snapshot."""
        self._behind = behind
        self._ports = ports
        self._under_way: Counter[PeerId] = Counter()

    def on_peer_up(self, peer: PeerId, facts: PeerFacts) -> None:
        """A peer is connected."""
        self._behind.on_peer_up(peer, facts)

    def on_peer_down(self, peer: PeerId) -> None:
        """A peer is gone; what it asked for is still read, and not sent."""
        self._behind.on_peer_down(peer)

    def on_message(self, peer: PeerId, kind: Kind, payload: bytes) -> None:
        """Answer, or hand on."""
        if kind not in ANSWER_OF:
            self._behind.on_message(peer, kind, payload)
            return
        try:
            message = decode_numbered(payload)
        except (ConsensusError, PrimitivesError) as error:
            self._ports.network().misbehaved(peer, error.what)
            return
        self._serve(peer, kind, message)

    def _serve(self, peer: PeerId, kind: Kind, message: Numbered) -> None:
        is_too_much = self._under_way[peer] >= SNAPSHOT_SERVED_PER_PEER_REQUESTS_MAX
        if is_too_much or self._under_way.total() >= SNAPSHOT_SERVED_REQUESTS_MAX:
            return
        self._under_way[peer] += 1
        pieces = self._ports.pieces
        self._ports.workers.run(
            lambda: pieces.answer(kind, message.body),
            lambda answer: self._answered(peer, kind, message.number, answer),
        )

    def _answered(self, peer: PeerId, kind: Kind, number: int, answer: bytes | Exception) -> None:
        self._under_way[peer] -= 1
        self._under_way += Counter()  # forgets those at zero
        match answer:
            case bytes():
                payload = encode_numbered(Numbered(number, answer))
                self._ports.network().send(peer, ANSWER_OF[kind], payload)
                self._ports.telemetry.recovered(SERVING)
            case ConsensusError() | PrimitivesError():
                self._ports.network().misbehaved(peer, answer.what)
            case ValueError():
                self._ports.network().misbehaved(peer, str(answer.args[0]))
            case _:
                self._ports.telemetry.problem(SERVING, f"a state cannot be read: {sentence_of(answer)}")
