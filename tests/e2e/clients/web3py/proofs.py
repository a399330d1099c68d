"""eth_getProof, verified with py-trie as web3.py's documentation shows, against a block's state root."""

from __future__ import annotations

from typing import Any

import rlp
from eth_utils import keccak
from trie import HexaryTrie
from web3.exceptions import Web3RPCError

from .session import Session

ABSENT = "0x00000000000000000000000000000000DeaDBeef"
EMPTY_ROOT = keccak(rlp.encode(b""))


def proven(root: bytes, key: bytes, nodes: list[Any]) -> bytes:
    """The value proved for the hash of `key`, or nothing if absence is proved. Raises BadTrieProof."""
    if root == EMPTY_ROOT:
        return b""
    value: bytes = HexaryTrie.get_from_proof(root, keccak(key), [rlp.decode(bytes(node)) for node in nodes])
    return value


def read(session: Session, address: str, slots: list[int], block: Any) -> dict[str, Any]:
    """Claimed and proved fields of an account and of some of its slots."""
    words = [f"{slot:#066x}" for slot in slots]
    answer = session.w3.eth.get_proof(address, words, block["number"])
    account = proven(block["stateRoot"], bytes.fromhex(address[2:]), answer["accountProof"])
    claimed = [answer["nonce"], answer["balance"], answer["storageHash"].hex(), answer["codeHash"].hex()]
    storage = []
    for slot, entry in zip(slots, answer["storageProof"], strict=True):
        value = proven(bytes(answer["storageHash"]), slot.to_bytes(32), entry["proof"])
        proved = int.from_bytes(rlp.decode(value)) if value else None
        storage.append([int.from_bytes(entry["value"]), proved])
    if not account:
        return {"claimed": claimed, "proved": None, "storage": storage}
    nonce, balance, storage_hash, code_hash = rlp.decode(account)
    fields = [int.from_bytes(nonce), int.from_bytes(balance), storage_hash.hex(), code_hash.hex()]
    return {"claimed": claimed, "proved": fields, "storage": storage}


def short_slot(session: Session, address: str) -> int | str:
    """Slot 0 given as a number, which web3.py sends as `0x0` where others send 32 bytes."""
    try:
        answer = session.w3.eth.get_proof(address, [0])
    except Web3RPCError as error:
        return str(error)
    return int.from_bytes(answer["storageProof"][0]["value"])


def scenario(session: Session) -> dict[str, Any]:
    """Accounts and slots, there and not there, at a block that is no longer the head."""
    probe = session.deploy("Probe", 7)
    block = session.w3.eth.get_block("latest")
    session.write(probe, "set", 1, 8, "later")
    entry_slot = int.from_bytes(keccak((1).to_bytes(32) + (1).to_bytes(32)))
    return {
        "contract": read(session, probe.address, [0, 12345, entry_slot], block),
        "account": read(session, session.account.address, [], block),
        "absent": read(session, ABSENT, [], block),
        "short_slot": short_slot(session, probe.address),
        "now": read(session, probe.address, [0, entry_slot], session.w3.eth.get_block("latest")),
    }
