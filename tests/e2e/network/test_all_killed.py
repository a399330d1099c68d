"""Four validators killed together under load keep every promise, agree, and never sign twice."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from tests.e2e.network.kills import NetworkKills
from tests.e2e.network.network_process import network

KILLS = int(os.environ.get("COC_NETWORK_KILLS", "10"))
SEED = int(os.environ.get("COC_NETWORK_SEED", secrets.randbelow(2**32)))


def test_four_validators_killed_together_again_and_again_lose_nothing_they_promised(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    record_property("seed", SEED)
    print(f"COC_NETWORK_SEED={SEED} COC_NETWORK_KILLS={KILLS}")
    with network(tmp_path / "net", 4) as four:
        outcome = NetworkKills(four, SEED).run(KILLS)
    assert outcome.kills == KILLS
    assert outcome.acknowledged > KILLS
    assert outcome.final_blocks > 1
    assert outcome.height > 1
