"""Threads that load a node until it dies: senders that note answers, and a watcher of final blocks."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Sequence
from functools import partial
from typing import Any

from tests.e2e.crash.promises import Promises
from tests.e2e.crash.transfers import Sender, hash_of

ANSWER_SECONDS_MAX = 30
ALREADY_THERE = ("already known", "already imported", "nonce too low")
"""Refusals of a transaction that the node has: its first answer was lost with the process."""


class UnexpectedRefusal(AssertionError):
    """The node refused a transaction that is valid."""


class Wire:
    """One keep-alive connection. Every method raises OSError or HTTPException once the node is gone."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS_MAX)

    def call(self, method: str, *params: object) -> dict[str, Any]:
        """One call; the whole answer object."""
        answer: dict[str, Any] = self._post(_request(0, method, list(params)))
        return answer

    def batch(self, calls: Sequence[tuple[str, list[object]]]) -> list[Any]:
        """Several calls in one request; their results in order."""
        if not calls:
            return []
        answers = self._post([_request(at, method, params) for at, (method, params) in enumerate(calls)])
        return [answer["result"] for answer in sorted(answers, key=lambda answer: int(answer["id"]))]

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    def _post(self, body: object) -> Any:
        self._connection.request("POST", "/", json.dumps(body), {"Content-Type": "application/json"})
        return json.loads(self._connection.getresponse().read())


def _request(identity: int, method: str, params: list[object]) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": identity, "method": method, "params": params}


class Writer:
    """Sends one account's transfers in order, and remembers across crashes which of them were answered."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self.answered = 0
        """Nonces below this were acknowledged."""

    def run(self, port: int, count_max: int) -> list[str]:
        """Sends until the node dies or `count_max` are answered; returns the acknowledged hashes."""
        acknowledged: list[str] = []
        wire = Wire(port)
        try:
            for _ in range(count_max):
                raw = self.sender.raw(self.answered)
                answer = wire.call("eth_sendRawTransaction", "0x" + raw.hex())
                self._require_accepted(answer)
                acknowledged.append(hash_of(raw))
                self.answered += 1
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            pass
        finally:
            wire.close()
        return acknowledged

    def _require_accepted(self, answer: dict[str, Any]) -> None:
        error = answer.get("error")
        if error and not any(known in str(error.get("message")) for known in ALREADY_THERE):
            raise UnexpectedRefusal(f"nonce {self.answered} of {self.sender.address}: {error}")


def watch_final_blocks(port: int) -> list[tuple[int, str]]:
    """Number and hash of every finalized block seen until the node dies."""
    seen: list[tuple[int, str]] = []
    wire = Wire(port)
    try:
        while True:
            block = wire.call("eth_getBlockByNumber", "finalized", False)["result"]
            entry = (int(block["number"], 16), str(block["hash"]))
            if not seen or seen[-1] != entry:
                seen.append(entry)
    except (OSError, http.client.HTTPException, json.JSONDecodeError):
        return seen
    finally:
        wire.close()


class Load:
    """All writers and the watcher, running against one node process."""

    def __init__(self, writers: Sequence[Writer], port: int, count_max: int) -> None:
        self._failures: list[AssertionError] = []
        self._acknowledged: list[str] = []
        self._final: list[tuple[int, str]] = []
        self._lock = threading.Lock()
        jobs = [partial(self._write, writer, port, count_max) for writer in writers]
        jobs.append(partial(self._watch, port))
        self._threads = [threading.Thread(target=job, daemon=True) for job in jobs]
        for thread in self._threads:
            thread.start()

    def collect(self, promises: Promises) -> None:
        """Waits for the threads, which end with the node, and hands over what was promised to them."""
        for thread in self._threads:
            thread.join()
        if self._failures:
            raise self._failures[0]
        promises.acknowledge(self._acknowledged)
        for number, block_hash in self._final:
            promises.saw_final(number, block_hash)

    def _write(self, writer: Writer, port: int, count_max: int) -> None:
        try:
            acknowledged = writer.run(port, count_max)
        except AssertionError as failure:
            self._failures.append(failure)
            return
        with self._lock:
            self._acknowledged.extend(acknowledged)

    def _watch(self, port: int) -> None:
        self._final.extend(watch_final_blocks(port))
