"""One HTTP request, as the reader hands it over."""

from __future__ import annotations

from coc.primitives.frozen import frozen


@frozen
class HttpRequest:
    """One request. Header names are in lower case, and the last of several equal ones counts."""

    method: bytes
    target: bytes
    headers: dict[bytes, bytes]
    body: bytes
    keep_alive: bool
    is_http_1_0: bool

    @property
    def path(self) -> bytes:
        """The target without its query."""
        return self.target.partition(b"?")[0]
