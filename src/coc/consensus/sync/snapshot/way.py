"""The way from genesis to a block whose state can be fetched: the records of a finality proof, page by page.

A page is what one answer has room for: links in order, and the target behind the last of them. Each is held
to the rules of finality proofs (FIN-5 … FIN-8), so a page that verifies is true whoever sent it, and the next
may come from somebody else. SYNC-3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from coc.consensus.bft.power import Electorate
from coc.consensus.finality.build import Provable, records_behind
from coc.consensus.finality.faults import FinalityUnprovable
from coc.consensus.finality.header import Header, decode_header
from coc.consensus.finality.records import Link, Record, decode_record
from coc.consensus.finality.records import Target as TargetRecord
from coc.consensus.finality.rules import ChainRules
from coc.consensus.finality.verify import Walk
from coc.consensus.sync.snapshot.inputs import Target
from coc.consensus.sync.snapshot.messages import NOTHING, SnapshotMessageInvalid
from coc.primitives import rlp
from coc.primitives.frozen import frozen, replace
from coc.primitives.limits_snapshot import SNAPSHOT_INTERVAL_BLOCKS, SNAPSHOT_WAY_BYTES_MAX
from coc.primitives.types import Height


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


def encode_way_request(after: Height) -> bytes:
    """The body of a request of the way behind a height."""
    return rlp.encode([after])


def decode_way_request(body: bytes) -> Height:
    """Read the height back.

    Raises:
        SnapshotMessageInvalid, RlpInvalid: it has another shape.
    """
    match rlp.decode(body):
        case [bytes(after)]:
            return Height(rlp.uint(after, bits=64))
        case _:
            raise SnapshotMessageInvalid("the way is asked for behind a height")


def page_after(
    chain: Provable, after: Height, kept: Callable[[Height], Link | None] = lambda _: None
) -> bytes:
    """The body of an answer: links behind a height, and behind the last one our newest snapshot block.

    Nothing, where our chain is not that far, or cannot show the way. A chain that began with a snapshot has
    `kept` the links before it.
    """
    target = snapshot_height(chain.blocks.head)
    if target <= after:
        return NOTHING
    try:
        return rlp.encode(_fitting(records_behind(chain, after, target, kept)))
    except FinalityUnprovable:
        return NOTHING


def follow_page(walk: Walk, body: bytes) -> Page:
    """Hold the records of an answer to the rules; the walk that is given stays as it is.

    Raises:
        ProofInvalid, PrimitivesError, CertificateInvalid: something in it is not proved.
        SnapshotMessageInvalid: it is no page.
    """
    found, links, heights = replace(walk), list[bytes](), list[Height]()
    items = rlp.decode(body)
    if not isinstance(items, list) or not items:
        raise SnapshotMessageInvalid("a page of the way is a list of records")
    for place, item in enumerate(items, start=1):
        record = decode_record(item) if isinstance(item, bytes) else None
        match record:
            case Link():
                found.follow(record)
                links.append(record.encode())  # the one spelling that it was read from
                heights.append(found.block.height)
            case TargetRecord() if place == len(items):
                replace(found).finish(record)
                return _page(found, _target_of(record), heights, links)
            case _:
                raise SnapshotMessageInvalid("a page of the way has links, and a target at its end")
    return _page(found, None, heights, links)


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
