"""Commands that need root and a willing kernel: otherwise a test is skipped and says why."""

from __future__ import annotations

import subprocess

import pytest


def run_or_skip(*command: str) -> None:
    """Run a command that prepares a test; where it does not work, the test is skipped and says why."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        reason = done.stderr.strip() if done.returncode else ""
    except FileNotFoundError:
        reason = "it is not installed"
    if reason:
        sentence = f"skipped: `{' '.join(command)}` does not work here: {reason}"
        print(sentence)
        pytest.skip(sentence)
