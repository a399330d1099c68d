"""Networks that meet on real sockets."""

from __future__ import annotations

from coc.wire.kinds import BLOCK, CONSENSUS
from tests.adapters.wire.stage import HOST, Stage, peer_of, played


def test_two_nodes_meet_and_talk() -> None:  # WIRE-4, WIRE-6
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        bert = await stage.node(2, anna.as_persistent())
        await anna.notes.until(lambda: anna.is_up(bert))
        await bert.notes.until(lambda: bert.is_up(anna))
        facts = anna.notes.facts[peer_of(2)]
        assert (facts.host, facts.listen_port, facts.is_dialled) == (HOST, bert.network.port, False)
        assert bert.notes.facts[anna.peer].is_dialled

        assert anna.network.send(bert.peer, CONSENSUS, b"vote")
        assert bert.network.broadcast(BLOCK, bytes(1_000_000)) == 1
        await bert.notes.until(lambda: bool(bert.notes.messages))
        await anna.notes.until(lambda: bool(anna.notes.messages))
        assert bert.notes.messages == [(anna.peer, "CONSENSUS", b"vote")]
        assert anna.notes.messages == [(bert.peer, "BLOCK", bytes(1_000_000))]

    played(use)
