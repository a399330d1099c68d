"""What the protocol tells the EquivocationDetector."""

from __future__ import annotations

from typing import Final

from coc.contracts.abi import address_word, selector, word
from coc.primitives.types import Address
from coc.primitives.votes import Evidence

_REPORT: Final = selector("report(address,uint64,uint64,uint8,address)")


def report_call(evidence: Evidence, beneficiary: Address) -> bytes:
    """The report of verified evidence (SET-20).

    `beneficiary` is the fee recipient of the proposer whose block includes it.
    """
    validator, height, round_, step = evidence.offence()
    place = address_word(validator) + word(height) + word(round_) + word(step)
    return _REPORT + place + address_word(beneficiary)
