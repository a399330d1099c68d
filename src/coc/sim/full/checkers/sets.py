"""The set that decides a height is the one that the registry has for its period, asked directly (SET-5)."""

from __future__ import annotations

import msgspec

from coc.contracts.addresses import VALIDATOR_REGISTRY
from coc.contracts.registry_calls import decode_validator_set_answer, period_of, validator_set_call
from coc.primitives.consensus_data import decode_consensus_data
from coc.primitives.types import Hash32, Height
from coc.primitives.votes import CommitCertificate
from coc.sim.full.validator import SimValidator
from coc.sim.full.watching import Checker, Violation

CALL_GAS = 100_000_000


class SetsFollowTheRegistry(Checker):
    """Asks once a set: by the period of the height, in the state after it."""

    def __init__(self, period_blocks: int) -> None:
        """`period_blocks` is genesis' word."""
        self.period_blocks = period_blocks
        self.seen: set[tuple[int, Hash32]] = set()

    def on_decided(self, node: SimValidator, certificate: CommitCertificate) -> None:
        """Compare what the block says with what the contract says."""
        data = decode_consensus_data(node.chain.head.consensus_data)
        for height, said in (
            (certificate.height, data.validators),
            (Height(certificate.height + 1), data.next_validators),
        ):
            period = period_of(height, self.period_blocks)
            if (period, said.hash()) in self.seen:
                continue
            self.seen.add((period, said.hash()))
            calldata = validator_set_call(period).hex()
            request = {"to": f"0x{VALIDATOR_REGISTRY.hex()}", "input": f"0x{calldata}"}
            answer = node.chain.call(certificate.block, msgspec.json.encode(request), b"", b"", CALL_GAS)
            if decode_validator_set_answer(answer.output) != said:
                raise Violation(f"set: block {certificate.height} names another set for height {height}")
