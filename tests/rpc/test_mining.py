"""`evm_mine`: blocks on demand."""

from typing import Any

import pytest

from coc.primitives.limits_rpc import RPC_MINE_BLOCKS_MAX
from coc.rpc.table import PUBLIC
from tests.rpc.fakes import Node


@pytest.mark.parametrize(("params", "blocks"), [([], 1), ([{"blocks": 3}], 3), (["0x64"], 1), ([100], 1)])
def test_blocks_are_sealed_before_the_answer(params: list[Any], blocks: int) -> None:
    node = Node()

    assert node.ask("evm_mine", *params) == "0x0"
    assert node.chain.head.number == blocks


@pytest.mark.parametrize(
    "options", [{"blocks": 0}, {"blocks": RPC_MINE_BLOCKS_MAX + 1}, {"timestamp": 0}, "0x0", True]
)
def test_options_out_of_bounds_are_invalid(options: Any) -> None:
    assert Node().refusal("evm_mine", options)[0] == -32602


def test_as_many_blocks_as_the_limit_are_sealed_at_once() -> None:
    node = Node()

    node.ask("evm_mine", {"blocks": RPC_MINE_BLOCKS_MAX})

    assert node.chain.head.number == RPC_MINE_BLOCKS_MAX


def test_development_methods_are_not_in_the_public_table() -> None:
    assert not [name for name in PUBLIC if name.startswith("evm_")]
