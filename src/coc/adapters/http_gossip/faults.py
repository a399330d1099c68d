"""Why a request over HTTP came to nothing: an OSError, as of any network that does not work."""

from __future__ import annotations


class HttpFailed(OSError):
    """No answer, or one that is none of ours."""


class PostRefused(HttpFailed):
    """An answer that says no; `status` is HTTP's."""

    def __init__(self, status: int, body: bytes) -> None:
        """`body` is a sentence, of which a line is worth showing."""
        said = body[:200].decode("utf-8", "replace").strip()
        super().__init__(f"the answer has status {status}: {said}")
        self.status = status
