"""Rules of the specification are tested and numbered once."""

from tests.tidy.specifications import repeated_rules, untested_rules
from tests.tidy.tree import SourceFile, expect_none

SPEC = SourceFile.sample("specs/consensus.md", "**BFT-1** One vote.\n\n**BFT-LOCK-2** One lock.\n")


def test_every_rule_is_cited_by_a_test(tree: tuple[SourceFile, ...]) -> None:
    expect_none(untested_rules(tree))


def test_no_rule_number_is_given_twice(tree: tuple[SourceFile, ...]) -> None:
    expect_none(repeated_rules(tree))


def test_a_rule_that_no_test_cites_is_found() -> None:
    test = SourceFile.sample("tests/consensus/test_round.py", "# BFT-1, BFT-12\n")

    assert untested_rules([SPEC, test]) == ["specs/consensus.md: no test cites BFT-LOCK-2"]


def test_a_number_given_twice_is_found() -> None:
    assert len(repeated_rules([SPEC, SPEC])) == 2
