"""The page of the nightly run says what ran, and never better than it was."""

from tools.run_nightly import Report, count_differential, differential
from tools.run_tests import Outcome

SUITE = differential(7, "1")


def test_disagreements_with_the_specification_are_failures() -> None:
    assert count_differential(SUITE, 1, ["seed 7: 40 cases, 2 disagreements"]) == Outcome(38, 2)


def test_a_differential_run_without_a_closing_line_is_a_failure() -> None:
    assert count_differential(SUITE, 0, ["seed 7: 3 chains on 20 networks, 40 state tests"]) == Outcome(0, 1)


def test_a_differential_run_that_ends_with_an_error_is_a_failure() -> None:
    assert count_differential(SUITE, 2, ["seed 7: 40 cases, 0 disagreements"]) == Outcome(40, 1)


def test_the_page_names_commit_machine_seeds_and_counts() -> None:
    outcomes = {"rust": Outcome(10, 0), "e2e": Outcome(3, 1, 2)}

    page = Report("abc123", "2026-01-02", "2 × Xeon", 7200, {"SEED": "7"}, outcomes).render()

    assert "**13 passed, 1 failed, 2 skipped**, in 120 minutes" in page
    assert "`abc123`" in page
    assert "2 × Xeon" in page
    assert "| `SEED` | 7 |" in page
    assert "| e2e | 3 | 1 | 2 |" in page
