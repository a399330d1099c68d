"""What is generated is what would be generated now."""

from pathlib import Path

import pytest

from tests.tidy.tree import ROOT
from tools.generate_tree import CRATES, END, PACKAGES, START, render, replace_block


def test_the_tree_in_the_readme_is_the_real_tree() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert replace_block(readme, render(ROOT)) == readme, "README.md is out of date; run `make docs`"


def test_the_tree_names_every_package() -> None:
    real = {place.parent.name for place in (ROOT / "src/coc").glob("*/__init__.py")}

    assert real == set(PACKAGES)


def test_the_tree_names_every_crate() -> None:
    assert {place.parent.name for place in ROOT.glob("crates/*/Cargo.toml")} == set(CRATES)


def test_a_package_shows_its_layer_and_its_purpose(tmp_path: Path) -> None:
    place = tmp_path / "src/coc/pose"
    place.mkdir(parents=True)
    (place / "__init__.py").write_text('"""Layer 3, PoSe: pays nodes."""\n', encoding="utf-8")

    assert "  pose/         layer 3  pays nodes" in render(tmp_path).splitlines()


def test_only_the_block_is_replaced() -> None:
    assert replace_block(f"a\n{START}\nold\n{END}\nb", "new") == f"a\n{START}\n```text\nnew\n```\n{END}\nb"


def test_a_document_without_the_block_is_refused() -> None:
    with pytest.raises(ValueError, match="no tree block"):
        replace_block("nothing", "new")
