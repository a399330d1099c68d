"""Facts of Ethereum and of the development chain that the client tests compare with."""

from __future__ import annotations

DEV_CHAIN_ID = 31_337
DEV_BALANCE_WEI = 10_000 * 10**18
DEV_ACCOUNTS = [
    "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266",
    "0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
    "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc",
    "0x90f79bf6eb2c4f870365e785982e1f101e93b906",
    "0x15d34aaf54267db7d7c367839aaf71a00a2c6a65",
    "0x9965507d1a55bcc2695c58ba16fb37d819b0a4dc",
    "0x976ea74026e726554db657fa54763abd0c3a0aa9",
    "0x14dc79964da2c08b23698b3d3cc7ca32193d9955",
    "0x23618e81e3f5cdf7f54c3d65f7fbc0abf5b21e8f",
    "0xa0ee7a142d267c1f36714e4a8f75612f20a79720",
]
"""The first ten addresses of the well-known mnemonic `test … junk`, path m/44'/60'/0'/0/i."""

KECCAK_OF_NOTHING = "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
EMPTY_CODE_HASH = KECCAK_OF_NOTHING
EMPTY_TRIE_ROOT = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"

ELASTICITY = 2
CHANGE_DENOMINATOR = 8


def next_base_fee_wei(base_fee_wei: int, gas_used: int, gas_limit: int) -> int:
    """The base fee that EIP-1559 gives to the child of a block."""
    target = gas_limit // ELASTICITY
    if gas_used == target:
        return base_fee_wei
    step = base_fee_wei * abs(gas_used - target) // target // CHANGE_DENOMINATOR
    return base_fee_wei + max(step, 1) if gas_used > target else base_fee_wei - step


EVENT_OF_SET = {"name": "ValueChanged", "tag": 5, "value": 42, "note": "hello"}
"""What `Probe.set(5, 42, "hello")` emits, beside the sender."""
