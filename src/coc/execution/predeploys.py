"""The contracts that Ethereum's rules call or watch, as a genesis holds them: address, code, first storage.

Codes are those of mainnet. The four system contracts were deployed by transactions without an owner, so each
address is a hash of its code; a test derives them again. What a constructor writes is written here too: the
request queues of EIP-7002 and EIP-7251 start inhibited, and the deposit contract starts with the hashes of
empty subtrees.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import field
from typing import Final

from coc.execution import deposit_contract_code
from coc.primitives.frozen import frozen
from coc.primitives.types import UINT256_MAX, Address, parse_address


@frozen
class Predeploy:
    """A contract that is there from genesis on; its nonce is 1, as after its creation (EIP-161)."""

    name: str
    address: Address
    code: bytes
    storage: Mapping[int, int] = field(default_factory=dict)


def _empty_subtree_hashes(levels: int) -> list[int]:
    """Roots of SHA-256 Merkle trees of 0 to `levels` - 1 levels in which every leaf is zero."""
    roots = [bytes(32)]
    while len(roots) < levels:
        roots.append(hashlib.sha256(roots[-1] * 2).digest())
    return [int.from_bytes(root, "big") for root in roots]


_INHIBITED: Final = {0: UINT256_MAX}
_DEPOSIT_TREE_LEVELS: Final = 32
_DEPOSIT_EMPTY_SUBTREES_SLOT: Final = 33

BEACON_ROOTS: Final = Predeploy(
    "beacon roots (EIP-4788)",
    parse_address("0x000F3df6D732807Ef1319fB7B8bB8522d0Beac02"),
    bytes.fromhex(
        "3373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd5b5f35801560495762001fff8106"
        "90815414603c575f5ffd5b62001fff01545f5260205ff35b5f5ffd5b62001fff42064281555f359062001fff015500"
    ),
)
BLOCK_HASHES: Final = Predeploy(
    "block hashes (EIP-2935)",
    parse_address("0x0000F90827F1C53a10cb7A02335B175320002935"),
    bytes.fromhex(
        "3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff814303"
        "11604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500"
    ),
)
WITHDRAWAL_REQUESTS: Final = Predeploy(
    "withdrawal requests (EIP-7002)",
    parse_address("0x00000961Ef480Eb55e80D19ad83579A64c007002"),
    bytes.fromhex(
        "3373fffffffffffffffffffffffffffffffffffffffe1460cb5760115f54807fffffffffffffffffffffffffffffffffffff"
        "ffffffffffffffffffffffffffff146101f457600182026001905f5b5f821115606857810190830284830290049160010191"
        "90604d565b909390049250505036603814608857366101f457346101f4575f5260205ff35b34106101f45760015460010160"
        "0155600354806003026004013381556001015f35815560010160203590553360601b5f5260385f601437604c5fa060010160"
        "0355005b6003546002548082038060101160df575060105b5f5b8181146101835782810160030260040181604c0281546060"
        "1b8152601401816001015481526020019060020154807fffffffffffffffffffffffffffffffff0000000000000000000000"
        "0000000000168252906010019060401c908160381c81600701538160301c81600601538160281c81600501538160201c8160"
        "0401538160181c81600301538160101c81600201538160081c81600101535360010160e1565b910180921461019557906002"
        "556101a0565b90505f6002555f6003555b5f54807fffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
        "ffffff14156101cd57505f5b6001546002828201116101e25750505f6101e8565b01600290035b5f555f600155604c025ff3"
        "5b5f5ffd"
    ),
    _INHIBITED,
)
CONSOLIDATION_REQUESTS: Final = Predeploy(
    "consolidation requests (EIP-7251)",
    parse_address("0x0000BBdDc7CE488642fb579F8B00f3a590007251"),
    bytes.fromhex(
        "3373fffffffffffffffffffffffffffffffffffffffe1460d35760115f54807fffffffffffffffffffffffffffffffffffff"
        "ffffffffffffffffffffffffffff1461019a57600182026001905f5b5f821115606857810190830284830290049160010191"
        "90604d565b9093900492505050366060146088573661019a573461019a575f5260205ff35b341061019a5760015460010160"
        "0155600354806004026004013381556001015f358155600101602035815560010160403590553360601b5f5260605f601437"
        "60745fa0600101600355005b6003546002548082038060021160e7575060025b5f5b81811461012957828101600402600401"
        "81607402815460601b815260140181600101548152602001816002015481526020019060030154905260010160e9565b9101"
        "80921461013b5790600255610146565b90505f6002555f6003555b5f54807fffffffffffffffffffffffffffffffffffffff"
        "ffffffffffffffffffffffffff141561017357505f5b6001546001828201116101885750505f61018e565b01600190035b5f"
        "555f6001556074025ff35b5f5ffd"
    ),
    _INHIBITED,
)
DEPOSITS: Final = Predeploy(
    "deposits (EIP-6110)",
    parse_address("0x00000000219ab540356cBB839Cbe05303d7705Fa"),
    deposit_contract_code.RUNTIME_CODE,
    {
        _DEPOSIT_EMPTY_SUBTREES_SLOT + level: root
        for level, root in enumerate(_empty_subtree_hashes(_DEPOSIT_TREE_LEVELS))
        if root
    },
)

SYSTEM_CONTRACTS: Final = (BEACON_ROOTS, BLOCK_HASHES, WITHDRAWAL_REQUESTS, CONSOLIDATION_REQUESTS)
"""Called by every block from Prague on; a chain of ours cannot exist without them."""
