"""Damaged input to `coc evm t8n`: it works or is refused in one line, whatever byte is changed."""

from __future__ import annotations

import json
import random

import pytest
from click.testing import CliRunner

from coc.cli.evm import command
from tests.tool.scenarios import SCENARIOS, Scenario
from tests.tool.transition import STREAMS, transition

ROUNDS = 60
"""Damaged texts a scenario and kind; each takes some milliseconds."""
SPARE = ['"', "{", "]", "0x", "null", "-1", "0", "f" * 70, ",", ":[]", "true", "1e9", "é", ""]


def survives(text: str, scenario: Scenario) -> bool:
    """Whether the tool took the text; where it did not, it said why in one line."""
    outcome = CliRunner().invoke(command, ["t8n", *STREAMS, "--state.fork", scenario.fork], input=text)
    if outcome.exit_code == 0:
        return True
    assert (outcome.exit_code, outcome.stdout, outcome.stderr.count("\n")) == (1, "", 1), text
    assert isinstance(outcome.exception, SystemExit), text
    return False


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS.keys())
def test_damaged_text_is_refused_in_one_line(scenario: Scenario) -> None:
    dice = random.Random(scenario.root)
    whole = json.dumps({"alloc": scenario.accounts, "env": scenario.env, "txs": scenario.txs})
    taken = 0
    for _ in range(ROUNDS):
        start = dice.randrange(len(whole))
        damaged = whole[:start] + dice.choice(SPARE) + whole[start + dice.randrange(4) :]
        taken += survives(damaged, scenario)
    assert 0 < taken < ROUNDS


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS.keys())
def test_a_damaged_body_is_refused_in_one_line_or_its_items_are(scenario: Scenario) -> None:
    dice = random.Random(scenario.root)
    body = transition(scenario.accounts, scenario.env, scenario.txs, scenario.fork).body
    for _ in range(ROUNDS):
        rlp = bytearray.fromhex(body[2:])
        rlp[dice.randrange(min(len(rlp), 40))] = dice.randrange(256)
        del rlp[dice.randrange(len(rlp) // 2, 2 * len(rlp)) :]
        text = json.dumps({"alloc": scenario.accounts, "env": scenario.env, "txs": "0x" + rlp.hex()})
        survives(text, scenario)
