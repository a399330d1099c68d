"""Writes docs/reference/metrics.md: every series that a node shows at `/metrics`, from its own rows.

A test compares the file with what this module renders, so the page and the program cannot differ.
"""

from __future__ import annotations

from pathlib import Path

from coc.adapters.metrics import Series
from coc.adapters.telemetry import Readings, Telemetry

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "docs" / "reference" / "metrics.md"

OPENING = """\
# Metrics, health and log reference

<!-- Written by `make docs` from the node's own rows; changes belong there. -->

A node answers three pages beside JSON-RPC, on the same port:

| page | answer |
|---|---|
| `/metrics` | the series below, in Prometheus' text format |
| `/livez` | 200 while the node's loop turns |
| `/readyz` | 200 when the node can do its work; else 503 and a line for each reason |

A reason is a part that failed and has not recovered (`sealing`, `flush`, `journal`), a `defect`, or
`stopping`.

Log lines are JSON objects on standard error, one a line, with `time`, `level`, `logger` and `message`;
`--log-level` chooses how many. A failure that lasts is logged once.

## Series
"""

CLOSING = """
The `process_…` series are those that Prometheus' client libraries share: memory, CPU, open files, start.
"""


def render() -> str:
    """The whole page."""
    telemetry = Telemetry()
    telemetry.watch(Readings(lambda: (0, 0), lambda: 0, lambda: 0, lambda: 0))
    rows = [_row(series) for series in sorted(telemetry.metrics.series, key=lambda series: series.name)]
    table = ["| series | kind | label | meaning |", "|---|---|---|---|", *rows]
    return OPENING + "\n" + "\n".join(table) + "\n" + CLOSING


def _row(series: Series) -> str:
    label = f"`{series.label}`" if series.label else ""
    return f"| `{series.exposed_name}` | {series.kind.value} | {label} | {series.text} |"


if __name__ == "__main__":
    PLACE.parent.mkdir(parents=True, exist_ok=True)
    PLACE.write_text(render(), encoding="utf-8")
