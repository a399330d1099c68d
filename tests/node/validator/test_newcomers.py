"""What a node tells a peer that has just connected: whole nodes on a real chain."""

from __future__ import annotations

from coc.consensus.bft.messages import Status, decode_message
from coc.node.validator.build import NodeConfig, Remembered, bft_rules, build_node
from coc.node.validator.effects import Send
from coc.node.validator.inputs import PeerUp, Start
from coc.node.validator.wal_codec import WalContent
from coc.primitives.secp256k1 import recover_address
from coc.primitives.types import Millis
from coc.wire import kinds
from tests.node.validator.forge import FILE, Forge
from tests.wire.dht.network import START_MS, Identity

PEER = Identity.of(2, "9.9.9.9")
NOW = Millis(START_MS)


def test_a_peer_is_told_where_we_stand_as_soon_as_it_is_here() -> None:  # BFT-42
    forge = Forge()
    assert FILE.rules.bft is not None
    rules = bft_rules(forge.genesis_hash, FILE.rules, FILE.rules.bft)
    config = NodeConfig(rules, None, recover_address, has_journal=False)
    nothing = Remembered(WalContent(), None, log_was_lost=False)
    node = build_node(config, forge.door, nothing, NOW)
    node.step(NOW, Start())

    effects = node.step(NOW, PeerUp(PEER.id))

    told = [each for each in effects if isinstance(each, Send) and each.kind == kinds.CONSENSUS.number]
    assert [each.peer for each in told] == [PEER.id]
    status = decode_message(told[0].payload)
    assert isinstance(status, Status)
    assert status == node.engine.status
