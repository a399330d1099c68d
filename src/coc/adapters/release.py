"""Which release this is."""

from __future__ import annotations

from coc import _native


def client_version() -> str:
    """The name that `web3_clientVersion` answers."""
    return f"coc/v{_native.version()}/python"
