"""Everything a node of a BFT chain can ask for. Effects are performed in the order of the list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from coc.consensus.bft.inputs import Timer
from coc.consensus.bft.wal import Record
from coc.consensus.sync.messages import BlockBody, BlockRange, CertifiedBlock
from coc.execution.mempool.effects import Effect as PoolEffect
from coc.execution.mempool.inputs import PooledTransaction
from coc.primitives.consensus_data import ConsensusData
from coc.primitives.seals import SignRequest
from coc.primitives.types import Hash32, Height, Millis, PeerId
from coc.primitives.votes import CommitCertificate, Evidence
from coc.wire.dht.hosts import Contact
from coc.wire.dht.inputs import Timer as TableTimer
from coc.wire.dht.records import Claim


@dataclass(frozen=True, slots=True)
class SetConsensusTimer:
    """Hand in `ConsensusTimer` at this time."""

    timer: Timer
    at_ms: Millis


@dataclass(frozen=True, slots=True)
class SetGossipTimer:
    """Hand in `GossipTimer` at this time, instead of any earlier such wish."""

    at_ms: Millis


@dataclass(frozen=True, slots=True)
class Send:
    """Send a peer a message of this kind (its number on the wire)."""

    peer: PeerId
    kind: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class SendAll:
    """Send every peer a message."""

    kind: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class SendCertificate:
    """Send a peer the certificate of a decided height of the log, as a consensus message."""

    peer: PeerId
    height: Height


@dataclass(frozen=True, slots=True)
class ServeBlock:
    """Send a peer a block of the log by its hash, or say that there is none."""

    peer: PeerId
    block: Hash32


@dataclass(frozen=True, slots=True)
class ServeBlocks:
    """Send a peer decided blocks of the log."""

    peer: PeerId
    wish: BlockRange


@dataclass(frozen=True, slots=True)
class ServeGenesis:
    """Send a peer the genesis text of the chain."""

    peer: PeerId


@dataclass(frozen=True, slots=True)
class DialNode:
    """Connect to a node for a question; answer `PeerUp`, or `DialFailed` with the same fields."""

    host: str
    port: int
    peer: PeerId | None


@dataclass(frozen=True, slots=True)
class SetDhtTimer:
    """Hand in `DhtTimer` at this time."""

    timer: TableTimer
    at_ms: Millis


@dataclass(frozen=True, slots=True)
class SignRecord:
    """Sign a claim with the network key; answer `RecordSigned`."""

    claim: Claim


@dataclass(frozen=True, slots=True)
class AddressesFound:
    """Nodes that proved who they are, and where: worth a connection when there is room."""

    contacts: Sequence[Contact]


@dataclass(frozen=True, slots=True)
class CheckBlock:
    """Find out which block these bytes are; answer `BlockChecked`."""

    peer: PeerId
    body: BlockBody


@dataclass(frozen=True, slots=True)
class ProveRandomness:
    """Ask the signer for a VRF proof; answer `RandomnessProved`."""

    height: Height
    round: int
    parent: Hash32


@dataclass(frozen=True, slots=True)
class BuildBlock:
    """Build a block on `parent` from these transactions; answer `BlockBuilt` or `BuildFailed`."""

    height: Height
    round: int
    parent: Hash32
    timestamp_s: int
    data: ConsensusData
    transactions: Sequence[PooledTransaction]


@dataclass(frozen=True, slots=True)
class ExecuteBlock:
    """Execute a block and hold it to the engine's rules; answer `BlockExecuted` or `ExecutionFailed`."""

    hash: Hash32
    body: BlockBody


@dataclass(frozen=True, slots=True)
class DecideBlock:
    """Write a block with its certificate into the log; answer `BlockDecided` or `DecisionFailed`."""

    hash: Hash32
    certificate: CommitCertificate


@dataclass(frozen=True, slots=True)
class AdoptBlocks:
    """Verify decided blocks of a peer and write them into the log, in order; answer `BlocksAdopted`."""

    peer: PeerId
    blocks: Sequence[CertifiedBlock]


@dataclass(frozen=True, slots=True)
class SetSyncTimer:
    """Hand in `SyncTimer` at this time."""

    at_ms: Millis


@dataclass(frozen=True, slots=True)
class WriteAhead:
    """Append records, and the bytes of these blocks before them, and fsync; answer `Logged`."""

    sequence: int
    records: tuple[Record, ...]
    blocks: Mapping[Hash32, BlockBody]


@dataclass(frozen=True, slots=True)
class AppendRecord:
    """Append a record without waiting."""

    record: Record


@dataclass(frozen=True, slots=True)
class Sign:
    """Ask the signer; answer `Signed` or `SigningRefused`."""

    request: SignRequest


@dataclass(frozen=True, slots=True)
class SubmitFromPeer:
    """Judge transactions that a peer sent; answer `Arrived`."""

    peer: PeerId
    raws: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Misbehaved:
    """A peer sent what no honest peer sends."""

    peer: PeerId
    reason: str


@dataclass(frozen=True, slots=True)
class EvidenceSeen:
    """A validator was caught signing twice; a block will say so."""

    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something a person must know; an empty reason takes the last one of this part back."""

    part: str
    reason: str


Effect: TypeAlias = (
    SetConsensusTimer
    | SetGossipTimer
    | Send
    | SendAll
    | SendCertificate
    | ServeBlock
    | ServeBlocks
    | ServeGenesis
    | DialNode
    | SetDhtTimer
    | SignRecord
    | AddressesFound
    | CheckBlock
    | ProveRandomness
    | BuildBlock
    | ExecuteBlock
    | DecideBlock
    | AdoptBlocks
    | SetSyncTimer
    | WriteAhead
    | AppendRecord
    | Sign
    | SubmitFromPeer
    | Misbehaved
    | EvidenceSeen
    | Alarm
    | PoolEffect
)
