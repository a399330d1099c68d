"""Two nodes on one `coc signer`, on a chain whose validators take turns: never two blocks for one slot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coc.adapters.node_keys import CONSENSUS_KEY, KEYS_FOLDER
from tests.e2e.network.network_process import Member, assert_nobody_is_accused, taking_turns
from tests.e2e.node_process import NodeProcess, coc_command, launch

DEPTH = 1
BLOCKS_WITHOUT_SIGNER = 4
"""More than a turn of the others: a slot of the validator without signer has passed among them."""
REFUSED = b"the signer refused: the mark stands at slot"
REFUSALS = 2
UNREACHABLE = b"does not answer"
SIGNED_TWICE = b"signed two blocks for slot"


class SignerProcess:
    """`coc signer` with one key, and a mark that outlives it."""

    def __init__(self, folder: Path, key: str) -> None:
        folder.mkdir()
        self.socket, self._mark, self._key = folder / "socket", folder / "mark", folder / "key"
        self._key.write_text(f"{key}\n")
        self._log = folder / "signer.log"

    @contextmanager
    def running(self) -> Iterator[NodeProcess]:
        """The process; killed where the context ends."""
        files = [("--key", self._key), ("--mark", self._mark), ("--socket", self.socket)]
        options = [part for option, path in files for part in (option, str(path))]
        command = [str(coc_command()), "signer", "--engine", "rotation", "--json", *options]
        process = launch("coc signer", command, 0, self._log)
        try:
            yield process
        finally:
            process.kill()

    def is_ready(self, lives: int) -> bool:
        """Whether it listens in so many lives."""
        return self._log.read_bytes().count(b'"validator"') == lives


def final(member: Member) -> int:
    return int(member.block("finalized")["number"], 16)


def wrote(member: Member, words: bytes) -> int:
    """How often a node has written something."""
    return member.log.read_bytes().count(words)


def have_collided(one: Member, twin: Member) -> bool:
    """Whether they wanted other blocks in one slot; equal ones are signed for both, so their pools differ."""
    for index, member in enumerate((one, twin)):
        sender = member.rpc("eth_accounts")[index]
        member.rpc("eth_sendTransaction", {"from": sender, "to": sender, "gas": hex(21_000)})
    return wrote(one, REFUSED) + wrote(twin, REFUSED) >= REFUSALS


def test_two_nodes_on_one_signer_make_one_block_a_slot_and_none_without_it(tmp_path: Path) -> None:
    with taking_turns(tmp_path / "net", 3, DEPTH, spare=1) as four:
        one, second, third, twin = four.members
        signer = SignerProcess(tmp_path / "signer", one.consensus.hex())
        (twin.folder / KEYS_FOLDER / CONSENSUS_KEY).unlink()
        (one.folder / KEYS_FOLDER / CONSENSUS_KEY).unlink()
        with signer.running():
            four.until(lambda: signer.is_ready(1), "the signer listens")
            four.launch(second, third)
            four.start(one, twin, options=("--signer", str(signer.socket)))
            # With three validators nothing is final without a block of each.
            four.until(lambda: final(second) >= 2, "the shared key signs, and blocks are final")
            four.until(lambda: have_collided(one, twin), "who comes second is refused")

        gone = four.until(lambda: wrote(one, UNREACHABLE) and second.height(), "a node misses its signer")
        four.until_height(gone + BLOCKS_WITHOUT_SIGNER, second)
        stuck = final(second)
        assert stuck <= gone + 1
        with signer.running():
            four.until(lambda: signer.is_ready(2), "the signer listens again")
            four.until(lambda: final(third) > gone + BLOCKS_WITHOUT_SIGNER, "and blocks are final again")
            four.stop()
        for member in four.members:
            assert not wrote(member, SIGNED_TWICE)
        assert_nobody_is_accused(four.members)
