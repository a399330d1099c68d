"""Every module of the package has somebody who imports it."""

from tests.tidy.reachability import unreachable_modules
from tests.tidy.tree import ROOT, SourceFile, expect_none

ENTRY = '[project.scripts]\ncoc = "coc.cli.main:main"\n'


def test_every_module_is_reached_from_the_program(tree: tuple[SourceFile, ...]) -> None:
    expect_none(unreachable_modules(tree, (ROOT / "pyproject.toml").read_text(encoding="utf-8")))


def test_a_module_nobody_imports_is_found() -> None:
    main = SourceFile.sample("src/coc/cli/main.py", "from coc.rpc import table\n")
    used = SourceFile.sample("src/coc/rpc/table.py", "")
    lost = SourceFile.sample("src/coc/rpc/old_table.py", "")

    assert unreachable_modules([main, used, lost], ENTRY) == [
        "src/coc/rpc/old_table.py: nothing in coc imports it; use it or remove it"
    ]


def test_a_module_that_only_imports_itself_is_found() -> None:
    lost = SourceFile.sample("src/coc/rpc/lost.py", "import coc.rpc.lost\n")

    assert len(unreachable_modules([lost], ENTRY)) == 1


def test_a_command_loaded_by_name_counts_as_reached() -> None:
    main = SourceFile.sample("src/coc/cli/main.py", 'COMMANDS = {"up": "coc.cli.up:up"}\n')
    up = SourceFile.sample("src/coc/cli/up.py", "")

    assert unreachable_modules([main, up], ENTRY) == []
