"""The report of evidence says what the contract expects."""

from __future__ import annotations

from coc.contracts.abi import address_word, word
from coc.primitives.seals import Step
from coc.primitives.types import Address, Hash32, Height, Signature
from coc.primitives.votes import Vote, evidence_of
from tests.contracts.detector_calls import report_call
from tests.contracts.founded import artifact

OFFENDER, PROPOSER = Address(b"\x11" * 20), Address(b"\x22" * 20)


def vote(block: int) -> Vote:
    return Vote(
        Height(7), 3, Step.PRECOMMIT, Hash32(bytes([block]) * 32), OFFENDER, Signature(bytes([block]) * 65)
    )


def test_a_report_names_the_place_of_the_offence_and_who_included_it() -> None:  # SET-20
    call = report_call(evidence_of(vote(1), vote(2)), PROPOSER)

    methods = artifact("EquivocationDetector")["methods"]
    assert call[:4].hex() == methods["report(address,uint64,uint64,uint8,address)"]
    assert call[4:] == address_word(OFFENDER) + word(7) + word(3) + word(2) + address_word(PROPOSER)
