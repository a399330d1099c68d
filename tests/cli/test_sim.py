"""`coc sim`: a seed is run with the engine that was asked for, and what is printed says how it went."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from coc.cli.sim import command


def shown(*arguments: str) -> dict[str, object]:
    result = CliRunner().invoke(command, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    (line,) = result.output.splitlines()
    facts: dict[str, object] = json.loads(line)
    return facts


@pytest.mark.parametrize(("engine", "heights"), [("bft", "heights"), ("rotation", "final")])
def test_a_calm_run_of_either_engine_holds_and_says_how_far_it_came(engine: str, heights: str) -> None:
    facts = shown("--seed", "3", "--calm", "--engine", engine)

    assert (facts["seed"], facts["holds"], facts["validators"]) == (3, True, 4)
    assert facts[heights] > 20  # type: ignore[operator]


def test_without_a_word_validators_agree_by_bft() -> None:
    assert "highestRound" in shown("--calm")


def test_the_story_of_turns_comes_before_the_sentence_about_it() -> None:
    result = CliRunner().invoke(command, ["--calm", "--engine", "rotation", "--story"])
    *story, sentence = result.output.splitlines()

    assert sentence.startswith("seed 0: holds; 4 validators in turn")
    assert any("signs 1 = " in line for line in story)
