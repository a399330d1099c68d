"""The sum of all suites can never look better than the run."""

import re
import sys
from pathlib import Path

import pytest

from tools import run_tests
from tools.run_tests import (
    Outcome,
    Suite,
    count_cargo,
    count_command,
    count_forge,
    count_mutants,
    count_pytest,
    count_vectors,
    hunting_grounds,
    main,
    run,
    run_all,
    suites,
)

REPORT = '<testsuites><testsuite tests="9" failures="1" errors="1" skipped="2"/></testsuites>'


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sends reports to a folder of the test."""
    monkeypatch.setattr(run_tests, "REPORTS", tmp_path)
    return tmp_path


def _suite(*command: str, name: str = "sample", variable: str = "") -> Suite:
    return Suite(name, command, count_cargo, variable=variable)


def _prints(text: str, status: int = 0, name: str = "sample") -> Suite:
    return _suite(sys.executable, "-c", f"import sys; print({text!r}); sys.exit({status})", name=name)


def test_outcomes_of_all_crates_are_added() -> None:
    lines = [
        "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.03s",
        "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.03s",
    ]

    assert count_cargo(_suite(), 101, lines) == Outcome(15, 2, 1)


def test_a_build_that_fails_is_a_failure() -> None:
    assert count_cargo(_suite(), 101, ["error: could not compile"]) == Outcome(0, 1, 0)


def test_mutants_count_only_where_tests_say_that_they_caught_them() -> None:
    caught = [
        "test the_campaign_catches::a_torn_record ... ok",
        "test the_campaign_catches::a_lost_name ... FAILED",
        "test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 9 filtered out; finished in 0.03s",
    ]
    nothing = ["test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out"]

    assert count_mutants(_suite(), 101, caught) == Outcome(1, 1)
    assert count_mutants(_suite(), 0, nothing) == Outcome(0, 1)


def test_forge_is_counted_by_its_closing_line() -> None:
    lines = [
        "Suite result: ok. 10 passed; 0 failed; 0 skipped; finished in 0.6ms",
        "Ran 4 test suites in 8.53s (10.24s CPU time): 43 tests passed, 1 failed, 2 skipped (46 total tests)",
    ]

    assert count_forge(_suite(), 1, lines) == Outcome(43, 1, 2)


def test_contracts_that_do_not_compile_and_tests_that_are_not_there_are_failures() -> None:
    assert count_forge(_suite(), 1, ["Error: Compiler run failed:"]) == Outcome(0, 1, 0)
    assert count_forge(_suite(), 0, ["No tests found in project!"]) == Outcome(0, 1, 0)


def test_a_command_is_one_case_that_holds_or_not() -> None:
    assert count_command(_suite(), 0, []) == Outcome(1, 0, 0)
    assert count_command(_suite(), 1, []) == Outcome(0, 1, 0)


def test_no_two_suites_have_one_name() -> None:
    names = [suite.name for suite in suites()]

    assert len(names) == len(set(names))


def test_faults_are_hunted_where_tests_plant_them_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tests = tmp_path / "crates" / "one" / "tests"
    (tests / "campaign").mkdir(parents=True)
    (tests / "campaign" / "part.rs").write_text('#[cfg(feature = "planted-faults")]')
    (tests / "crashes.rs").write_text('#[cfg(feature = "planted-faults")]')
    (tests / "other.rs").write_text("fn adds() {}")
    monkeypatch.setattr(run_tests, "ROOT", tmp_path)

    assert hunting_grounds() == ("--test", "campaign", "--test", "crashes")


def test_every_fault_that_a_crate_can_have_is_planted_by_a_test() -> None:
    crates = Path(run_tests.ROOT) / "crates"
    sources = "".join(file.read_text() for file in sorted(crates.glob("*/src/**/*.rs")))
    tests = "".join(file.read_text() for file in sorted(crates.glob("*/tests/**/*.rs")))

    faults = set(re.findall(r'is_planted\("([a-z-]+)"\)', sources))

    assert len(faults) > 20
    assert {fault for fault in faults if f'"{fault}"' not in tests} == set()


def test_who_counts_rounds_of_real_nodes_runs_with_nothing_beside_it() -> None:
    files = sorted((run_tests.ROOT / run_tests.NETWORK).glob("test_*.py"))
    counting = [file for file in files if ".round_of(" in file.read_text(encoding="utf-8")]

    assert counting
    assert [file.name for file in counting if "pytest.mark.alone" not in file.read_text()] == []


def test_every_network_test_is_in_one_suite() -> None:
    chosen = [suite.command for suite in suites() if suite.name.startswith("e2e-network")]

    assert ["not alone" in command for command in chosen] == [True, False]
    assert ["alone" in command for command in chosen] == [False, True]


def test_vectors_count_what_is_missing_to_the_total_as_failed() -> None:
    assert count_vectors(_suite(), 1, ["loading …", "118/120"]) == Outcome(118, 2, 0)


def test_a_vector_run_without_a_summary_is_a_failure() -> None:
    assert count_vectors(_suite(), 0, ["done"]) == Outcome(0, 1, 0)


def test_a_vector_run_over_nothing_is_a_failure() -> None:
    assert count_vectors(_suite(), 0, ["0/0"]) == Outcome(0, 1, 0)


def test_errors_in_fixtures_count_as_failures(reports: Path) -> None:
    (reports / "sample.xml").write_text(REPORT, encoding="utf-8")

    assert count_pytest(_suite(), 1, []) == Outcome(5, 2, 2)


@pytest.mark.usefixtures("reports")
def test_a_run_without_a_report_is_a_failure() -> None:
    assert count_pytest(_suite(), 0, []) == Outcome(0, 1, 0)


@pytest.mark.usefixtures("reports")
def test_a_command_that_cannot_start_is_a_failure() -> None:
    assert run(_suite("/nowhere/coc")) == Outcome(0, 1, 0)


@pytest.mark.usefixtures("reports")
def test_a_command_that_ends_with_an_error_has_failed_whatever_it_counted() -> None:
    assert run(_prints("test result: ok. 7 passed; 0 failed; 0 ignored", status=3)) == Outcome(7, 1, 0)


@pytest.mark.usefixtures("reports")
def test_a_suite_without_its_data_is_skipped_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = run_all((_suite("false", name="conformance", variable="CONFORMANCE_DIR"),), {})

    assert outcomes == {}
    assert "conformance: skipped: CONFORMANCE_DIR is not set" in capsys.readouterr().out


def test_the_sum_names_skipped_cases_only_where_there_are_some() -> None:
    assert str(Outcome(812, 0)) == "812 passed, 0 failed"
    assert str(Outcome(812, 0, 3)) == "812 passed, 0 failed, 3 skipped"


@pytest.mark.usefixtures("reports")
def test_the_last_line_is_the_sum(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = (
        _prints("test result: ok. 7 passed; 0 failed; 0 ignored"),
        _prints("test result: ok. 1 passed; 0 failed; 0 ignored", name="other"),
    )
    monkeypatch.setattr(run_tests, "suites", lambda: chosen)

    assert main([]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "8 passed, 0 failed"


@pytest.mark.usefixtures("reports")
def test_the_status_is_not_zero_when_anything_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_tests, "suites", lambda: (_prints("", status=1),))

    assert main([]) == 1


def test_a_suite_nobody_knows_is_refused_with_the_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fly"]) == 2
    assert "conformance" in capsys.readouterr().out


def test_what_the_plain_suite_leaves_out_is_run_by_another_suite() -> None:
    by_others = " ".join(place for suite in suites() if suite.name != "python" for place in suite.places)

    left_out = [place for place in run_tests.APART if place not in by_others]

    assert left_out == ["tests/differential"], "these run under `make differential` only"
