"""A block that everybody else has certified, and another result here, on real chains with real certificates.

Two chains execute the same blocks. Where all others have other bytes under the hash of a contract, this
node is the one that executes a block differently.
DIVERGE-1, DIVERGE-3, DIVERGE-4, DIVERGE-6, DIVERGE-7, DIVERGE-8.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Any

from coc._native import Chain, SimDisk, keccak256
from coc.adapters.telemetry import Telemetry
from coc.adapters.validator.divergence_desk import BY_ITSELF, DivergenceDesk
from coc.adapters.validator.divergence_file import REPORT_FILE
from coc.adapters.validator.snapshot_serving import ANSWER_OF, Pieces
from coc.consensus.sync.divergence.report import Cause
from coc.consensus.sync.messages import BlockRange, CertifiedBlock
from coc.consensus.sync.snapshot.messages import Numbered, decode_numbered, encode_numbered
from coc.execution.genesis import read_genesis
from coc.node.validator.chain_door import ChainDoor
from coc.primitives.types import Hash32, Height, PeerId
from coc.wire.identity import PeerFacts, Roles
from coc.wire.kinds import BLOCKS, GET_HEADERS, STATE, Kind
from tests.adapters.validator.contract_calls import OTHER_CODE, calls, contract_code, deployment
from tests.node.validator.forge import FILE, Forge

GENESIS = read_genesis(FILE.text)
LIAR, HONEST = PeerId(b"\x01" * 32), PeerId(b"\x02" * 32)
VALUES = count(1)
"""What contracts store: each has code of its own."""
CHECKOUT = Path(__file__).parents[3]


class Node:
    """A chain on a disk of its own."""

    def __init__(self, seed: int) -> None:
        self.disk = SimDisk(seed)
        self.forge = self._opened()

    def _opened(self) -> Forge:
        return Forge(Chain.open_simulated(FILE.text, self.disk, b""))

    @property
    def chain(self) -> Chain:
        return self.forge.chain

    @property
    def door(self) -> ChainDoor:
        return self.forge.door

    def adopt(self, *blocks: CertifiedBlock) -> str:
        return self.door.adopt(HONEST, blocks, []).differs

    def spoil(self, code: bytes) -> None:
        """Have other bytes where the contract's code lies, and no memory of it."""
        self.chain.close()
        self.disk.spoil_code(keccak256(code), OTHER_CODE)
        self.forge = self._opened()


class Pair:
    """We and the others, up to the block that calls the contract as its second."""

    def __init__(self, ours: Node, theirs: Chain, block: CertifiedBlock) -> None:
        self.ours, self.theirs, self.block = ours, theirs, block


def others_differ() -> Pair:
    """All others execute the contract otherwise than we do."""
    ours, theirs, code = Node(1), Node(2), contract_code(next(VALUES))
    assert ours.adopt(theirs.forge.decide(deployment(code))) == ""
    theirs.spoil(code)
    return Pair(ours, theirs.chain, theirs.forge.decide(*calls()))


def our_disk_is_damaged(folder: Path) -> tuple[Pair, bytes]:
    """Our disk has other bytes where the contract's code was, whose hash is given too."""
    ours, value = Node(1), next(VALUES)
    command = [sys.executable, "-m", "tests.adapters.validator.contract_calls", str(folder), str(value)]
    subprocess.run(command, cwd=CHECKOUT, check=True)
    theirs = Forge(Chain.open(FILE.text, str(folder), b""))
    deployed, calling = theirs.door.blocks(BlockRange(Height(1), 1 << 20))
    assert ours.adopt(deployed) == ""
    ours.spoil(contract_code(value))
    return Pair(ours, theirs.chain, calling), keccak256(contract_code(value))


class Listening(Telemetry):
    """Lets a test wait for what is told."""

    def __init__(self) -> None:
        super().__init__()
        self.changed = asyncio.Event()

    def problem(self, part: str, sentence: str) -> None:
        super().problem(part, sentence)
        self.changed.set()


class Scene:
    """A desk on our chain among a peer that lies about receipts, if wanted, and one that serves theirs."""

    def __init__(self, pair: Pair, folder: Path, *, with_liar: bool = False) -> None:
        self.pair = pair
        self.telemetry = Listening()
        parts = (pair.ours.chain, self.telemetry)
        self.desk = DivergenceDesk(self, parts, lambda: self, folder)
        self.desk.watch(pair.ours.door)
        self.pieces = Pieces(pair.theirs, GENESIS, None)
        self.accused: list[PeerId] = []
        self.handed_on: list[Kind] = []
        for peer in ((LIAR,) if with_liar else ()) + (HONEST,):
            self.desk.on_peer_up(peer, facts_of(peer))

    def send(self, peer: PeerId, kind: Kind, payload: bytes) -> bool:
        message = decode_numbered(payload)
        body = self.pieces.answer(kind, message.body)
        if peer == LIAR and kind is GET_HEADERS:
            body = body[:-1] + bytes([body[-1] ^ 1])
        answer = encode_numbered(Numbered(message.number, body))
        asyncio.get_running_loop().call_soon(self.desk.on_message, peer, ANSWER_OF[kind], answer)
        return True

    def misbehaved(self, peer: PeerId, reason: str) -> None:
        assert reason
        self.accused.append(peer)

    def on_peer_up(self, peer: PeerId, facts: PeerFacts) -> None:
        """The node behind has nothing to do here."""

    def on_peer_down(self, peer: PeerId) -> None:
        """The node behind has nothing to do here."""

    def on_message(self, peer: PeerId, kind: Kind, payload: bytes) -> None:
        self.handed_on.append(kind)

    def assert_ready(self, *, wanted: bool = True) -> None:
        assert (self.telemetry.ready_page().status == 200) is wanted

    def look(self) -> None:
        """What the timer does."""
        self.desk.look()

    async def found(self) -> dict[str, Any]:
        """What the search has found in the end."""
        while (facts := self.desk.facts()) is None or not facts["complete"]:
            self.telemetry.changed.clear()
            await self.telemetry.changed.wait()
        return facts


def facts_of(peer: PeerId) -> PeerFacts:
    return PeerFacts(peer, bytes(64), Roles.FULL, "127.0.0.1", 1, is_dialled=True)


def names(fields: list[dict[str, str]]) -> set[str]:
    return {field["name"] for field in fields}


def assert_both_are_found(facts: dict[str, Any], pair: Pair) -> None:
    """The call of the contract is the first transaction that differs, and its sender paid for other gas."""
    assert names(facts["header"]) == {"gasUsed", "receiptsRoot", "stateRoot"}
    assert facts["transaction"]["index"] == 1
    assert facts["transaction"]["hash"] == f"0x{calls()[1].hash.hex()}"
    assert names(facts["transaction"]["fields"]) == {"cumulativeGasUsed"}
    assert facts["account"]["address"] == f"0x{calls()[1].sender.hex()}"
    (balance,) = facts["account"]["fields"]
    assert balance["name"] == "balance"
    theirs = pair.theirs.accounts(pair.theirs.head.hash, [calls()[1].sender])
    assert int(balance["certified"]) == theirs[0][1]
    assert balance["ours"] != balance["certified"]


def test_damaged_code_is_found_replaced_and_the_block_adopted(tmp_path: Path) -> None:
    pair, code_hash = our_disk_is_damaged(tmp_path / "others")

    async def play() -> None:
        scene = Scene(pair, tmp_path)
        scene.assert_ready()
        assert "this node differs" in pair.ours.adopt(pair.block)
        facts = await scene.found()
        assert facts["cause"] == Cause.CODE.value
        assert facts["damagedCodes"] == [f"0x{code_hash.hex()}"]
        assert_both_are_found(facts, pair)
        assert json.loads((tmp_path / REPORT_FILE).read_text()) == facts
        scene.assert_ready(wanted=False)
        assert b"transaction 1" in scene.telemetry.ready_page().body
        assert b"coc_diverged 1" in scene.telemetry.metrics.page().body

        assert pair.ours.adopt(pair.block) == ""
        assert pair.ours.chain.head.hash == pair.theirs.head.hash
        scene.look()
        assert scene.desk.facts() is None
        scene.assert_ready()
        assert json.loads((tmp_path / REPORT_FILE).read_text()) == facts | {"healed": True, "how": BY_ITSELF}
        await scene.desk.finish()

    asyncio.run(play())


def test_another_execution_is_found_with_sound_disks_and_a_liar_among_peers(tmp_path: Path) -> None:
    pair = others_differ()

    async def play() -> None:
        scene = Scene(pair, tmp_path, with_liar=True)
        head = pair.ours.chain.head.hash
        pair.ours.adopt(pair.block)
        facts = await scene.found()
        assert (facts["cause"], facts["damagedCodes"]) == (Cause.EXECUTION.value, [])
        assert_both_are_found(facts, pair)
        assert scene.accused == [LIAR]
        assert json.loads((tmp_path / REPORT_FILE).read_text()) == facts
        scene.assert_ready(wanted=False)
        assert b"transaction 1" in scene.telemetry.ready_page().body
        assert b"coc_diverged 1" in scene.telemetry.metrics.page().body
        assert pair.ours.chain.head.hash == head, "what came before stays, and is served"
        await scene.desk.finish()

    asyncio.run(play())


def test_a_fault_that_has_passed_is_said_to_have_passed(tmp_path: Path) -> None:
    """As of memory: the block is refused once, and executed soundly beside the chain."""
    pair = others_differ()
    sound = pair.ours.forge.decide()

    async def play() -> None:
        scene = Scene(pair, tmp_path)
        pair.ours.door.on_difference(Hash32(pair.ours.chain.head.hash), pair.ours.forge.height, sound)
        facts = await scene.found()
        assert facts["cause"] == Cause.PASSING.value
        assert (facts["header"], facts["transaction"], facts["account"]) == ([], None, None)
        await scene.desk.finish()

    asyncio.run(play())


def test_a_folder_that_takes_no_file_costs_the_file_and_not_the_search(tmp_path: Path) -> None:
    pair = others_differ()

    async def play() -> None:
        scene = Scene(pair, tmp_path / "none")
        pair.ours.adopt(pair.block)
        assert (await scene.found())["cause"] == Cause.EXECUTION.value
        await scene.desk.finish()

    asyncio.run(play())


def test_what_nobody_asked_for_is_dropped_and_everything_else_handed_on(tmp_path: Path) -> None:
    pair = others_differ()

    async def play() -> None:
        scene = Scene(pair, tmp_path)
        scene.desk.on_message(HONEST, STATE, b"late")
        scene.desk.on_message(HONEST, BLOCKS, b"payload")
        scene.desk.on_peer_down(HONEST)
        assert (scene.handed_on, scene.accused) == ([BLOCKS], [])
        await scene.desk.finish()

    asyncio.run(play())
