"""The native EVM as what runs the constructors of a genesis."""

from __future__ import annotations

from typing import Final

from coc import _native
from coc.contracts.genesis_alloc import RunConstructor
from coc.node.constructors import ConstructorFailed, constructor_runner

__all__ = ["ConstructorFailed", "run_constructor"]

run_constructor: Final[RunConstructor] = constructor_runner(_native.evm_transition)
"""The runtime code and storage that creation code leaves, given some coins."""
