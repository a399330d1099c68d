"""The reference page of `coc evm` names every command and every option there is."""

from __future__ import annotations

from pathlib import Path

import pytest
from click import Option

from coc.cli.evm import command
from coc.cli.evm_t8n import FORKS

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "evm.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(command.commands))
def test_every_option_is_on_the_page(name: str) -> None:
    options = [option.opts[0] for option in command.commands[name].params if isinstance(option, Option)]
    assert [option for option in options if option not in PAGE] == []
    assert f"coc evm {name}" in PAGE


def test_every_fork_is_on_the_page() -> None:
    assert [fork for fork in FORKS if f"`{fork}`" not in PAGE] == ["BPO2", "BPO3"]
