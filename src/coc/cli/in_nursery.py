"""What the nursery of a network does: it imports what `coc node` needs; a node of it runs that command."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Final

from coc.cli.main import main

NODE_MODULES: Final = (
    "coc.cli.node",
    "coc.cli.network_options",
    "coc.cli.snapshot",
    "coc.adapters.kept_genesis",
    "coc.adapters.live_node",
    "coc.adapters.validator.service",
    "uvloop",
    "cryptography.hazmat.backends.openssl.backend",
    "encodings.idna",
)
"""Those that a node of a network imports until it votes, with all that they import."""


def prepare_node() -> None:
    """Import them; nothing is started."""
    for name in NODE_MODULES:
        importlib.import_module(name)


def run_command(command: Sequence[str]) -> None:
    """Be `coc` with these arguments; it ends by SystemExit."""
    main(args=command, prog_name="coc")
