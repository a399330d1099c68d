"""The series that a node shows at `/metrics`, in Prometheus' text format.

A series is a row: name, kind, what it means, and how its value is read when somebody asks. Counting costs the
node an addition; the library that writes the format is loaded with the first question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from coc.adapters.http.pages import Page
from coc.primitives.frozen import frozen

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

Value: TypeAlias = "float | Mapping[str, float]"
"""A number, or one a value of the series' label."""

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"


class Kind(Enum):
    """What a value is: something that goes up and down, or a count since the start."""

    GAUGE = "gauge"
    COUNTER = "counter"


@frozen
class Series:
    """One series. A counter's exposed name ends in `_total`."""

    name: str
    kind: Kind
    text: str
    read: Callable[[], Value]
    label: str = ""

    @property
    def exposed_name(self) -> str:
        """The name that queries and alerts use."""
        return f"{self.name}_total" if self.kind is Kind.COUNTER else self.name


class Metrics:
    """All series of one node."""

    def __init__(self) -> None:
        """None yet."""
        self.series: list[Series] = []
        self._registry: CollectorRegistry | None = None

    def add(self, *series: Series) -> None:
        """Show these too."""
        self.series += series

    def page(self) -> Page:
        """The values of now."""
        from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

        if self._registry is None:
            self._registry = CollectorRegistry()
            self._registry.register(_Rows(self.series))
            ProcessCollector(registry=self._registry)
        return Page(generate_latest(self._registry), CONTENT_TYPE)


class _Rows:
    """The series as the library collects them."""

    def __init__(self, series: list[Series]) -> None:
        self._series = series

    def collect(self) -> Iterator[Metric]:
        """Read every value."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        families = {Kind.GAUGE: GaugeMetricFamily, Kind.COUNTER: CounterMetricFamily}
        for series in self._series:
            labels = [series.label] if series.label else []
            family = families[series.kind](series.name, series.text, labels=labels)
            value = series.read()
            if isinstance(value, Mapping):
                for name, each in value.items():
                    family.add_metric([name], each)
            else:
                family.add_metric([], value)
            yield family
