"""Which block is fetched: asked of all, proved by each, the highest wins. SYNC-1, SYNC-4."""

from __future__ import annotations

from typing import TypeVar

from coc.consensus.sync.snapshot.finding import (
    AskWay,
    Contradicted,
    FindingEffect,
    FindingInput,
    Found,
    Lied,
    NothingFound,
    Seek,
    TargetFinder,
    VerifyWay,
    WakeFinder,
    WayReceived,
    WayRefused,
    WayVerified,
)
from coc.consensus.sync.snapshot.inputs import PeerCame, PeerGone, Target, TimerFired
from coc.consensus.sync.snapshot.messages import NOTHING, Numbered, decode_numbered, encode_numbered
from coc.consensus.sync.snapshot.way import (
    Page,
    Untrodden,
    WayRequest,
    decode_way_request,
    way_from_genesis,
)
from coc.primitives.frozen import replace
from coc.primitives.keccak import keccak256
from coc.primitives.limits_snapshot import (
    SNAPSHOT_ANSWER_MS_MAX,
    SNAPSHOT_FIND_AGAIN_MS,
    SNAPSHOT_FIND_PEERS_MAX,
    SNAPSHOT_FIND_WAIT_MS,
    SNAPSHOT_LIARS_PEERS_MAX,
    SNAPSHOT_PEERS_MAX,
)
from coc.primitives.types import Height, Millis, PeerId
from tests.consensus.finality.forged import ForgedChain

E = TypeVar("E")
CHAIN = ForgedChain(8)
WALK = way_from_genesis(CHAIN.rules(), CHAIN.blocks[0].facts)
FURTHER = replace(WALK, block=CHAIN.blocks[7].facts)


def peer(number: int) -> PeerId:
    return PeerId(number.to_bytes(32, "big"))


def target(height: int) -> Target:
    return Target(Height(height), keccak256(b"%d" % height), b"header", b"certificate")


class Stage:
    """A search among peers 1 … n."""

    def __init__(self, peers: int = 2, above: int = 0, finder: TargetFinder | None = None) -> None:
        self.finder = finder or TargetFinder(WALK)
        self.now_ms = 0
        self.questions: dict[PeerId, Numbered] = {}
        for number in range(1, peers + 1):
            self.feed(PeerCame(peer(number)))
        self.feed(Seek(Height(above)))

    def feed(self, event: FindingInput) -> list[FindingEffect]:
        effects = self.finder.step(Millis(self.now_ms), event)
        for effect in effects:
            if isinstance(effect, AskWay):
                self.questions[effect.peer] = decode_numbered(effect.payload)
        return effects

    def only(self, event: FindingInput, kind: type[E]) -> list[E]:
        return [effect for effect in self.feed(event) if isinstance(effect, kind)]

    def receive(self, number: int, body: bytes = b"page") -> list[FindingEffect]:
        question = self.questions[peer(number)]
        return self.feed(WayReceived(peer(number), encode_numbered(Numbered(question.number, body))))

    def wait(self) -> list[FindingEffect]:
        """Until no more answers are waited for."""
        self.now_ms += SNAPSHOT_FIND_WAIT_MS
        return self.feed(TimerFired())

    def prove(self, number: int, found: Target | None, page: Page | None = None) -> list[FindingEffect]:
        (verify,) = (effect for effect in self.receive(number) if isinstance(effect, VerifyWay))
        return self.feed(WayVerified(verify.number, page or Page(FURTHER, found)))


def found_in(effects: list[FindingEffect]) -> list[Target]:
    return [effect.target for effect in effects if isinstance(effect, Found)]


def test_everybody_is_asked_from_where_the_way_is_known() -> None:
    stage = Stage(peers=3)
    assert set(stage.questions) == {peer(1), peer(2), peer(3)}
    assert {decode_way_request(each.body).after for each in stage.questions.values()} == {0}


def test_no_more_peers_are_asked_at_a_time_than_the_bound_and_others_when_they_have_answered() -> None:
    stage = Stage(peers=SNAPSHOT_FIND_PEERS_MAX + 3)
    assert len(stage.questions) == SNAPSHOT_FIND_PEERS_MAX
    stage.receive(1, NOTHING)
    stage.feed(PeerGone(peer(2)))
    assert len(stage.questions) == SNAPSHOT_FIND_PEERS_MAX + 2


def test_silent_ones_do_not_keep_others_out() -> None:  # SYNC-1
    stage = Stage(peers=SNAPSHOT_FIND_PEERS_MAX + 1)
    stage.now_ms = SNAPSHOT_ANSWER_MS_MAX
    stage.feed(TimerFired())
    last = SNAPSHOT_FIND_PEERS_MAX + 1
    assert found_in(stage.prove(last, target(128))) == [target(128)]


def test_peers_are_taken_up_to_a_bound() -> None:
    stage = Stage(peers=SNAPSHOT_PEERS_MAX + 1)
    for number in range(1, SNAPSHOT_PEERS_MAX + 1):
        stage.receive(number, NOTHING)
    assert peer(SNAPSHOT_PEERS_MAX) in stage.questions
    assert peer(SNAPSHOT_PEERS_MAX + 1) not in stage.questions


def test_nobody_is_asked_before_something_is_sought_nor_after_it_was_found() -> None:
    finder = TargetFinder(WALK)
    assert finder.step(Millis(0), PeerCame(peer(1))) == []
    stage = Stage(peers=1)
    stage.prove(1, target(128))
    assert found_in(stage.wait()) == [target(128)]
    assert stage.feed(PeerCame(peer(2))) == []
    assert stage.feed(TimerFired()) == []


def test_the_highest_block_that_is_proved_in_time_wins_whoever_shows_it_first() -> None:
    stage = Stage(peers=2)
    assert found_in(stage.prove(1, target(128))) == []
    assert found_in(stage.prove(2, target(384))) == []
    stage.feed(PeerCame(peer(3)))
    assert found_in(stage.prove(3, target(256))) == []
    assert found_in(stage.wait()) == [target(384)]


def test_answers_are_waited_for_from_the_first_peer_on_and_no_longer_than_the_bound() -> None:
    stage = Stage(peers=0)
    stage.now_ms = 1_000
    assert WakeFinder(Millis(1_000 + SNAPSHOT_FIND_WAIT_MS)) in stage.feed(PeerCame(peer(1)))
    stage.feed(PeerCame(peer(2)))
    stage.prove(1, target(128))
    stage.now_ms += SNAPSHOT_FIND_WAIT_MS - 1
    assert found_in(stage.feed(TimerFired())) == []
    stage.now_ms += 1
    assert found_in(stage.feed(TimerFired())) == [target(128)]


def test_after_that_time_the_first_block_that_is_proved_is_taken() -> None:
    stage = Stage(peers=2)
    assert found_in(stage.wait()) == []
    assert found_in(stage.prove(2, target(128))) == [target(128)]


def test_a_page_without_a_target_is_followed_by_the_next_from_its_end() -> None:
    stage = Stage(peers=1)
    assert found_in(stage.prove(1, None)) == []
    assert decode_way_request(stage.questions[peer(1)].body).after == 7
    stage.feed(PeerCame(peer(2)))
    assert decode_way_request(stage.questions[peer(2)].body).after == 7, "what is proved is proved for all"


def test_a_page_that_does_not_prove_itself_costs_its_sender_and_decides_nothing() -> None:
    stage = Stage()
    (verify,) = (effect for effect in stage.receive(1) if isinstance(effect, VerifyWay))
    assert stage.only(WayRefused(verify.number, "too few signatures"), Lied) == [
        Lied(peer(1), "too few signatures")
    ]
    assert stage.feed(PeerCame(peer(1))) == [], "it is asked no more"
    stage.prove(2, target(128))
    assert found_in(stage.wait()) == [target(128)]


def test_bytes_that_are_no_answer_cost_their_sender_and_late_ones_do_not() -> None:
    stage = Stage()
    assert stage.only(WayReceived(peer(1), b"\x80\x80"), Lied)
    assert stage.feed(WayReceived(peer(2), encode_numbered(Numbered(99, b"page")))) == []
    assert stage.feed(WayReceived(peer(9), b"")) == [], "a stranger"


def test_liars_are_remembered_up_to_a_bound() -> None:
    stage = Stage(peers=0)
    for number in range(1, SNAPSHOT_LIARS_PEERS_MAX + 2):
        stage.feed(PeerCame(peer(number)))
        stage.feed(WayReceived(peer(number), b"\x80\x80"))
    assert stage.only(PeerCame(peer(2)), AskWay) == []
    assert len(stage.only(PeerCame(peer(1)), AskWay)) == 1, "the first is forgotten first"


def test_a_chain_without_such_a_block_is_told_once_and_asked_again_later() -> None:
    stage = Stage()
    assert NothingFound() not in [*stage.receive(1, NOTHING), *stage.receive(2, NOTHING)]
    assert NothingFound() in stage.wait(), "others may have come meanwhile"
    stage.now_ms += SNAPSHOT_FIND_AGAIN_MS
    assert {ask.peer for ask in stage.only(TimerFired(), AskWay)} == {peer(1), peer(2)}
    stage.receive(1, NOTHING)
    assert NothingFound() not in stage.receive(2, NOTHING)


def test_silence_alone_does_not_say_that_there_is_no_block() -> None:
    stage = Stage(peers=1)
    stage.now_ms = SNAPSHOT_ANSWER_MS_MAX
    assert stage.only(TimerFired(), NothingFound) == []
    stage.now_ms += SNAPSHOT_FIND_AGAIN_MS
    assert len(stage.only(TimerFired(), AskWay)) == 1


def test_only_a_block_above_the_wanted_height_is_found() -> None:  # SYNC-12
    stage = Stage(peers=1, above=128)
    stage.prove(1, target(128))
    assert found_in(stage.wait()) == []
    stage.now_ms += SNAPSHOT_FIND_AGAIN_MS
    stage.feed(TimerFired())
    assert found_in(stage.prove(1, target(256))) == [target(256)]


# ── From a checkpoint ───────────────────────────────────────────────────────────────────────────────────────

TRUSTED = CHAIN.checkpoint(5)
FROM_CHECKPOINT = replace(FURTHER, anchor_height=TRUSTED.height)
ANCHOR = WayRequest(TRUSTED.height, TRUSTED.block)


def at_checkpoint(peers: int = 1) -> Stage:
    beginning = Untrodden(CHAIN.rules(), TRUSTED, TRUSTED.time_s)
    return Stage(peers, finder=TargetFinder(beginning, doubt=WALK))


def asked(stage: Stage, number: int) -> WayRequest:
    return decode_way_request(stage.questions[peer(number)].body)


def other_block(height: int) -> Page:
    return Page(WALK, replace(target(height), block=keccak256(b"another")))


def contradictions(effects: list[FindingEffect]) -> list[Contradicted]:
    return [effect for effect in effects if isinstance(effect, Contradicted)]


def test_with_a_checkpoint_everybody_is_asked_from_there_and_then_from_what_is_proved() -> None:  # SYNC-17
    stage = at_checkpoint()
    assert asked(stage, 1) == ANCHOR
    stage.prove(1, None, Page(FROM_CHECKPOINT, None))
    assert asked(stage, 1) == WayRequest(Height(7))
    stage.prove(1, target(64), Page(FROM_CHECKPOINT, target(64)))
    assert found_in(stage.wait()) == [target(64)]


def test_who_does_not_know_the_checkpoint_is_asked_for_the_way_from_genesis_to_it() -> None:  # SYNC-18
    stage = at_checkpoint()
    stage.receive(1, NOTHING)
    assert asked(stage, 1) == WayRequest(Height(0), until=TRUSTED.height)
    nearer = replace(WALK, block=CHAIN.blocks[3].facts)
    stage.prove(1, None, Page(nearer, None))
    assert asked(stage, 1) == WayRequest(Height(3), until=TRUSTED.height)


def test_another_block_proved_at_the_checkpoints_height_ends_the_search() -> None:  # SYNC-18
    stage = at_checkpoint(2)
    stage.receive(1, NOTHING)
    page = other_block(TRUSTED.height)
    assert contradictions(stage.prove(1, None, page)) == [Contradicted(page.target or target(0))]
    assert found_in(stage.prove(2, target(64), Page(FROM_CHECKPOINT, target(64)))) == []
    assert found_in(stage.wait()) == []


def test_what_proves_no_other_block_at_that_very_height_contradicts_nothing() -> None:  # SYNC-18
    for page in (other_block(TRUSTED.height + 1), Page(WALK, replace(target(5), block=TRUSTED.block))):
        stage = at_checkpoint()
        stage.receive(1, NOTHING)
        assert contradictions(stage.prove(1, None, page)) == []
        assert NothingFound() in stage.wait(), "it is asked again later, for the checkpoint first"
        stage.now_ms += SNAPSHOT_FIND_AGAIN_MS
        stage.feed(TimerFired())
        assert asked(stage, 1) == ANCHOR


def test_one_who_proves_a_way_is_enough_among_those_who_do_not_know_it() -> None:  # SYNC-1
    stage = at_checkpoint(2)
    stage.receive(1, NOTHING)
    stage.receive(1, NOTHING)
    stage.prove(2, target(64), Page(FROM_CHECKPOINT, target(64)))
    assert found_in(stage.wait()) == [target(64)]
