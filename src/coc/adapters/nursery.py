"""A process that has imported what a node needs, and makes nodes of itself by `fork`.

Importing is most of what a node's start costs: the nursery does it once for all nodes of a network, while its
parent still makes keys and genesis. What a fork could spoil, it never has: no thread, no event loop, no open
file but its end of a socket pair. It reads one request after the other there and answers each:

    {"command": [...]}      with two descriptors, for output and log: fork; the answer is the new node's pid
    {"wait": PID}           wait for the end of that node; the answer is its exit code

An answer that is no number is a sentence: why there is no new node.

A node stays unburied until it is asked for, so its pid means nobody else as long as anybody may signal it.
Every node is bound to the nursery, and the nursery to its parent (`leash`): they end together.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, NoReturn

from coc.adapters.leash import end_with
from coc.adapters.process_title import show_as
from coc.primitives.errors import AdapterError
from coc.primitives.limits_commands import NURSERY_ANSWER_SECONDS_MAX, NURSERY_MESSAGE_BYTES_MAX

Program = Callable[[Sequence[str]], None]
"""What a node runs, with the arguments of its command; it may end by SystemExit."""

OUTPUT, ERRORS = 1, 2
"""Descriptors that a node writes to."""
EXIT_FAILED: Final = 1


class NurseryFailed(AdapterError):
    """The process that makes nodes does not answer."""

    id: ClassVar[str] = "COC-NURSERY"


class Nursery:
    """The parent's side."""

    def __init__(self, prepare: Callable[[], None], program: Program) -> None:
        """Fork it; there it calls `prepare` and makes nodes that run `program`. Nothing waits for that here.

        A process with threads cannot be forked: what another thread holds would stay locked for ever.
        """
        if threading.active_count() > 1:
            raise AssertionError("the nursery is forked before there are threads")
        own, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        own.settimeout(NURSERY_ANSWER_SECONDS_MAX)
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        self.pid = os.fork()
        if not self.pid:
            own.close()
            _end(lambda: _run_nursery(parent, other, prepare, program))
        other.close()
        self._channel = own

    def start(self, command: Sequence[str], output: int, log: int) -> int:
        """Make a node that writes to these descriptors; its pid.

        Raises:
            NurseryFailed: the nursery has ended, does not answer, or cannot fork.
        """
        request = json.dumps({"command": list(command)}).encode()
        if len(request) > NURSERY_MESSAGE_BYTES_MAX:
            raise NurseryFailed("no process can be made for a node", why="the command is too long")
        return self._ask(lambda: socket.send_fds(self._channel, [request], [output, log]))

    def wait(self, pid: int) -> int:
        """Wait for the end of a node; its exit code, negative for a signal.

        Raises:
            NurseryFailed: the nursery has ended, and the node with it.
        """
        return self._ask(lambda: self._channel.send(json.dumps({"wait": pid}).encode()))

    def close(self) -> None:
        """End the nursery; whatever node is left ends with it."""
        self._channel.close()
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def _ask(self, send: Callable[[], int]) -> int:
        try:
            send()
            answer = self._channel.recv(NURSERY_MESSAGE_BYTES_MAX)
        except ConnectionError:  # it ended before it read the request
            answer = b""
        except OSError as error:
            raise _gone(error.strerror or str(error)) from error
        if not answer:
            raise _gone("it has ended; its last words are on standard error")
        if not answer.lstrip(b"-").isdigit():
            raise NurseryFailed("no process can be made for a node", why=answer.decode(errors="replace"))
        return int(answer)


def _gone(why: str) -> NurseryFailed:
    return NurseryFailed(
        "the process that starts nodes does not answer", why=why, cure="start the network again"
    )


# ── In the nursery ──────────────────────────────────────────────────────────────────────────────────────────


def _run_nursery(parent: int, channel: socket.socket, prepare: Callable[[], None], program: Program) -> None:
    os.setpgid(0, 0)  # Ctrl-C in the terminal is for the parent, which ends the nodes in order
    end_with(parent)
    show_as(("coc", "nursery"))
    _point_at_nothing(0, OUTPUT)
    gc.disable()
    prepare()
    gc.freeze()  # what is shared with the nodes is never looked at again, and so never copied for it
    gc.enable()
    while (message := _received(channel)) is not None:
        request, descriptors = message
        if "wait" in request:
            _, status = os.waitpid(int(request["wait"]), 0)
            answer = str(os.waitstatus_to_exitcode(status))
        else:
            answer = _forked(channel, request["command"], descriptors, program)
        for descriptor in descriptors:
            os.close(descriptor)
        channel.send(answer.encode())


def _forked(
    channel: socket.socket, command: Sequence[str], descriptors: Sequence[int], program: Program
) -> str:
    nursery = os.getpid()
    try:
        pid = os.fork()
    except OSError as error:
        return error.strerror or str(error)
    if not pid:
        channel.close()
        _end(lambda: _run_node(nursery, command, descriptors, program))
    return str(pid)


def _received(channel: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """The next request; None when the parent is gone."""
    text, descriptors, _, _ = socket.recv_fds(channel, NURSERY_MESSAGE_BYTES_MAX, 2)
    return (json.loads(text), descriptors) if text else None


def _run_node(nursery: int, command: Sequence[str], descriptors: Sequence[int], program: Program) -> None:
    os.setpgid(0, 0)
    end_with(nursery)
    show_as(("coc", *command))
    for descriptor, place in zip(descriptors, (OUTPUT, ERRORS), strict=True):
        os.dup2(descriptor, place)
        os.close(descriptor)
    sys.argv = ["coc", *command]
    program(command)


def _point_at_nothing(*places: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for place in places:
        os.dup2(nothing, place)
    os.close(nothing)


def _end(work: Callable[[], None]) -> NoReturn:
    """Do a process's work and end it here: the stack below belongs to the parent, with all its `finally`."""
    code = EXIT_FAILED
    try:
        work()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else EXIT_FAILED if end.code else 0
    except BaseException:  # noqa: BLE001 - the edge of a process: nothing above may see it
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
        os._exit(code)
