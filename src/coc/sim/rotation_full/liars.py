"""Validators that lie; beside it they follow the protocol.

A **twin** is a second machine with the same consensus key and a signer of its own: both follow the protocol,
and together they sign two blocks for one slot, as a careless operator's do. The others announce blocks that
nobody may take, in slots of their own and with seals of their own.
"""

from __future__ import annotations

from coc.consensus.rotation.messages import encode_message
from coc.consensus.sync.messages import BlockBody, decode_name, encode_body
from coc.node.rotation import effects as fx
from coc.node.rotation import inputs as ev
from coc.node.validator.inputs import BuildFailed, MessageReceived
from coc.primitives import rlp
from coc.primitives.frozen import replace
from coc.primitives.keccak import keccak256
from coc.primitives.seals import NO_VALID_ROUND
from coc.primitives.secp256k1 import sign
from coc.primitives.types import Hash32, Signature
from coc.primitives.votes import Proposal
from coc.sim.full.plan import TWIN
from coc.sim.full.world import World
from coc.sim.rotation_full.birth import Birth
from coc.sim.rotation_full.node import SimRotationNode
from coc.sim.rotation_full.watching import Watch
from coc.wire import kinds

WRONG_ROOT = "wrong root"
WRONG_FEES = "wrong fees"
TWO_FACED = "two-faced"
LIES = (TWIN, WRONG_ROOT, WRONG_FEES, TWO_FACED)
"""What liars do: run twice, state a root that is not the state's, take another's fees, or seal a good and a
bad block for one slot.
"""

_FEE_RECIPIENT, _STATE_ROOT = 2, 3
"""Places in a header (yellow paper 4.4)."""


class LyingProposer(SimRotationNode):
    """Announces blocks that nobody may take, past its machine."""

    lie = ""

    def __init__(self, birth: Birth, world: World, watch: Watch) -> None:
        """Down until `start`."""
        super().__init__(birth, world, watch)
        self._lies: dict[Hash32, BlockBody] = {}

    def take(self, event: ev.Input) -> None:
        """Hand out the blocks that it lies with."""
        if isinstance(event, MessageReceived) and event.kind == kinds.GET_BLOCK.number:
            body = self._lies.get(decode_name(event.payload))
            if body is not None:
                self.send(event.peer, kinds.BLOCK.number, encode_body(body))
                return
        super().take(event)

    def _built(self, effect: fx.BuildSlotBlock) -> ev.Input:
        built = super()._built(effect)
        if not isinstance(built, ev.SlotBlockBuilt) or self.world.is_healed:
            return built
        self._spread(built)
        return built if self.lie == TWO_FACED else BuildFailed("it told a lie instead")

    def _spread(self, built: ev.SlotBlockBuilt) -> None:
        body = self._changed(built.body)
        block = keccak256(rlp.encode(rlp.decode_list(body.block)[0]))
        self._lies[block] = body
        facts = replace(built.facts, hash=block)
        unsigned = Proposal(facts.height, facts.slot, block, NO_VALID_ROUND, self.address, Signature(b""))
        digest = unsigned.request(self.birth.rules.slots.genesis_hash).digest()
        seal = replace(unsigned, signature=sign(self.birth.secret, digest))
        self.world.tell(self.position, f"lies, {self.lie}: {facts.height} = {block.hex()[:8]}")
        for other in self.others:
            self.carry(other, kinds.CONSENSUS.number, encode_message(seal))

    def _changed(self, body: BlockBody) -> BlockBody:
        fields = rlp.decode_list(body.block)
        header = list(fields[0]) if isinstance(fields[0], list) else []
        if self.lie == WRONG_FEES:
            header[_FEE_RECIPIENT] = keccak256(b"somebody else")[12:]
        else:
            header[_STATE_ROOT] = keccak256(b"not the state")
        return BlockBody(rlp.encode([header, *fields[1:]]), body.consensus_data)


def node_class(lie: str) -> type[SimRotationNode]:
    """The kind of node that tells a lie; a twin is an honest machine, twice."""
    if lie in ("", TWIN):
        return SimRotationNode
    return type("LyingProposer", (LyingProposer,), {"lie": lie})
