"""The file of a data folder that tells of a difference: to whoever looks, and to the node's next life."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from coc.adapters.telemetry import Telemetry
from coc.consensus.sync.divergence.report import DivergenceReport, Field
from coc.consensus.sync.divergence.taking_in import Healings
from coc.primitives.types import Height, format_data

REPORT_FILE: Final = "divergence.json"


class DivergenceFile:
    """`divergence.json`, written as a whole."""

    def __init__(self, folder: Path, telemetry: Telemetry) -> None:
        """Nothing is read or written yet."""
        self._path = folder / REPORT_FILE
        self._telemetry = telemetry

    def load(self) -> dict[str, Any]:
        """What was kept; empty where there is nothing that reads."""
        try:
            found = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            self._telemetry.notice(f"{self._path} cannot be read: {error}")
            return {}
        return found if isinstance(found, dict) else {}

    def save(self, facts: dict[str, Any]) -> None:
        """Keep the report where a person finds it after a restart; without room for it the log has to do."""
        unfinished = self._path.with_name(f"{REPORT_FILE}.part")
        try:
            unfinished.write_text(f"{json.dumps(facts, indent=2)}\n")
            unfinished.replace(self._path)
        except OSError as error:
            self._telemetry.notice(f"{self._path} cannot be written: {error.strerror or error}")


def healings_in(facts: dict[str, Any]) -> Healings:
    """How many certified states were taken in in a row, as a file says; none where it says nothing."""
    match facts.get("takenIn"):
        case {"inARow": int(count), "block": int(block)}:
            return Healings(count, Height(block))
        case _:
            return Healings()


def facts_after_exchange(facts: dict[str, Any], head: Height) -> dict[str, Any]:
    """What a file says once the node stands on the certified state after `head`."""
    healings = healings_in(facts).with_one(height_in(facts), head)
    ended = {"healed": True, "how": f"the certified state after block {head:,} was taken in", "taking": ""}
    return facts | ended | taken_in(healings)


def taken_in(healings: Healings) -> dict[str, Any]:
    """What `healings_in` reads."""
    return {"takenIn": {"inARow": healings.count, "block": healings.height}}


def height_in(facts: dict[str, Any]) -> Height:
    """The block at which a file says that the node differed; 0 where it says nothing."""
    number = facts.get("number")
    return Height(number if isinstance(number, int) else 0)


def report_facts(report: DivergenceReport) -> dict[str, Any]:
    """A report as JSON."""
    transaction, account = report.transaction, report.account
    return {
        "number": report.height,
        "hash": format_data(report.block),
        "cause": report.cause.value,
        "complete": report.is_complete,
        "header": _named(report.header),
        "transaction": None
        if transaction is None
        else {
            "index": transaction.index,
            "hash": format_data(transaction.hash),
            "fields": _named(transaction.fields),
        },
        "account": None
        if account is None
        else {"address": format_data(account.address), "fields": _named(account.fields)},
        "damagedCodes": [format_data(code) for code in report.codes],
        "note": report.note,
    }


def _named(fields: tuple[Field, ...]) -> list[dict[str, str]]:
    return [{"name": name, "ours": ours, "certified": certified} for name, ours, certified in fields]
