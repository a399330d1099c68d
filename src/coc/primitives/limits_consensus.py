"""Bounds of the BFT machine: what it keeps of others' messages, and how much it says at a time.

A message that does not fit is dropped and sent again by its owner, so none of these bounds can cost more than
time. Each is met by a test.
"""

from __future__ import annotations

from typing import Final

from coc.primitives.limits import GENESIS_VALIDATORS_MAX

HEIGHT_ROUNDS_MAX: Final = 2**32 - 1
"""Rounds a height may take: at one a second, 136 years. Sign bytes have room for more; nobody needs it."""

ROUNDS_AHEAD_PER_VALIDATOR_MAX: Final = 4
"""Later rounds in which one validator's votes are kept; a fifth takes the place of the lowest. A node that is
behind needs only the newest ones to skip, and two of them to follow.
"""

ROUNDS_KEPT_MAX: Final = 64
"""Rounds of the current height whose votes are kept, beside that of the valid value: older ones can only
matter through a certificate, which travels by itself.
"""

VALUES_PER_VOTER_MAX: Final = 4
"""Different values of one validator counted in one round and step, beside those that more than a third voted
for. Honest ones have one; a liar's others must count too (the paper counts messages), but not without end.
"""

NEXT_HEIGHT_MESSAGES_PER_VALIDATOR_MAX: Final = 8
"""Messages for the next height kept for each of its validators: a proposal, and the votes of three rounds."""

STATUS_ROUNDS_MAX: Final = 16
"""Rounds that one status describes: the newest, and those of lock and valid value."""

STATUS_BITMAPS_MAX: Final = 128
"""Bitmaps in one status: 16 rounds with two steps and up to four values in each."""

STATUS_BLOCKS_MAX: Final = 16
"""Blocks that a status names as held: one for each round it describes."""

ANSWER_VOTES_MAX: Final = 4 * GENESIS_VALIDATORS_MAX
"""Votes sent in answer to one status: both steps of two rounds of the largest set, some 70 KiB."""

PEERS_MAX: Final = 1_024
"""Peers whose last status is remembered: above any node's number of connections."""

BLOCKS_IN_SIGHT_MAX: Final = 64
"""Blocks of one height whose bytes are sought or whose verdict is kept: one for each round kept."""

EVIDENCE_PER_VALIDATOR_ITEMS_MAX: Final = 100
"""Pieces of evidence kept against one validator, oldest out first: one is enough to convict it."""

EVIDENCE_ITEMS_MAX: Final = 1_000
"""Pieces of evidence kept in all: 1,000 of some 400 bytes; each waits for a block that includes it."""

EVIDENCE_KEPT_ITEMS_MAX: Final = 64
"""Pieces of evidence, oldest first, that the write-ahead log holds: 26 KiB, and eight blocks take them in."""

EVIDENCE_LOOKED_AT_ITEMS_MAX: Final = 100
"""Pieces of evidence, oldest first, of which a builder asks whether they still convict: a look at the
registry each. Those that do not are dropped, so that later ones have their turn.
"""

EVIDENCE_PER_BLOCK_ITEMS_MAX: Final = 8
"""Pieces of evidence in one block: each is a system call of up to 30 million gas. The native core has it
too.
"""

CERTIFICATE_BYTES_MAX: Final = 70 * GENESIS_VALIDATORS_MAX + 256
"""Bytes of an encoded certificate: a signature of 65 bytes and two of prefix a validator, and the head."""

BLOCK_REPLY_BLOCKS_MAX: Final = 256
"""Decided blocks in one answer: at some 1.5 KiB for an empty one, a few hundred KiB."""

BLOCK_REPLY_BYTES_MAX: Final = 4 * 1024 * 1024
"""Bytes of decided blocks in one answer, but for a single larger block: a second of a 32 Mbit/s line."""

SYNC_ANSWER_MS_MAX: Final = 10_000
"""How long a peer may take for a range of blocks: 4 MiB over a line of 4 Mbit/s, and its disk."""

SYNC_PEERS_MAX: Final = 64
"""Peers remembered as being ahead: any one of them is enough to catch up from."""

BLOCKS_UNDECIDED_MAX: Final = 64
"""Blocks of undecided heights whose bytes are kept: as many as a height keeps in sight."""

BLOCK_ASKED_PEERS_MAX: Final = 2
"""Peers asked for one block at a time: a second answer costs bytes, a silent first one a re-send time."""

MESSAGE_BYTES_MAX: Final = 64 * 1024
"""Bytes of one encoded consensus message: a status of the largest set stays well below."""

MESSAGES_REMEMBERED: Final = 256
"""Decoded messages kept, since several peers send the same: two rounds of a large set, 16 MiB at most."""

WAL_RECORD_BYTES_MAX: Final = 128 * 1024
"""Bytes of one record of the write-ahead log: the largest, a proof of lock, holds one vote a validator."""

assert GENESIS_VALIDATORS_MAX * 200 <= WAL_RECORD_BYTES_MAX  # noqa: S101 - a proof of lock of the largest set fits
assert EVIDENCE_KEPT_ITEMS_MAX * 400 <= WAL_RECORD_BYTES_MAX  # noqa: S101 - all kept evidence fits
assert STATUS_BITMAPS_MAX * (GENESIS_VALIDATORS_MAX // 8 + 64) <= MESSAGE_BYTES_MAX  # noqa: S101 - a full status fits

LATE_BLOCK_MS: Final = 3_000
"""A block that comes so long after it was due is late: twice the round that one dead proposer costs."""

INTAKE_BYTES_PER_SECOND_MIN: Final = 65_536
"""Transactions that a node takes in from clients and peers however late a block is: some 500 transfers a
second, for which four nodes need a third of one slow core.
"""

INTAKE_BYTES_PER_SECOND_MAX: Final = 8_388_608
"""A pace above which there is none: ten times what a node can take in."""
