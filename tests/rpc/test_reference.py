"""The reference page is what the method table says, and every method is documented and exercised."""

from pathlib import Path

import pytest

from coc.rpc.methods import Runs, method_table
from coc.rpc.table import ADMINISTRATION, DEVELOPMENT
from tools.generate_rpc_reference import PLACE, render

HERE = Path(__file__).parent
TABLE = DEVELOPMENT | ADMINISTRATION
CALLS = "\n".join(
    place.read_text(encoding="utf-8") for place in HERE.glob("test_*.py") if place.name != Path(__file__).name
)


def test_the_reference_page_is_up_to_date() -> None:
    assert PLACE.read_text(encoding="utf-8") == render(), (
        "docs/reference/rpc.md is out of date; run `make docs`"
    )


@pytest.mark.parametrize("name", sorted(TABLE))
def test_every_method_says_what_it_does_and_what_it_answers(name: str) -> None:
    method = TABLE[name]

    assert method.doc.endswith(".")
    assert method.returns
    assert method.cost >= 1


@pytest.mark.parametrize("name", sorted(TABLE))
def test_every_method_is_called_by_a_test(name: str) -> None:
    assert f'"{name}"' in CALLS


def test_what_runs_on_the_pool_or_waits_costs_more_than_the_cheapest_call() -> None:
    cheap = [name for name, method in TABLE.items() if method.runs is not Runs.INLINE and method.cost == 1]

    assert cheap == []


def test_a_name_may_stand_in_the_table_once() -> None:
    method = DEVELOPMENT["eth_chainId"]

    with pytest.raises(ValueError, match="eth_chainId stands twice"):
        method_table((method,), (method,))
