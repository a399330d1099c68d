"""Which rules hold when: the fork names of the fixture formats, mapped to modules of the specification.

A *network* is what the field ``network`` of a blockchain test says: one fork for ever (``"Cancun"``), or one
fork and its successor with the moment of change (``"ShanghaiToCancunAtTime15k"``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

TRANSITION_BLOCK = 5
"""Height at which the ``...At5`` networks change their rules."""

TRANSITION_TIME_SECONDS = 15_000
"""Timestamp at which the ``...AtTime15k`` networks change their rules."""

TERMINAL_TOTAL_DIFFICULTY = 0xC0000
"""Total difficulty after which the ``...AtDiffC0000`` networks leave proof of work."""


class Fork(IntEnum):
    """The forks in order of activation, so that ``fork >= Fork.BERLIN`` asks whether Berlin's rules hold."""

    FRONTIER = 0
    HOMESTEAD = 1
    DAO = 2
    TANGERINE_WHISTLE = 3
    SPURIOUS_DRAGON = 4
    BYZANTIUM = 5
    CONSTANTINOPLE_FIX = 6
    ISTANBUL = 7
    MUIR_GLACIER = 8
    BERLIN = 9
    LONDON = 10
    ARROW_GLACIER = 11
    GRAY_GLACIER = 12
    PARIS = 13
    SHANGHAI = 14
    CANCUN = 15
    PRAGUE = 16
    OSAKA = 17
    BPO1 = 18
    BPO2 = 19

    @property
    def module(self) -> str:
        """Name of the specification's package. What EELS calls Constantinople is the repaired fork."""
        return _MODULES.get(self, self.name.lower())

    @property
    def label(self) -> str:
        """Name in fixtures."""
        return _LABELS[self]


_MODULES = {Fork.DAO: "dao_fork", Fork.CONSTANTINOPLE_FIX: "constantinople"}

_LABELS = {
    Fork.FRONTIER: "Frontier",
    Fork.HOMESTEAD: "Homestead",
    Fork.DAO: "Dao",
    Fork.TANGERINE_WHISTLE: "EIP150",
    Fork.SPURIOUS_DRAGON: "EIP158",
    Fork.BYZANTIUM: "Byzantium",
    Fork.CONSTANTINOPLE_FIX: "ConstantinopleFix",
    Fork.ISTANBUL: "Istanbul",
    Fork.MUIR_GLACIER: "MuirGlacier",
    Fork.BERLIN: "Berlin",
    Fork.LONDON: "London",
    Fork.ARROW_GLACIER: "ArrowGlacier",
    Fork.GRAY_GLACIER: "GrayGlacier",
    Fork.PARIS: "Paris",
    Fork.SHANGHAI: "Shanghai",
    Fork.CANCUN: "Cancun",
    Fork.PRAGUE: "Prague",
    Fork.OSAKA: "Osaka",
    Fork.BPO1: "BPO1",
    Fork.BPO2: "BPO2",
}


@dataclass(frozen=True, slots=True)
class Network:
    """A schedule of one or two forks."""

    name: str
    first: Fork
    second: Fork | None = None
    at_block: int | None = None
    at_time: int | None = None
    at_total_difficulty: int | None = None

    def fork_of(self, number: int, timestamp: int, parent_total_difficulty: int) -> Fork:
        """The fork whose rules judge a block with these header fields."""
        if self.second is None:
            return self.first
        changed = (
            (self.at_block is not None and number >= self.at_block)
            or (self.at_time is not None and timestamp >= self.at_time)
            or (self.at_total_difficulty is not None and parent_total_difficulty >= self.at_total_difficulty)
        )
        return self.second if changed and number > 0 else self.first

    @property
    def last(self) -> Fork:
        """The newest fork of the schedule."""
        return self.first if self.second is None else self.second

    def activation_block(self, fork: Fork) -> int:
        """Height of a fork's first block where heights decide; 0 for what holds from genesis."""
        return self.at_block if fork == self.second and self.at_block is not None else 0


def _by_block(first: Fork, second: Fork) -> Network:
    name = f"{first.label}To{second.label}At{TRANSITION_BLOCK}"
    return Network(name, first, second, at_block=TRANSITION_BLOCK)


def _by_time(first: Fork, second: Fork) -> Network:
    return Network(f"{first.label}To{second.label}AtTime15k", first, second, at_time=TRANSITION_TIME_SECONDS)


def _by_difficulty(first: Fork) -> Network:
    name = f"{first.label}ToParisAtDiffC0000"
    return Network(name, first, Fork.PARIS, at_total_difficulty=TERMINAL_TOTAL_DIFFICULTY)


STATIC_NETWORKS = tuple(Network(fork.label, fork) for fork in Fork if fork != Fork.DAO)

TRANSITION_NETWORKS = (
    _by_block(Fork.FRONTIER, Fork.HOMESTEAD),
    _by_block(Fork.HOMESTEAD, Fork.DAO),
    _by_block(Fork.HOMESTEAD, Fork.TANGERINE_WHISTLE),
    _by_block(Fork.TANGERINE_WHISTLE, Fork.SPURIOUS_DRAGON),
    _by_block(Fork.SPURIOUS_DRAGON, Fork.BYZANTIUM),
    _by_block(Fork.BYZANTIUM, Fork.CONSTANTINOPLE_FIX),
    _by_block(Fork.CONSTANTINOPLE_FIX, Fork.ISTANBUL),
    _by_block(Fork.ISTANBUL, Fork.MUIR_GLACIER),
    _by_block(Fork.ISTANBUL, Fork.BERLIN),
    _by_block(Fork.BERLIN, Fork.LONDON),
    _by_block(Fork.LONDON, Fork.ARROW_GLACIER),
    _by_block(Fork.ARROW_GLACIER, Fork.GRAY_GLACIER),
    _by_difficulty(Fork.ARROW_GLACIER),
    _by_difficulty(Fork.GRAY_GLACIER),
    _by_time(Fork.PARIS, Fork.SHANGHAI),
    _by_time(Fork.SHANGHAI, Fork.CANCUN),
    _by_time(Fork.CANCUN, Fork.PRAGUE),
    _by_time(Fork.PRAGUE, Fork.OSAKA),
    _by_time(Fork.OSAKA, Fork.BPO1),
    _by_time(Fork.BPO1, Fork.BPO2),
)

NETWORKS = {network.name: network for network in (*STATIC_NETWORKS, *TRANSITION_NETWORKS)}
