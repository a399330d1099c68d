"""The operator's hand on the network: names read, facts shown, orders given to the peer book."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from coc.adapters.wire.network import Network
from coc.adapters.wire.peer_names import PeerNameInvalid, read_identity, read_ip, read_peer
from coc.primitives.types import Hash32, Millis, PeerId
from coc.rpc.ports import ConnectedPeer, OwnPlace
from coc.wire.addresses import owner_of
from coc.wire.identity import Roles
from coc.wire.peer_book.inputs import BanLifted, PeerAdded, PeerBanned, PeerRemoved


class Administration:
    """`admin_*` for a node of a network."""

    def __init__(
        self, network: Network, place: tuple[str, int], http: tuple[str, int] | None, genesis_hash: Hash32
    ) -> None:
        """`place` is where the node says that it is reached, `http` where it serves peers over HTTP."""
        self._network = network
        self._place = place
        self._http = "" if http is None else f"{http[0]}:{network.http_port}"
        self._genesis_hash = genesis_hash
        self.report: Callable[[], object] = lambda: None
        """What is known of a divergence, as JSON."""

    def divergence(self) -> object:
        """Where this node parts from a certified block; None where it does not."""
        return self.report()

    def own(self) -> OwnPlace:
        """Who this node is to its peers."""
        host, port = self._place
        key = self._network.public_key
        return OwnPlace(self._network.peer, key, host, port, self._http, self._genesis_hash)

    def connected(self) -> Sequence[ConnectedPeer]:
        """Everybody who is connected."""
        book = self._network.book
        configured = {
            peer for known in book.known() if known.is_persistent for peer in (known.expected, known.seen)
        }
        return [
            ConnectedPeer(
                facts.peer,
                facts.public_key,
                facts.host,
                facts.listen_port,
                _words(facts.roles),
                is_dialled=facts.is_dialled,
                is_trusted=book.is_privileged(facts.peer),
                is_configured=facts.peer in configured,
                is_over_http=is_over_http,
            )
            for facts, is_over_http in self._network.connected()
        ]

    def bans(self) -> Sequence[tuple[str, int]]:
        """Who stays out, and until when, in Unix milliseconds."""
        return [
            (subject if isinstance(subject, str) else subject.hex(), until_ms)
            for subject, until_ms in self._network.book.bans(self._now())
        ]

    def add(self, named: str) -> bool:
        """Keep a connection to a peer; False where too many are configured.

        Raises:
            PeerNameInvalid: nobody is named.
        """
        peer = read_peer(named)
        self._network.administer(PeerAdded(peer.address, peer.peer))
        return any(
            known.is_persistent and known.address == peer.address for known in self._network.book.known()
        )

    def remove(self, named: str) -> bool:
        """Part from a peer, and dial it no more; False where it was neither connected nor known.

        Raises:
            PeerNameInvalid: nobody is named.
        """
        peer = read_identity(named)
        address = read_peer(named).address if ":" in named else None
        known = self._network.book.known()
        is_here = peer is not None and any(facts.peer == peer for facts in self._network.peers())
        is_known = any(
            each.address == address or (peer and peer in (each.expected, each.seen)) for each in known
        )
        self._network.administer(PeerRemoved(peer, address))
        return is_here or is_known

    def ban(self, named: str) -> bool:
        """Keep a peer out; False where it is out already.

        Raises:
            PeerNameInvalid: no id is named.
        """
        peer = read_identity(named)
        if peer is None:
            raise PeerNameInvalid(
                f"{named!r} names an address and no peer",
                why="whoever else is there would be banned too",
                cure="name the peer by its id; `coc admin peers` lists them",
            )
        if self._network.book.is_banned(self._now(), peer):
            return False
        self._network.administer(PeerBanned(peer))
        return True

    def unban(self, named: str) -> bool:
        """Let a peer, or whoever is at an IP, in again; False where it is not out.

        Raises:
            PeerNameInvalid: neither an id nor an IP is named.
        """
        ip = read_ip(named.partition("/")[0])
        subject: PeerId | str | None = read_identity(named) if ip is None else owner_of(ip)
        if subject is None:
            raise PeerNameInvalid(
                f"{named!r} names no id and no IP", cure="write what `coc admin bans` lists"
            )
        is_out = any(banned == subject for banned, _ in self._network.book.bans(self._now()))
        self._network.administer(BanLifted(subject))
        return is_out

    def _now(self) -> Millis:
        return Millis(self._network.now_ms())


def _words(roles: Roles) -> str:
    return ", ".join(str(role.name).lower() for role in Roles if role in roles)
