"""Metrics, log lines, and the truth about readiness."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass

import pytest

from coc.adapters.log_lines import JsonFormatter
from coc.adapters.telemetry import Readings, Telemetry
from coc.execution.mempool.effects import Added, Dropped
from coc.primitives.types import Hash32
from tests.execution.mempool.scene import ALICE, Tx


@dataclass
class Head:
    number: int = 7
    timestamp: int = 1_700_000_000
    transaction_count: int = 3
    gas_used: int = 63_000
    hash: bytes = bytes(32)


def watched() -> Telemetry:
    telemetry = Telemetry()
    telemetry.watch(Readings(lambda: (5, 2), lambda: 770, lambda: 4, lambda: 99))
    return telemetry


def series_of(telemetry: Telemetry) -> dict[str, float]:
    lines = telemetry.metrics.page().body.decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


def test_every_series_is_shown_from_the_first_moment() -> None:
    shown = telemetry_names = set(series_of(watched()))
    assert telemetry_names
    for series in watched().metrics.series:
        if series.name != "coc_problems":  # its label names parts, and none has failed yet
            assert any(name.split("{")[0] == series.exposed_name for name in shown), series.name


def test_blocks_and_admissions_are_counted_and_pool_and_server_are_read() -> None:
    telemetry = watched()
    telemetry.block(Head())  # type: ignore[arg-type]
    telemetry.block(Head(number=8, transaction_count=1, gas_used=21_000))  # type: ignore[arg-type]
    telemetry.pool_event(Added(Tx(ALICE, 0), ready=True))
    telemetry.pool_event(Dropped(Hash32(bytes(32)), "X", "x"))
    shown = series_of(telemetry)
    assert shown["coc_head_height"] == 8
    assert (shown["coc_blocks_total"], shown["coc_transactions_total"], shown["coc_gas_total"]) == (
        2,
        4,
        84_000,
    )
    assert shown["coc_mempool_admitted_total"] == 1
    assert shown['coc_mempool_transactions{kind="pending"}'] == 5
    assert shown['coc_mempool_transactions{kind="queued"}'] == 2
    assert (shown["coc_mempool_bytes"], shown["coc_rpc_connections"], shown["coc_rpc_requests_total"]) == (
        770,
        4,
        99,
    )
    assert shown["process_resident_memory_bytes"] > 0


def test_a_node_says_why_it_is_not_ready_until_the_very_part_has_recovered() -> None:
    telemetry = watched()
    assert telemetry.ready_page().status == 200
    telemetry.problem("journal", "no space left")
    telemetry.problem("sealing", "a block cannot be written")
    page = telemetry.ready_page()
    assert (page.status, page.body) == (
        503,
        b"not ready\njournal: no space left\nsealing: a block cannot be written\n",
    )
    telemetry.recovered("sealing")
    telemetry.block(Head())  # type: ignore[arg-type]
    assert telemetry.ready_page().body == b"not ready\njournal: no space left\n"
    assert series_of(telemetry)["coc_ready"] == 0
    telemetry.recovered("journal")
    assert telemetry.ready_page().status == 200
    assert series_of(telemetry)['coc_problems_total{part="journal"}'] == 1


def test_a_node_that_is_stopping_is_alive_and_not_ready() -> None:
    telemetry = watched()
    telemetry.stopping()
    assert (telemetry.ready_page().status, telemetry.ready_page().body) == (503, b"not ready\nstopping\n")
    assert telemetry.live_page().status == 200


def test_a_lasting_problem_is_counted_each_time_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    telemetry = watched()
    for _ in range(3):
        telemetry.problem("flush", "no space")
    telemetry.problem("flush", "still no space")
    telemetry.recovered("flush")
    telemetry.recovered("flush")
    assert [record.getMessage() for record in caplog.records] == ["no space", "still no space", "works again"]
    assert series_of(telemetry)['coc_problems_total{part="flush"}'] == 4


def test_what_escapes_to_the_loop_is_logged_and_shows_in_readiness(caplog: pytest.LogCaptureFixture) -> None:
    telemetry = watched()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(telemetry.defect)
        loop.call_soon(dict[str, int]().__getitem__, "no such key")
        await asyncio.sleep(0)

    asyncio.run(run())
    assert b"defect" in telemetry.ready_page().body
    assert "KeyError" in caplog.text


def test_a_connection_that_breaks_is_no_defect_of_the_node(caplog: pytest.LogCaptureFixture) -> None:
    telemetry = watched()
    loop = asyncio.new_event_loop()
    telemetry.defect(
        loop, {"message": "fatal error on transport", "exception": TimeoutError(110, "timed out")}
    )
    loop.close()
    assert telemetry.ready_page().status == 200
    assert "timed out" in caplog.text


def test_a_log_line_is_one_json_object_whatever_its_fields_hold() -> None:
    record = logging.LogRecord("coc", logging.ERROR, "f", 1, "two\nlines %s", ("x",), None)
    record.fields = {"part": "sealing", "odd": object}
    line = JsonFormatter().format(record)
    assert "\n" not in line
    decoded = json.loads(line)
    assert (decoded["level"], decoded["message"], decoded["part"]) == ("error", "two\nlines x", "sealing")
    assert decoded["time"].endswith("Z")
