"""State tests executed and written: one pre-state, one transaction with variants, a result for each fork."""

from __future__ import annotations

import dataclasses
from typing import Any

from . import rlp
from .curves import address_of
from .fixtures import Json, accounts_json, blob_schedule_json, hex_bytes, hex_quantity
from .networks import Fork
from .oracle import specification
from .plan import CHAIN_ID, Account, Environment, StateCase, Transaction
from .refusals import refusal_name
from .signing import Fees, Prices, authorization_fields, sign_transaction
from .trial import StateOutcome, run_state_test


@dataclasses.dataclass(frozen=True, slots=True)
class BuiltCase:
    """A state test with its results: (fork, data index, gas index, value index, transaction, outcome)."""

    plan: StateCase
    nonce: int
    prices: Prices
    results: tuple[tuple[Fork, int, int, int, bytes, StateOutcome], ...]


def build_state_case(plan: StateCase) -> BuiltCase:
    """Execute every variant under every fork. Raises Undefined where the specification fails."""
    accounts = dict(plan.accounts)
    nonce = accounts.get(address_of(plan.transaction.secret), Account()).nonce
    newest = specification(plan.forks[-1])
    prices = Prices(plan.environment.base_fee, newest.blob_price(plan.environment.excess_blob_gas))
    results = []
    for fork in plan.forks:
        for d, data in enumerate(plan.datas):
            for g, gas_limit in enumerate(plan.gas_limits):
                for v, value in enumerate(plan.values):
                    variant = dataclasses.replace(
                        plan.transaction, data=data, gas_limit=gas_limit, value=value
                    )
                    item = sign_transaction(variant, nonce, _authority_nonces(variant, accounts), prices)
                    outcome = run_state_test(fork, accounts, plan.environment, item)
                    raw = item if isinstance(item, bytes) else rlp.encode(item)
                    results.append((fork, d, g, v, raw, outcome))
    return BuiltCase(plan, nonce, prices, tuple(results))


def statetest_json(built: BuiltCase, *, whole_state: bool) -> Json:
    """One state test. ``whole_state`` writes the post-state out beside its root."""
    plan = built.plan
    post: dict[str, list[Json]] = {}
    for fork, d, g, v, raw, outcome in built.results:
        entry: Json = {
            "hash": hex_bytes(outcome.state_root),
            "logs": hex_bytes(outcome.logs_hash),
            "txbytes": hex_bytes(raw),
            "indexes": {"data": d, "gas": g, "value": v},
        }
        if outcome.refused is not None:
            entry["expectException"] = refusal_name(outcome.refused, "TransactionException")
        if whole_state:
            entry["state"] = accounts_json(outcome.accounts)
        post.setdefault(fork.label, []).append(entry)
    schedule = blob_schedule_json(list(plan.forks))
    return {
        "_info": {"comment": f"random transaction, seed {plan.name}", "filling-tool": "tests/differential"},
        "config": {"chainid": hex_quantity(CHAIN_ID)} | ({"blobSchedule": schedule} if schedule else {}),
        "env": _environment_json(plan.environment),
        "pre": accounts_json(dict(plan.accounts)),
        "transaction": _transaction_json(built),
        "post": post,
    }


def _authority_nonces(transaction: Transaction, accounts: dict[bytes, Account]) -> dict[int, int]:
    signers = {one.signer for one in transaction.authorizations}
    return {signer: accounts.get(address_of(signer), Account()).nonce for signer in signers}


def _environment_json(environment: Environment) -> Json:
    return {
        "currentCoinbase": hex_bytes(environment.coinbase),
        "currentNumber": hex_quantity(environment.number),
        "currentTimestamp": hex_quantity(environment.timestamp),
        "currentGasLimit": hex_quantity(environment.gas_limit),
        "currentDifficulty": hex_quantity(environment.difficulty),
        "currentRandom": hex_bytes(environment.random),
        "currentBaseFee": hex_quantity(environment.base_fee),
        "currentExcessBlobGas": hex_quantity(environment.excess_blob_gas),
    }


def _transaction_json(built: BuiltCase) -> Json:
    plan = built.plan.transaction
    fees = Fees.of(plan, built.prices)
    nonce = plan.nonce_fixed if plan.nonce_fixed is not None else max(0, built.nonce + plan.nonce_shift)
    result: dict[str, Any] = {
        "secretKey": hex_bytes(plan.secret.to_bytes(32, "big")),
        "sender": hex_bytes(address_of(plan.secret)),
        "nonce": hex_quantity(nonce),
        "to": hex_bytes(plan.to) if plan.to else "",
        "data": [hex_bytes(data) for data in built.plan.datas],
        "gasLimit": [hex_quantity(gas) for gas in built.plan.gas_limits],
        "value": [hex_quantity(value) for value in built.plan.values],
    }
    if plan.kind >= 2:
        result |= {"maxFeePerGas": hex_quantity(fees.cap), "maxPriorityFeePerGas": hex_quantity(fees.tip)}
    else:
        result["gasPrice"] = hex_quantity(fees.cap)
    if plan.kind >= 1:
        result["accessLists"] = [_access_list_json(plan) for _ in built.plan.datas]
    if plan.kind == 3:
        result["maxFeePerBlobGas"] = hex_quantity(fees.blob_cap)
        result["blobVersionedHashes"] = [hex_bytes(one) for one in plan.blob_hashes]
    if plan.kind == 4:
        nonces = _authority_nonces(plan, dict(built.plan.accounts))
        result["authorizationList"] = [
            _authorization_json(authorization_fields(one, nonces[one.signer]), one.signer)
            for one in plan.authorizations
        ]
    return result


def _access_list_json(plan: Transaction) -> list[Json]:
    return [
        {
            "address": hex_bytes(address),
            "storageKeys": [hex_bytes(slot.to_bytes(32, "big")) for slot in slots],
        }
        for address, slots in plan.access_list
    ]


def _authorization_json(fields: tuple[int, bytes, int, int, int, int], signer: int) -> Json:
    chain_id, address, nonce, parity, r, s = fields
    return {
        "chainId": hex_quantity(chain_id),
        "address": hex_bytes(address),
        "nonce": hex_quantity(nonce),
        "v": hex_quantity(parity),
        "yParity": hex_quantity(parity),
        "r": hex_quantity(r),
        "s": hex_quantity(s),
        "signer": hex_bytes(address_of(signer)),
    }
