"""A node that is killed keeps what it promised; and the campaign notices one that does not."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.crash.campaign import Campaign
from tests.e2e.crash.promises import PromiseBroken
from tests.e2e.node_process import foundry_binary

KILLS = int(os.environ.get("COC_CRASH_KILLS", "20"))
SEED = int(os.environ.get("COC_CRASH_SEED", secrets.randbelow(2**32)))


def test_a_node_killed_again_and_again_loses_nothing_it_promised(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    record_property("seed", SEED)
    print(f"COC_CRASH_SEED={SEED} COC_CRASH_KILLS={KILLS}")
    outcome = Campaign(tmp_path, SEED).run(KILLS)
    assert outcome.kills == KILLS
    assert outcome.acknowledged > 0
    assert outcome.final_blocks > 1


def test_the_campaign_catches_a_node_that_keeps_everything_in_memory(tmp_path: Path) -> None:
    forgetful = str(foundry_binary("anvil"))
    with pytest.raises(PromiseBroken, match=r"lost|was final as"):
        Campaign(tmp_path, seed=1, program=forgetful).run(kills=6)
