"""Where to meet peers and who signs, as it was typed."""

from __future__ import annotations

from pathlib import Path

from coc.primitives.frozen import frozen


@frozen
class WireOptions:
    """HOST:PORT to listen on, [ID@]HOST:PORT of peers, the socket of a signer, and what few nodes need."""

    listen: str
    peers: tuple[str, ...]
    signer: Path | None
    http_gossip: str | None = None
    """HOST:PORT to serve peers over HTTP, if at all."""
    http_proxy: str | None = None
    """http://HOST:PORT of a forward proxy to dial peers over HTTP through."""
    advertise: str | None = None
    """IP:PORT where others reach this node, if that is not where it listens."""
