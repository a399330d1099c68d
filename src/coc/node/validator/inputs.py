"""Everything that can happen to a node of a BFT chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from coc.consensus.bft.evidence import Offence
from coc.consensus.bft.inputs import Timer
from coc.consensus.bft.rules import BlockFacts, HeightFacts
from coc.consensus.sync.messages import BlockBody
from coc.execution.mempool.inputs import Account, Head, JournalFailed, Judged
from coc.node.inputs import Arrived
from coc.primitives.frozen import frozen
from coc.primitives.seals import SignRequest
from coc.primitives.types import Address, Hash32, Height, PeerId, Signature
from coc.primitives.votes import Evidence
from coc.wire.dht.inputs import Timer as TableTimer
from coc.wire.dht.records import Record


@frozen
class Start:
    """Messages can leave; the pool's journal has been read."""


@frozen
class ConsensusTimer:
    """A timer that the engine asked for has gone off."""

    timer: Timer


@frozen
class GossipTimer:
    """The timer that transaction gossip asked for has gone off."""


@frozen
class DhtTimer:
    """A timer that the table of nodes asked for has gone off."""

    timer: TableTimer


@frozen
class DialFailed:
    """A `DialNode` came to nothing; the fields are the effect's."""

    host: str
    port: int
    peer: PeerId | None


@frozen
class RecordSigned:
    """The record asked for."""

    record: Record


@frozen
class PeerContact:
    """A peer's key, the IP it is connected from, and the port it accepts connections on there, or 0."""

    public_key: bytes
    host: str
    port: int


@frozen
class PeerUp:
    """A peer is connected, and its identity proven; only the table of nodes asks for its contact."""

    peer: PeerId
    contact: PeerContact | None = None


@frozen
class PeerDown:
    """The connection to a peer has ended."""

    peer: PeerId


@frozen
class MessageReceived:
    """A peer sent a message of this kind (its number on the wire)."""

    peer: PeerId
    kind: int
    payload: bytes


@frozen
class BlockChecked:
    """The bytes that a peer sent are those of the block `hash`; of none if it is None."""

    peer: PeerId
    hash: Hash32 | None
    height: Height
    body: BlockBody


@frozen
class RandomnessProved:
    """The VRF proof asked for, for the block to build; empty where the signer would not."""

    height: Height
    round: int
    proof: bytes


@frozen
class BlockBuilt:
    """The block asked for is a candidate.

    `refused` are transactions that did not fit its rules, `outdated` offences that none can include any more.
    """

    height: Height
    round: int
    hash: Hash32
    body: BlockBody
    facts: BlockFacts
    refused: Sequence[Hash32]
    outdated: tuple[Offence, ...] = ()


@frozen
class BuildFailed:
    """The block asked for could not be built: the round goes on without it."""

    reason: str


@frozen
class BlockExecuted:
    """The verdict on a block; None for an invalid one."""

    hash: Hash32
    facts: BlockFacts | None


@frozen
class ExecutionFailed:
    """Nothing is known about a block, because this machine could not execute it."""

    hash: Hash32
    reason: str


@frozen
class BlockDecided:
    """A block is durable and the head: what it means for engine and pool."""

    facts: HeightFacts
    pool_head: Head
    changed: Mapping[Address, Account]
    included: Sequence[Hash32]
    evidence: Sequence[Evidence]
    rules_changed: bool


@frozen
class BlocksAdopted:
    """What became of a peer's decided blocks.

    `decided` says what the last one adopted means, None where none was; `refused` why the next one proves
    nothing; `failed` why this machine cannot go on; `is_ahead` that the first lies beyond what is missing.
    `differs` names a certified block that our own execution refuses: then it is not the peer who is wrong.
    """

    peer: PeerId
    decided: BlockDecided | None
    refused: str = ""
    failed: str = ""
    is_ahead: bool = False
    differs: str = ""


@frozen
class SyncTimer:
    """The timer that catching up asked for has gone off."""


@frozen
class DecisionFailed:
    """The decided block could not be written; the same one is tried again."""

    reason: str


@frozen
class Logged:
    """The records of the `WriteAhead` with this number are durable."""

    sequence: int


@frozen
class LogFailed:
    """They are not."""

    sequence: int
    reason: str


@frozen
class Signed:
    """The signature asked for."""

    request: SignRequest
    signature: Signature


@frozen
class SigningRefused:
    """The signer will not sign this."""

    request: SignRequest
    reason: str


Common: TypeAlias = (
    Start
    | GossipTimer
    | DhtTimer
    | DialFailed
    | RecordSigned
    | PeerUp
    | PeerDown
    | MessageReceived
    | Logged
    | LogFailed
    | Signed
    | SigningRefused
    | Arrived
    | Judged
    | JournalFailed
)
"""What happens to a node whichever engine it runs."""

Input: TypeAlias = (
    Common
    | ConsensusTimer
    | BlockChecked
    | RandomnessProved
    | BlockBuilt
    | BuildFailed
    | BlockExecuted
    | ExecutionFailed
    | BlockDecided
    | BlocksAdopted
    | SyncTimer
    | DecisionFailed
)
