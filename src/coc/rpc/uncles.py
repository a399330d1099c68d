"""An uncle as a block: its header is read out of the nephew's RLP and shown as go-ethereum shows it.

Uncles live before the merge, so a header has the fifteen fields of the yellow paper (§4.3) and, from London
on, a base fee. The answer has no transactions: nobody has them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from coc.primitives import rlp
from coc.primitives.types import format_data, format_quantity
from coc.rpc.errors import Json

_FIELDS: Final = (
    "parentHash",
    "sha3Uncles",
    "miner",
    "stateRoot",
    "transactionsRoot",
    "receiptsRoot",
    "logsBloom",
    "difficulty",
    "number",
    "gasLimit",
    "gasUsed",
    "timestamp",
    "extraData",
    "mixHash",
    "nonce",
    "baseFeePerGas",
)
_QUANTITIES: Final = frozenset({"difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas"})
_UNCLES_PLACE: Final = 2


def uncle_json(nephew: bytes, index: int, keccak256: Callable[[bytes], bytes]) -> dict[str, Json] | None:
    """The uncle at an index of a block given in RLP; None when the block has fewer."""
    uncles = rlp.decode_list(nephew)[_UNCLES_PLACE]
    if not isinstance(uncles, list) or index >= len(uncles):
        return None
    header = uncles[index]
    encoded = rlp.encode(header)
    shown: dict[str, Json] = {"hash": format_data(keccak256(encoded)), "uncles": []}
    for name, value in zip(_FIELDS, header, strict=False):
        if isinstance(value, bytes):
            quantity = name in _QUANTITIES
            shown[name] = format_quantity(int.from_bytes(value, "big")) if quantity else format_data(value)
    shown["size"] = format_quantity(len(rlp.encode([header, [], []])))
    return shown
