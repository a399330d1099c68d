"""`python -m coc.sim SEED COUNT`: run the BFT machine under faults, and name the seeds that break a rule."""

from __future__ import annotations

import sys

from coc.sim.bft_campaign import failing


def main(first: int, count: int) -> int:
    """Run `count` seeds from `first`; the exit code says whether one failed."""
    found = failing(range(first, first + count))
    for seed, broken in found:
        sys.stdout.write(f"seed {seed}: {broken}\n")
    sys.stdout.write(f"{count - len(found)} of {count} seeds hold\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*(int(argument) for argument in (*sys.argv[1:], "0", "100")[:2])))
