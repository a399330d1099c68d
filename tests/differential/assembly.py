"""From a plan to finished blocks: the specification executes what was planned and every root is filled in.

Transactions are signed one by one, with the nonces their accounts have at that moment; what the specification
rejects is left out of the block and kept as a refused sibling before it. The finished block is then decoded
from its bytes and judged once more by the specification's own ``state_transition``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

from . import rlp
from .blocks import (
    EMPTY_OMMERS_HASH,
    BlockBody,
    HeaderFields,
    encode_header,
    header_hash,
    quantity_in,
)
from .curves import address_of
from .eels import Refused, Undefined
from .faults import Attempt, Fault, fault_named
from .ledger import Ledger
from .networks import Fork
from .oracle import Specification, transactions_root
from .plan import Account, Block, Chain, Ommer
from .refusals import refusal_name
from .signing import Prices, sign_transaction
from .trial import BlockRefused, Outcome

_DAO_EXTRA_DATA = b"dao-hard-fork"
_DAO_EXTRA_BLOCKS = 10
"""The DAO fork's first blocks carry a marker (EIP-779)."""

_REFUSALS_PER_BLOCK = 3
"""Rejected transactions kept as refused blocks, at most so many before each valid block."""


@dataclasses.dataclass(frozen=True, slots=True)
class Built:
    """An encoded block with the specification's verdict: ``refusal`` names the reason, or is empty."""

    raw: bytes
    header: HeaderFields
    ommers: tuple[HeaderFields, ...]
    refusal: str = ""
    note: str = ""
    expected: str = ""
    """Name of the refusal in the public test suites."""


@dataclasses.dataclass(frozen=True, slots=True)
class BuiltChain:
    """A finished blockchain test."""

    plan: Chain
    genesis: HeaderFields
    genesis_raw: bytes
    blocks: tuple[Built, ...]
    last: HeaderFields
    accounts: dict[bytes, Account]

    @property
    def refusals(self) -> int:
        """How many of the blocks must be refused."""
        return sum(1 for block in self.blocks if block.refusal)


def build_chain(plan: Chain) -> BuiltChain:
    """Execute a plan from its genesis on."""
    chosen: HeaderFields = {
        "gas_limit": plan.genesis.gas_limit,
        "timestamp": plan.genesis.timestamp,
        "difficulty": plan.genesis.difficulty if plan.network.first < Fork.PARIS else 0,
        "base_fee_per_gas": plan.genesis.base_fee,
        "excess_blob_gas": plan.genesis.excess_blob_gas,
        "blob_gas_used": plan.genesis.blob_gas_used,
        "gas_used": plan.genesis.gas_used,
    }
    ledger = Ledger.begin(plan.network, dict(plan.accounts), chosen)
    genesis = ledger.header()
    empty = BlockBody(withdrawals=() if plan.network.first >= Fork.SHANGHAI else None)
    blocks: list[Built] = []
    head = ledger
    for position, block in enumerate(plan.blocks):
        built, ledger = _BlockAssembly(ledger.ancestor(block.back), block, f"{plan.name}/{position}").run()
        blocks += built
        if ledger.total_difficulty > head.total_difficulty or ledger.spec.fork >= Fork.PARIS:
            head = ledger
    return BuiltChain(plan, genesis, empty.encode(genesis), tuple(blocks), head.header(), head.accounts())


class _BlockAssembly:
    """One planned block on one parent."""

    def __init__(self, ledger: Ledger, plan: Block, label: str) -> None:
        self.ledger = ledger
        self.plan = plan
        self.label = label
        self.parent = ledger.header()
        self.number = quantity_in(self.parent, "number") + 1
        self.timestamp = quantity_in(self.parent, "timestamp") + plan.seconds
        self.spec = ledger.rules_for(self.number, self.timestamp)

    def run(self) -> tuple[list[Built], Ledger]:
        """The refused siblings and then the block itself, with the chain that follows."""
        fields = self._draft()
        draft = self._draft_body()
        try:
            outcome = self.ledger.execute(self.spec, fields, draft, self._candidates(fields))
        except BlockRefused as refused:
            return self._judge_hopeless(fields, refused), self.ledger
        fields |= outcome.fields
        raw = outcome.body.encode(fields)
        try:
            after = self.ledger.judge(raw)
        except Refused as refused:
            return [_refused(raw, fields, refused, "as planned")], self.ledger
        siblings = [*self._rejected(fields, outcome), *self._faulty(fields, outcome)]
        return [*siblings, Built(raw, fields, self._ommer_headers(draft))], after

    def _judge_hopeless(self, fields: HeaderFields, refused: BlockRefused) -> list[Built]:
        """A block that fails whatever its roots say, for instance where a system contract is missing."""
        raw, note = self._with_forbidden(fields, refused.body), "fails as a whole, every root right"
        if raw is None:
            root = transactions_root(self.spec, refused.body.transactions)
            raw, note = refused.body.encode(fields | {"transactions_root": root}), "fails as a whole"
        return [_refused(raw, fields, refused, note)]

    def _draft(self) -> HeaderFields:
        """All header fields that do not depend on execution; the others hold the parent's values."""
        gas_limit = self._gas_limit()
        values: HeaderFields = {
            **{name: self.parent.get(name, bytes(32)) for name in self.spec.header_names},
            "parent_hash": header_hash(self.parent),
            "ommers_hash": EMPTY_OMMERS_HASH,
            "coinbase": self.plan.coinbase,
            "difficulty": self.ledger.difficulty_of_child(self.spec, self.number, self.timestamp),
            "number": self.number,
            "gas_limit": gas_limit,
            "gas_used": 0,
            "timestamp": self.timestamp,
            "extra_data": self._extra_data(),
            "mix_digest": self.plan.random,
            "prev_randao": self.plan.random,
            "nonce": bytes(8) if self.spec.fork >= Fork.PARIS else self.plan.random[:8],
            "base_fee_per_gas": self.ledger.base_fee_of_child(self.spec, self.number, gas_limit),
            "blob_gas_used": 0,
            "excess_blob_gas": self.ledger.excess_blob_gas_of_child(self.spec),
            "parent_beacon_block_root": self.plan.beacon_root,
        }
        return {name: values[name] for name in self.spec.header_names}

    def _gas_limit(self) -> int:
        parent = quantity_in(self.parent, "gas_limit")
        if self.spec.fork >= Fork.LONDON and "base_fee_per_gas" not in self.parent:
            parent *= 2  # EIP-1559: the limit doubles with the change, so that the target stays
        largest_step = parent // 1024 - 1
        return max(5000, parent + largest_step * self.plan.gas_limit_shift // 1024)

    def _extra_data(self) -> bytes:
        start = self.ledger.network.activation_block(Fork.DAO)
        marked = self.spec.fork == Fork.DAO and start <= self.number < start + _DAO_EXTRA_BLOCKS
        return _DAO_EXTRA_DATA if marked else self.plan.extra_data

    def _draft_body(self) -> BlockBody:
        ommers: list[rlp.Item] = []
        if self.spec.fork < Fork.PARIS:
            ommers = [encode_header(header) for header in self._ommers()]
        withdrawals: tuple[rlp.Item, ...] | None = None
        if self.spec.fork >= Fork.SHANGHAI:
            withdrawals = tuple(
                [
                    rlp.quantity(one.index),
                    rlp.quantity(one.validator),
                    one.address,
                    rlp.quantity(one.amount_gwei),
                ]
                for one in self.plan.withdrawals
            )
        return BlockBody(ommers=tuple(ommers), withdrawals=withdrawals)

    def _ommers(self) -> list[HeaderFields]:
        headers: list[HeaderFields] = []
        for ommer in self.plan.ommers:
            header = ommer_header(self.ledger, self.spec, ommer)
            if header is not None and header not in headers:
                headers.append(header)
        return headers

    def _ommer_headers(self, draft: BlockBody) -> tuple[HeaderFields, ...]:
        return tuple(self._ommers()) if draft.ommers else ()

    def _candidates(self, fields: HeaderFields) -> _Signer:
        base_fee = quantity_in(fields, "base_fee_per_gas") if "base_fee_per_gas" in fields else 0
        excess = quantity_in(fields, "excess_blob_gas") if "excess_blob_gas" in fields else 0
        return _Signer(self.plan, Prices(base_fee, self.spec.blob_price(excess)))

    def _rejected(self, fields: HeaderFields, outcome: Outcome) -> Iterator[Built]:
        accepted = outcome.body.transactions
        for rejection in outcome.rejected[:_REFUSALS_PER_BLOCK]:
            transactions = (*accepted[: rejection.position], rejection.item, *accepted[rejection.position :])
            body = dataclasses.replace(outcome.body, transactions=transactions)
            raw, note = self._with_forbidden(fields, body), "forbidden transaction, every root right"
            if raw is None:
                root = transactions_root(self.spec, transactions)
                raw, note = body.encode(fields | {"transactions_root": root}), "rejected transaction"
            yield from self._refusal(raw, fields, note, "TransactionException")

    def _with_forbidden(self, fields: HeaderFields, body: BlockBody) -> bytes | None:
        """The block with the roots of a world without limits; None if a transaction fails even there."""
        draft = dataclasses.replace(body, transactions=())
        try:
            outcome = self.ledger.execute(
                self.spec, fields, draft, lambda _: iter(body.transactions), lenient=True
            )
        except (Refused, Undefined):
            return None
        if outcome.rejected or quantity_in(outcome.fields, "gas_used") > quantity_in(fields, "gas_limit"):
            return None
        return outcome.body.encode(fields | outcome.fields)

    def _faulty(self, fields: HeaderFields, outcome: Outcome) -> Iterator[Built]:
        for name in self.plan.faults:
            fault: Fault = fault_named(name)
            attempt = Attempt(self.ledger, self.spec, fields, outcome.body, f"{self.label}/{name}")
            raw = fault.apply(attempt)
            if raw is not None:
                yield from self._refusal(raw, fields, name, fault.expected)

    def _refusal(self, raw: bytes, fields: HeaderFields, note: str, expected: str) -> Iterator[Built]:
        """The block if the specification refuses it; nothing if it does not or cannot tell."""
        try:
            self.ledger.judge(raw)
        except Refused as refused:
            yield _refused(raw, fields, refused, note, expected)
        except Undefined:
            return


class _Signer:
    """Signs the planned transactions while the block executes."""

    def __init__(self, plan: Block, prices: Prices) -> None:
        self.plan = plan
        self.prices = prices

    def __call__(self, nonce_of: Callable[[bytes], int]) -> Iterator[rlp.Item]:
        for transaction in self.plan.transactions:
            authorities = {one.signer: nonce_of(address_of(one.signer)) for one in transaction.authorizations}
            nonce = nonce_of(address_of(transaction.secret))
            yield sign_transaction(transaction, nonce, authorities, self.prices)


def ommer_header(ledger: Ledger, spec: Specification, ommer: Ommer) -> HeaderFields | None:
    """A header that competed with an ancestor, or None where that generation is out of reach.

    Both must stand under the including block's rules, because EELS judges ommers by those.
    """
    if ledger.length - 1 < ommer.depth or ommer.depth < 1:
        return None
    rival = ledger.header(ommer.depth - 1)
    if tuple(rival) != spec.header_names or rival["number"] == 0:
        return None
    if ledger.network.fork_of(quantity_in(rival, "number"), quantity_in(rival, "timestamp"), 0) != spec.fork:
        return None
    header = rival | {"coinbase": ommer.coinbase, "ommers_hash": EMPTY_OMMERS_HASH}
    encoded = rlp.encode(encode_header(header))
    used = [one for generation in range(min(7, ledger.length)) for one in ledger.ommers(generation)]
    return None if header == rival or encoded in used else header


def _refused(
    raw: bytes, fields: HeaderFields, refused: Refused, note: str, expected: str = "BlockException"
) -> Built:
    name = expected if expected.startswith("BlockException.") else refusal_name(refused.reason, expected)
    return Built(raw, fields, (), refused.reason, note, name)
