"""Validators that are in the set and not connected: looked for by their network key, and dialled (DHT-27).

The chain says who votes, and not where. An endpoint record lies under the key that the chain names, so a
validator that registers is found without anybody's configuration. Every upkeep of the table has a few
searches, in turn; one that was fruitless costs a lookup, and comes again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from coc.node.validator.effects import DialNode
from coc.primitives.errors import CocError
from coc.primitives.limits_dht import VALIDATOR_SEARCHES_MAX
from coc.primitives.types import PeerId
from coc.primitives.validators import Validator
from coc.wire.dht.endpoints import endpoint_key, read_endpoint
from coc.wire.dht.hosts import HostPolicy, format_host
from coc.wire.dht.inputs import FindValue
from coc.wire.dht.records import Record
from coc.wire.dht.rules import peer_id_of


class ValidatorSearch:
    """Whom we look for, and whose turn it is."""

    __slots__ = ("_hosts", "_next_ticket", "_searched", "_under_way")

    def __init__(self, hosts: HostPolicy) -> None:
        """Nobody is looked for; `hosts` says which addresses may be dialled."""
        self._hosts = hosts
        self._next_ticket = 1
        self._under_way: dict[int, bytes] = {}
        self._searched: dict[bytes, int] = {}
        """The last ticket of each network key: whoever was looked for longest ago is next."""

    def due(self, members: Iterable[Validator], connected: Iterable[PeerId]) -> list[FindValue]:
        """Look for some of those who are not here."""
        here = frozenset(connected)
        keys = {entry.network_key for entry in members}
        self._searched = {key: ticket for key, ticket in self._searched.items() if key in keys}
        under_way = frozenset(self._under_way.values())
        missing = [key for key in keys if key not in under_way and peer_id_of(key) not in here]
        missing.sort(key=lambda key: (self._searched.get(key, 0), key))
        return [self._search(key) for key in missing[: VALIDATOR_SEARCHES_MAX - len(under_way)]]

    def on_found(self, ticket: int, records: Sequence[Record]) -> DialNode | None:
        """What a search has brought: where to dial, if there is such a place."""
        key = self._under_way.pop(ticket, None)
        for record in records:
            if record.claim.publisher != key:
                continue
            try:
                endpoint = read_endpoint(record.claim)
            except CocError:
                return None  # the validator's own fault, and it harms nobody else
            if self._hosts.takes(endpoint.host):
                return DialNode(format_host(endpoint.host), endpoint.port, peer_id_of(key))
        return None

    def on_refused(self, ticket: int) -> None:
        """Too much is looked for; its turn comes again."""
        self._under_way.pop(ticket, None)

    def _search(self, key: bytes) -> FindValue:
        ticket = self._next_ticket
        self._next_ticket += 1
        self._under_way[ticket] = key
        self._searched[key] = ticket
        return FindValue(ticket, endpoint_key(key))
