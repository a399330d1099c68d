"""The folder on its way to a chain: the native builder, whose errors become inputs of the machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from coc._native import (
    GenesisInvalid,
    SnapshotBuilder,
    SnapshotRefused,
    SnapshotStand,
    StorageFailed,
)
from coc.adapters.flushing import sentence_of
from coc.adapters.validator.snapshot_target import forget_target, save_target
from coc.consensus.sync.snapshot import inputs as ev
from coc.consensus.sync.snapshot.effects import VerifyCodes, VerifyState, VerifySurroundings
from coc.primitives.types import Hash32


class Building:
    """Holds the folder while a state is fetched into it; all calls come from one thread."""

    def __init__(self, folder: Path, genesis: bytes) -> None:
        """Nothing is touched before `begin`."""
        self._folder = folder
        self._genesis = genesis
        self._builder: SnapshotBuilder | None = None

    def begin(self, target: ev.Target) -> ev.Input:
        """Make the folder ready for a block; what an earlier fetch has saved is used. SYNC-7, SYNC-12."""
        self.close()

        def work() -> ev.Input:
            save_target(self._folder, target)
            self._builder = SnapshotBuilder.begin(self._genesis, str(self._folder), target.header, b"")
            stand = self._builder.stand
            return ev.Begun(stand.next, stand.has_surroundings, _counts(stand))

        return _explained(work)

    def add_state(self, effect: VerifyState) -> ev.Input:
        """Take in ranges."""

        def work(builder: SnapshotBuilder) -> ev.Input:
            ranges, next_ = builder.add_state(effect.request, effect.answer)
            gained = tuple(
                ev.RangeGained(
                    end,
                    tuple((Hash32(account), start) for account, start in storages),
                    tuple(Hash32(code) for code in codes),
                )
                for end, storages, codes in ranges
            )
            return ev.StateVerified(effect.number, gained, next_, _counts(builder.stand))

        return self._take_in(effect.number, work)

    def add_codes(self, effect: VerifyCodes) -> ev.Input:
        """Take in codes."""

        def work(builder: SnapshotBuilder) -> ev.Input:
            missing = tuple(Hash32(code) for code in builder.add_codes(effect.request, effect.answer))
            stand = builder.stand
            return ev.CodesVerified(effect.number, missing, stand.next, _counts(stand))

        return self._take_in(effect.number, work)

    def add_surroundings(self, effect: VerifySurroundings) -> ev.Input:
        """Take in the block and what lies around it."""

        def work(builder: SnapshotBuilder) -> ev.Input:
            builder.add_surroundings(effect.answer)
            return ev.SurroundingsVerified(effect.number)

        return self._take_in(effect.number, work)

    def finish(self, target: ev.Target) -> ev.Input:
        """Make the folder a chain. SYNC-15."""

        def work() -> ev.Input:
            builder, self._builder = self._builder, None
            if builder is None:
                return ev.Failed("the folder is not open")
            builder.finish(target.certificate)
            forget_target(self._folder)
            return ev.Finished()

        return _explained(work)

    def close(self) -> None:
        """Save what is built in, and let go of the folder."""
        builder, self._builder = self._builder, None
        if builder is None:
            return
        try:
            builder.save()
        except StorageFailed:
            pass  # what was saved before is there
        finally:
            builder.close()

    def _take_in(self, number: int, work: Callable[[SnapshotBuilder], ev.Input]) -> ev.Input:
        builder = self._builder
        if builder is None:
            return ev.Failed("the folder is not open")
        try:
            return _explained(lambda: work(builder))
        except SnapshotRefused as refused:
            return ev.Refused(number, str(refused.args[0]))
        except ValueError as unwanted:
            return ev.Failed(str(unwanted.args[0]))


def _explained(work: Callable[[], ev.Input]) -> ev.Input:
    try:
        return work()
    except (StorageFailed, GenesisInvalid, OSError) as error:
        return ev.Failed(sentence_of(error))


def _counts(stand: SnapshotStand) -> ev.Counts:
    accounts, slots, codes, taken = stand.counts
    return ev.Counts(accounts, slots, codes, taken)
