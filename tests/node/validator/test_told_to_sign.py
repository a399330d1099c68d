"""A validator that has lost its log, on a real chain: where it begins if it may sign. BFT-43."""

from __future__ import annotations

from pathlib import Path

import pytest

from coc.adapters.validator.write_ahead import WriteAheadLog
from coc.consensus.bft.wal import BlockKept
from coc.node.validator.build import NodeConfig, Remembered, bft_rules, build_node
from coc.node.validator.inputs import Start
from coc.node.validator.wal_codec import WalContent
from coc.primitives.seals import SignRequest, Step
from coc.primitives.secp256k1 import recover_address
from coc.primitives.types import Hash32, Height, Millis
from tests.node.validator.forge import FILE, Forge
from tests.wire.dht.network import START_MS

MARKED_ROUND = 3
NOW = Millis(START_MS)


@pytest.mark.parametrize(("is_accepted", "round_"), [(True, MARKED_ROUND + 1), (False, 0)])
def test_it_begins_above_its_mark_where_the_loss_was_accepted_and_only_there(
    is_accepted: bool, round_: int
) -> None:
    forge = Forge()
    assert FILE.rules.bft is not None
    height = Height(forge.door.next_height().height)
    mark = SignRequest(forge.genesis_hash, height, MARKED_ROUND, Step.PREVOTE, None)
    remembered = Remembered(WalContent(is_loss_accepted=is_accepted), mark, log_was_lost=False)
    rules = bft_rules(forge.genesis_hash, FILE.rules, FILE.rules.bft)
    config = NodeConfig(rules, None, recover_address, has_journal=False)
    node = build_node(config, forge.door, remembered, NOW)
    node.step(NOW, Start())
    assert (node.engine.status.height, node.engine.status.round) == (height, round_)


@pytest.mark.parametrize("head", [0, 7])
def test_a_log_that_was_made_and_left_empty_is_lost_still(tmp_path: Path, head: int) -> None:  # BFT-41
    mark = SignRequest(Hash32(bytes(32)), Height(head + 1), 0, Step.PREVOTE, None)
    for _ in range(3):
        found = WriteAheadLog(tmp_path, bytes(32)).content
        assert Remembered.of(found, mark, head).log_was_lost
        assert Remembered.of(found, None, head).log_was_lost == (head > 0)
    log = WriteAheadLog(tmp_path, bytes(32))
    log.append(BlockKept(Height(head + 1), Hash32(bytes(32))))
    del log
    assert not Remembered.of(WriteAheadLog(tmp_path, bytes(32)).content, mark, head).log_was_lost


def test_a_log_that_stands_for_a_lost_one_says_so_until_the_next_height(tmp_path: Path) -> None:
    genesis_hash = bytes(32)
    made = WriteAheadLog(tmp_path, genesis_hash)
    made.accept_loss()
    del made
    found = WriteAheadLog(tmp_path, genesis_hash)
    assert found.content == WalContent(is_loss_accepted=True)
    record = BlockKept(Height(2), Hash32(bytes(32)))
    found.begin_height()
    found.append(record)
    del found
    assert WriteAheadLog(tmp_path, genesis_hash).content == WalContent((record,))
