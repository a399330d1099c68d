"""The view of a network as text: what a stranger reads off it."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

import pytest
from rich.console import Console

from coc.adapters.node_processes import NodeState
from coc.adapters.node_readings import Reading
from coc.cli.keyboard import DOWN, UP, keys_in
from coc.cli.network_view import KEY_HELP, Row, network_view, quorum_of
from coc.primitives.frozen import replace

WELL = Reading(height=1_234, finalized=1_233, peers=3, round=0, goal=1_235, is_watching=False, problem="")


def row(number: int, state: NodeState = NodeState.RUNNING, reading: Reading | None = WELL) -> Row:
    return Row(number, state, 4_000_000 + number, f"http://127.0.0.1:{8544 + number}", reading)


def lines(rows: Sequence[Row], chosen: int | None = 1, columns: int = 80) -> list[str]:
    console = Console(file=StringIO(), width=columns, record=True, highlight=False)
    console.print(network_view(rows, chosen))
    return [line for line in console.export_text().splitlines() if line.strip()]


def test_a_row_says_where_a_node_stands_and_fits_a_small_terminal() -> None:
    shown = lines([row(number) for number in (1, 2, 3, 4)])
    assert shown[0].split() == ["node", "state", "height", "round", "final", "peers", "pid", "RPC"]
    assert shown[1].split() == [
        *("▸", "1", "running", "1,234", "0", "1,233", "3", "4000001", "http://127.0.0.1:8545")
    ]
    assert [line.split()[0] for line in shown[2:5]] == ["2", "3", "4"]
    assert shown[-1].strip() == KEY_HELP
    assert max(len(line.rstrip()) for line in shown) < 80


def test_without_a_keyboard_there_is_nothing_chosen_and_no_key_to_press() -> None:
    shown = "\n".join(lines([row(1)], chosen=None))
    assert "▸" not in shown
    assert KEY_HELP not in shown


@pytest.mark.parametrize(
    ("count", "quorum"), [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (6, 5), (7, 5), (10, 7)]
)
def test_a_quorum_is_more_than_two_thirds(count: int, quorum: int) -> None:
    assert quorum_of(count) == quorum
    assert 3 * quorum > 2 * count >= 3 * (quorum - 1)


def test_the_verdict_says_whether_blocks_are_made() -> None:
    rows = [row(number) for number in (1, 2, 3, 4)]
    rows[3] = row(4, NodeState.KILLED)
    assert "3 of 4 nodes work, 3 are needed: blocks are made" in "\n".join(lines(rows))
    rows[2] = row(3, NodeState.PAUSED)
    assert "2 of 4 nodes work, 3 are needed: no block is made" in "\n".join(lines(rows))
    rows[2] = replace(row(3), is_silent=True)
    hanging = "\n".join(lines(rows))
    assert "no block is made" in hanging
    assert "no answer" in hanging
    rows[2] = row(3, NodeState.STARTING, None)
    assert "the others are starting" in "\n".join(lines(rows))


def test_where_validators_take_turns_too_few_of_them_make_blocks_that_are_not_final() -> None:
    rows = [row(number, reading=replace(WELL, round=None, goal=None)) for number in (1, 2, 3)]
    assert "3 of 3 nodes work, 3 are needed: blocks are made" in "\n".join(lines(rows))
    rows[2] = row(3, NodeState.KILLED, None)
    assert "2 of 3 nodes work, 3 are needed for blocks to become final" in "\n".join(lines(rows, columns=100))
    assert lines(rows)[1].split()[4] == "–"


def test_a_node_that_has_ended_shows_its_last_height_and_no_peers() -> None:
    killed = replace(row(1, NodeState.KILLED), pid=None)
    assert lines([killed], chosen=None)[1].split() == [
        *("1", "killed", "1,234", "–", "1,233", "–", "–", "http://127.0.0.1:8545")
    ]


def test_what_is_wrong_with_a_node_is_told_below() -> None:
    failed = replace(row(1, NodeState.FAILED), why="the disk is full [COC-CHAIN]")
    troubled = row(2, reading=replace(WELL, problem="write-ahead log: it cannot be written"))
    shown = "\n".join(lines([failed, troubled]))
    assert "node 1: the disk is full [COC-CHAIN]" in shown
    assert "node 2: write-ahead log: it cannot be written" in shown


def test_a_node_that_lacks_blocks_is_behind_but_not_for_the_last_moment() -> None:
    almost = replace(WELL, goal=1_236)
    far = replace(WELL, goal=1_240)
    assert [almost.behind, far.behind, replace(far, goal=None).behind] == [1, 5, 0]
    assert "running" in lines([row(1, reading=almost)])[1]
    assert "behind" in lines([row(1, reading=far)])[1]


def test_a_validator_that_watches_before_it_votes_is_seen_to() -> None:
    shown = lines([row(1, reading=replace(WELL, is_watching=True))])
    assert "watching" in shown[1]
    assert "0 of 1 nodes work" in "\n".join(shown)


def test_a_network_that_ends_says_so() -> None:
    assert "told to stop" in "\n".join(lines([row(1, NodeState.STOPPING), row(2, NodeState.STOPPED)], None))
    assert lines([row(1, NodeState.STOPPED)], None)[-1].strip() == "stopped"


def test_keys_are_letters_digits_and_arrows_and_nothing_else() -> None:
    assert list(keys_in(b"3kP\x1b[A\x1b[B\x1bOAq")) == ["3", "k", "p", UP, DOWN, UP, "q"]
    assert list(keys_in(b" \n\t\x1b\x7f")) == []
    assert list(keys_in(b"")) == []
