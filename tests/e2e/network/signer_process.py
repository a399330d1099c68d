"""`coc signer`: a validator's consensus key in a process of its own, which several nodes may share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coc.adapters.node_keys import CONSENSUS_KEY, KEYS_FOLDER
from tests.e2e.network.network_process import Member
from tests.e2e.node_process import NodeProcess, coc_command, launch

REFUSED = b"the signer refused: the mark stands at "
"""What a node writes whose signer has signed something else for another node."""
UNREACHABLE = b"does not answer"
"""What a node writes that cannot reach its signer."""


class SignerProcess:
    """`coc signer` with the key of a member, and a mark that outlives it."""

    def __init__(self, folder: Path, owner: Member, engine: str) -> None:
        """The owner's folder loses the key."""
        folder.mkdir()
        self.socket, self._mark, self._key = folder / "socket", folder / "mark", folder / "key"
        self._key.write_text(f"{owner.consensus.hex()}\n")
        (owner.folder / KEYS_FOLDER / CONSENSUS_KEY).unlink()
        self._engine = engine
        self._log = folder / "signer.log"

    @property
    def options(self) -> tuple[str, ...]:
        """How a node is told of it."""
        return ("--signer", str(self.socket))

    @contextmanager
    def running(self) -> Iterator[NodeProcess]:
        """The process; killed where the context ends."""
        files = [("--key", self._key), ("--mark", self._mark), ("--socket", self.socket)]
        options = [part for option, path in files for part in (option, str(path))]
        command = [str(coc_command()), "signer", "--engine", self._engine, "--json", *options]
        process = launch("coc signer", command, 0, self._log)
        try:
            yield process
        finally:
            process.kill()

    def is_ready(self, lives: int) -> bool:
        """Whether it listens in so many lives."""
        return self._log.read_bytes().count(b'"validator"') == lives


def wrote(member: Member, words: bytes) -> int:
    """How often a node has written something."""
    return member.log.read_bytes().count(words)


def send_apart(members: tuple[Member, ...]) -> None:
    """Give each node a transaction that the others do not have yet, so that their blocks would differ."""
    for index, member in enumerate(members):
        sender = member.rpc("eth_accounts")[index]
        member.rpc("eth_sendTransaction", {"from": sender, "to": sender, "gas": hex(21_000)})
