"""The checked-in contracts are what their sources compile to, and lock files name no registry."""

from __future__ import annotations

import subprocess

from tests.e2e.node_process import CLIENTS, E2E


def test_every_contract_artifact_is_what_its_source_compiles_to() -> None:
    checked = subprocess.run(
        ["node", "compile.mjs", "--check"], cwd=E2E / "contracts", capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_the_clients_lock_file_names_versions_and_hashes_but_no_registry() -> None:
    lock = (CLIENTS / "package-lock.json").read_text()
    assert '"integrity"' in lock
    assert '"resolved"' not in lock
