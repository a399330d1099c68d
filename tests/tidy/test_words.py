"""Names say something, notes have an issue, and nothing betrays the machine it was written on."""

import pytest

from tests.tidy.tree import SourceFile, expect_none
from tests.tidy.words import empty_names, leftovers, machine_words, undocumented_modules


def test_no_file_or_folder_has_a_name_that_could_hold_anything(tree: tuple[SourceFile, ...]) -> None:
    expect_none(empty_names(tree))


def test_no_leftover_is_without_an_issue(tree: tuple[SourceFile, ...]) -> None:
    expect_none(leftovers(tree))


def test_no_file_names_a_machine_path_or_a_registry(tree: tuple[SourceFile, ...]) -> None:
    expect_none(machine_words(tree))


def test_every_module_opens_with_what_it_is_for(tree: tuple[SourceFile, ...]) -> None:
    expect_none(undocumented_modules(tree))


@pytest.mark.parametrize("path", ["src/coc/utils.py", "src/coc/common/a.py", "crates/a/src/helpers.rs"])
def test_an_empty_name_is_found(path: str) -> None:
    assert len(empty_names([SourceFile.sample(path, "")])) == 1


def test_a_todo_needs_an_issue_number() -> None:
    kept = SourceFile.sample("src/coc/a.py", "# TODO #12: pin the blob schedule\n")
    lost = SourceFile.sample("src/coc/a.py", "# TODO: some day\n")

    assert leftovers([kept]) == []
    assert leftovers([lost]) == [
        "src/coc/a.py:1: a leftover without an issue number; write `TODO #7: …` or do it"
    ]


@pytest.mark.parametrize(
    "line",
    [
        "see /home/someone/coc",
        "path = '/root/.cargo/bin'",
        'resolved "https://registry.npmjs.org/viem"',
        "--index-url https://pypi.org/simple",
    ],
)
def test_a_machine_path_or_registry_is_found(line: str) -> None:
    assert len(machine_words([SourceFile.sample("docs/a.md", line)])) == 1


@pytest.mark.parametrize("line", ["~/.cache/coc", "src/coc/work/", "<ROOT>/home", "network/root/leaf"])
def test_an_innocent_path_is_accepted(line: str) -> None:
    assert machine_words([SourceFile.sample("docs/a.md", line)]) == []


def test_a_module_without_docstring_is_found_in_both_languages() -> None:
    python = SourceFile.sample("src/coc/a.py", "x = 1\n")
    rust = SourceFile.sample("crates/a/src/lib.rs", "//! .\nfn f() {}\n")

    assert len(undocumented_modules([python, rust])) == 2
