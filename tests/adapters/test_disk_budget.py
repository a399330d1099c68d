"""The disk budget: at it the chain stops deciding and says so; with more room it goes on where it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coc._native import Chain, StorageFailed
from coc.execution.dev_genesis import DevGenesis, dev_genesis
from coc.primitives.mnemonic import DEV_MNEMONIC, dev_secrets
from coc.primitives.secp256k1 import address_of, public_key_of
from coc.primitives.validators import Validator

BUDGET_BYTES = 300_000
"""Room for a few hundred empty blocks beside an index that takes some 100 KB when it is new."""
EIGHT_EMPTY_FIELDS = "0xc8" + "80" * 5 + "c0" + "80" * 2
"""The sixth, the evidence, is a list."""


def genesis() -> bytes:
    secret = dev_secrets(DEV_MNEMONIC, 1)[0]
    key = public_key_of(secret)
    validator = Validator(address_of(secret), key, key, 1, address_of(secret))
    return dev_genesis(DevGenesis(accounts=[address_of(secret)], validator=validator))


def opened(folder: Path, budget_bytes: int) -> Chain:
    options = {"disk_budget_bytes": budget_bytes, "reserve_bytes": 0}
    return Chain.open(genesis(), str(folder), json.dumps(options).encode())


def decide_one(chain: Chain) -> None:
    head = chain.head
    attributes = {
        "timestamp": head.timestamp + 1,
        "coinbase": "0x" + "fe" * 20,
        "gas_limit_target": head.gas_limit,
        "consensus_data": EIGHT_EMPTY_FIELDS,
    }
    built = chain.build(head.hash, json.dumps(attributes).encode(), [], None)
    chain.decide(built.hash, b"")


def fill(chain: Chain) -> int:
    """Decide blocks until the budget refuses one: the height reached."""
    for _ in range(BUDGET_BYTES):
        try:
            decide_one(chain)
        except StorageFailed as refusal:
            sentence, is_out_of_room = refusal.args
            assert "raise `--disk-budget`" in sentence
            assert is_out_of_room is True
            return chain.head.number
    pytest.fail("the budget refused nothing")


def test_a_chain_at_its_budget_decides_nothing_more_until_the_budget_is_raised(tmp_path: Path) -> None:
    chain = opened(tmp_path, BUDGET_BYTES)
    stopped_at = fill(chain)
    assert stopped_at > 0
    chain.flush()
    chain.close()
    del chain

    again = opened(tmp_path, 100 * BUDGET_BYTES)

    assert again.head.number == stopped_at
    decide_one(again)
    assert again.head.number == stopped_at + 1
