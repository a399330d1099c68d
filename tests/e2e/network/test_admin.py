"""`coc admin` on a network that runs: who is there, who goes, who comes back."""

from __future__ import annotations

import json
import stat
import subprocess
from collections.abc import Iterator

import pytest

from coc.adapters.admin_socket import SOCKET_FILE
from coc.wire.identity import Identity
from tests.e2e.network.network_process import PATIENT, Member, Network, network
from tests.e2e.node_process import RpcError, coc_command


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Four validators that run."""
    with network(tmp_path_factory.mktemp("admin") / "net", 4, bft=PATIENT) as made:
        made.start()
        yield made


def admin(member: Member, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(coc_command()), "admin", *arguments, "--data", str(member.folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def ids(member: Member, what: str = "peers", key: str = "id") -> set[str]:
    done = admin(member, "peers", "--json")
    assert done.returncode == 0, done.stderr
    return {each[key] for each in json.loads(done.stdout)[what]}


def identity(member: Member) -> str:
    return Identity(member.network).peer.hex()


def test_an_operator_sees_parts_from_bans_and_takes_back_a_peer(four: Network) -> None:  # WIRE-39
    one, other = four[0], four[3]
    four.until(lambda: ids(one) == {identity(each) for each in four.members[1:]}, "all are connected")
    told = json.loads(admin(one, "info", "--json").stdout)
    assert told["id"] == identity(one)
    assert told["listenAddr"] == one.wire
    assert f"{identity(other)}" in admin(one, "peers").stdout

    assert "stays out" in admin(one, "ban", identity(other)).stdout
    assert "already" in admin(one, "ban", identity(other)).stdout
    four.until(lambda: identity(other) not in ids(one), "the banned one is gone")
    assert ids(one, "bans", "who") == {identity(other)}
    four.until_height(max(each.height() for each in four.members) + 4)

    assert "may come again" in admin(one, "unban", identity(other)).stdout
    four.until(lambda: identity(other) in ids(one), "it is back")
    assert "parted" in admin(one, "remove", other.wire).stdout
    assert admin(one, "add", f"{identity(other)}@{other.wire}").returncode == 0
    four.until(lambda: identity(other) in ids(one), "it is back once more")


def test_orders_that_read_as_none_are_told_what_to_write(four: Network) -> None:
    for order in ("add", "remove", "ban", "unban"):
        done = admin(four[0], order, "nobody")
        assert done.returncode == 1
        assert "write" in done.stderr
        assert "Traceback" not in done.stderr


def test_clients_cannot_give_orders(four: Network) -> None:
    with pytest.raises(RpcError, match="does not exist"):
        four[0].rpc("admin_peers")


def test_a_killed_node_starts_again_over_its_socket_and_a_stopped_one_leaves_none(four: Network) -> None:
    member = four[1]
    door = member.folder / SOCKET_FILE
    assert stat.S_IMODE(door.stat().st_mode) == 0o600
    member.kill()
    assert door.exists()
    dead = admin(member, "peers")
    assert dead.returncode == 1
    assert "coc node --data" in dead.stderr

    four.start(member)
    assert admin(member, "info").returncode == 0
    four.stop(member)
    assert not door.exists()
