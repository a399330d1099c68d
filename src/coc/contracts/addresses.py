"""Where the system contracts are on every chain of ours that has them (SET-1)."""

from __future__ import annotations

from typing import Final

from coc.primitives.types import Address

VALIDATOR_REGISTRY: Final = Address(bytes.fromhex("00000000000000000000000000000000c0c00001"))
"""Stakes, keys and set periods."""

EQUIVOCATION_DETECTOR: Final = Address(bytes.fromhex("00000000000000000000000000000000c0c00002"))
"""Double signing, as the protocol reports it."""

INSURANCE_FUND: Final = Address(bytes.fromhex("00000000000000000000000000000000c0c00003"))
"""The part of slashed stakes that is kept."""
