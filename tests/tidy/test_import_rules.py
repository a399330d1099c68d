"""The import rules of pyproject.toml fail on each kind of violation; a rule that cannot fail is no rule."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tidy.tree import ROOT

PACKAGES = [folder.parent.name for folder in sorted((ROOT / "src/coc").glob("*/__init__.py"))]


def _lint(folder: Path, planted: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs import-linter on a package of the same shape, with the planted modules added."""
    for package in ("", *PACKAGES):
        (folder / "coc" / package).mkdir(parents=True, exist_ok=True)
        (folder / "coc" / package / "__init__.py").touch()
    for name, text in planted.items():
        path = folder / "coc" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "pyproject.toml", folder)
    command = (str(Path(sys.executable).parent / "lint-imports"), "--no-cache")
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)


def test_an_empty_tree_keeps_the_rules(tmp_path: Path) -> None:
    assert _lint(tmp_path, {}).returncode == 0


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("consensus/a.py", "import coc.pose"),
        ("primitives/a.py", "from coc.execution import mempool"),
        ("node/a.py", "import coc.adapters"),
        ("sim/a.py", "import coc.agent"),
        ("adapters/a.py", "from coc import sim"),
        ("contracts/a.py", "import coc.wire"),
    ],
)
def test_an_import_against_the_rules_is_refused_and_named(tmp_path: Path, module: str, line: str) -> None:
    outcome = _lint(tmp_path, {module: line + "\n"})

    assert outcome.returncode != 0
    assert f"coc.{module.removesuffix('.py').replace('/', '.')}" in outcome.stdout


def test_a_new_package_must_be_given_a_place(tmp_path: Path) -> None:
    outcome = _lint(tmp_path, {"extras/__init__.py": ""})

    assert outcome.returncode != 0
    assert "coc.extras" in outcome.stdout
