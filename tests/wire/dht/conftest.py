"""A table that knows nobody yet."""

from __future__ import annotations

import pytest

from tests.wire.dht.playbook import Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()
