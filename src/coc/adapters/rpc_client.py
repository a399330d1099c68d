"""JSON-RPC as a client speaks it, for commands that work through a running node.

One connection, kept open between calls; everything has a deadline, so a node that is stopped or gone costs a
known time. Answers are words of somebody else: bounded here, and read strictly by callers.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from typing import ClassVar, Final
from urllib.parse import urlsplit

from coc.primitives.errors import AdapterError, HexInvalid, quoted
from coc.primitives.limits_commands import CLIENT_ANSWER_BYTES_MAX
from coc.primitives.types import parse_data

TIMEOUT_SECONDS: Final = 30.0
"""How long one answer may take: the longest calls of a node are bounded by gas, far below."""

_JSON: Final = {"Content-Type": "application/json"}


class NodeUnreachable(AdapterError):
    """Nobody answers at the address, or not as a node does."""

    id: ClassVar[str] = "COC-RPC-UNREACHABLE"


class NodeRefused(AdapterError):
    """The node answered with an error."""

    id: ClassVar[str] = "COC-RPC-REFUSED"

    def __init__(self, method: str, error: object) -> None:
        """Keep what JSON-RPC says of an error."""
        fields = error if isinstance(error, dict) else {}
        super().__init__(f"the node refused {method}", why=str(fields.get("message", quoted(error))))
        self.code = fields.get("code")
        try:
            self.data = parse_data(str(fields.get("data")))
        except HexInvalid:
            self.data = b""


class RpcClient:
    """A node's RPC; not for use by two threads at a time."""

    def __init__(self, url: str, timeout_s: float = TIMEOUT_SECONDS) -> None:
        """Nothing is sent yet.

        Raises:
            NodeUnreachable: the text is no address of a node.
        """
        self.url = url
        parts = urlsplit(url)
        kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
        kind = kinds.get(parts.scheme)
        try:
            port = parts.port
        except ValueError:
            kind = port = None
        if kind is None or parts.hostname is None:
            raise NodeUnreachable(f"{url!r} is no address of a node", cure="write http://HOST:PORT")
        self._connection = kind(parts.hostname, port, timeout=timeout_s)
        self._path = parts.path or "/"

    def call(self, method: str, *params: object) -> object:
        """One call's result.

        Raises:
            NodeUnreachable: nobody answers, or not as a node.
            NodeRefused: the node says no.
        """
        answer = self._exchange(_request(0, method, params))
        if not isinstance(answer, dict) or "result" not in answer:
            raise NodeRefused(method, answer.get("error") if isinstance(answer, dict) else answer)
        return answer["result"]

    def call_many(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[object]:
        """The results of several calls in one exchange, in their order; None where a call was refused.

        Raises:
            NodeUnreachable: nobody answers, or not as a node.
        """
        answers = self._exchange([_request(place, *call) for place, call in enumerate(calls)])
        if not isinstance(answers, list):
            raise self._strange()
        results = {each.get("id"): each.get("result") for each in answers if isinstance(each, dict)}
        return [results.get(place) for place in range(len(calls))]

    def page(self, path: str) -> tuple[int, str]:
        """Status and text of one of the pages that a node has beside its RPC.

        Raises:
            NodeUnreachable: nobody answers.
        """
        status, body = self._send("GET", path, None)
        return status, body.decode(errors="replace")

    def close(self) -> None:
        """Let the connection go."""
        self._connection.close()

    def _exchange(self, request: object) -> object:
        _, body = self._send("POST", self._path, json.dumps(request).encode())
        try:
            answer: object = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise self._strange() from error
        return answer

    def _send(self, verb: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        """Send one request; a connection that the node has closed meanwhile is opened again once."""
        was_open = self._connection.sock is not None
        try:
            try:
                return self._sent(verb, path, body)
            except (ConnectionError, http.client.BadStatusLine):
                self._connection.close()
                if not was_open:
                    raise
                return self._sent(verb, path, body)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise NodeUnreachable(
                f"no node answers at {self.url}",
                why=str(error) or type(error).__name__,
                cure="is it running? give the address that it printed with --rpc",
            ) from error

    def _sent(self, verb: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        self._connection.request(verb, path, body, _JSON)
        response = self._connection.getresponse()
        answer = response.read(CLIENT_ANSWER_BYTES_MAX + 1)
        if len(answer) > CLIENT_ANSWER_BYTES_MAX:
            raise http.client.HTTPException(f"its answer is longer than {CLIENT_ANSWER_BYTES_MAX} bytes")
        return response.status, answer

    def _strange(self) -> NodeUnreachable:
        return NodeUnreachable(
            f"what answers at {self.url} is no node",
            why="its answer is no JSON-RPC",
            cure="give the address that a node printed with --rpc",
        )


def _request(place: int, method: str, params: Sequence[object]) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": place, "method": method, "params": list(params)}
