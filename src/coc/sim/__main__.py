"""`python -m coc.sim SEED COUNT ENGINE`: run `bft` or `rotation` machines, and name failing seeds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping

from coc.sim import bft_campaign
from coc.sim.rotation import campaign as rotation_campaign

CAMPAIGNS: Mapping[str, Callable[[Iterable[int]], list[tuple[int, str]]]] = {
    "bft": bft_campaign.failing,
    "rotation": rotation_campaign.failing,
}


def main(first: str = "0", count: str = "100", engine: str = "bft") -> int:
    """Run `count` seeds from `first`; the exit code says whether one failed."""
    if engine not in CAMPAIGNS:
        sys.stderr.write(f"{engine!r} is no engine; choose {' or '.join(CAMPAIGNS)}\n")
        return 2
    seeds = range(int(first), int(first) + int(count))
    found = CAMPAIGNS[engine](seeds)
    for seed, broken in found:
        sys.stdout.write(f"seed {seed}: {broken}\n")
    sys.stdout.write(f"{len(seeds) - len(found)} of {len(seeds)} seeds hold\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
