"""What the machine asks for, step by step. SYNC-7, SYNC-9, SYNC-10, SYNC-11, SYNC-12, SYNC-13, SYNC-14."""

from __future__ import annotations

from typing import Any, TypeVar

from coc.consensus.sync.snapshot.effects import (
    Alarm,
    Ask,
    Begin,
    Effect,
    FindTarget,
    Finish,
    Misbehaved,
    Progressed,
    SetTimer,
    Subject,
    VerifyState,
    VerifySurroundings,
)
from coc.consensus.sync.snapshot.inputs import (
    Begun,
    Counts,
    Failed,
    Input,
    PeerCame,
    PeerGone,
    RangeGained,
    Refused,
    Started,
    StateReceived,
    StateVerified,
    SurroundingsReceived,
    SurroundingsVerified,
    Target,
    TargetFound,
    TimerFired,
)
from coc.consensus.sync.snapshot.machine import SnapshotSync
from coc.consensus.sync.snapshot.messages import (
    KEY_MAX,
    NOTHING,
    Numbered,
    decode_numbered,
    encode_numbered,
    key_bytes,
    key_of,
)
from coc.consensus.sync.snapshot.peers import Peers
from coc.primitives import rlp
from coc.primitives.keccak import keccak256
from coc.primitives.limits_snapshot import (
    SNAPSHOT_AHEAD_RANGES_MAX,
    SNAPSHOT_ANSWER_BYTES_MAX,
    SNAPSHOT_ANSWER_MS_MAX,
    SNAPSHOT_ERRANDS_MAX,
    SNAPSHOT_LIARS_PEERS_MAX,
    SNAPSHOT_PEERS_MAX,
    SNAPSHOT_REQUEST_CODES_MAX,
    SNAPSHOT_REQUEST_STORAGES_MAX,
    SNAPSHOT_REST_MS,
    SNAPSHOT_RETRY_MS,
)
from coc.primitives.types import Hash32, Height, Millis, PeerId

E = TypeVar("E")
NOBODY = Counts(0, 0, 0, 0)
TARGET = Target(Height(128), keccak256(b"128"), b"header", b"certificate")
NEWER = Target(Height(256), keccak256(b"256"), b"header", b"certificate")


def peer(number: int) -> PeerId:
    return PeerId(number.to_bytes(32, "big"))


class Stage:
    def __init__(self) -> None:
        self.machine = SnapshotSync(TARGET)
        self.now_ms = 0
        self.asks: list[Ask] = []

    def feed(self, event: Input) -> list[Effect]:
        effects = self.machine.step(Millis(self.now_ms), event)
        self.asks += [effect for effect in effects if isinstance(effect, Ask)]
        return effects

    def only(self, event: Input, kind: type[E]) -> list[E]:
        return [effect for effect in self.feed(event) if isinstance(effect, kind)]

    def begun(self, *, next_key: int = 0, has_surroundings: bool = True, peers: int = 1) -> Stage:
        self.feed(Started())
        self.feed(Begun(key_bytes(next_key), has_surroundings, NOBODY))
        for number in range(1, peers + 1):
            self.feed(PeerCame(peer(number)))
        return self

    def last(self, subject: Subject = Subject.STATE) -> Numbered:
        return decode_numbered([ask for ask in self.asks if ask.subject is subject][-1].payload)

    def answer(self, number: int = 1) -> VerifyState:
        """The last question about ranges is answered; with what is for the native core to judge."""
        payload = encode_numbered(Numbered(self.last().number, b"\xc1\x01"))
        (verify,) = self.only(StateReceived(peer(number), payload), VerifyState)
        return verify


def wishes(message: Numbered) -> list[Any]:
    request: Any = rlp.decode(message.body)
    block, bytes_max, found = request
    assert block == TARGET.block
    assert rlp.uint(bytes_max, bits=64) == SNAPSHOT_ANSWER_BYTES_MAX
    return list(found)


def test_first_the_folder_is_made_ready_then_peers_are_asked() -> None:
    stage = Stage()
    assert stage.feed(PeerCame(peer(1))) == []
    assert stage.feed(Started()) == [Begin(TARGET)]
    asked = stage.only(Begun(key_bytes(0), False, NOBODY), Ask)
    assert [ask.subject for ask in asked] == [Subject.SURROUNDINGS, Subject.STATE]
    assert wishes(stage.last()) == [[b"", key_bytes(0), key_bytes(KEY_MAX)]]


def test_a_folder_that_is_half_filled_is_gone_on_with_from_where_it_stands() -> None:  # SYNC-7
    stage = Stage().begun(next_key=5 << 200)
    assert wishes(stage.last()) == [[b"", key_bytes(5 << 200), key_bytes(KEY_MAX)]]
    assert [ask.subject for ask in stage.asks] == [Subject.STATE], "the block is here already"


def test_a_folder_that_has_everything_is_finished() -> None:
    stage = Stage()
    stage.feed(Started())
    assert stage.only(Begun(None, True, NOBODY), Finish) == [Finish(TARGET)]


def test_slices_are_as_wide_as_answers_have_taught_and_others_are_asked_for_the_next_ones() -> None:  # SYNC-9
    stage = Stage().begun()
    verify = stage.answer()
    quarter = KEY_MAX // 4
    stage.feed(PeerCame(peer(2)))
    stage.feed(
        StateVerified(verify.number, (RangeGained(key_bytes(quarter)),), key_bytes(quarter + 1), NOBODY)
    )
    starts = [key_of(wishes(decode_numbered(ask.payload))[0][1]) for ask in stage.asks[1:]]
    ends = [key_of(wishes(decode_numbered(ask.payload))[0][2]) for ask in stage.asks[1:]]
    assert starts[0] == quarter + 1
    assert starts[1] == ends[0] + 1
    assert 0 < ends[0] - starts[0] < quarter


def test_no_more_is_asked_for_ahead_than_fits_the_bound() -> None:  # SYNC-9
    stage = Stage().begun(peers=SNAPSHOT_PEERS_MAX)
    verify = stage.answer()
    gained = RangeGained(key_bytes(1 << 240), ((Hash32(key_bytes(9)), key_bytes(0)),))
    # An account waits for its storage, so nothing of the slice is built in.
    stage.feed(StateVerified(verify.number, (gained,), key_bytes(9), NOBODY))
    of_accounts = [ask for ask in stage.asks if wishes(decode_numbered(ask.payload))[0][0] == b""]
    assert len(of_accounts) == SNAPSHOT_AHEAD_RANGES_MAX


def test_no_more_is_under_way_at_a_time_than_the_bound() -> None:
    stage = Stage().begun(peers=SNAPSHOT_PEERS_MAX)
    verify = stage.answer()
    storages = tuple(
        (Hash32(key_bytes(key)), key_bytes(0)) for key in range(40 * SNAPSHOT_REQUEST_STORAGES_MAX)
    )
    stage.asks.clear()
    stage.feed(
        StateVerified(verify.number, (RangeGained(key_bytes(1 << 240), storages),), key_bytes(0), NOBODY)
    )
    assert len(stage.asks) == SNAPSHOT_ERRANDS_MAX
    assert len(wishes(decode_numbered(stage.asks[0].payload))) == SNAPSHOT_REQUEST_STORAGES_MAX


def test_codes_are_asked_for_some_at_a_time() -> None:
    stage = Stage().begun(peers=2)
    verify = stage.answer()
    codes = tuple(keccak256(b"%d" % index) for index in range(SNAPSHOT_REQUEST_CODES_MAX + 5))
    gained = RangeGained(key_bytes(KEY_MAX), (), codes)
    stage.feed(StateVerified(verify.number, (gained,), key_bytes(0), NOBODY))
    asked = [decode_numbered(ask.payload) for ask in stage.asks if ask.subject is Subject.CODES]
    assert [len(rlp.decode(message.body)) for message in asked] == [SNAPSHOT_REQUEST_CODES_MAX, 5]


def test_a_peer_that_is_silent_rests_and_another_does_its_work() -> None:  # SYNC-10
    stage = Stage().begun()
    stage.feed(PeerCame(peer(2)))
    stage.now_ms = SNAPSHOT_ANSWER_MS_MAX
    assert [ask.peer for ask in stage.only(TimerFired(), Ask)] == [peer(2)]
    late = encode_numbered(Numbered(1, b"\xc1\x01"))
    assert stage.only(StateReceived(peer(1), late), Misbehaved) == [], "late is no lie"
    stage.now_ms += SNAPSHOT_REST_MS - 1
    assert [ask.peer for ask in stage.only(PeerGone(peer(2)), Ask)] == []
    stage.now_ms += 1
    assert [ask.peer for ask in stage.only(TimerFired(), Ask)] == [peer(1)]


def test_an_answer_that_nobody_asked_for_is_a_lie() -> None:  # SYNC-10
    stage = Stage().begun()
    effects = stage.only(StateReceived(peer(1), encode_numbered(Numbered(77, b""))), Misbehaved)
    assert [effect.peer for effect in effects] == [peer(1)]


def test_bytes_that_are_no_answer_cost_their_sender() -> None:  # SYNC-2
    stage = Stage().begun()
    assert stage.only(StateReceived(peer(1), b"\x80\x80"), Misbehaved)
    assert stage.only(StateReceived(peer(1), b"\x80\x80"), Misbehaved) == [], "it is asked no more"


def test_a_liar_is_reported_and_never_asked_again_even_when_it_comes_back() -> None:  # SYNC-11
    stage = Stage().begun(peers=2)
    verify = stage.answer()
    effects = stage.feed(Refused(verify.number, "the proof is of another root"))
    assert Misbehaved(peer(1), "the proof is of another root") in effects
    assert [effect.peer for effect in effects if isinstance(effect, Ask)] == [peer(2)]
    stage.feed(PeerGone(peer(1)))
    stage.feed(PeerGone(peer(2)))
    assert stage.feed(PeerCame(peer(1))) == []


def test_liars_are_remembered_up_to_a_bound_and_peers_are_taken_up_to_one() -> None:
    peers = Peers()
    for number in range(SNAPSHOT_LIARS_PEERS_MAX + 1):
        peers.blame(peer(number))
    peers.add(peer(0))
    peers.add(peer(1))
    assert peers.get(peer(0)) is not None, "the first is forgotten first"
    assert peers.get(peer(1)) is None
    for number in range(SNAPSHOT_PEERS_MAX + 5):
        peers.add(peer(10_000 + number))
    assert len(peers) == SNAPSHOT_PEERS_MAX


def test_a_newer_block_is_sought_once_when_nobody_keeps_ours_and_turned_to_when_found() -> None:  # SYNC-12
    stage = Stage().begun()
    nothing = encode_numbered(Numbered(stage.last().number, NOTHING))
    assert stage.only(StateReceived(peer(1), nothing), FindTarget) == [FindTarget(TARGET.block)]
    assert stage.only(TimerFired(), FindTarget) == []
    assert stage.feed(TargetFound(TARGET)) == [], "ours is not newer than ours"
    assert stage.only(TargetFound(NEWER), Begin) == [Begin(NEWER)]
    assert stage.machine.target == NEWER


def test_a_newer_block_waits_as_long_as_somebody_keeps_ours() -> None:  # SYNC-12
    stage = Stage().begun()
    assert stage.only(TargetFound(NEWER), Begin) == []
    nothing = encode_numbered(Numbered(stage.last().number, NOTHING))
    assert stage.only(StateReceived(peer(1), nothing), Begin) == [Begin(NEWER)]


def test_a_failure_of_ours_is_told_and_tried_again_later() -> None:  # SYNC-13
    stage = Stage().begun()
    stage.now_ms = 1_000
    effects = stage.feed(Failed("no space left on the device"))
    assert [effect for effect in effects if isinstance(effect, Alarm)]
    assert SetTimer(Millis(1_000 + SNAPSHOT_RETRY_MS)) in effects
    stage.now_ms += SNAPSHOT_RETRY_MS
    assert stage.only(TimerFired(), Begin) == [Begin(TARGET)]


def test_progress_tells_the_part_the_estimate_and_the_time_that_is_left() -> None:  # SYNC-14
    stage = Stage().begun()
    verify = stage.answer()
    stage.now_ms = 10_000
    counts = Counts(accounts=5_000, slots=7, codes=3, bytes=1 << 20)
    half = key_bytes(1 << 255)
    (told,) = stage.only(
        StateVerified(verify.number, (RangeGained(key_bytes((1 << 255) - 1)),), half, counts), Progressed
    )
    assert told == Progressed(Height(128), 500_000, counts, 10_000, 10_000)


def test_the_fetch_ends_when_accounts_and_block_are_here() -> None:
    stage = Stage().begun(has_surroundings=False)
    number = stage.last(Subject.SURROUNDINGS).number
    received = SurroundingsReceived(peer(1), encode_numbered(Numbered(number, b"block")))
    assert stage.only(received, VerifySurroundings) == [VerifySurroundings(number, b"block")]
    verify = stage.answer()
    everything = (RangeGained(key_bytes(KEY_MAX)),)
    assert stage.only(StateVerified(verify.number, everything, None, NOBODY), Finish) == []
    assert stage.only(SurroundingsVerified(number), Finish) == [Finish(TARGET)]
    assert not stage.machine.is_done
