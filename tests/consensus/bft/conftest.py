"""One validator of four, started, in round 0 of height 4; it is position 3, so others propose first."""

from __future__ import annotations

import pytest

from tests.consensus.bft.playbook import Playbook


@pytest.fixture
def stage() -> Playbook:
    playbook = Playbook()
    playbook.start()
    return playbook
