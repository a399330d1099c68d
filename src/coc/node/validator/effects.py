"""Everything a node of a BFT chain can ask for. Effects are performed in the order of the list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from coc.consensus.bft.inputs import Timer
from coc.consensus.bft.wal import Record
from coc.consensus.sync.messages import BlockBody, BlockRange, CertifiedBlock
from coc.execution.mempool.effects import Effect as PoolEffect
from coc.execution.mempool.inputs import PooledTransaction
from coc.primitives.consensus_data import ConsensusData
from coc.primitives.frozen import frozen
from coc.primitives.seals import SignRequest
from coc.primitives.types import Hash32, Height, Millis, PeerId
from coc.primitives.votes import CommitCertificate, Evidence
from coc.wire.dht.hosts import Contact
from coc.wire.dht.inputs import Timer as TableTimer
from coc.wire.dht.records import Claim


@frozen
class SetConsensusTimer:
    """Hand in `ConsensusTimer` at this time."""

    timer: Timer
    at_ms: Millis


@frozen
class SetGossipTimer:
    """Hand in `GossipTimer` at this time, instead of any earlier such wish."""

    at_ms: Millis


@frozen
class Send:
    """Send a peer a message of this kind (its number on the wire)."""

    peer: PeerId
    kind: int
    payload: bytes


@frozen
class SendAll:
    """Send every peer a message."""

    kind: int
    payload: bytes


@frozen
class SendCertificate:
    """Send a peer the certificate of a decided height of the log, as a consensus message."""

    peer: PeerId
    height: Height


@frozen
class ServeBlock:
    """Send a peer a block of the log by its hash, or say that there is none."""

    peer: PeerId
    block: Hash32


@frozen
class ServeBlocks:
    """Send a peer decided blocks of the log."""

    peer: PeerId
    wish: BlockRange


@frozen
class ServeGenesis:
    """Send a peer the genesis text of the chain."""

    peer: PeerId


@frozen
class DialNode:
    """Connect to a node for a question; answer `PeerUp`, or `DialFailed` with the same fields."""

    host: str
    port: int
    peer: PeerId | None


@frozen
class SetDhtTimer:
    """Hand in `DhtTimer` at this time."""

    timer: TableTimer
    at_ms: Millis


@frozen
class SignRecord:
    """Sign a claim with the network key; answer `RecordSigned`."""

    claim: Claim


@frozen
class AddressesFound:
    """Nodes that proved who they are, and where: worth a connection when there is room."""

    contacts: Sequence[Contact]


@frozen
class CheckBlock:
    """Find out which block these bytes are; answer `BlockChecked`."""

    peer: PeerId
    body: BlockBody


@frozen
class ProveRandomness:
    """Ask the signer for a VRF proof; answer `RandomnessProved`."""

    height: Height
    round: int
    parent: Hash32


@frozen
class BuildBlock:
    """Build a block on `parent` from these transactions; answer `BlockBuilt` or `BuildFailed`."""

    height: Height
    round: int
    parent: Hash32
    timestamp_s: int
    data: ConsensusData
    transactions: Sequence[PooledTransaction]


@frozen
class ExecuteBlock:
    """Execute a block and hold it to the engine's rules; answer `BlockExecuted` or `ExecutionFailed`."""

    hash: Hash32
    body: BlockBody


@frozen
class DecideBlock:
    """Write a block with its certificate into the log; answer `BlockDecided` or `DecisionFailed`."""

    hash: Hash32
    certificate: CommitCertificate


@frozen
class AdoptBlocks:
    """Verify decided blocks of a peer and write them into the log, in order; answer `BlocksAdopted`."""

    peer: PeerId
    blocks: Sequence[CertifiedBlock]


@frozen
class SetSyncTimer:
    """Hand in `SyncTimer` at this time."""

    at_ms: Millis


@frozen
class WriteAhead:
    """Append records, and the bytes of these blocks before them, and fsync; answer `Logged`."""

    sequence: int
    records: tuple[Record, ...]
    blocks: Mapping[Hash32, BlockBody]


@frozen
class AppendRecord:
    """Append a record without waiting."""

    record: Record


@frozen
class Sign:
    """Ask the signer; answer `Signed` or `SigningRefused`."""

    request: SignRequest


@frozen
class SubmitFromPeer:
    """Judge transactions that a peer sent; answer `Arrived`."""

    peer: PeerId
    raws: Sequence[bytes]


@frozen
class Misbehaved:
    """A peer sent what no honest peer sends."""

    peer: PeerId
    reason: str


@frozen
class EvidenceSeen:
    """A validator was caught signing twice; a block will say so."""

    evidence: Evidence


@frozen
class Alarm:
    """Something a person must know; an empty reason takes the last one of this part back."""

    part: str
    reason: str


Shared: TypeAlias = (
    SetGossipTimer
    | Send
    | SendAll
    | ServeBlock
    | ServeBlocks
    | ServeGenesis
    | DialNode
    | SetDhtTimer
    | SignRecord
    | AddressesFound
    | WriteAhead
    | AppendRecord
    | Sign
    | SubmitFromPeer
    | Misbehaved
    | Alarm
    | PoolEffect
)
"""What a node asks for whichever engine it runs."""

Effect: TypeAlias = (
    Shared
    | SetConsensusTimer
    | SendCertificate
    | CheckBlock
    | ProveRandomness
    | BuildBlock
    | ExecuteBlock
    | DecideBlock
    | AdoptBlocks
    | SetSyncTimer
    | EvidenceSeen
)
