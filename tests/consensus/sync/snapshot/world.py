"""One fetch in a world that the dice make: peers that lie, fall silent, come and go, kills and full disks.

One peer is honest and stays. The world holds the machine to what may be seen from outside (`Broken`) and, in
the end, to having come to the truth.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, assert_never

from coc.consensus.sync.snapshot import effects as fx
from coc.consensus.sync.snapshot import inputs as ev
from coc.consensus.sync.snapshot.effects import Subject
from coc.consensus.sync.snapshot.machine import SnapshotSync
from coc.consensus.sync.snapshot.messages import NOTHING, Numbered, decode_numbered, encode_numbered
from coc.primitives import rlp
from coc.primitives.keccak import keccak256
from coc.primitives.limits_snapshot import (
    SNAPSHOT_AHEAD_RANGES_MAX,
    SNAPSHOT_ANSWER_MS_MAX,
    SNAPSHOT_ERRANDS_MAX,
    SNAPSHOT_REQUEST_CODES_MAX,
    SNAPSHOT_REQUEST_STORAGES_MAX,
    SNAPSHOT_REST_MS,
)
from coc.primitives.types import Hash32, Height, Millis, PeerId
from tests.consensus.sync.snapshot.truth import Builder, Lie, Truth, honest_ranges, state_of, surroundings_of

END_MS: Final = 3_600_000
"""An hour, in which the honest peer alone would be done a hundred times."""
PAGE_MS: Final = 2_000
HONEST = PeerId(b"honest".ljust(32, b"."))
HELPER = PeerId(b"honest too".ljust(32, b"."))
"""One that does not keep the block's surroundings."""
LATE_MS: Final = 150_000
"""Until then the honest one does not say which block it is, where a helper has all the rest."""


class Broken(AssertionError):
    """The machine did what it must not, or did not do what it must."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is like."""

    seed: int
    liars: int = 3
    newer_at_ms: int = 0
    """When nobody keeps the first block any more; 0 for never."""
    kills: int = 0
    failures: int = 0
    """One answer in so many meets a disk that fails; 0 for none."""
    has_helper: bool = False


@dataclass(slots=True)
class Asked:
    """What a peer was asked last about a subject."""

    number: int
    at_ms: int
    is_open: bool = True


@dataclass(slots=True)
class Fetch:
    """The run. `step` hands an input to the machine and performs what it asks for."""

    plan: Plan
    dice: random.Random = field(init=False)
    now_ms: int = 0
    truths: dict[Hash32, Truth] = field(default_factory=dict)
    targets: list[ev.Target] = field(default_factory=list)
    machine: SnapshotSync = field(init=False)
    builder: Builder | None = None
    saved: Builder | None = None
    is_over: bool = False
    peers: dict[PeerId, None] = field(default_factory=dict)
    blamed: set[PeerId] = field(default_factory=set)
    asked: dict[tuple[PeerId, Subject], Asked] = field(default_factory=dict)
    rests: dict[PeerId, int] = field(default_factory=dict)
    checking: int = 0
    life: int = 0
    _due: list[tuple[int, int, int, Callable[[], None]]] = field(default_factory=list)
    _count: int = 0

    def __post_init__(self) -> None:
        """Make the world."""
        self.dice = random.Random(self.plan.seed)
        for height in (128, 256):
            block = keccak256(b"block %d" % height)
            self.truths[block] = state_of(self.dice, block)
            self.targets.append(ev.Target(Height(height), block, b"header", b"certificate"))
        first, newer = (self.truths[target.block] for target in self.targets)
        newer.storages.update(first.storages)  # most contracts are as they were
        self.machine = SnapshotSync(self.targets[0])

    def run(self) -> None:
        """From start to end.

        Raises:
            Broken: it did not come to the truth, or not in a way that is allowed.
        """
        self._start()
        for number in range(self.plan.liars):
            liar = PeerId(b"liar %d".ljust(32, b".") % number)
            self._at(self.dice.randrange(20_000), partial(self._come, liar))
        for _ in range(self.plan.kills):
            self._at(self.dice.randrange(40_000), self._kill, -1)
        while self._due and not self.is_over:
            at_ms, _, life, act = heapq.heappop(self._due)
            if at_ms > END_MS:
                break
            self.now_ms = at_ms
            if life in (self.life, -1):
                act()
        if not self.is_over:
            raise Broken("the fetch never ended")

    def step(self, event: ev.Input) -> None:
        """One input, and its effects."""
        for effect in self.machine.step(Millis(self.now_ms), event):
            self._perform(effect)

    # ── Life ────────────────────────────────────────────────────────────────────────────────────────────────

    def _start(self) -> None:
        self.step(ev.Started())
        self._come(HONEST)
        if self.plan.has_helper:
            self._come(HELPER)
        for peer in self.peers:
            self.step(ev.PeerCame(peer))

    def _come(self, peer: PeerId) -> None:
        self.peers[peer] = None
        self.step(ev.PeerCame(peer))
        if peer not in (HONEST, HELPER) and self.dice.random() < 0.3:
            self._at(self.dice.randrange(60_000), lambda: self._leave(peer))

    def _leave(self, peer: PeerId) -> None:
        self.peers.pop(peer, None)
        self._forget(peer)
        self.step(ev.PeerGone(peer))
        self._at(self.dice.randrange(30_000), lambda: self._come(peer))

    def _forget(self, peer: PeerId) -> None:
        for subject in Subject:
            self.asked.pop((peer, subject), None)
        self.rests.pop(peer, None)

    def _kill(self) -> None:
        """The process dies at this moment, and a new one goes on with the block of the last one."""
        self.life += 1
        target = self.machine.target
        self.asked.clear()
        self.rests.clear()
        self.blamed.clear()
        self.builder, self.checking = None, 0
        self.machine = SnapshotSync(target)
        self._at(1_000, self._start)

    def _at(self, delay_ms: int, act: Callable[[], None], life: int | None = None) -> None:
        """Do something later, unless this life is over by then; in any life with -1."""
        self._count += 1
        of_life = self.life if life is None else life
        heapq.heappush(self._due, (self.now_ms + delay_ms, self._count, of_life, act))

    # ── Effects ─────────────────────────────────────────────────────────────────────────────────────────────

    def _perform(self, effect: fx.Effect) -> None:
        match effect:
            case fx.Begin():
                self.asked.clear()  # what was asked before is of no interest any more
                self._at(50, lambda: self._begin(effect.target))
            case fx.Ask():
                self._ask(effect)
            case fx.VerifyState() | fx.VerifyCodes() | fx.VerifySurroundings():
                self.checking += 1
                self._at(self.dice.randrange(1, 200), lambda: self._verify(effect))
            case fx.Finish():
                if self.builder is None or not self.builder.is_complete:
                    raise Broken("it finishes what is not complete")
                self._at(100, self._finish)
            case fx.FindTarget():
                self._at(5_000, lambda: self.step(ev.TargetFound(self.targets[-1])))
            case fx.SetTimer(at_ms):
                self._at(max(0, at_ms - self.now_ms), lambda: self.step(ev.TimerFired()))
            case fx.Misbehaved(peer):
                if peer in (HONEST, HELPER):
                    raise Broken(f"an honest peer is blamed: {effect.reason}")
                self.blamed.add(peer)
                self._forget(peer)
            case fx.Progressed():
                if not 0 <= effect.done_millionths <= 1_000_000:
                    raise Broken("more than everything is done")
            case fx.Alarm():
                self.asked.clear()
            case _:
                assert_never(effect)

    def _begin(self, target: ev.Target) -> None:
        truth, saved = self.truths[target.block], self.saved
        self.checking = 0
        if saved is None:
            self.builder = Builder.anew(truth)
        else:
            self.builder = saved.resumed()
            if saved.truth.block != target.block:
                anew = Builder.anew(truth)
                anew.codes = self.builder.codes
                self.builder = anew
        self.saved = deepcopy(self.builder)
        builder = self.builder
        self.step(ev.Begun(builder.next, builder.has_surroundings, builder.counts))

    def _finish(self) -> None:
        if self._fails():
            self.step(ev.Failed("no space left on the device"))
            return
        self.is_over = True
        self.step(ev.Finished())
        if not self.machine.is_done:
            raise Broken("it does not know that it is done")

    def _fails(self) -> bool:
        failures = self.plan.failures
        return bool(failures) and self.dice.randrange(failures) == 0

    def _verify(self, effect: fx.VerifyState | fx.VerifyCodes | fx.VerifySurroundings) -> None:
        builder = self.builder
        self.checking = max(0, self.checking - 1)
        if builder is None or (isinstance(effect, fx.VerifyState) and not _is_about(effect, builder)):
            return
        if self._fails():
            self.builder = None
            self.step(ev.Failed("no space left on the device"))
            return
        try:
            event = _taken_in(builder, effect)
        except Lie:
            event = ev.Refused(effect.number, "it is a lie")
        if builder.held_most > SNAPSHOT_AHEAD_RANGES_MAX:
            raise Broken("too much waits in memory")
        if self.dice.random() < 0.1:
            self.saved = deepcopy(builder)
        self.step(event)

    # ── Peers ───────────────────────────────────────────────────────────────────────────────────────────────

    def _ask(self, effect: fx.Ask) -> None:
        peer, message = effect.peer, decode_numbered(effect.payload)
        last = self.asked.get((peer, effect.subject))
        if peer not in self.peers or peer in self.blamed:
            raise Broken("somebody is asked who is gone, or has lied")
        if last is not None and last.is_open and self.now_ms < last.at_ms + SNAPSHOT_ANSWER_MS_MAX:
            raise Broken("a peer is asked two questions of a kind")
        if last is not None and last.is_open:
            self.rests[peer] = last.at_ms + SNAPSHOT_ANSWER_MS_MAX + SNAPSHOT_REST_MS
        if self.now_ms < self.rests.get(peer, 0):
            raise Broken("a peer that did not answer in time is not left alone")
        self.asked[peer, effect.subject] = Asked(message.number, self.now_ms)
        under_way = [
            each
            for each in self.asked.values()
            if each.is_open and self.now_ms < each.at_ms + SNAPSHOT_ANSWER_MS_MAX
        ]
        if len(under_way) + self.checking > SNAPSHOT_ERRANDS_MAX:
            raise Broken("too much is under way")
        self._check_size(effect.subject, message.body)
        if peer in (HONEST, HELPER):
            self._reply_of_honest(effect, message)
        else:
            self._reply_of_liar(effect, message)

    def _check_size(self, subject: Subject, body: bytes) -> None:
        items: Any = rlp.decode(body) if subject is not Subject.SURROUNDINGS else []
        if subject is Subject.STATE and len(items[2]) > SNAPSHOT_REQUEST_STORAGES_MAX:
            raise Broken("one request asks for too many storages")
        if subject is Subject.CODES and len(items) > SNAPSHOT_REQUEST_CODES_MAX:
            raise Broken("one request asks for too many codes")

    def _reply(self, ask: fx.Ask, message: Numbered, body: bytes, within_ms: int) -> None:
        def arrive() -> None:
            if ask.peer not in self.peers:
                return
            last = self.asked.get((ask.peer, ask.subject))
            if last is not None and last.number == message.number:
                if self.now_ms < last.at_ms + SNAPSHOT_ANSWER_MS_MAX:
                    last.is_open = False
                elif last.is_open:
                    self.rests[ask.peer] = last.at_ms + SNAPSHOT_ANSWER_MS_MAX + SNAPSHOT_REST_MS
                    last.is_open = False
            payload = encode_numbered(Numbered(message.number, body))
            self.step(_received(ask.peer, ask.subject, payload))

        self._at(self.dice.randrange(1, within_ms), arrive)

    def _truthful(self, subject: Subject, body: bytes) -> bytes:
        is_gone = 0 < self.plan.newer_at_ms <= self.now_ms
        kept = [self.truths[target.block] for target in self.targets[1 if is_gone else 0 :]]
        decoded: Any = None if subject is Subject.SURROUNDINGS else rlp.decode(body)
        match subject:
            case Subject.STATE:
                block, bytes_max, wishes = decoded
                found = next((truth for truth in kept if truth.block == block), None)
                if found is None:
                    return NOTHING
                return rlp.encode(honest_ranges(found, rlp.uint(bytes_max, bits=64), wishes))
            case Subject.CODES:
                codes = {name: code for truth in kept for name, code in truth.codes.items()}
                wanted = decoded[: self.dice.choice((1, 4, SNAPSHOT_REQUEST_CODES_MAX))]
                return rlp.encode([b"code %d" % codes[item] if item in codes else b"" for item in wanted])
            case Subject.SURROUNDINGS:
                found = next((truth for truth in kept if truth.block == body), None)
                return NOTHING if found is None else surroundings_of(found)

    def _reply_of_honest(self, ask: fx.Ask, message: Numbered) -> None:
        slow_ms = 3 * SNAPSHOT_ANSWER_MS_MAX if self.dice.random() < 0.05 else PAGE_MS
        if ask.subject is not Subject.SURROUNDINGS or not self.plan.has_helper:
            self._reply(ask, message, self._truthful(ask.subject, message.body), slow_ms)
        elif ask.peer == HELPER:
            self._reply(ask, message, NOTHING, slow_ms)
        elif self.now_ms > LATE_MS:
            self._reply(ask, message, self._truthful(ask.subject, message.body), slow_ms)

    def _reply_of_liar(self, ask: fx.Ask, message: Numbered) -> None:
        truth = self._truthful(ask.subject, message.body)
        lie = self.dice.randrange(9)
        if lie == 0:
            return  # says nothing
        if lie == 1:
            garbage = self.dice.randbytes(20)
            self._at(100, lambda: self._hand(ask.peer, ask.subject, garbage))
        elif lie == 2:
            self._reply(ask, message, NOTHING, PAGE_MS)
        elif lie == 3:
            self._reply(ask, Numbered(message.number + 7, b""), truth, PAGE_MS)
        elif lie in (4, 5):
            self._reply(ask, message, _falsified(truth, self.dice), PAGE_MS)
        else:
            self._reply(ask, message, truth, PAGE_MS)  # to be trusted the next time

    def _hand(self, peer: PeerId, subject: Subject, payload: bytes) -> None:
        if peer in self.peers:
            self.step(_received(peer, subject, payload))


def _falsified(body: bytes, dice: random.Random) -> bytes:
    """The body with something left out, at some depth."""
    item = rlp.decode(body)
    if isinstance(item, list) and item:
        at = dice.randrange(len(item))
        inner = item[at]
        if isinstance(inner, list) and len(inner) == 2 and isinstance(inner[1], list) and inner[1]:
            inner[1].pop(dice.randrange(len(inner[1])))
        elif isinstance(inner, bytes) and inner:
            item[at] = inner[:-1] + bytes([inner[-1] ^ 1])
        else:
            item.pop(at)
    return rlp.encode(item)


def _is_about(effect: fx.VerifyState, builder: Builder) -> bool:
    """Whether what is verified was asked about the block at hand: else the core turned meanwhile."""
    request: Any = rlp.decode(effect.request)
    return bool(request[0] == builder.truth.block)


def _taken_in(builder: Builder, effect: fx.VerifyState | fx.VerifyCodes | fx.VerifySurroundings) -> ev.Input:
    match effect:
        case fx.VerifyState(number, request, answer):
            ranges = builder.add_state(request, answer)
            return ev.StateVerified(number, ranges, builder.next, builder.counts)
        case fx.VerifyCodes(number, request, answer):
            missing = builder.add_codes(request, answer)
            return ev.CodesVerified(number, missing, builder.next, builder.counts)
        case fx.VerifySurroundings(number, answer):
            builder.add_surroundings(answer)
            return ev.SurroundingsVerified(number)


def _received(peer: PeerId, subject: Subject, payload: bytes) -> ev.Input:
    match subject:
        case Subject.STATE:
            return ev.StateReceived(peer, payload)
        case Subject.CODES:
            return ev.CodesReceived(peer, payload)
        case Subject.SURROUNDINGS:
            return ev.SurroundingsReceived(peer, payload)
