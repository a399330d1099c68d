"""The ValidatorRegistry through a node's RPC: questions, and transactions of an operator, awaited.

What the registry would refuse is known from the estimate of gas, before anything is sent, and told in words.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import ClassVar, Final

from coc import _native
from coc.adapters.rpc_client import NodeRefused, NodeUnreachable, RpcClient
from coc.contracts.addresses import VALIDATOR_REGISTRY
from coc.contracts.registry_calls import decode_validator_set_answer, period_of, validator_set_call
from coc.contracts.registry_refusals import refusal_of
from coc.contracts.registry_status import (
    RegistryStatus,
    decode_number_answer,
    decode_status_answer,
    period_blocks_call,
    stake_min_call,
    status_call,
)
from coc.primitives.errors import AdapterError, HexInvalid
from coc.primitives.frozen import frozen
from coc.primitives.secp256k1 import Secret, address_of
from coc.primitives.types import (
    Address,
    ChainId,
    Height,
    Seconds,
    Wei,
    format_data,
    parse_data,
    parse_quantity,
)
from coc.primitives.validators import Validator

INCLUSION_SECONDS_MAX: Final = 120.0
"""How long a transaction is waited for: twice what rounds take while a third of the validators is away."""
LOOK_SECONDS: Final = 0.25
"""Between two looks for its receipt."""
_GAS_MARGIN_PERCENT: Final = 20
"""More gas than estimated: the list that a validator is put into may grow until its block comes."""
_BASE_FEE_FACTOR: Final = 2
"""Six full blocks may pass before the price is too low."""


class RegistryRefused(AdapterError):
    """The registry, or the node before it, refused a transaction."""

    id: ClassVar[str] = "COC-REGISTRY-REFUSED"


class TransactionLost(AdapterError):
    """A transaction was sent and not seen in a block."""

    id: ClassVar[str] = "COC-TRANSACTION-WAITS"


@frozen
class Moment:
    """Where the chain stands."""

    height: Height
    time: Seconds


@frozen
class Included:
    """A transaction that a block holds, successful."""

    transaction: bytes
    height: Height


class RegistryDesk:
    """Asks and tells the registry of the chain that a node is on."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc

    # ── Questions ───────────────────────────────────────────────────────────────────────────────────────────

    def chain_id(self) -> ChainId:
        """Of the chain the node is on."""
        return ChainId(self._quantity(self._rpc.call("eth_chainId"), "eth_chainId"))

    def now(self) -> Moment:
        """The newest block."""
        head = self._rpc.call("eth_getBlockByNumber", "latest", False)
        return Moment(Height(self._member(head, "number")), Seconds(self._member(head, "timestamp")))

    def period_blocks(self) -> int:
        """Blocks of a set period.

        Raises:
            RegistryRefused: this chain has no registry.
        """
        answer = self._ask(period_blocks_call())
        if not answer:
            raise RegistryRefused(
                f"the chain at {self._rpc.url} has no ValidatorRegistry",
                why="its validators are those of its genesis, for ever",
                cure="give the RPC of a node of a network that `coc genesis new` made",
            )
        return decode_number_answer(answer)

    def stake_min(self) -> Wei:
        """The least stake to register with."""
        return Wei(decode_number_answer(self._ask(stake_min_call())))

    def status(self, validator: Address, height: Height) -> RegistryStatus:
        """One validator, after a block."""
        return decode_status_answer(self._ask(status_call(validator), hex(height)))

    def current_set(self, height: Height) -> Sequence[Validator]:
        """Who has power in the period of a height, after its block; a later one may not know the period."""
        call = validator_set_call(period_of(height, self.period_blocks()))
        return decode_validator_set_answer(self._ask(call, hex(height))).validators

    # ── Transactions ────────────────────────────────────────────────────────────────────────────────────────

    def transact(self, secret: Secret, calldata: bytes, value_wei: Wei) -> Included:
        """Sign, send and await a transaction to the registry.

        Raises:
            RegistryRefused: it would fail, or the sender cannot pay for it.
            TransactionLost: no block took it within `INCLUSION_SECONDS_MAX`.
        """
        request = {
            "from": format_data(address_of(secret)),
            "to": format_data(VALIDATOR_REGISTRY),
            "value": hex(value_wei),
            "input": format_data(calldata),
        }
        gas = self._estimate(request)
        gas += gas * _GAS_MARGIN_PERCENT // 100
        raw = _native.sign_transaction(secret, json.dumps(self._complete(request, gas)).encode())
        try:
            sent = self._rpc.call("eth_sendRawTransaction", format_data(raw))
        except NodeRefused as error:
            raise RegistryRefused("the transaction was refused", why=error.why) from error
        return self._await(self._bytes(sent, "eth_sendRawTransaction"))

    def _estimate(self, request: dict[str, str]) -> int:
        try:
            return self._quantity(self._rpc.call("eth_estimateGas", request), "eth_estimateGas")
        except NodeRefused as error:
            refusal = refusal_of(error.data)
            if refusal is None:
                raise RegistryRefused("the transaction would fail", why=error.why) from error
            raise RegistryRefused(
                "the registry would refuse it", why=refusal.why, cure=refusal.cure
            ) from error

    def _complete(self, request: dict[str, str], gas: int) -> dict[str, object]:
        nonce, tip, head = (
            self._rpc.call(method, *parameters)
            for method, parameters in (
                ("eth_getTransactionCount", (request["from"], "pending")),
                ("eth_maxPriorityFeePerGas", ()),
                ("eth_getBlockByNumber", ("latest", False)),
            )
        )
        most = _BASE_FEE_FACTOR * self._member(head, "baseFeePerGas") + self._quantity(
            tip, "eth_maxPriorityFeePerGas"
        )
        unsigned: dict[str, object] = {name: text for name, text in request.items() if name != "from"}
        return unsigned | {
            "type": "0x2",
            "chainId": hex(self.chain_id()),
            "nonce": nonce,
            "gas": hex(gas),
            "maxFeePerGas": hex(most),
            "maxPriorityFeePerGas": tip,
            "accessList": [],
        }

    def _await(self, transaction: bytes) -> Included:
        deadline = time.monotonic() + INCLUSION_SECONDS_MAX
        while (receipt := self._rpc.call("eth_getTransactionReceipt", format_data(transaction))) is None:
            if time.monotonic() > deadline:
                raise TransactionLost(
                    f"no block has taken the transaction {format_data(transaction)}",
                    why=f"{INCLUSION_SECONDS_MAX:.0f} seconds have passed; it may still be",
                    cure="see whether blocks are made; the same transaction is not sent twice",
                )
            time.sleep(LOOK_SECONDS)
        if self._member(receipt, "status") != 1:
            raise RegistryRefused(
                "the registry refused it",
                why=f"what the estimate saw had changed when {format_data(transaction)} was executed",
                cure="run the command again",
            )
        return Included(transaction, Height(self._member(receipt, "blockNumber")))

    # ── Answers ─────────────────────────────────────────────────────────────────────────────────────────────

    def _ask(self, calldata: bytes, block: str = "latest") -> bytes:
        request = {"to": format_data(VALIDATOR_REGISTRY), "input": format_data(calldata)}
        return self._bytes(self._rpc.call("eth_call", request, block), "eth_call")

    def _member(self, answer: object, name: str) -> int:
        return self._quantity(answer.get(name) if isinstance(answer, dict) else answer, name)

    def _quantity(self, value: object, what: str) -> int:
        try:
            return parse_quantity(value if isinstance(value, str) else repr(value))
        except HexInvalid as error:
            raise self._strange(what) from error

    def _bytes(self, value: object, what: str) -> bytes:
        try:
            return parse_data(value if isinstance(value, str) else repr(value))
        except HexInvalid as error:
            raise self._strange(what) from error

    def _strange(self, what: str) -> NodeUnreachable:
        return NodeUnreachable(
            f"what answers at {self._rpc.url} is no node of ours", why=f"{what} holds something else"
        )
