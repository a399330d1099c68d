"""Bounds of snapshot sync: what is asked at a time, of whom, and how long for.

Answers are verified one by one, so none of these bounds decides what is true; they decide what a fetch costs
in memory and time, and what one peer can cost it. Each is met by a test.
"""

from __future__ import annotations

from typing import Final

from coc.primitives.limits import MIB

SNAPSHOT_ANSWER_BYTES_MAX: Final = MIB
"""Bytes of leaves and proofs asked for at once: some 8,000 accounts, a quarter of a second at 32 Mbit/s."""

SNAPSHOT_ANSWER_MS_MAX: Final = 15_000
"""Milliseconds that a peer has for an answer: 1 MiB over a line of 1 Mbit/s, and its disk."""

SNAPSHOT_REST_MS: Final = 30_000
"""Milliseconds that a peer which did not answer in time is asked nothing: others do its work meanwhile."""

SNAPSHOT_AHEAD_RANGES_MAX: Final = 16
"""Ranges of one trie that are asked for, or wait in memory, beyond what is built: some 16 MiB."""

SNAPSHOT_REQUEST_STORAGES_MAX: Final = 64
"""Storages asked for in one request: most have a few slots, and what does not fit is asked for again."""

SNAPSHOT_REQUEST_CODES_MAX: Final = 32
"""Codes asked for in one request: at the largest allowed, 24 KiB, three quarters of a MiB."""

SNAPSHOT_PEERS_MAX: Final = 64
"""Peers that are asked: more than a line can carry answers of."""

SNAPSHOT_LIARS_PEERS_MAX: Final = 1_024
"""Peers remembered for an answer that did not prove itself; the first is forgotten first."""

SNAPSHOT_ERRANDS_MAX: Final = 32
"""Requests under way and answers being verified, of all peers together: some 32 MiB of memory."""

SNAPSHOT_RETRY_MS: Final = 5_000
"""Milliseconds after a failure of our own side until it is begun again from what was saved."""

SNAPSHOT_INTERVAL_BLOCKS: Final = 64
"""Heights between two blocks whose states are served to others: whoever joins has at most as many blocks to
execute behind its snapshot, and its state is kept for three times as many more at least.
"""

SNAPSHOT_WAY_BYTES_MAX: Final = MIB
"""Bytes of the way from genesis in one answer: some 700 set periods of a small set, a tenth of a second to
verify.
"""

SNAPSHOT_FIND_PEERS_MAX: Final = 16
"""Peers asked at a time for the way to their newest block: one honest one is enough."""

SNAPSHOT_FIND_WAIT_MS: Final = 3_000
"""Milliseconds in which the first peers may show their newest blocks, the highest of which is taken."""

SNAPSHOT_FIND_AGAIN_MS: Final = 10_000
"""Milliseconds after a search that found nothing until everybody is asked again."""

SNAPSHOT_SERVED_PER_PEER_REQUESTS_MAX: Final = 4
"""Requests of one peer that are being answered: an honest one has one of each kind under way."""

SNAPSHOT_SERVED_REQUESTS_MAX: Final = 64
"""Requests of all peers that wait for the one thread that answers: each has up to 64 KiB, and is answered
with a MiB within some milliseconds.
"""
