"""The reference pages of commands and metrics are what would be generated now."""

from __future__ import annotations

from tools import generate_cli_reference, generate_metrics_reference


def test_the_command_reference_is_what_the_commands_say() -> None:
    page = generate_cli_reference.PLACE.read_text(encoding="utf-8")
    assert page == generate_cli_reference.render(), "docs/reference/cli.md is out of date; run `make docs`"


def test_the_metrics_reference_lists_the_series_that_are_shown() -> None:
    page = generate_metrics_reference.PLACE.read_text(encoding="utf-8")
    found = generate_metrics_reference.render()
    assert page == found, "docs/reference/metrics.md is out of date; run `make docs`"


def test_the_command_reference_tells_exit_codes_and_subcommands() -> None:
    page = generate_cli_reference.render()
    assert "| 130 | interrupted" in page
    assert "### coc wallet new" in page
    assert "`--mnemonic TEXT`" in page
