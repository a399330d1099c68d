"""Bounds of finality proofs: what a stranger's file may cost whoever verifies it. Each is met by a test."""

from __future__ import annotations

from typing import Final

from coc.primitives.limits import GENESIS_VALIDATORS_MAX, KIB
from coc.primitives.limits_consensus import CERTIFICATE_BYTES_MAX

FINALITY_RECORD_BYTES_MAX: Final = 256 * KIB
"""Bytes of one record: the largest, a genesis with 128 validators or a block with two sets of 128 entries,
stays below a third of it.
"""

FINALITY_HEADER_BYTES_MAX: Final = 2 * KIB
"""Bytes of one block header: today's have some 650; forks may add roots."""

FINALITY_LINKS_MAX: Final = 2**20
"""Set periods that one proof may cross: more than three years of a hundred blocks of a second. An older chain
is proved from a checkpoint.
"""

assert 1_200 * GENESIS_VALIDATORS_MAX <= FINALITY_RECORD_BYTES_MAX  # noqa: S101 - the largest genesis
assert (  # noqa: S101 - a block with two full sets, 200 bytes each, and two certificates
    6 * (200 * GENESIS_VALIDATORS_MAX + CERTIFICATE_BYTES_MAX) <= FINALITY_RECORD_BYTES_MAX
)
