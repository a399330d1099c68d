"""What every web3.py scenario starts from: a connection and an account whose key is held on this side."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account import Account
from web3 import HTTPProvider, Web3

MNEMONIC = "test test test test test test test test test test test junk"
LOCAL_ACCOUNT = 5
UNLOCKED_ACCOUNT = 6
POLL_SECONDS = 0.05
RECEIPT_SECONDS_MAX = 30
ARTIFACTS = Path(__file__).resolve().parents[2] / "contracts" / "artifacts"


@dataclass(frozen=True, slots=True)
class Session:
    """A client with one locally held account."""

    w3: Any
    account: Any

    @staticmethod
    def open(url: str) -> Session:
        """Connects to a development node."""
        Account.enable_unaudited_hdwallet_features()
        account = Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{LOCAL_ACCOUNT}")
        return Session(Web3(HTTPProvider(url)), account)

    def mined(self, transaction_hash: Any) -> Any:
        """Waits for the receipt."""
        wait = self.w3.eth.wait_for_transaction_receipt
        return wait(transaction_hash, timeout=RECEIPT_SECONDS_MAX, poll_latency=POLL_SECONDS)

    def send(self, fields: dict[str, Any]) -> Any:
        """Fills in nonce, gas, fees and chain id, signs here, sends, and waits for the receipt."""
        eth = self.w3.eth
        complete = {
            "from": self.account.address,
            "nonce": eth.get_transaction_count(self.account.address),
            "chainId": eth.chain_id,
            "value": 0,
            **fields,
        }
        if "gasPrice" not in complete:
            tip = eth.max_priority_fee
            base = eth.get_block("latest")["baseFeePerGas"]
            complete |= {"maxFeePerGas": 2 * base + tip, "maxPriorityFeePerGas": tip}
        if "gas" not in complete:
            complete["gas"] = eth.estimate_gas(complete)
        signed = self.account.sign_transaction({k: v for k, v in complete.items() if k != "from"})
        return self.mined(eth.send_raw_transaction(signed.raw_transaction))

    def write(self, contract: Any, function: str, *arguments: object) -> Any:
        """Calls a function of a contract in a transaction of its own."""
        return self.send({"to": contract.address, "data": contract.encode_abi(function, list(arguments))})

    def deploy(self, name: str, *arguments: object) -> Any:
        """Deploys an artifact with a locally signed transaction and returns the contract."""
        artifact = json.loads((ARTIFACTS / f"{name}.json").read_text())
        factory = self.w3.eth.contract(abi=artifact["abi"], bytecode=artifact["bytecode"])
        receipt = self.send({"data": factory.constructor(*arguments).data_in_transaction})
        return self.w3.eth.contract(address=receipt["contractAddress"], abi=artifact["abi"])
