"""The table of nodes inside a node: whole nodes on a real chain, whose effects the test carries out."""

from __future__ import annotations

import pytest

from coc.node.validator.build import NodeConfig, Remembered, TableConfig, bft_rules, build_node
from coc.node.validator.dht_side import ANNOUNCING, renewed
from coc.node.validator.effects import (
    AddressesFound,
    Alarm,
    DialNode,
    Effect,
    Misbehaved,
    Send,
    ServeGenesis,
    SetDhtTimer,
    SignRecord,
)
from coc.node.validator.inputs import (
    DhtTimer,
    DialFailed,
    Input,
    MessageReceived,
    PeerContact,
    PeerDown,
    PeerUp,
    RecordSigned,
    Start,
)
from coc.node.validator.machine import ValidatorNode
from coc.node.validator.wal_codec import WalContent
from coc.primitives.frozen import replace
from coc.primitives.limits_dht import RECORD_TTL_SECONDS_MAX, RENEW_SECONDS, UPKEEP_MS
from coc.primitives.secp256k1 import recover_address
from coc.primitives.types import Address, Hash32, Millis, Seconds
from coc.wire import kinds
from coc.wire.dht.hosts import HostPolicy
from coc.wire.dht.inputs import Timer, TimerKind
from coc.wire.dht.messages import Body, FindNode, Nodes, Pong, Store, decode_message, encode_message
from coc.wire.dht.rules import Bootstrap, Setup
from tests.node.validator.forge import FILE, Forge
from tests.wire.dht.network import GENESIS, START_MS, Identity

OWN = Identity.of(1, "8.8.8.8")
PEER = Identity.of(2, "9.9.9.9")
BOOTSTRAP = Bootstrap("seed.example", 30_303)
DHT = kinds.DHT.number
UPKEEP = DhtTimer(Timer(TimerKind.UPKEEP))


class Stage:
    """A node that follows, or votes as `own`, with a table or without, and a clock."""

    def __init__(self, table: TableConfig | None, own: Address | None = None) -> None:
        self.now_ms = Millis(START_MS)
        forge = Forge()
        assert FILE.rules.bft is not None
        rules = bft_rules(forge.genesis_hash, FILE.rules, FILE.rules.bft)
        config = NodeConfig(rules, own, recover_address, has_journal=False, table=table)
        nothing = Remembered(WalContent(), None, log_was_lost=False)
        self.node: ValidatorNode = build_node(config, forge.door, nothing, self.now_ms)

    def step(self, event: Input) -> list[Effect]:
        return self.node.step(self.now_ms, event)

    def meet(self, peer: Identity) -> list[Effect]:
        at = PeerContact(peer.public_key, peer.contact.host_text, peer.contact.port)
        return self.step(PeerUp(peer.id, at))

    def upkeep_at(self, now_ms: int) -> list[Effect]:
        self.now_ms = Millis(now_ms)
        return self.step(UPKEEP)


def table() -> TableConfig:
    hosts = HostPolicy()
    return TableConfig(Setup(GENESIS, OWN.public_key, b"dice", (BOOTSTRAP,), hosts), OWN.endpoint())


@pytest.fixture
def stage() -> Stage:
    return Stage(table())


def of_table(effects: list[Effect]) -> list[Send]:
    return [each for each in effects if isinstance(each, Send) and each.kind == DHT]


def asked(effects: list[Effect]) -> list[tuple[int, Body]]:
    """Requests of the table in messages to the peer, with their numbers."""
    return [decode_message(each.payload) for each in of_table(effects)]


def answers_nothing_known(stage: Stage, effects: list[Effect]) -> list[Effect]:
    """The peer answers every question for nodes with none, until no question is left."""
    heard: list[Effect] = []
    while questions := [number for number, body in asked(effects) if isinstance(body, FindNode)]:
        effects = [
            effect
            for number in questions
            for effect in stage.step(MessageReceived(PEER.id, DHT, encode_message(number, Nodes(()))))
        ]
        heard += effects
    return heard


def test_a_node_that_starts_dials_the_peers_it_was_configured_with_and_asks_for_timers(  # DHT-14, DHT-26
    stage: Stage,
) -> None:
    effects = stage.step(Start())

    assert [each for each in effects if isinstance(each, DialNode)] == [
        DialNode("seed.example", 30_303, None)
    ]
    assert SetDhtTimer(Timer(TimerKind.UPKEEP), Millis(START_MS + UPKEEP_MS)) in effects


def test_a_node_without_a_table_asks_for_nothing_of_it() -> None:
    stage = Stage(None)
    effects = [*stage.step(Start()), *stage.meet(PEER), *stage.step(PeerDown(PEER.id))]
    effects += stage.step(MessageReceived(PEER.id, DHT, b"no message of a table"))
    effects += stage.step(DialFailed("9.9.9.9", 1, None))

    assert not [each for each in effects if isinstance(each, DialNode | SetDhtTimer | AddressesFound)]
    assert of_table(effects) == []
    assert not [each for each in effects if isinstance(each, Misbehaved)]


def test_a_peer_that_can_be_dialled_is_told_to_the_peer_book_and_asked_for_our_neighbours(  # DHT-14, DHT-26
    stage: Stage,
) -> None:
    stage.step(Start())
    effects = stage.meet(PEER)

    assert AddressesFound((PEER.contact,)) in effects
    assert [body for _, body in asked(effects)] == [FindNode(Hash32(OWN.id))]


def test_a_peer_without_a_contact_is_a_peer_and_not_one_of_the_table(stage: Stage) -> None:
    stage.step(Start())
    effects = stage.step(PeerUp(PEER.id))

    assert not [each for each in effects if isinstance(each, AddressesFound)]
    assert of_table(effects) == []


def test_a_node_that_a_peer_names_is_dialled_under_its_id_and_given_up_when_that_fails(  # DHT-13
    stage: Stage,
) -> None:
    named = Identity.of(3, "9.9.9.8")
    stage.step(Start())
    [(number, _)] = asked(stage.meet(PEER))
    effects = stage.step(MessageReceived(PEER.id, DHT, encode_message(number, Nodes((named.contact,)))))
    dial = DialNode("9.9.9.8", named.contact.port, named.id)
    assert dial in effects

    after = stage.step(DialFailed(dial.host, dial.port, dial.peer))
    assert [body for _, body in asked(after)]  # the lookup is over, and the next one begins


def test_bytes_that_are_no_message_of_the_table_are_the_peers_fault(stage: Stage) -> None:  # DHT-21
    stage.step(Start())
    stage.meet(PEER)
    effects = stage.step(MessageReceived(PEER.id, DHT, b"\xff"))

    assert [each.peer for each in effects if isinstance(each, Misbehaved)] == [PEER.id]


def test_a_record_that_expires_soon_is_signed_again_as_a_newer_one_and_announced(  # DHT-23, DHT-26
    stage: Stage,
) -> None:
    stage.step(Start())
    answers_nothing_known(stage, stage.meet(PEER))
    claim = OWN.endpoint().claim
    soon_ms = (claim.expiry_seconds - RENEW_SECONDS + 1) * 1_000
    effects = answers_from(stage, stage.upkeep_at(soon_ms))
    [wish] = [each for each in effects if isinstance(each, SignRecord)]

    assert wish.claim == replace(
        claim, sequence=soon_ms, expiry_seconds=Seconds(soon_ms // 1_000 + RECORD_TTL_SECONDS_MAX)
    )
    announced = stage.step(RecordSigned(OWN.sign(wish.claim)))
    assert not [each for each in announced if isinstance(each, Alarm | SignRecord)]


def answers_from(stage: Stage, effects: list[Effect]) -> list[Effect]:
    """These effects, and those of the peer's answers to the questions in them."""
    for number, body in asked(effects):
        if not isinstance(body, FindNode | Store):
            effects += stage.step(MessageReceived(PEER.id, DHT, encode_message(number, Pong())))
    return [*effects, *answers_nothing_known(stage, effects)]


def test_a_record_that_expired_while_the_machine_slept_is_signed_anew(stage: Stage) -> None:  # DHT-26
    stage.step(Start())
    answers_nothing_known(stage, stage.meet(PEER))
    late_ms = (OWN.endpoint().claim.expiry_seconds + 1) * 1_000
    effects = answers_from(stage, stage.upkeep_at(late_ms))

    [wish] = [each for each in effects if isinstance(each, SignRecord)]
    assert wish.claim == renewed(OWN.endpoint().claim, Millis(late_ms))


def test_a_record_that_the_table_refuses_is_an_alarm_and_not_signed_for_ever(stage: Stage) -> None:
    stage.step(Start())
    of_another = PEER.endpoint()
    effects = stage.step(RecordSigned(of_another))

    assert effects == [Alarm(ANNOUNCING, "its publisher is another node")]


@pytest.mark.parametrize("sequence", [1, START_MS + 5])
def test_a_renewed_claim_is_newer_than_the_last_even_if_the_clock_went_back(sequence: int) -> None:  # DHT-26
    claim = replace(OWN.endpoint().claim, sequence=sequence)
    newer = renewed(claim, Millis(START_MS))

    assert newer.sequence == max(START_MS, sequence + 1)
    assert OWN.sign(newer).is_current(START_MS)


def test_the_genesis_is_served_once_a_connection(stage: Stage) -> None:  # WIRE-37
    ask = MessageReceived(PEER.id, kinds.GET_GENESIS.number, b"")
    assert stage.step(ask) == []  # nobody who is not here

    stage.meet(PEER)
    assert stage.step(ask) == [ServeGenesis(PEER.id)]
    assert stage.step(ask) == []
    stage.step(PeerDown(PEER.id))
    stage.meet(PEER)
    assert stage.step(ask) == [ServeGenesis(PEER.id)]
