"""`admin_*`: the shapes that tools know, and orders that are passed on as they were written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from coc.primitives.errors import AdapterError
from coc.rpc.dispatch import Dispatcher
from coc.rpc.errors import INVALID_PARAMS
from coc.rpc.faults import Translator
from coc.rpc.filters import FilterBook
from coc.rpc.methods import Context, Services, Settings
from coc.rpc.ports import ConnectedPeer, NoPeers, OwnPlace, Peers
from coc.rpc.table import ADMINISTRATION, DEVELOPMENT
from tests.rpc.fakes import FAULTS, Node, planned_errors_only

OWN = OwnPlace(b"\x01" * 32, b"\x02" * 64, "203.0.113.7", 30_303, "203.0.113.7:8080", b"\x03" * 32)
PEER = ConnectedPeer(
    b"\x04" * 32,
    b"\x05" * 64,
    "2001:db8::1",
    40_404,
    "validator, full",
    is_dialled=True,
    is_trusted=True,
    is_configured=False,
    is_over_http=True,
)


class FakePeers:
    """Notes orders; a name that begins with "no" is none."""

    def __init__(self) -> None:
        self.orders: list[tuple[str, str]] = []

    def own(self) -> OwnPlace:
        return OWN

    def connected(self) -> Sequence[ConnectedPeer]:
        return (PEER,)

    def bans(self) -> Sequence[tuple[str, int]]:
        return (("203.0.113.9", 255),)

    def _note(self, order: str, named: str) -> bool:
        if named.startswith("no"):
            raise AdapterError("names no peer", why="it is none", cure="write one")
        self.orders.append((order, named))
        return len(self.orders) == 1

    def add(self, named: str) -> bool:
        return self._note("add", named)

    def remove(self, named: str) -> bool:
        return self._note("remove", named)

    def ban(self, named: str) -> bool:
        return self._note("ban", named)

    def unban(self, named: str) -> bool:
        return self._note("unban", named)

    def divergence(self) -> object:
        return {"number": 9}


class Desk:
    """A dispatcher of the operator's methods."""

    def __init__(self, peers: Peers) -> None:
        node = Node()
        services = Services(
            node.chain, node.pool, node.accounts, node.context.sealer, node.status, bytes, peers
        )
        context = Context(services, FilterBook(lambda: 1), Settings())
        guard = planned_errors_only(Translator(FAULTS, lambda _: None))
        self.node = node
        self.dispatcher = Dispatcher(ADMINISTRATION, context, guard)

    def request(self, method: str, *parameters: object) -> dict[str, Any]:
        body = msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters})
        answer = self.dispatcher.handle(body, 0)
        assert isinstance(answer, bytes)
        decoded: dict[str, Any] = msgspec.json.decode(answer)
        return decoded

    def ask(self, method: str, *parameters: object) -> Any:
        return self.request(method, *parameters)["result"]


@pytest.fixture
def peers() -> FakePeers:
    return FakePeers()


@pytest.fixture
def desk(peers: FakePeers) -> Desk:
    return Desk(peers)


def test_a_node_tells_who_it_is(desk: Desk) -> None:
    assert desk.ask("admin_nodeInfo") == {
        "id": OWN.peer.hex(),
        "name": desk.node.status.client_version,
        "enode": f"enode://{OWN.public_key.hex()}@203.0.113.7:30303",
        "ip": "203.0.113.7",
        "listenAddr": "203.0.113.7:30303",
        "httpAddr": "203.0.113.7:8080",
        "ports": {"discovery": 30_303, "listener": 30_303},
        "protocols": {
            "coc": {
                "network": desk.node.chain.chain_id,
                "genesis": "0x" + OWN.genesis_hash.hex(),
                "head": "0x" + desk.node.chain.head.hash.hex(),
            }
        },
    }


def test_a_node_tells_where_it_differs_and_one_that_cannot_differ_nothing(desk: Desk) -> None:  # DIVERGE-1
    assert desk.ask("admin_divergence") == {"number": 9}
    assert Desk(NoPeers()).ask("admin_divergence") is None


def test_a_node_lists_its_peers_and_who_is_banned(desk: Desk) -> None:
    assert desk.ask("admin_peers") == [
        {
            "id": PEER.peer.hex(),
            "name": "",
            "enode": f"enode://{PEER.public_key.hex()}@[2001:db8::1]:40404",
            "caps": ["coc/1"],
            "network": {
                "remoteAddress": "[2001:db8::1]:40404",
                "inbound": False,
                "trusted": True,
                "static": False,
            },
            "transport": "http",
            "roles": "validator, full",
        }
    ]
    assert desk.ask("admin_bans") == [{"who": "203.0.113.9", "until": "0xff"}]


@pytest.mark.parametrize(
    ("method", "order"),
    [
        ("admin_addPeer", "add"),
        ("admin_removePeer", "remove"),
        ("admin_banPeer", "ban"),
        ("admin_unbanPeer", "unban"),
    ],
)
def test_orders_are_passed_on_and_their_outcome_back(
    desk: Desk, peers: FakePeers, method: str, order: str
) -> None:
    assert desk.ask(method, "peer@host:1") is True
    assert desk.ask(method, "peer@host:1") is False
    assert peers.orders == [(order, "peer@host:1")] * 2


def test_a_name_that_reads_as_none_is_a_wrong_parameter_and_says_the_cure(desk: Desk) -> None:
    error = desk.request("admin_addPeer", "nobody")["error"]
    assert error == {"code": INVALID_PARAMS, "message": "names no peer; it is none; write one"}


def test_a_node_without_peers_takes_no_orders() -> None:
    alone = Desk(NoPeers())
    assert alone.ask("admin_peers") == alone.ask("admin_bans") == []
    assert alone.ask("admin_addPeer", "host:1") is False
    assert alone.ask("admin_nodeInfo")["httpAddr"] is None


def test_clients_are_served_none_of_it() -> None:
    assert not [name for name in DEVELOPMENT if name.startswith("admin_")]
