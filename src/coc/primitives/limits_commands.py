"""Bounds of what commands ask of a node, of what it hears from them, and of processes that they start."""

from __future__ import annotations

from typing import Final

UP_NODES_MAX: Final = 16
"""Nodes of one `coc up`: each takes some 100 MiB, and a view with more rows outgrows a small terminal."""

CLIENT_ANSWER_BYTES_MAX: Final = 4 * 1024 * 1024
"""Bytes of one answer that a command reads: the set of 128 validators takes some 100 KiB, and a server that
sends more without end is not a node.
"""

NODE_LOG_TAIL_BYTES_MAX: Final = 8 * 1024
"""Bytes at the end of a node's log that are searched for why it ended: its last lines with a traceback."""

ADMIN_LINE_BYTES_MAX: Final = 64 * 1024
"""Bytes of one line on the operator's socket: a peer's name is the longest thing to say there."""

ADMIN_CONNECTIONS_MAX: Final = 8
"""Connections to the operator's socket: a few commands and a watcher."""

NURSERY_MESSAGE_BYTES_MAX: Final = 64 * 1024
"""Bytes of one request to the process that forks nodes: the command of the largest network has some 2 KiB."""

NURSERY_ANSWER_SECONDS_MAX: Final = 60
"""How long that process may take to answer: it imports once, and waits for a node that has said its last."""
