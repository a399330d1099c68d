"""A state as the truth of a test, and a builder that takes in answers about it as the native core does.

It knows the truth, so it verifies by comparing. Every leaf weighs the same, so many that a trie of some
hundred leaves needs several answers.
"""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from coc.consensus.sync.snapshot.inputs import Counts, RangeGained
from coc.consensus.sync.snapshot.messages import KEY_MAX, key_bytes, key_of
from coc.primitives import rlp
from coc.primitives.keccak import keccak256
from coc.primitives.types import Hash32

LEAF_BYTES = 32 * 1024
"""What a leaf counts towards an answer: 32 leaves fill a MiB."""
COMPLETE = KEY_MAX + 1


class Lie(Exception):
    """An answer that is not the truth."""


@dataclass(frozen=True, slots=True)
class Account:
    """Which storage and which code an account has; 0 is none."""

    storage: int
    code: int


@dataclass(frozen=True, slots=True)
class Truth:
    """A state: accounts by key, storages by root as sorted keys, codes by hash."""

    block: Hash32
    accounts: dict[int, Account]
    keys: list[int]
    storages: dict[int, list[int]]
    codes: dict[Hash32, int]

    def trie(self, account: Hash32 | None) -> list[int]:
        """The sorted keys of the accounts, or of an account's storage."""
        if account is None:
            return self.keys
        found = self.accounts.get(key_of(account))
        return self.storages.get(0 if found is None else found.storage, [])

    def code_hash(self, code: int) -> Hash32:
        """The hash of a code."""
        return keccak256(b"code %d" % code)


def state_of(dice: random.Random, block: Hash32) -> Truth:
    """Some hundred accounts; contracts share codes, and some of them storages."""
    sizes = {root: dice.choice((1, 2, 5, 40)) for root in range(1, 40)}
    sizes[40] = 900
    storages = {root: _keys(dice, count) for root, count in sizes.items()}
    keys = _keys(dice, dice.randrange(60, 400))
    accounts = {key: Account(_storage(dice), dice.choice((0, 0, *range(1, 12)))) for key in keys}
    truth = Truth(block, accounts, keys, storages, {})
    truth.codes.update({truth.code_hash(code): code for code in range(1, 12)})
    return truth


def honest_ranges(truth: Truth, bytes_max: int, wishes: Sequence[Any]) -> list[rlp.Encodable]:
    """What an honest peer answers to these wishes."""
    left = bytes_max // LEAF_BYTES
    ranges: list[rlp.Encodable] = []
    for account, start, end in wishes:
        keys = truth.trie(Hash32(account) if account else None)
        inside = keys[bisect_left(keys, key_of(start)) : bisect_right(keys, key_of(end))]
        taken = inside[: max(1, left)]
        is_cut = len(taken) < len(inside)
        last = key_bytes(taken[-1]) if is_cut else end
        ranges.append([last, [key_bytes(key) for key in taken]])
        left -= len(taken)
        if is_cut or left <= 0:
            break
    return ranges


@dataclass(slots=True)
class Job:
    """One trie on its way in: the first key that is missing, and ranges that wait for their turn."""

    keys: list[int]
    next: int = 0
    held: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Builder:
    """What is built in; a copy of it is what a save has kept."""

    truth: Truth
    accounts: Job
    storages: dict[int, Job] = field(default_factory=dict)
    asked: dict[Hash32, int] = field(default_factory=dict)
    missing_codes: set[Hash32] = field(default_factory=set)
    codes: set[Hash32] = field(default_factory=set)
    has_surroundings: bool = False
    built: int = 0
    slots: int = 0

    @classmethod
    def anew(cls, truth: Truth) -> Builder:
        """Nothing yet."""
        return cls(truth, Job(truth.keys))

    def resumed(self) -> Builder:
        """As it goes on after a kill: what waited for its turn is gone, and so is what accounts want."""
        storages = {root: Job(job.keys, job.next) for root, job in self.storages.items() if job.next}
        return Builder(
            self.truth,
            Job(self.truth.keys, self.accounts.next),
            storages,
            codes=set(self.codes),
            has_surroundings=self.has_surroundings,
            built=self.built,
            slots=self.slots,
        )

    @property
    def next(self) -> bytes | None:
        """The first account key that is not built in."""
        return None if self.accounts.next > KEY_MAX else key_bytes(self.accounts.next)

    @property
    def counts(self) -> Counts:
        """How much is here."""
        return Counts(self.built, self.slots, len(self.codes), 0)

    @property
    def is_complete(self) -> bool:
        """Whether everything is here."""
        return self.next is None and self.has_surroundings and self.built == len(self.truth.keys)

    @property
    def held_most(self) -> int:
        """Ranges of one trie that wait for their turn."""
        jobs = [self.accounts, *self.storages.values()]
        return max(len(job.held) for job in jobs)

    def add_state(self, request: bytes, answer: bytes) -> tuple[RangeGained, ...]:
        """Take in ranges, all or none. Raises Lie."""
        decoded: Any = rlp.decode(request)
        block, bytes_max, wishes = decoded
        assert block == self.truth.block, "an answer about another block is never verified"
        ranges = _ranges_of(answer)
        ends = self._verified(rlp.uint(bytes_max, bits=64), wishes, ranges)
        return tuple(
            self._hold(Hash32(account) if account else None, key_of(start), end)
            for (account, start, _), end in zip(wishes, ends, strict=False)
        )

    def add_codes(self, request: bytes, answer: bytes) -> tuple[Hash32, ...]:
        """Take in codes: those that are still missing. Raises Lie."""
        decoded: Any = rlp.decode(request)
        wanted, codes = [Hash32(item) for item in decoded], rlp.decode(answer)
        if not isinstance(codes, list) or len(codes) > len(wanted):
            raise Lie
        given = [(name, code) for name, code in zip(wanted, codes, strict=False) if code]
        for name, code in given:
            if not isinstance(code, bytes) or keccak256(code) != name:
                raise Lie
        for name, _ in given:
            self.codes.add(name)
            self.missing_codes.discard(name)
        self._move_on()
        return tuple(name for name in wanted if name in self.missing_codes)

    def add_surroundings(self, answer: bytes) -> None:
        """Take in the block. Raises Lie."""
        if answer != surroundings_of(self.truth):
            raise Lie
        self.has_surroundings = True

    def _verified(self, bytes_max: int, wishes: list[Any], ranges: list[tuple[int, list[int]]]) -> list[int]:
        if not 0 < len(ranges) <= len(wishes):
            raise Lie
        ends: list[int] = []
        leaves, is_cut, is_late = 0, len(ranges) < len(wishes), False
        for index, ((account, start, last), (end, keys)) in enumerate(zip(wishes, ranges, strict=False)):
            job = self._job(Hash32(account) if account else None)
            if job is None:
                ends.append(KEY_MAX)
                is_late = True
                continue
            inside = job.keys[bisect_left(job.keys, key_of(start)) : bisect_right(job.keys, end)]
            if keys != inside or end > key_of(last):
                raise Lie
            has_more = bisect_right(job.keys, end) < len(job.keys)
            if end < key_of(last) and has_more:
                if index + 1 < len(ranges) or not keys or keys[-1] != end:
                    raise Lie
                is_cut = True
            leaves += len(keys)
            ends.append(end if has_more else KEY_MAX)
        if is_cut and not is_late and leaves * LEAF_BYTES < bytes_max // 2:
            raise Lie
        return ends

    def _job(self, account: Hash32 | None) -> Job | None:
        if account is None:
            return self.accounts
        job = self.storages.get(self.asked.get(account, 0))
        return None if job is None or job.next > KEY_MAX else job

    def _hold(self, account: Hash32 | None, start: int, end: int) -> RangeGained:
        job = self._job(account)
        if job is None:
            return RangeGained(key_bytes(end))
        gained = RangeGained(key_bytes(end)) if account is not None else self._wanted_by(start, end)
        job.held[start] = max(end, job.held.get(start, 0))
        if account is not None:
            before = job.next
            while job.next in job.held:
                job.next = job.held.pop(job.next) + 1
            self.slots += bisect_left(job.keys, job.next) - bisect_left(job.keys, before)
        self._move_on()
        return gained

    def _wanted_by(self, start: int, end: int) -> RangeGained:
        """Which storages and codes the accounts of a range need that are neither here nor under way."""
        storages: list[tuple[Hash32, bytes]] = []
        codes: list[Hash32] = []
        keys = self.truth.keys
        for key in keys[bisect_left(keys, start) : bisect_right(keys, end)]:
            account, name = self.truth.accounts[key], Hash32(key_bytes(key))
            root = account.storage
            if root and root not in self.asked.values():
                job = self.storages.setdefault(root, Job(self.truth.storages[root]))
                self.asked[name] = root
                if job.next <= KEY_MAX:
                    storages.append((name, key_bytes(job.next)))
            code = self.truth.code_hash(account.code)
            if account.code and code not in self.codes and code not in self.missing_codes:
                self.missing_codes.add(code)
                codes.append(code)
        return RangeGained(key_bytes(end), tuple(storages), tuple(codes))

    def _move_on(self) -> None:
        """Build in the accounts that have all their parts, in order."""
        job, keys = self.accounts, self.truth.keys
        while True:
            held = [(start, end) for start, end in job.held.items() if start <= job.next <= end]
            if not held:
                return
            start, end = held[0]
            for key in keys[bisect_left(keys, job.next) : bisect_right(keys, end)]:
                if not self._is_ready(self.truth.accounts[key]):
                    job.next = key
                    return
                self.built += 1
                job.next = key + 1
            del job.held[start]
            job.next = end + 1

    def _is_ready(self, account: Account) -> bool:
        storage = self.storages.get(account.storage)
        has_storage = not account.storage or (storage is not None and storage.next > KEY_MAX)
        return has_storage and (not account.code or self.truth.code_hash(account.code) in self.codes)


def surroundings_of(truth: Truth) -> bytes:
    """The block, and what lies around it."""
    return rlp.encode([b"the surroundings of", truth.block])


def _ranges_of(answer: bytes) -> list[tuple[int, list[int]]]:
    items = rlp.decode(answer)
    if not isinstance(items, list):
        raise Lie
    found: list[tuple[int, list[int]]] = []
    for item in items:
        match item:
            case [bytes(end), list(keys)]:
                found.append((key_of(end), [key_of(key) for key in keys if isinstance(key, bytes)]))
            case _:
                raise Lie
    return found


def _keys(dice: random.Random, count: int) -> list[int]:
    return sorted({dice.getrandbits(256) for _ in range(count)})


def _storage(dice: random.Random) -> int:
    return dice.choice((0, 0, 0, dice.randrange(1, 41), 40))
