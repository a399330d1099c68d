"""Nodes of a rotation chain in one process: real machines, chains on simulated disks, a clock moved by hand.

Effects are carried out at once, messages arrive in the order in which they were sent, and time passes only
when a test says so.
"""

from __future__ import annotations

import heapq
import itertools
import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from coc import _native
from coc._native import Chain, Mark, SimDisk, sign_transaction
from coc.consensus.bft.wal import Record
from coc.consensus.signing_mark import judge_by_slot
from coc.consensus.sync.messages import BlockBody, encode_blocks, encode_body
from coc.execution.genesis import read_genesis
from coc.execution.mempool.inputs import Candidate, Origin
from coc.execution.network_genesis import FUNDED_WEI, RotationGenesis, rotation_genesis
from coc.node.inputs import Arrived
from coc.node.judging import candidates_of
from coc.node.rotation import effects as fx
from coc.node.rotation import inputs as ev
from coc.node.rotation.build import NodeConfig, build_node, network_rules
from coc.node.rotation.chain_door import DoorRules, RotationDoor
from coc.node.rotation.machine import RotationNode
from coc.node.rotation.tags import decode_tags
from coc.node.validator import effects as shared
from coc.node.validator.build import Remembered
from coc.node.validator.inputs import (
    ExecutionFailed,
    Logged,
    MessageReceived,
    PeerDown,
    PeerUp,
    Signed,
    Start,
)
from coc.node.validator.ports import Faults
from coc.node.validator.signer import MarkedSigner
from coc.node.validator.wal_codec import WalContent
from coc.primitives.mnemonic import DEV_MNEMONIC, dev_secrets
from coc.primitives.secp256k1 import Secret, address_of, public_key_of, recover_address
from coc.primitives.types import Hash32, Height, Millis, PeerId
from coc.primitives.validators import Validator
from coc.wire import kinds

GENESIS_TIME_S = 1_700_000_000
CHAIN_ID = 31_337
*VALIDATORS, CLIENT = dev_secrets(DEV_MNEMONIC, 5)
LOGS_ONCE = "0x60006000a0"
"""Code that logs nothing, once."""
FAULTS = Faults(_native.BlockInvalid, _native.UnknownBlock, _native.StorageFailed)
OPTIONS = json.dumps({"states_kept": 1_000}).encode()


def validator_of(secret: Secret) -> Validator:
    """A validator whose every key is this one."""
    key = public_key_of(secret)
    return Validator(address_of(secret), key, key, 1, address_of(secret))


def client_sends(nonce: int) -> bytes:
    """A signed transaction of the client: it makes a contract whose making logs."""
    unsigned: dict[str, Any] = {
        "type": "0x2",
        "chainId": hex(CHAIN_ID),
        "nonce": hex(nonce),
        "to": None,
        "value": "0x0",
        "gas": hex(100_000),
        "maxFeePerGas": hex(10**11),
        "maxPriorityFeePerGas": hex(10**9),
        "input": LOGS_ONCE,
        "accessList": [],
    }
    return sign_transaction(CLIENT, json.dumps(unsigned).encode())


class Memory:
    """A mark that outlives its signer."""

    payload: bytes | None = None

    def save(self, payload: bytes) -> None:
        self.payload = payload


@dataclass
class Kept:
    """What a node leaves behind when it ends."""

    disk: SimDisk
    mark: Memory = field(default_factory=Memory)
    records: list[Record] = field(default_factory=list)
    bodies: dict[Hash32, tuple[Height, BlockBody]] = field(default_factory=dict)
    forgets_tags: bool = False
    """As a folder that was imported, or is older than the tags."""


class Member:
    """One node and its ports."""

    def __init__(self, town: Town, index: int) -> None:
        self.town, self.index = town, index
        self.peer = PeerId(bytes([index + 1]) * 32)
        self.kept = Kept(SimDisk(index))
        self.told: list[fx.Effect] = []
        self.fails: Callable[[fx.Effect], bool] = lambda effect: False
        """Which effects this machine cannot perform just now."""
        self.is_mute = False
        """Whether a signature that was asked for was never made in this life."""
        self.life = 0
        self.is_up = False

    def start(self) -> None:
        """Begin, or begin again, with what was kept."""
        genesis, kept = self.town.genesis, self.kept
        self.life += 1
        self.is_up, self.is_mute = True, False
        self.inputs: deque[ev.Input] = deque()
        self.is_stepping = False
        self.chain = Chain.open_simulated(genesis.text, kept.disk, OPTIONS)
        tags = Mark.open("/", "tags", kept.disk)
        rules = network_rules(Hash32(self.chain.genesis_hash), genesis.timestamp, self.town.rules)
        self.slots = rules.slots
        door_rules = DoorRules(rules.slots, self.town.rules.gas_limit_target)
        self.door = RotationDoor(self.chain, _native.read_block, FAULTS, door_rules, tags)
        secret = VALIDATORS[self.index % len(self.town.rules.validators.validators)]
        self.signer = MarkedSigner(secret, kept.mark, judge_by_slot)
        remembered = Remembered(
            WalContent(tuple(kept.records), dict(kept.bodies)), self.signer.mark, log_was_lost=False
        )
        config = NodeConfig(rules, address_of(secret), recover_address, has_journal=False)
        found = decode_tags(tags.payload) if tags.payload and not kept.forgets_tags else None
        self.node: RotationNode = build_node(config, self.door, found, remembered, self.town.now_ms)
        self.feed(Start())
        for other in self.town.members:
            if other is not self and self.town.are_linked(self, other):
                self.feed(PeerUp(other.peer))
                other.feed(PeerUp(self.peer))

    def lose_power(self) -> None:
        """End without a word; what was not synced is lost."""
        self.is_up = False
        self.kept.disk.crash()
        del self.chain, self.door, self.node

    def feed(self, event: ev.Input) -> None:
        if not self.is_up:
            return
        self.inputs.append(event)
        if self.is_stepping:
            return
        self.is_stepping = True
        while self.inputs:
            for effect in self.node.step(self.town.now_ms, self.inputs.popleft()):
                self.told.append(effect)
                self.perform(effect)
        self.is_stepping = False

    def submit(self, raw: bytes) -> None:
        """A client hands in a transaction."""
        self._judge([raw], Origin.LOCAL)

    def _judge(self, raws: Sequence[bytes], origin: Origin) -> None:
        head = self.node.pool.head.hash
        judged = [
            each for each in candidates_of(self.chain.admit(head, list(raws))) if isinstance(each, Candidate)
        ]
        self.feed(Arrived(head, origin, judged))

    def waiting(self) -> list[bytes]:
        """What the next block may take."""
        return [each.raw for each in self.node.pool.best()]

    def perform(self, effect: fx.Effect) -> None:
        match effect:
            case fx.SetRotationTimer(timer, at_ms):
                life = self.life
                self.town.at(at_ms, lambda: self.feed(ev.RotationTimer(timer)) if self.life == life else None)
            case shared.Send(peer, kind, payload):
                self.town.send(self, peer, kind, payload)
            case shared.SendAll(kind, payload):
                for other in self.town.members:
                    if other is not self:
                        self.town.send(self, other.peer, kind, payload)
            case shared.ServeBlock(peer, block):
                body = self.door.shelf.body(block)
                if body is not None:
                    self.town.send(self, peer, kinds.BLOCK.number, encode_body(body))
            case shared.ServeBlocks(peer, wish):
                blocks = encode_blocks(self.door.shelf.blocks(wish))
                self.town.send(self, peer, kinds.BLOCKS.number, blocks)
            case shared.SubmitFromPeer():
                self._judge(effect.raws, Origin.PEER)
            case shared.WriteAhead():
                self.kept.records = list(effect.records)
                for block, body in effect.blocks.items():
                    self.kept.bodies = {block: (Height(0), body)}
                self.feed(Logged(effect.sequence))
            case shared.AppendRecord():
                self.kept.records.append(effect.record)
            case shared.Sign():
                self.is_mute = self.is_mute or self.fails(effect)
                if not self.is_mute:
                    self.feed(Signed(effect.request, self.signer.sign(effect.request)))
            case _:
                self._perform_on_chain(effect)

    def _perform_on_chain(self, effect: fx.Effect) -> None:
        match effect:
            case fx.ReadBlock(peer, body):
                self.feed(ev.BlockRead(peer, self.door.read(body), body))
            case fx.ReadRange(peer, blocks):
                self.feed(ev.RangeRead(peer, *self.door.read_range(blocks)))
            case fx.BuildSlotBlock():
                self.feed(self.door.build(effect))
            case fx.JudgeBlock(block, body):
                if self.fails(effect):
                    self.feed(ExecutionFailed(block, "the disk is away"))
                else:
                    self.feed(ev.BlockJudged(block, self.door.execute(body)))
            case fx.RecordBlock(block):
                if self.fails(effect):
                    self.feed(ev.RecordFailed(effect, "the disk is full"))
                else:
                    self.door.record(effect)
                    self.feed(ev.BlockRecorded(block))
            case fx.MoveTags(tags):
                if self.fails(effect):
                    self.feed(ev.MoveFailed(tags, "the disk is full"))
                else:
                    self.feed(self.door.move(tags, self.node.pool.view.senders()))
            case _:
                pass


class Town:
    """Members, links, messages, and the time."""

    def __init__(
        self, count: int = 3, final_depth_blocks: int = 3, interval_s: int = 1, twins: int = 0
    ) -> None:
        """Members beyond the validators are `twins`: they have the keys of the first ones, and own marks."""
        chosen = RotationGenesis(
            [validator_of(secret) for secret in VALIDATORS[:count]],
            {address_of(CLIENT): FUNDED_WEI},
            CHAIN_ID,
            30_000_000,
            interval_s,
            GENESIS_TIME_S,
            final_depth_blocks,
        )
        self.genesis = read_genesis(rotation_genesis(chosen))
        assert self.genesis.coc is not None
        self.rules = self.genesis.coc
        self.now_ms = Millis(GENESIS_TIME_S * 1000 + 500)
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._apart: frozenset[int] = frozenset()
        self.members = [Member(self, index) for index in range(count + twins)]

    def start(self) -> None:
        for member in self.members:
            member.start()

    def are_linked(self, one: Member, other: Member) -> bool:
        is_split = (one.index in self._apart) != (other.index in self._apart)
        return one.is_up and other.is_up and not is_split

    def part(self, *indexes: int) -> None:
        """Cut these members off from the others; none: everybody hears everybody."""
        before = {(a.index, b.index) for a in self.members for b in self.members if self.are_linked(a, b)}
        self._apart = frozenset(indexes)
        for one in self.members:
            for other in self.members:
                was, is_ = (one.index, other.index) in before, self.are_linked(one, other)
                if one is not other and was != is_:
                    one.feed(PeerUp(other.peer) if is_ else PeerDown(other.peer))

    def at(self, at_ms: int, action: Callable[[], None]) -> None:
        heapq.heappush(self._events, (at_ms, next(self._order), action))

    def send(self, sender: Member, peer: PeerId, kind: int, payload: bytes) -> None:
        asked = next((each for each in self.members if each.peer == peer), None)

        def arrive() -> None:
            if asked is not None and self.are_linked(sender, asked):
                asked.feed(MessageReceived(sender.peer, kind, payload))

        self.at(self.now_ms + 1, arrive)

    def pass_slots(self, count: int) -> None:
        """Let time pass."""
        end_ms = self.now_ms + count * 1000 * self.rules.block_interval_s
        while self._events and self._events[0][0] <= end_ms:
            at_ms, _, action = heapq.heappop(self._events)
            self.now_ms = Millis(max(self.now_ms, at_ms))
            action()
        self.now_ms = Millis(end_ms)

    def heads(self) -> set[bytes]:
        return {member.chain.head.hash for member in self.members if member.is_up}
