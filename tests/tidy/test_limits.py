"""Limits are named, explained and tested."""

import pytest

from tests.tidy.limits import limits_without_reason, limits_without_test, limits_without_unit
from tests.tidy.tree import SourceFile, expect_none


def _limits(text: str) -> SourceFile:
    return SourceFile.sample("src/coc/primitives/limits.py", text)


def test_every_limit_names_its_unit(tree: tuple[SourceFile, ...]) -> None:
    expect_none(limits_without_unit(tree))


def test_every_limit_has_a_reason(tree: tuple[SourceFile, ...]) -> None:
    expect_none(limits_without_reason(tree))


def test_every_limit_is_named_by_a_test(tree: tuple[SourceFile, ...]) -> None:
    expect_none(limits_without_test(tree))


@pytest.mark.parametrize("name", ["RPC_BODY_MAX", "HTTP_IN_FLIGHT_MAX", "TIMEOUT"])
def test_a_limit_without_unit_is_found(name: str) -> None:
    assert len(limits_without_unit([_limits(f"{name} = 1\n")])) == 1


@pytest.mark.parametrize(
    "name", ["RPC_BODY_BYTES_MAX", "FSYNC_MS_MAX", "CALL_GAS_MAX", "JOBS_PER_CALL_MAX", "A_ROWS"]
)
def test_a_limit_with_unit_is_accepted(name: str) -> None:
    assert limits_without_unit([_limits(f"{name} = 1\n")]) == []


def test_a_reason_stands_above_or_below() -> None:
    above = "# Room for ten.\nA_ROWS_MAX = 10\n"
    below = 'B_ROWS_MAX = 10\n"""Room for ten."""\n'
    nowhere = "\nC_ROWS_MAX = 10\n"

    found = limits_without_reason([_limits(above + below + nowhere)])

    assert [line for line in found if "C_ROWS_MAX" in line] == found != []


def test_a_limit_that_no_test_names_is_found() -> None:
    limits = _limits("# Room.\nA_ROWS_MAX = 10\n# Room.\nB_ROWS_MAX = 10\n")
    test = SourceFile.sample("tests/rpc/test_rows.py", "from coc.primitives.limits import A_ROWS_MAX\n")

    found = limits_without_test([limits, test])

    assert len(found) == 1
    assert "B_ROWS_MAX" in found[0]
