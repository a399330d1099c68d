"""The command itself: help before anything is built, usage errors, exit codes, and the live lines."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time

import click
import pytest

from coc.cli.exits import EXIT_FAILED, EXIT_INTERRUPTED, fail, told
from coc.cli.live_line import LiveLine
from coc.cli.main import SUBCOMMANDS, main
from coc.cli.progress import ProgressLine, progress_text
from coc.primitives.errors import CliError
from tests.cli.folders import coc

NATIVE_MISSING = "import sys; sys.modules['coc._native'] = None; from coc.cli.main import main; main()"
HELPFUL_WITHOUT_NATIVE = ["up", "init", "node", "import", "export"]


def run_without_native(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process in which the Rust core is not built."""
    command = [sys.executable, "-c", NATIVE_MISSING, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_help_lists_every_command_before_anything_is_built() -> None:
    done = run_without_native("--help")
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout and line[:20] in done.stdout for name, (_, line) in SUBCOMMANDS.items())


@pytest.mark.parametrize("name", HELPFUL_WITHOUT_NATIVE)
def test_a_commands_help_is_there_before_anything_is_built(name: str) -> None:
    done = run_without_native(name, "--help")
    assert (done.returncode, "--data" in done.stdout) == (0, True), done.stderr


def test_a_command_that_cannot_be_loaded_says_what_to_do() -> None:
    done = run_without_native("version")
    assert done.returncode == EXIT_FAILED
    assert "make setup" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", [name for name in SUBCOMMANDS if name != "db"])
def test_every_command_explains_itself(name: str) -> None:
    result = coc(name, "--help")
    assert (result.exit_code, "Usage" in result.output) == (0, True)


def test_an_unknown_command_or_option_is_a_wrong_command_line() -> None:
    for arguments in (["frobnicate"], ["up", "--frobnicate"], ["init"]):
        result = coc(*arguments)
        assert (result.exit_code, "Usage" in result.output) == (2, True)


def test_the_version_names_program_python_and_platform() -> None:
    facts = json.loads(coc("version", "--json").stdout)
    assert set(facts) == {"client", "python", "platform"}
    assert facts["client"].startswith("coc/v")


def test_an_error_of_ours_becomes_a_sentence_a_cure_and_exit_code_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended, told():
        raise CliError("it broke", why="because", cure="mend it")
    assert ended.value.code == EXIT_FAILED
    assert capsys.readouterr().err == "Error: it broke: because [COC-CLI]\n  → mend it\n"
    with pytest.raises(SystemExit):
        fail("no cure")
    assert capsys.readouterr().err == "Error: no cure\n"


def test_an_interrupt_has_an_exit_code_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, told():
        raise KeyboardInterrupt
    assert ended.value.code == EXIT_INTERRUPTED
    assert "again" in capsys.readouterr().err


def test_progress_says_how_far_how_fast_and_how_long() -> None:
    text = progress_text(1_500, 10.0, 40.0, "MiB", 3.0)
    assert "1,500 blocks" in text
    assert "500 blocks/s" in text
    assert "10.0 of 40.0 MiB" in text
    assert "0:09 left" in text
    assert "0 blocks/s" in progress_text(0, 0.0, 0.0, "MiB", 0.0)


def test_progress_is_silent_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    line = ProgressLine()
    line.show(1, 1, 2, "MiB")
    line.close()
    assert capsys.readouterr().err == ""


class Block:
    number, transaction_count, gas_used, gas_limit = 7, 3, 15, 60


class At(Block):
    def __init__(self, number: int) -> None:
        self.number = number


def test_the_live_line_shows_the_newest_block_and_is_silent_in_files(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for enabled in (True, False):
        line = LiveLine(enabled=enabled)
        line.on_block(Block())
        line.on_block(Block())
        line.close()
        shown = capsys.readouterr().out
        assert ("block 7" in shown, "6 in all" in shown, "25 %" in shown) == (enabled, enabled, enabled)


def test_the_live_line_shows_the_way_to_the_newest_block_and_what_it_cost(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    goals, now_s = iter([107, 107, 107, None, None]), iter([10.0, 14.0, 20.0])
    line = LiveLine(enabled=True, goal=lambda: next(goals))
    monkeypatch.setattr(time, "monotonic", lambda: next(now_s))
    for number in (7, 27, 57, 107, 108):
        line.on_block(At(number))
    monkeypatch.undo()
    shown = capsys.readouterr().out.split("\r\x1b[K")[1:]
    assert shown[0] == "  catching up   block 7 of 107   6 %   0 blocks/s"
    assert shown[1] == "  catching up   block 27 of 107   25 %   5 blocks/s   0:16 left"
    assert shown[2] == "  catching up   block 57 of 107   53 %   5 blocks/s   0:10 left"
    assert shown[3] == "  caught up: 50 blocks in 0:10, 5 blocks/s\n"
    assert ["block 107" in shown[4], "block 108" in shown[5]] == [True, True]


def test_a_terminal_that_is_gone_does_not_stop_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(5, "input/output error")

    monkeypatch.setattr(sys, "stdout", Gone())
    line = LiveLine(enabled=True)
    line.on_block(Block())
    monkeypatch.undo()
    assert not line._enabled


def test_commands_are_loaded_only_when_they_are_called() -> None:
    assert isinstance(main, click.Group)
    assert main.list_commands(click.Context(main)) == list(SUBCOMMANDS)
