"""Asking a running node on its operator's socket: one question, one answer."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any, Final

import msgspec

from coc.adapters.admin_socket import SOCKET_FILE, AdminSocketFailed, socket_address
from coc.primitives.limits_commands import CLIENT_ANSWER_BYTES_MAX

_SECONDS_MAX: Final = 10.0
_CHUNK_BYTES: Final = 65_536


def ask_node(folder: Path, method: str, *parameters: object) -> Any:  # noqa: ANN401 - each method has its own answer
    """What the node of a data folder answers.

    Raises:
        AdminSocketFailed: no node runs there, or it refuses.
    """
    body = msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters})
    try:
        answer = msgspec.json.decode(_exchanged(folder, body + b"\n"))
    except msgspec.DecodeError as error:
        raise _silent(folder, "its answer does not read") from error
    except ConnectionRefusedError as error:
        raise _silent(folder, "the one that ran there was killed") from error
    except FileNotFoundError as error:
        raise _silent(folder, f"there is no {SOCKET_FILE} in it") from error
    except OSError as error:
        raise _silent(folder, error.strerror or str(error) or "it does not answer") from error
    if "error" in answer:
        raise AdminSocketFailed("the node refuses", why=str(answer["error"]["message"]))
    return answer["result"]


def _exchanged(folder: Path, line: bytes) -> bytes:
    with socket_address(folder) as address, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_SECONDS_MAX)
        connection.connect(address)
        connection.sendall(line)
        answer = b""
        while not answer.endswith(b"\n"):
            data = connection.recv(_CHUNK_BYTES)
            if not data or len(answer) > CLIENT_ANSWER_BYTES_MAX:
                break
            answer += data
        return answer


def _silent(folder: Path, why: str) -> AdminSocketFailed:
    return AdminSocketFailed(
        f"no node of a network answers in {folder}",
        why=why,
        cure=f"start it: `coc node --data {folder}`; only nodes of several validators have peers",
    )
