"""A chain as the specification sees it: the blocks so far and the state after them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from . import eels, rlp
from .blocks import EMPTY_OMMERS_HASH, BlockBody, HeaderFields, encode_header, quantity_in
from .eels import Refused, judgement, quantity
from .lenient import without_limits
from .networks import Fork, Network
from .oracle import Specification, block_difficulty, requests_hash, specification
from .plan import CHAIN_ID, Account
from .trial import BlockRefused, Candidates, Outcome, Trial, results


class Ledger:
    """Never changed, only followed: ``judge`` returns a new ledger."""

    def __init__(self, network: Network, spec: Specification, chain: Any, parent: Ledger | None) -> None:
        self.network = network
        self.spec = spec
        self.chain = chain
        self.parent = parent
        before = parent.total_difficulty if parent is not None else 0
        self.total_difficulty: int = before + int(chain.blocks[-1].header.difficulty)

    @classmethod
    def begin(cls, network: Network, accounts: Mapping[bytes, Account], chosen: HeaderFields) -> Ledger:
        """A chain of only block 0. ``chosen`` overrides header fields; empty roots are filled in."""
        spec = specification(network.first)
        state = spec.new_state(accounts)
        empty_root = bytes(spec.trie.EMPTY_TRIE_ROOT)
        fields: HeaderFields = {
            "parent_hash": bytes(32),
            "ommers_hash": EMPTY_OMMERS_HASH,
            "coinbase": bytes(20),
            "state_root": bytes(spec.state.state_root(state)),
            "transactions_root": empty_root,
            "receipt_root": empty_root,
            "bloom": bytes(256),
            "difficulty": 0,
            "number": 0,
            "gas_limit": 0,
            "gas_used": 0,
            "timestamp": 0,
            "extra_data": b"\0",
            "mix_digest": bytes(32),
            "prev_randao": bytes(32),
            "nonce": bytes(8),
            "base_fee_per_gas": 7,
            "withdrawals_root": empty_root,
            "blob_gas_used": 0,
            "excess_blob_gas": 0,
            "parent_beacon_block_root": bytes(32),
            "requests_hash": requests_hash(()),
        }
        fields = {name: chosen.get(name, fields[name]) for name in spec.header_names}
        body: list[rlp.Item] = [encode_header(fields), [], []]
        if network.first >= Fork.SHANGHAI:
            body.append([])
        block = spec.decode(rlp.encode(body))
        chain = spec.rules.BlockChain(blocks=[block], state=state, chain_id=eels.numeric.U64(CHAIN_ID))
        return cls(network, spec, chain, None)

    def header(self, generations: int = 0) -> HeaderFields:
        """Header of the newest block, or of an ancestor so many generations up."""
        header = self.chain.blocks[-1 - generations].header
        return {field.name: _plain(getattr(header, field.name)) for field in dataclasses.fields(type(header))}

    @property
    def length(self) -> int:
        """Number of blocks, genesis included."""
        return len(self.chain.blocks)

    def ommers(self, generations: int) -> list[bytes]:
        """Encodings of the ommers in the newest block, or in an ancestor so many generations up."""
        return [bytes(eels.encoding.encode(ommer)) for ommer in self.chain.blocks[-1 - generations].ommers]

    def accounts(self) -> dict[bytes, Account]:
        """The state after the newest block."""
        return self.spec.read(self.chain.state)

    def rules_for(self, number: int, timestamp: int) -> Specification:
        """The specification that judges a child with this height and time."""
        return specification(self.network.fork_of(number, timestamp, self.total_difficulty))

    def _fresh(self, spec: Specification) -> Any:
        """A copy of the chain that may be spoilt, under the given rules."""
        for fork in (Fork.DAO, Fork.LONDON):
            height = eels.criteria.ByBlockNumber(self.network.activation_block(fork))
            specification(fork).rules.FORK_CRITERIA = height
        chain = spec.rules.BlockChain(
            blocks=list(self.chain.blocks), state=spec.adopt(self.chain.state), chain_id=self.chain.chain_id
        )
        return chain if spec is self.spec else spec.rules.apply_fork(chain)

    def ancestor(self, generations: int) -> Ledger:
        """The chain so many blocks ago, or that of only block 0."""
        return self if generations == 0 or self.parent is None else self.parent.ancestor(generations - 1)

    def execute(
        self,
        spec: Specification,
        fields: HeaderFields,
        draft: BlockBody,
        candidates: Candidates,
        *,
        lenient: bool = False,
    ) -> Outcome:
        """Run a body on the newest state, one candidate after another, leaving out the rejected ones.

        ``draft`` gives ommers and withdrawals; ``lenient`` sets limits on transactions aside. Raises
        BlockRefused if the specification refuses the block for what is not one transaction's fault, and
        Undefined where it fails.
        """
        block = spec.decode(draft.encode(fields))
        trial = Trial(spec, self._fresh(spec), block)
        try:
            with judgement(), without_limits(spec) if lenient else nullcontext():
                output = trial.run(candidates)
        except Refused as refused:
            body = dataclasses.replace(draft, transactions=tuple(trial.accepted))
            raise BlockRefused(refused.reason, body) from refused
        body = dataclasses.replace(draft, transactions=tuple(trial.accepted))
        return Outcome(results(spec, trial.chain, block, output), body, tuple(trial.rejected))

    def judge(self, raw: bytes) -> Ledger:
        """The chain with this block on top. Raises Refused, or Undefined where the specification fails."""
        position = _position(raw)
        spec = self.spec if position is None else self.rules_for(*position)
        block = spec.decode(raw)
        chain = self._fresh(spec)
        with judgement():
            spec.rules.state_transition(chain, block)
        return Ledger(self.network, spec, chain, self)

    def difficulty_of_child(self, spec: Specification, number: int, timestamp: int) -> int:
        """Difficulty the rules demand of the next block."""
        if spec.fork >= Fork.PARIS:
            return 0
        parent = self.header()
        return block_difficulty(
            spec,
            number,
            timestamp,
            quantity_in(parent, "timestamp"),
            quantity_in(parent, "difficulty"),
            parent["ommers_hash"] != EMPTY_OMMERS_HASH,
        )

    def base_fee_of_child(self, spec: Specification, number: int, gas_limit: int) -> int:
        """Base fee of the next block; 0 before London."""
        if spec.fork < Fork.LONDON:
            return 0
        parent = self.header()
        if "base_fee_per_gas" not in parent:
            return int(spec.rules.INITIAL_BASE_FEE)
        return int(
            spec.rules.calculate_base_fee_per_gas(
                quantity(gas_limit),
                quantity(quantity_in(parent, "gas_limit")),
                quantity(quantity_in(parent, "gas_used")),
                quantity(quantity_in(parent, "base_fee_per_gas")),
            )
        )

    def excess_blob_gas_of_child(self, spec: Specification) -> int:
        """Excess blob gas of the next block; 0 before Cancun."""
        if spec.fork < Fork.CANCUN:
            return 0
        return int(spec.gas.calculate_excess_blob_gas(self.chain.blocks[-1].header))


def _position(raw: bytes) -> tuple[int, int] | None:
    """Height and time that an encoded block claims; None where the bytes are no block."""
    try:
        header: Any = rlp.decode(raw)[0]
        return int.from_bytes(header[8], "big"), int.from_bytes(header[11], "big")
    except (AssertionError, IndexError, TypeError, ValueError):
        return None


def _plain(value: Any) -> bytes | int:
    return bytes(value) if isinstance(value, bytes | bytearray) else int(value)
