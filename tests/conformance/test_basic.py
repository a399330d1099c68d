"""The basic vectors of ethereum/tests: keys and addresses, early transactions, genesis blocks."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from coc import _native
from coc.execution.genesis import read_genesis
from coc.primitives import rlp
from coc.primitives.keccak import keccak256
from coc.primitives.secp256k1 import ORDER, address_of, secret_of

FOLDER = os.environ.get("CONFORMANCE_DIR")
pytestmark = pytest.mark.skipif(FOLDER is None, reason="CONFORMANCE_DIR is not set")


def vectors(path: str) -> Any:
    return json.loads((Path(FOLDER) / "ethereum-tests" / path).read_text()) if FOLDER else {}


@pytest.mark.parametrize("case", vectors("BasicTests/keyaddrtest.json") or [], ids=lambda case: case["seed"])
def test_a_key_has_its_address(case: Any) -> None:
    """Its `sig_of_emptystring` is left out: no hash of the empty string that we know leads back to it."""
    digest = keccak256(case["seed"].encode())
    assert digest.hex() == case["key"]
    assert address_of(secret_of(digest)).hex() == case["addr"]


@pytest.mark.parametrize(
    "case", vectors("BasicTests/txtest.json") or [], ids=lambda case: case["to"] or "creation"
)
def test_an_early_transaction_is_decoded_and_its_sender_recovered(case: Any) -> None:
    encoded = bytes.fromhex(case["signed"])
    if rlp.uint(rlp.decode_list(encoded)[8]) > ORDER // 2:  # before EIP-2 either s was fine
        with pytest.raises(_native.TransactionInvalid, match="upper half"):
            _native.Transaction.decode(encoded)
        return
    transaction = _native.Transaction.decode(encoded)
    assert transaction.sender == address_of(secret_of(bytes.fromhex(case["key"])))
    assert (transaction.nonce, transaction.value) == (case["nonce"], case["value"])
    assert (transaction.max_fee_per_gas, transaction.gas_limit) == (case["gasprice"], case["startgas"])
    assert (transaction.to or b"").hex() == case["to"]


@pytest.mark.parametrize("name", list(vectors("GenesisTests/basic_genesis_tests.json")))
def test_a_genesis_file_makes_its_block(name: str) -> None:
    case = vectors("GenesisTests/basic_genesis_tests.json")[name]
    text = (
        json.dumps({"config": {"chainId": 1}, **case}).replace('"wei"', '"balance"').encode()
    )  # an early name
    chain = _native.Chain.open(read_genesis(text).text, None, b"{}")
    block = chain.block_rlp(chain.genesis_hash)
    assert block is not None
    assert block.hex() == case["result"]


def test_mainnets_genesis_has_its_hash() -> None:
    case = vectors("BasicTests/genesishashestest.json")
    header = rlp.decode_list(bytes.fromhex(case["genesis_rlp_hex"]))[0]
    assert keccak256(rlp.encode(header)).hex() == case["genesis_hash"]
