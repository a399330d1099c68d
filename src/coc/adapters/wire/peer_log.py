"""Log lines about peers: whoever was connected or dialled is worth one, every stranger's failure is not."""

from __future__ import annotations

import logging

from coc.adapters.log_lines import LOGGER
from coc.adapters.wire.link import Link
from coc.wire.events import Closed
from coc.wire.identity import PeerFacts


def log_connected(facts: PeerFacts) -> None:
    """A peer is up."""
    LOGGER.info("peer connected", extra={"fields": _fields(facts)})


def log_ended(link: Link, event: Closed) -> None:
    """A connection is over."""
    facts = link.facts()
    fields: dict[str, object] = {"host": link.host, "reason": event.reason.name.lower()}
    if facts is not None:
        fields |= _fields(facts)
    if event.error is not None:
        fields["why"] = str(event.error)
    level = logging.INFO if facts is not None or link.is_dialled else logging.DEBUG
    LOGGER.log(level, "peer left", extra={"fields": fields})


def _fields(facts: PeerFacts) -> dict[str, object]:
    return {"peer": facts.peer.hex(), "host": facts.host, "dialled": facts.is_dialled}
