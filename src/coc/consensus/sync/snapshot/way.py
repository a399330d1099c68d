"""The way to a block whose state can be fetched, from genesis or a checkpoint: records of a finality proof.

A page is what one answer has room for: links in order, and the target behind the last of them. Each is held
to the rules of finality proofs (FIN-5 … FIN-8), so a page that verifies is true whoever sent it, and the next
may come from somebody else. SYNC-3, SYNC-17.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain as one_after_the_other
from typing import TypeAlias

from coc.consensus.bft.power import Electorate
from coc.consensus.finality.build import Provable, anchor_at, records_behind
from coc.consensus.finality.checkpoint import TrustedBlock
from coc.consensus.finality.faults import FinalityUnprovable
from coc.consensus.finality.header import Header, decode_header
from coc.consensus.finality.records import CheckpointAnchor, Link, Record, decode_record
from coc.consensus.finality.records import Target as TargetRecord
from coc.consensus.finality.rules import ChainRules
from coc.consensus.finality.verify import Walk, walk_from
from coc.consensus.sync.snapshot.inputs import Target
from coc.consensus.sync.snapshot.messages import NOTHING, SnapshotMessageInvalid
from coc.primitives import rlp
from coc.primitives.frozen import frozen, replace
from coc.primitives.limits_snapshot import SNAPSHOT_INTERVAL_BLOCKS, SNAPSHOT_WAY_BYTES_MAX
from coc.primitives.types import HASH_BYTES, Hash32, Height


@frozen
class Untrodden:
    """A way that begins at a trusted block, before somebody has shown that block."""

    rules: ChainRules
    trusted: TrustedBlock
    clock_s: int


Beginning: TypeAlias = Walk | Untrodden
"""From where a page is followed."""


@frozen
class WayRequest:
    """Links behind a height, to a block whose state is served."""

    after: Height
    block: Hash32 | None = None
    """The block at that height, if its anchor shall come before them."""
    until: Height | None = None
    """The height of another block that they shall lead to."""


@frozen
class Page:
    """What a page has proved: how far the way is known now, and the block at its end, if it goes that far."""

    walk: Walk
    target: Target | None
    first: Height = Height(0)
    """Height of its first link, where it has one."""
    links: tuple[bytes, ...] = ()
    """Its links, as they were sent."""


def way_from_genesis(rules: ChainRules, genesis: Header) -> Walk:
    """The way at its beginning; the header is the one whose hash is trusted."""
    electorate = Electorate.of(rules.validators)
    return Walk(rules, Height(0), genesis, rules.validators, electorate, clock_s=None)


def snapshot_height(head: Height) -> Height:
    """The newest height whose state nodes serve to others: the last multiple of the interval. SYNC-6."""
    return Height(head - head % SNAPSHOT_INTERVAL_BLOCKS)


def request_from(beginning: Beginning, until: Height | None = None) -> WayRequest:
    """What is to be asked for, to go on from here."""
    match beginning:
        case Walk():
            return WayRequest(beginning.block.height, until=until)
        case Untrodden():
            return WayRequest(beginning.trusted.height, beginning.trusted.block)


def encode_way_request(request: WayRequest) -> bytes:
    """The body of a request of the way."""
    if request.block is not None:
        return rlp.encode([request.after, request.block])
    return rlp.encode([request.after] if request.until is None else [request.after, request.until])


def decode_way_request(body: bytes) -> WayRequest:
    """Read a request back.

    Raises:
        SnapshotMessageInvalid, RlpInvalid: it has another shape.
    """
    match rlp.decode(body):
        case [bytes(after)]:
            return WayRequest(_height(after))
        case [bytes(after), bytes(block)] if len(block) == HASH_BYTES:
            return WayRequest(_height(after), block=Hash32(block))
        case [bytes(after), bytes(until)]:
            return WayRequest(_height(after), until=_height(until))
        case _:
            raise SnapshotMessageInvalid("the way is asked for behind a height")


def _height(item: bytes) -> Height:
    return Height(rlp.uint(item, bits=64))


def page_after(
    chain: Provable, request: WayRequest, kept: Callable[[Height], Link | None] = lambda _: None
) -> bytes:
    """The body of an answer: links behind a height, and behind the last one our newest snapshot block.

    Nothing, where our chain is not that far, has another block there, or cannot show the way. A chain that
    began with a snapshot has `kept` the links before it. Behind a checkpoint that is younger than the newest
    snapshot block comes our head (SYNC-17).
    """
    head, after = chain.blocks.head, request.after
    target = snapshot_height(head) if request.until is None else request.until
    if request.block is not None and target <= after:
        target = head
    if not after < target <= head:
        return NOTHING
    try:
        records = records_behind(chain, after, target, kept)
        if request.block is None:
            return rlp.encode(_fitting(records))
        anchor = anchor_at(chain, after)
        if decode_header(anchor.header).hash != request.block:
            return NOTHING
        return rlp.encode(_fitting(one_after_the_other((anchor,), records)))
    except FinalityUnprovable:
        return NOTHING


def at_clock(beginning: Beginning, clock_s: int) -> Beginning:
    """The same, judged by the clock of now where trust in it depends on one (SYNC-18)."""
    return beginning if beginning.clock_s is None else replace(beginning, clock_s=clock_s)


def follow_page(beginning: Beginning, body: bytes) -> Page:
    """Hold the records of an answer to the rules; the walk that is given stays as it is.

    Raises:
        AnchorUnfit: nothing can begin at the trusted block, whoever shows it, or our clock is wrong.
        ProofInvalid, PrimitivesError, CertificateInvalid: something in it is not proved.
        SnapshotMessageInvalid: it is no page.
    """
    links, heights = list[bytes](), list[Height]()
    items = rlp.decode(body)
    if not isinstance(items, list) or not items:
        raise SnapshotMessageInvalid("a page of the way is a list of records")
    found, steps = _stand(beginning, items)
    for place, item in enumerate(steps, start=1):
        record = decode_record(item) if isinstance(item, bytes) else None
        match record:
            case Link():
                found.follow(record)
                links.append(record.encode())  # the one spelling that it was read from
                heights.append(found.block.height)
            case TargetRecord() if place == len(steps):
                replace(found).finish(record)
                return _page(found, _target_of(record), heights, links)
            case _:
                raise SnapshotMessageInvalid("a page of the way has links, and a target at its end")
    return _page(found, None, heights, links)


def _stand(beginning: Beginning, items: list[rlp.Item]) -> tuple[Walk, list[rlp.Item]]:
    """Where the first step is made, and the steps."""
    if isinstance(beginning, Walk):
        return replace(beginning), items
    anchor = decode_record(items[0]) if isinstance(items[0], bytes) else None
    if not isinstance(anchor, CheckpointAnchor):
        raise SnapshotMessageInvalid("a way from a checkpoint begins with its anchor")
    return walk_from(anchor, beginning.trusted, beginning.rules, beginning.clock_s), items[1:]


def _page(walk: Walk, target: Target | None, heights: Sequence[Height], links: Sequence[bytes]) -> Page:
    return Page(walk, target, heights[0] if heights else Height(0), tuple(links))


def _target_of(record: TargetRecord) -> Target:
    header = decode_header(record.header)
    return Target(header.height, header.hash, record.header, record.certificate)


def _fitting(records: Iterable[Record]) -> list[bytes]:
    """As many as fit, at least one."""
    page: list[bytes] = []
    size = 0
    for record in records:
        encoded = record.encode()
        size += len(encoded)
        if page and size > SNAPSHOT_WAY_BYTES_MAX:
            break
        page.append(encoded)
    return page
