"""Two nodes on one `coc signer`, on a chain that votes: never two votes, and either node may die."""

from __future__ import annotations

from pathlib import Path

import pytest

from coc.adapters.node_keys import CONSENSUS_KEY, KEYS_FOLDER
from tests.e2e.network.decisions import conflicts, ledgers_of, offences, verify
from tests.e2e.network.network_process import PATIENT, assert_nobody_is_accused, network, same_block
from tests.e2e.network.signer_process import REFUSED, SignerProcess, send_apart, wrote

pytestmark = pytest.mark.alone

HEIGHTS_SHARED = 8
"""Two turns of each validator while both nodes ask the signer."""
HEIGHTS_AFTER = 4
"""Every validator has a turn."""


def test_two_nodes_on_one_signer_vote_once_and_one_goes_on_where_the_other_dies(tmp_path: Path) -> None:
    with network(tmp_path / "net", 4, spare=1, bft=PATIENT) as five:
        first, second, third, owner, twin = five.members
        twin.consensus = owner.consensus
        signer = SignerProcess(tmp_path / "signer", owner, "bft")
        (twin.folder / KEYS_FOLDER / CONSENSUS_KEY).unlink()
        with signer.running():
            five.until(lambda: signer.is_ready(1), "the signer listens")
            five.launch(first, second, third)
            five.start(owner, twin, options=signer.options)

            def have_collided() -> bool:
                send_apart((owner, twin))
                return bool(wrote(owner, REFUSED) + wrote(twin, REFUSED))

            five.until(have_collided, "who comes second is refused")
            five.until_height(first.height() + HEIGHTS_SHARED)

            owner.kill()
            third.kill()
            alone = max(first.height(), second.height())
            # With two of the four validators gone but for the twin, nothing is decided without its votes.
            five.until_height(alone + HEIGHTS_AFTER)
            same_block((first, second, twin), alone)
            five.stop()

        ledgers = ledgers_of(five)
        for ledger in ledgers:
            verify(ledger)
        longest = max(ledgers, key=lambda each: each.head)
        assert all(twin.id in longest.voters(height) for height in range(alone + 2, longest.head))
        assert offences(ledgers) == []
        assert conflicts(five, ledgers) == []
        assert_nobody_is_accused(five.members)
