"""Validators that lie: what they propose, or that there are two of them.

A **twin** is a second machine with the same consensus key and a signer of its own: both follow the protocol,
and together they sign two things for one place, as a careless operator's do. The others change the blocks
they build: a wrong state root, coins from nowhere, a time that nobody has yet, another's fee recipient.
"""

from __future__ import annotations

from coc.consensus.sync.messages import BlockBody
from coc.node.validator import effects as fx
from coc.node.validator import inputs as ev
from coc.primitives import rlp
from coc.primitives.frozen import replace
from coc.primitives.keccak import keccak256
from coc.primitives.types import Hash32
from coc.sim.full.plan import TWIN
from coc.sim.full.validator import SimValidator

_STATE_ROOT, _TIMESTAMP, _WITHDRAWALS_ROOT = 3, 11, 16
"""Places in a header (yellow paper 4.4, EIP-4895)."""
_TIME_AHEAD_S = 600
_WITHDRAWAL: rlp.Encodable = [0, 0, bytes(19) + b"\x01", 1_000_000_000]
_LEAF_OF_INDEX_0 = b"\x20\x80"
"""The hex prefix of the one leaf in a trie whose only key is RLP of 0 (yellow paper, appendix C)."""


class LyingProposer(SimValidator):
    """Builds blocks that nobody may vote for."""

    lie = ""

    def _built(self, effect: fx.BuildBlock) -> ev.Input:
        if self.lie == "wrong time":
            effect = replace(effect, timestamp_s=effect.timestamp_s + _TIME_AHEAD_S)
        built = super()._built(effect)
        if not isinstance(built, ev.BlockBuilt) or self.world.is_healed:
            return built
        if self.lie == "withholding":
            return ev.BuildFailed("it keeps its block to itself")
        if self.lie not in ("wrong root", "minting"):
            return built
        body = self._changed(built.body)
        return replace(built, hash=_hash_of(body), body=body)

    def _changed(self, body: BlockBody) -> BlockBody:
        fields = rlp.decode_list(body.block)
        header = list(fields[0]) if isinstance(fields[0], list) else []
        if self.lie == "minting":
            leaf = rlp.encode([_LEAF_OF_INDEX_0, rlp.encode(_WITHDRAWAL)])
            header[_WITHDRAWALS_ROOT] = keccak256(leaf)
            changed: list[rlp.Encodable] = [header, *fields[1:3], [_WITHDRAWAL]]
        else:
            header[_STATE_ROOT] = keccak256(b"not the state")
            changed = [header, *fields[1:]]
        return BlockBody(rlp.encode(changed), body.consensus_data)


def node_class(lie: str) -> type[SimValidator]:
    """The kind of node that tells a lie; a twin is an honest machine, twice."""
    if lie in ("", TWIN):
        return SimValidator
    return type("LyingProposer", (LyingProposer,), {"lie": lie})


def _hash_of(body: BlockBody) -> Hash32:
    header = rlp.decode_list(body.block)[0]
    return keccak256(rlp.encode(header))
