"""The long campaigns add up over runs, and their page never says more than ran."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tools.nightly.__main__ import CannotStart, run_part
from tools.nightly.campaigns import (
    CAMPAIGNS,
    Call,
    Campaign,
    Part,
    read_disagreements,
    read_seed_lines,
    read_status,
)
from tools.nightly.ledger import Entry, append, done, read
from tools.nightly.page import render
from tools.run_tests import Outcome

ENTRY = Entry("simulator", 0, 200, 200, 0, 90, "2026-01-02", "c" * 40, "5f5f", "2 × Xeon, Linux")
FIVE = Part(10, 5)


def test_seeds_are_counted_that_say_they_hold() -> None:
    lines = [json.dumps({"seed": seed, "holds": seed != 12}) for seed in range(10, 15)]
    assert read_seed_lines(FIVE, 1, lines) == Outcome(4, 1)


def test_seeds_that_say_nothing_have_failed() -> None:
    assert read_seed_lines(FIVE, 0, [json.dumps({"seed": 10, "holds": True})]) == Outcome(1, 4)


def test_chains_on_which_the_specification_disagrees_are_failures() -> None:
    assert read_disagreements(FIVE, 1, ["seed 10: 400 cases, 2 disagreements"]) == Outcome(3, 2)
    assert read_disagreements(FIVE, 0, ["seed 10: 400 cases, 0 disagreements"]) == Outcome(5, 0)


def test_a_differential_run_without_a_closing_line_or_with_an_error_has_failed() -> None:
    assert read_disagreements(FIVE, 0, ["seed 10: 3 chains on 20 networks"]).failed == 5
    assert read_disagreements(FIVE, 2, ["seed 10: 400 cases, 0 disagreements"]).failed > 0


def test_a_part_that_ran_no_test_has_failed() -> None:
    assert read_status(FIVE, 0, ["test result: ok. 0 passed; 0 failed"]) == Outcome(failed=5)
    assert read_status(FIVE, 0, ["test result: ok. 1 passed; 0 failed"]) == Outcome(5)
    assert read_status(FIVE, 1, ["test result: FAILED. 1 passed; 1 failed"]) == Outcome(failed=5)


def test_a_command_is_run_with_its_variables_and_read() -> None:
    program = "import os; print(os.environ['KILLS'], 'passed')"
    campaign = Campaign(
        "x",
        "x",
        9,
        5,
        lambda part: Call((sys.executable, "-c", program), {"KILLS": str(part.count)}),
        read_status,
    )
    assert run_part(campaign, FIVE, shown=False) == Outcome(5)


def test_a_command_that_cannot_start_says_nothing_about_its_seeds() -> None:
    campaign = Campaign("x", "x", 9, 5, lambda _: Call(("/there/is/no/such/program",)), read_status)
    with pytest.raises(CannotStart, match="no/such/program"):
        run_part(campaign, FIVE, shown=False)


def test_parts_add_up_and_the_next_begins_where_the_last_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "nightly.jsonl"
    append(ENTRY, path)
    append(replace(ENTRY, first=200, count=50), path)
    reached = done(read(path), "simulator", "5f5f")
    simulator = next(each for each in CAMPAIGNS if each.name == "simulator")
    assert reached == 250
    assert simulator.next_part(reached) == Part(250, 200)
    assert simulator.next_part(9_900) == Part(9_900, 100)
    assert simulator.next_part(10_000) is None


def test_a_gap_and_other_sources_and_other_campaigns_do_not_count() -> None:
    others = [replace(ENTRY, sources="0000"), replace(ENTRY, campaign="kills")]
    assert done([*others, replace(ENTRY, first=400)], "simulator", "5f5f") == 0
    assert done([*others, replace(ENTRY, first=400), ENTRY], "simulator", "5f5f") == 200


def test_the_page_names_commit_machine_seeds_and_failures() -> None:
    more = replace(ENTRY, first=200, passed=199, failed=1)
    page = render(CAMPAIGNS, [ENTRY, more])
    assert "| simulator | 0 – 399 | 1 | `cccccccccccc` | 2026-01-02 | 2 × Xeon, Linux |" in page
    assert "| 10,000 | 400 | 1 | 3 |" in page


def test_older_sources_count_for_no_more_than_the_campaigns_they_alone_have_ended() -> None:
    begun = replace(ENTRY, sources="0000", commit="b" * 40)
    ended = replace(begun, campaign="kills", count=200, passed=200)
    page = render(CAMPAIGNS, [begun, ended, ENTRY])
    newest, older = page.split("## Sources")[1:]
    assert "`cccccccccccc`" in newest
    assert "bbbb" not in newest
    assert "kills" in older
    assert "simulator" not in older


def test_a_campaign_that_newer_sources_have_ended_is_shown_of_these_alone() -> None:
    old = replace(ENTRY, campaign="kills", count=200, passed=200, sources="0000", commit="b" * 40)
    new = replace(old, sources="5f5f", commit="c" * 40)
    assert "bbbb" not in render(CAMPAIGNS, [old, new])


def test_the_campaigns_are_as_long_as_was_promised() -> None:
    goals = {campaign.name: campaign.goal for campaign in CAMPAIGNS}
    assert goals["kills"] >= 200
    assert goals["network-kills"] >= 200
    assert goals["simulator"] >= 10_000
