"""The root of the error tree: every error the program raises on purpose descends from `CocError`.

    CocError
    ├── PrimitivesError      malformed bytes or text: RLP, hex, typed data, mnemonic, units, key files
    │   └── HexInvalid
    ├── ExecutionError       genesis, fork schedule, mempool
    ├── ConsensusError       rounds, votes, certificates, sync
    ├── PoseError            challenges, receipts, scores, disputes
    ├── StorageError         CIDs, pins, content blocks
    ├── WireError            frames and messages of a peer
    ├── RpcError             requests of a client
    ├── NodeError            configuration and composition
    ├── AdapterError         files, sockets, processes, clocks
    └── CliError             what a person typed

A layer derives its own errors from its root, so `except ExecutionError` means "that layer said no" and
anything outside the tree is a defect. What a person sees has four parts: a stable `id` to search for, *what*
happened,
*why*, and the *cure*. Ids never change once released; texts may.
"""

from __future__ import annotations

from typing import ClassVar, Final

QUOTED_CHARS_MAX: Final = 80
"""How much of a bad input an error repeats, in characters: enough to find it, too little to flood a log."""


class CocError(Exception):
    """An error with a stable id, what happened, why, and the command or change that cures it."""

    id: ClassVar[str] = "COC-ERROR"

    def __init__(self, what: str, *, why: str = "", cure: str = "") -> None:
        """Keep the three sentences; `why` and `cure` may be empty where there is nothing to add."""
        super().__init__(what)
        self.what = what
        self.why = why
        self.cure = cure

    def __str__(self) -> str:
        """One line: what, why, cure and the id."""
        text = self.what
        if self.why:
            text += f": {self.why}"
        if self.cure:
            text += f"; {self.cure}"
        return f"{text} [{self.id}]"


class PrimitivesError(CocError, ValueError):
    """Bytes or text that do not have the form their name promises."""

    id: ClassVar[str] = "COC-PRIMITIVES"


class HexInvalid(PrimitivesError):
    """Text that should be hexadecimal and is not, or is of the wrong length or range."""

    id: ClassVar[str] = "COC-HEX"

    def __init__(self, what: str, text: str, cure: str) -> None:
        """Name the offending text, shortened."""
        super().__init__(what, why=f"got {quoted(text)}", cure=cure)


class ExecutionError(CocError):
    """Genesis, fork schedule or mempool refused something."""

    id: ClassVar[str] = "COC-EXECUTION"


class ConsensusError(CocError):
    """Consensus refused something."""

    id: ClassVar[str] = "COC-CONSENSUS"


class PoseError(CocError):
    """The service layer refused something."""

    id: ClassVar[str] = "COC-POSE"


class StorageError(CocError):
    """Content storage refused something."""

    id: ClassVar[str] = "COC-STORAGE"


class WireError(CocError):
    """A peer or we broke the wire protocol."""

    id: ClassVar[str] = "COC-WIRE"


class RpcError(CocError):
    """A client's request cannot be served."""

    id: ClassVar[str] = "COC-RPC"


class NodeError(CocError):
    """Configuration or composition of the node is wrong."""

    id: ClassVar[str] = "COC-NODE"


class AdapterError(CocError):
    """The world outside said no: a file, a socket, a process."""

    id: ClassVar[str] = "COC-ADAPTER"


class CliError(CocError):
    """A command line that cannot be carried out."""

    id: ClassVar[str] = "COC-CLI"


def quoted(text: object) -> str:
    """`repr` of a bad input, cut to `QUOTED_CHARS_MAX`, for use in an error."""
    shown = repr(text[: QUOTED_CHARS_MAX + 1]) if isinstance(text, str | bytes) else repr(text)
    return shown if len(shown) <= QUOTED_CHARS_MAX else shown[: QUOTED_CHARS_MAX - 1] + "…"
