"""How far a node that fetches blocks has come, how fast it is and when it will be there, as one line."""

from __future__ import annotations

from dataclasses import dataclass

from coc.cli.progress import clock_text


@dataclass(slots=True)
class CatchUp:
    """One stretch of catching up; it begins with the first block that is shown while others are ahead."""

    _begun_at: int | None = None
    _begun_s: float = 0.0
    _newest: int = 0
    _newest_s: float = 0.0

    def text(self, number: int, goal: int, now_s: float) -> str:
        """The line when this block was adopted of those up to `goal`; the clock may begin anywhere."""
        if self._begun_at is None:
            self._begun_at, self._begun_s = number, now_s
        self._newest, self._newest_s = number, now_s
        _, rate = self._done()
        percent = 100 * number // goal if goal else 0
        left = f"   {clock_text(max(0, goal - number) / rate)} left" if rate else ""
        return f"  catching up   block {number:,} of {goal:,}   {percent} %   {rate:,.0f} blocks/s{left}"

    def end(self) -> str:
        """What to say once the node is in step with its peers; nothing where it always was."""
        if self._begun_at is None:
            return ""
        blocks, rate = self._done()
        seconds = self._newest_s - self._begun_s
        self._begun_at = None
        return (
            f"  caught up: {blocks:,} blocks in {clock_text(seconds)}, {rate:,.0f} blocks/s" if blocks else ""
        )

    def _done(self) -> tuple[int, float]:
        blocks = self._newest - (self._newest if self._begun_at is None else self._begun_at)
        seconds = self._newest_s - self._begun_s
        return blocks, blocks / seconds if seconds > 0 else 0.0
