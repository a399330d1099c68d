"""Two nodes on one `coc signer`, on a chain whose validators take turns: never two blocks for one slot."""

from __future__ import annotations

from pathlib import Path

from coc.adapters.node_keys import CONSENSUS_KEY, KEYS_FOLDER
from tests.e2e.network.network_process import Member, assert_nobody_is_accused, taking_turns
from tests.e2e.network.signer_process import REFUSED, UNREACHABLE, SignerProcess, send_apart, wrote

DEPTH = 1
BLOCKS_WITHOUT_SIGNER = 4
"""More than a turn of the others: a slot of the validator without signer has passed among them."""
REFUSALS = 2
SIGNED_TWICE = b"signed two blocks for slot"


def final(member: Member) -> int:
    return int(member.block("finalized")["number"], 16)


def have_collided(one: Member, twin: Member) -> bool:
    """Whether they wanted other blocks in one slot; equal ones are signed for both, so their pools differ."""
    send_apart((one, twin))
    return wrote(one, REFUSED) + wrote(twin, REFUSED) >= REFUSALS


def test_two_nodes_on_one_signer_make_one_block_a_slot_and_none_without_it(tmp_path: Path) -> None:
    with taking_turns(tmp_path / "net", 3, DEPTH, spare=1) as four:
        one, second, third, twin = four.members
        signer = SignerProcess(tmp_path / "signer", one, "rotation")
        (twin.folder / KEYS_FOLDER / CONSENSUS_KEY).unlink()
        with signer.running():
            four.until(lambda: signer.is_ready(1), "the signer listens")
            four.launch(second, third)
            four.start(one, twin, options=signer.options)
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
