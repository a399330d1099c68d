"""Crates depend on each other in one direction, and one of them knows Python."""

from tests.tidy.crates import misplaced_crates
from tests.tidy.tree import SourceFile, expect_none


def _manifest(name: str, *needs: str) -> SourceFile:
    lines = "".join(f"{need}.workspace = true\n" for need in needs)
    text = f'[package]\nname = "coc-{name}"\n[dependencies]\n{lines}'
    return SourceFile.sample(f"crates/{name}/Cargo.toml", text)


def test_every_crate_stands_only_on_those_below_it(tree: tuple[SourceFile, ...]) -> None:
    expect_none(misplaced_crates(tree))


def test_a_crate_that_stands_on_one_above_it_is_found() -> None:
    assert misplaced_crates([_manifest("log", "coc-disk")]) == []
    assert misplaced_crates([_manifest("disk", "coc-log")]) == [
        "crates/disk/Cargo.toml: coc-disk may not stand on coc-log"
    ]


def test_a_crate_without_a_place_is_found() -> None:
    assert len(misplaced_crates([_manifest("extras")])) == 1


def test_a_pure_crate_that_knows_python_is_found() -> None:
    assert len(misplaced_crates([_manifest("trie", "pyo3")])) == 1
    assert misplaced_crates([_manifest("native", "pyo3")]) == []
