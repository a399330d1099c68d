"""Bounds of the search for where execution here parts from a certified block: peers pay little for it."""

from __future__ import annotations

from typing import Final

DIVERGENCE_ACCOUNTS_MAX: Final = 64
"""Accounts asked for in one request: some 250 KiB of proofs in a state of a hundred million accounts."""

DIVERGENCE_CODES_MAX: Final = 32
"""Damaged codes asked for in one request: at the largest allowed, 24 KiB, three quarters of a MiB."""

DIVERGENCE_ANSWER_MS_MAX: Final = 15_000
"""Milliseconds that a peer has for an answer before another one is asked, as for a snapshot's."""

DIVERGENCE_LOOK_MS: Final = 2_000
"""Milliseconds between two looks at whether the node has come past the block; it votes again before that."""

DIVERGENCE_EXAMINATIONS_MAX: Final = 3
"""Times that one block is examined: what a repair did not cure by then, the next one will not."""

DIVERGENCE_SEARCH_MS_MAX: Final = 120_000
"""Milliseconds that peers are asked where the two part: after that nobody keeps so old a state any more."""

DIVERGENCE_FETCH_IDLE_MS_MAX: Final = 180_000
"""Milliseconds in which a fetch of the certified state gains nothing until it is set down: twelve answers."""

DIVERGENCE_FETCH_REST_MS: Final = 30_000
"""Milliseconds from a fetch that was set down to the next: half the time in which a state becomes served."""

DIVERGENCE_HEALINGS_MAX: Final = 3
"""Certified states taken in in a row: who differs after three has a defect in the program, not in data."""

DIVERGENCE_SOUND_BLOCKS: Final = 1_024
"""Blocks executed soundly since a certified state was taken in until that no longer counts: some hour."""
