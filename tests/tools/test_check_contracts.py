"""What slither finds and what the document explains must be the same."""

from pathlib import Path
from typing import Any

from tools.check_contracts import CONTRACTS, differences, explained, found_in

TABLE = "| detector | where | why |\n|---|---|---|\n| `timestamp` | `A.f` | a lock of days |\n"


def _finding(check: str, name: str, contract: str | None) -> dict[str, Any]:
    parent = {} if contract is None else {"parent": {"type": "contract", "name": contract}}
    return {"check": check, "elements": [{"name": name, "type_specific_fields": parent}]}


def _report(*findings: dict[str, Any]) -> dict[str, Any]:
    return {"results": {"detectors": list(findings)}}


def test_a_row_of_the_table_explains_a_detector_in_a_place() -> None:
    assert explained(TABLE) == {("timestamp", "A.f")}


def test_a_row_without_a_reason_explains_nothing() -> None:
    assert explained("| `timestamp` | `A.f` |  |\n") == set()


def test_a_finding_is_placed_by_its_contract_and_function() -> None:
    report = _report(_finding("timestamp", "f", "A"), _finding("locked-ether", "B", None))

    assert found_in(report) == {("timestamp", "A.f"), ("locked-ether", "B")}


def test_an_unexplained_finding_and_a_needless_explanation_are_both_told() -> None:
    told = differences({("timestamp", "A.f")}, {("timestamp", "A.g")})

    assert len(told) == 2
    assert "explain it" in told[0]
    assert "not found any more" in told[1]
    assert differences({("timestamp", "A.f")}, explained(TABLE)) == []


def test_the_document_of_the_contracts_can_be_read() -> None:
    assert len(explained(Path(CONTRACTS, "SLITHER.md").read_text(encoding="utf-8"))) > 0
