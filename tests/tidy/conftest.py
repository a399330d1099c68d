"""Hands the project's files to the tidy tests."""

import pytest

from tests.tidy.tree import SourceFile, real_tree


@pytest.fixture(scope="session")
def tree() -> tuple[SourceFile, ...]:
    """Every text file of the project."""
    return real_tree()
