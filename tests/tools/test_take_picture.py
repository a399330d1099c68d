"""The picture shows what a terminal would show, and asks no server for anything."""

import sys

import pytest

from tools.take_picture import draw, main, record


def test_a_live_line_is_drawn_in_its_last_state() -> None:
    svg = draw("coc up", "ready\r\n\r\x1b[2Kblock 1\r\x1b[2Kblock 2\r\n")

    assert "ready" in svg
    assert "block&#160;2" in svg
    assert "block&#160;1" not in svg


def test_a_picture_asks_no_server_for_a_font() -> None:
    assert "@font-face" not in draw("coc up", "ready\n")


def test_a_command_believes_it_has_a_terminal() -> None:
    written = record([sys.executable, "-c", "import sys; print('terminal', sys.stdout.isatty())"], seconds=30)

    assert "terminal True" in written


def test_a_wrong_call_prints_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["only-a-file.svg"]) == 2
    assert "usage" in capsys.readouterr().err
