"""What a build lacks is named, with the one command that installs it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.tidy.tree import ROOT

SCRIPT = ROOT / "tools" / "check_system.sh"


def _run(folder: Path, *programs: str) -> subprocess.CompletedProcess[str]:
    """Runs the script where only these programs, and those it is written with, can be found."""
    for name in ("bash", "sed", "env", *programs):
        found = shutil.which(name)
        assert found is not None, f"this test needs {name}"
        (folder / name).symlink_to(found)
    if "python3" in programs:  # a shim of a version manager would look for more programs
        (folder / "python3").unlink()
        (folder / "python3").write_text(f'#!{folder}/bash\nexec {sys.executable} "$@"\n', encoding="utf-8")
        (folder / "python3").chmod(0o755)
    return subprocess.run(
        (str(folder / "bash"), str(SCRIPT)),
        env={**os.environ, "PATH": str(folder)}, check=False, capture_output=True, text=True,
    )  # fmt: skip


def test_every_missing_program_is_named_with_one_command(tmp_path: Path) -> None:
    outcome = _run(tmp_path)

    assert outcome.returncode == 1
    commands = [line for line in outcome.stderr.splitlines() if "apt-get install" in line]
    assert len(commands) == 1
    for package in ("python3-venv", "gcc", "make", "nodejs", "npm", "rustup"):
        assert package in commands[0]


def test_a_missing_compiler_alone_asks_for_nothing_else(tmp_path: Path) -> None:
    outcome = _run(tmp_path, "python3", "make", "node", "npm", "cargo")

    assert outcome.returncode == 1
    assert "apt-get install -y gcc\n" in outcome.stderr


def test_an_old_node_is_refused_with_its_version(tmp_path: Path) -> None:
    (tmp_path / "node").write_text("#!/bin/sh\necho v18.1.0\n", encoding="utf-8")
    (tmp_path / "node").chmod(0o755)
    (tmp_path / "sh").symlink_to("/bin/sh")

    assert "Node 20 or newer (here: 18)" in _run(tmp_path, "python3").stderr


def test_a_complete_machine_gets_the_name_of_its_python() -> None:
    outcome = subprocess.run((str(SCRIPT),), check=False, capture_output=True, text=True)

    assert outcome.returncode == 0
    assert outcome.stdout.startswith("python3")
