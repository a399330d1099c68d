"""What a finality proof has shown, for people and for programs."""

from __future__ import annotations

from typing import Any

from coc.consensus.finality.verify import Finality


def finality_facts(found: Finality) -> dict[str, Any]:
    """As JSON."""
    return {
        "number": found.block.height,
        "hash": f"0x{found.block.hash.hex()}",
        "stateRoot": f"0x{found.block.state_root.hex()}",
        "timestamp": found.block.time_s,
        "provedFrom": found.anchor_height,
        "setPeriods": found.periods,
        "setChanges": found.set_changes,
        "signatures": found.signatures,
        "checkpoint": None if found.checkpoint is None else found.checkpoint.text(),
    }


def finality_line(found: Finality) -> str:
    """As one line."""
    start = f"the checkpoint {found.anchor_height:,}" if found.anchor_height else "genesis"
    return (
        f"block {found.block.height:,} 0x{found.block.hash.hex()} is final, "
        f"state root 0x{found.block.state_root.hex()}; from {start}: "
        f"set changes {found.set_changes:,}, signatures {found.signatures:,}"
    )
