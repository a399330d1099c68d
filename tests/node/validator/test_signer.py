"""A key with a mark on a disk that forgets: whenever the power goes, no place is signed for twice."""

from __future__ import annotations

import pytest

from coc._native import Mark, SimDisk
from coc.node.validator.signer import MarkedSigner, MarkFile, SigningRefused
from coc.node.validator.signing_order import SigningOrder
from coc.primitives.frozen import replace
from coc.primitives.keccak import keccak256
from coc.primitives.seals import SignRequest, Step
from coc.primitives.secp256k1 import secret_of
from coc.primitives.types import Hash32, Height, Signature

SECRET = secret_of(keccak256(b"a validator that takes turns"))
GENESIS, BLOCK, OTHER = Hash32(b"g" * 32), Hash32(b"a" * 32), Hash32(b"b" * 32)
CHANGES_OF_A_SAVE = 8
"""More calls than a mark's save makes, so that the power goes before, in and after each."""


class PowerLost(BaseException):
    """The process is gone."""


class DyingMark:
    """A mark whose process ends when the new value is durable, before anything else is done."""

    def __init__(self, file: MarkFile) -> None:
        self._file = file
        self.payload = file.payload

    def save(self, payload: bytes) -> None:
        self._file.save(payload)
        raise PowerLost


def seal(slot: int, block: Hash32 = BLOCK, height: int = 5) -> SignRequest:
    return SignRequest(GENESIS, Height(height), slot, Step.PROPOSAL, block)


def signer(disk: SimDisk, order: SigningOrder = SigningOrder.SLOTS) -> MarkedSigner:
    return MarkedSigner(SECRET, Mark.open("/", "signer.mark", disk), order.judge)


def attempt(holder: MarkedSigner, request: SignRequest) -> Signature | None:
    try:
        return holder.sign(request)
    except SigningRefused:
        return None


def test_a_crash_between_mark_and_signature_leaves_the_very_same_request_only() -> None:  # ROT-9
    disk = SimDisk(1)
    signer(disk).sign(seal(3))
    dying = MarkedSigner(SECRET, DyingMark(Mark.open("/", "signer.mark", disk)), SigningOrder.SLOTS.judge)
    with pytest.raises(PowerLost):
        dying.sign(seal(4))
    disk.crash()

    again = signer(disk)
    assert again.mark == seal(4)
    for refused in (seal(4, OTHER), seal(4, height=6), seal(3)):
        with pytest.raises(SigningRefused, match="slot 4"):
            again.sign(refused)
    assert again.sign(seal(4)) == signer(SimDisk(2)).sign(seal(4))
    assert again.sign(seal(5, height=2))


@pytest.mark.parametrize("changes", range(CHANGES_OF_A_SAVE))
@pytest.mark.parametrize("order", SigningOrder)
def test_whenever_the_power_goes_a_place_is_signed_once(order: SigningOrder, changes: int) -> None:  # ROT-9
    for seed in range(20):
        disk = SimDisk(seed)
        first = signer(disk, order)
        assert first.sign(seal(3))
        disk.cut_power_after(changes)
        left = attempt(first, seal(4))
        disk.crash()
        again = signer(disk, order)
        other = attempt(again, seal(4, OTHER))
        assert left is None or other is None
        assert attempt(again, seal(3, OTHER)) is None
        assert attempt(again, seal(5, height=6))


def test_what_cannot_be_made_durable_is_not_signed_and_may_be_asked_again() -> None:
    disk = SimDisk(1)
    holder = signer(disk)
    holder.sign(seal(3))
    disk.fail_next_syncs(1)
    with pytest.raises(SigningRefused, match="cannot be written"):
        holder.sign(seal(4))
    assert holder.mark == seal(3)
    with pytest.raises(SigningRefused):
        holder.sign(seal(3, OTHER))


def test_rounds_forbid_what_slots_allow_and_the_other_way_round() -> None:  # BFT-40, ROT-9
    by_round, by_slot = signer(SimDisk(1), SigningOrder.ROUNDS), signer(SimDisk(1), SigningOrder.SLOTS)
    for holder in (by_round, by_slot):
        holder.sign(seal(7))
    lower_height, same_slot = seal(8, height=4), seal(7, height=6)
    assert attempt(by_slot, lower_height)
    assert attempt(by_round, lower_height) is None
    assert attempt(by_round, same_slot)
    assert attempt(by_slot, replace(same_slot, round=8)) is None
