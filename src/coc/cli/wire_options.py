"""Where to meet peers and who signs, as it was typed."""

from __future__ import annotations

from pathlib import Path

from coc.primitives.frozen import frozen


@frozen
class WireOptions:
    """HOST:PORT to listen on, [ID@]HOST:PORT of peers, and the socket of a signer."""

    listen: str
    peers: tuple[str, ...]
    signer: Path | None
