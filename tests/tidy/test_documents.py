"""A document names only what is there."""

from tests.tidy.documents import broken_links, disordered_records, unknown_targets, unlisted_targets
from tests.tidy.tree import SourceFile, expect_none

RECORD = "# 0001 · One thing\n\n## Context\n\n## Decision\n\n## Consequences\n\n## Rejected\n"


def test_every_link_and_every_named_file_is_there(tree: tuple[SourceFile, ...]) -> None:
    expect_none(broken_links(tree))


def test_every_make_target_in_the_documents_exists(tree: tuple[SourceFile, ...]) -> None:
    expect_none(unknown_targets(tree))


def test_every_make_target_is_listed_by_make(tree: tuple[SourceFile, ...]) -> None:
    makefile = next(file for file in tree if str(file.path) == "Makefile")

    expect_none(unlisted_targets(makefile))


def test_decision_records_are_numbered_and_whole(tree: tuple[SourceFile, ...]) -> None:
    expect_none(disordered_records(tree))


def test_a_link_that_leads_nowhere_is_found() -> None:
    page = SourceFile.sample("docs/a.md", "[b](b.md) [up](../README.md#top) [web](https://example.org)\n")
    readme = SourceFile.sample("README.md", "see `docs/a.md` and `src/coc/gone.py`\n")

    assert broken_links([page, readme]) == [
        "docs/a.md:1: there is no `docs/b.md`",
        "README.md:1: there is no `src/coc/gone.py`",
    ]


def test_a_make_target_that_does_not_exist_is_found() -> None:
    makefile = SourceFile.sample("Makefile", "test: setup ## run\nsetup: ## set up\n")
    readme = SourceFile.sample("README.md", "```\nmake test\nFOO=1 make fly\n```\nor `make setup`\n")

    assert unknown_targets([makefile, readme]) == ["README.md: `make fly` is not in the Makefile"]


def test_a_make_target_without_text_is_found() -> None:
    makefile = SourceFile.sample("Makefile", "test: setup\nsetup: ## set up\n")

    assert unlisted_targets(makefile) == ["Makefile: `test` has no `## ` text, so `make` cannot list it"]


def test_a_gap_in_the_records_is_found() -> None:
    index = SourceFile.sample("docs/adr/README.md", "[1](0001-one-thing.md) [3](0003-third.md)\n")
    first = SourceFile.sample("docs/adr/0001-one-thing.md", RECORD)
    third = SourceFile.sample("docs/adr/0003-third.md", RECORD.replace("0001", "0003"))

    assert disordered_records([index, first]) == []
    assert len(disordered_records([index, first, third])) == 1


def test_a_record_without_a_section_or_outside_the_index_is_found() -> None:
    index = SourceFile.sample("docs/adr/README.md", "")
    short = SourceFile.sample("docs/adr/0001-one-thing.md", RECORD.replace("## Rejected\n", ""))

    assert len(disordered_records([index, short])) == 2
