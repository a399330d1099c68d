"""The votes of a height, counted by round, step and value.

Like the paper, it counts messages: a validator that votes for two values counts for both, once each, and once
where any value will do. What is kept is bounded (BFT-34).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from coc.consensus.bft.power import Electorate
from coc.primitives.limits_consensus import (
    ROUNDS_AHEAD_PER_VALIDATOR_MAX,
    ROUNDS_KEPT_MAX,
    VALUES_PER_VOTER_MAX,
)
from coc.primitives.seals import Step
from coc.primitives.types import Hash32
from coc.primitives.votes import Vote


@dataclass(slots=True)
class Tally:
    """The votes for one value, by position in the set; `voters` has the same as bits."""

    power: int = 0
    has_quorum: bool = False
    """Whether that is a quorum: judged with each vote, because it is asked much more often."""
    voters: int = 0
    votes: dict[int, Vote] = field(default_factory=dict)


@dataclass(slots=True)
class StepVotes:
    """The votes of one round and step, by value; `power` counts each voter once."""

    power: int = 0
    has_quorum: bool = False
    voters: int = 0
    tallies: dict[Hash32 | None, Tally] = field(default_factory=dict)


@dataclass(slots=True)
class VoteLedger:
    """All votes of a height that were found authentic."""

    electorate: Electorate
    steps: dict[tuple[int, Step], StepVotes] = field(default_factory=dict)
    highest: dict[int, int] = field(default_factory=dict)
    """The highest round in which each position was heard, votes dropped since included."""
    furthest: int = 0
    """The highest round in which anybody was heard."""
    has_tipped: bool = False
    """Whether a vote has brought about a quorum, or somebody a later round, since the lines were tried."""
    floor: int = 0
    """Rounds below are forgotten, but for that of the valid value."""

    def holds(self, index: int, vote: Vote) -> bool:
        """Whether this validator's vote for this value is here already."""
        step = self.steps.get((vote.round, vote.step))
        tally = step.tallies.get(vote.block) if step else None
        return tally is not None and index in tally.votes

    def rival(self, index: int, vote: Vote) -> Vote | None:
        """A vote of the same validator, round and step for another value."""
        step = self.steps.get((vote.round, vote.step))
        if step is None or not step.voters >> index & 1:
            return None
        rivals = (tally.votes.get(index) for block, tally in step.tallies.items() if block != vote.block)
        return next((rival for rival in rivals if rival is not None), None)

    def add(self, index: int, vote: Vote, current_round: int) -> bool:
        """Count a vote; False if it is known or there is no room for it."""
        if vote.round < self.floor or self.holds(index, vote):
            return False
        if vote.round > current_round and not self._make_room_ahead(index, vote.round, current_round):
            return False
        step = self.steps.get((vote.round, vote.step))
        if step is None:
            step = self.steps[vote.round, vote.step] = StepVotes()
        if step.voters >> index & 1:
            if not self._may_add_value(step, index, vote.block):
                return False
        else:
            step.voters |= 1 << index
            step.power += self.electorate.power_at(index)
            self._judge(step)
        tally = step.tallies.get(vote.block)
        if tally is None:
            tally = step.tallies[vote.block] = Tally()
        tally.votes[index] = vote
        tally.voters |= 1 << index
        tally.power += self.electorate.power_at(index)
        self._judge(tally)
        self.hear(index, vote.round)
        return True

    def hear(self, index: int, round_: int) -> None:
        """Note that a validator was in this round."""
        before = self.highest.get(index, 0)
        self.highest[index] = max(round_, before)
        if round_ > before:
            self.furthest = max(round_, self.furthest)
            self.has_tipped = True

    def tally(self, round_: int, step: Step, block: Hash32 | None) -> Tally:
        """The votes for one value, empty if there are none."""
        votes = self.steps.get((round_, step))
        tally = votes.tallies.get(block) if votes else None
        return tally or Tally()

    def has_quorum(self, round_: int, step: Step, block: Hash32 | None) -> bool:
        """Whether more than two thirds of the power voted for this value."""
        votes = self.steps.get((round_, step))
        tally = votes.tallies.get(block) if votes else None
        return tally is not None and tally.has_quorum

    def has_quorum_of_any(self, round_: int, step: Step) -> bool:
        """Whether more than two thirds of the power voted for anything."""
        votes = self.steps.get((round_, step))
        return votes is not None and votes.has_quorum

    def block_with_quorum(self, round_: int, step: Step) -> Hash32 | None:
        """The block with a quorum, if one has it."""
        votes = self.steps.get((round_, step))
        if votes is None or not votes.has_quorum:
            return None  # no value has more power than all of them
        for block, tally in votes.tallies.items():
            if block is not None and tally.has_quorum:
                return block
        return None

    def decided(self) -> tuple[int, Hash32] | None:
        """Round and block of a quorum of precommits, in whichever round there is one."""
        for (round_, step), votes in self.steps.items():
            if (
                votes.has_quorum
                and step is Step.PRECOMMIT
                and (block := self.block_with_quorum(round_, step)) is not None
            ):
                return round_, block
        return None

    def skip_target(self, current_round: int) -> int | None:
        """The highest later round that validators of more than a third have reached (L55)."""
        if self.furthest <= current_round:
            return None
        ahead = [(round_, index) for index, round_ in self.highest.items() if round_ > current_round]
        power = 0
        for round_, index in sorted(ahead, reverse=True):
            power += self.electorate.power_at(index)
            if self.electorate.holds_an_honest_one(power):
                return round_
        return None

    def bitmaps(self) -> Iterator[tuple[int, Step, Hash32 | None, Tally]]:
        """All tallies, by round, step and value."""
        for (round_, step), votes in self.steps.items():
            for block, tally in votes.tallies.items():
                yield round_, step, block, tally

    def forget_before(self, current_round: int, kept_round: int | None) -> None:
        """Drop rounds that lie too far back; the valid value's stays, its proof of lock may be needed."""
        self.floor = max(self.floor, current_round - ROUNDS_KEPT_MAX + 1)
        old = [key for key in self.steps if key[0] < self.floor and key[0] != kept_round]
        for key in old:
            del self.steps[key]

    def _judge(self, counted: StepVotes | Tally) -> None:
        """Say anew whether this is a quorum."""
        has_quorum = self.electorate.is_quorum(counted.power)
        if has_quorum is not counted.has_quorum:
            counted.has_quorum = has_quorum
            self.has_tipped = True

    def _may_add_value(self, step: StepVotes, index: int, block: Hash32 | None) -> bool:
        """Whether one more value of a voter counts: few do, but all that an honest validator voted for.

        Without the second half a liar could fill its places here and keep us from seeing a quorum that others
        see.
        """
        values = sum(index in tally.votes for tally in step.tallies.values())
        power = step.tallies.get(block, Tally()).power
        return values < VALUES_PER_VOTER_MAX or self.electorate.holds_an_honest_one(power)

    def _make_room_ahead(self, index: int, round_: int, current_round: int) -> bool:
        """Keep a validator's votes of a few later rounds only, the highest."""
        ahead = sorted(
            {
                kept
                for (kept, _), votes in self.steps.items()
                if kept > current_round and votes.voters >> index & 1
            }
        )
        if round_ in ahead or len(ahead) < ROUNDS_AHEAD_PER_VALIDATOR_MAX:
            return True
        if round_ < ahead[0]:
            return False
        self._drop(index, ahead[0])
        return True

    def _drop(self, index: int, round_: int) -> None:
        for step in (Step.PREVOTE, Step.PRECOMMIT):
            votes = self.steps.get((round_, step))
            if votes is None or not votes.voters >> index & 1:
                continue
            power = self.electorate.power_at(index)
            votes.voters &= ~(1 << index)
            votes.power -= power
            self._judge(votes)
            for tally in votes.tallies.values():
                if tally.votes.pop(index, None) is not None:
                    tally.voters &= ~(1 << index)
                    tally.power -= power
                    self._judge(tally)
            votes.tallies = {block: tally for block, tally in votes.tallies.items() if tally.votes}
            if not votes.tallies:
                del self.steps[round_, step]
