"""A validator that lost everything but its keys rejoins by a snapshot while the chain runs under load.

SYNC-7, SYNC-15, SYNC-16, SYNC-17, SYNC-18.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from coc.adapters.validator.snapshot_target import is_half_filled
from coc.primitives.limits_snapshot import SNAPSHOT_INTERVAL_BLOCKS
from tests.e2e.crash.promises import Promises
from tests.e2e.network.decisions import ledgers_of, offences, verify
from tests.e2e.network.load import NetworkLoad, RoamingWriter
from tests.e2e.network.network_process import (
    PATIENT,
    STATE_SECONDS_MAX,
    Member,
    Network,
    assert_nobody_is_accused,
    check_database,
    network,
    same_block,
    wipe,
)
from tests.e2e.node_process import RpcError

pytestmark = pytest.mark.alone  # a clock read at the start is held against blocks fetched later

STRANGERS = 30_000
"""Accounts of genesis: enough for several answers, so that a fetch can be killed in the middle."""
WRITERS = (0, 1)
TRANSACTIONS = 2_000
HEIGHTS_AFTER = 6
PRUNED = 4444
SNAPSHOT = ("--sync", "snapshot")
LOOK_SECONDS = 0.001


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Four validators that have come past the first block whose state is served."""
    root = tmp_path_factory.mktemp("snapshot") / "net"
    with network(root, 4, bft=PATIENT, strangers=STRANGERS) as made:
        made.start()
        for height in range(8, SNAPSHOT_INTERVAL_BLOCKS + 9, 8):  # each is a state of its own to wait for
            made.until_height(height)
        yield made


def told_of_snapshot(member: Member) -> list[dict[str, Any]]:
    """What the member's node printed about snapshots, over all its lives."""
    lines = member.log.read_bytes().splitlines()
    return [json.loads(line)["snapshot"] for line in lines if line.startswith(b'{"snapshot"')]


def kill_in_the_middle(four: Network, member: Member) -> None:
    """Start it, and kill it as soon as its folder is being filled."""
    four.launch(member, options=SNAPSHOT)
    pause = threading.Event()
    while not is_half_filled(member.folder) and member.is_up:
        pause.wait(LOOK_SECONDS)
    member.kill()


def balances_at_head(member: Member, height: int) -> list[str]:
    """What the writers and the founders' operators have after a block."""
    accounts = [RoamingWriter(index, seed=0).sender.address for index in range(6)]
    return [member.rpc("eth_getBalance", account, hex(height)) for account in accounts]


def refused(member: Member, method: str, *params: object) -> RpcError:
    with pytest.raises(RpcError) as caught:
        member.rpc(method, *params)
    return caught.value


def test_a_wiped_validator_rejoins_by_snapshot_under_load_and_votes_again(four: Network) -> None:
    wiped, others = four[3], four.members[:3]
    load = NetworkLoad([RoamingWriter(index, seed=7) for index in WRITERS], others, TRANSACTIONS)
    wiped.kill()
    wipe(wiped)
    four.initialise([wiped])

    kill_in_the_middle(four, wiped)
    assert is_half_filled(wiped.folder)
    four.start(wiped)  # it goes on without being told
    top = max(each.height() for each in others)
    four.until_height(top + HEIGHTS_AFTER)
    load.collect([Promises() for _ in others], Promises())

    (ended,) = [each for each in told_of_snapshot(wiped) if "ended" in each]
    assert ended["ended"] == "the folder is a chain"
    assert ended["accounts"] > STRANGERS
    base = ended["block"]
    assert base % SNAPSHOT_INTERVAL_BLOCKS == 0
    same_block(four.members, top)
    assert len({each.block(top)["stateRoot"] for each in four.members}) == 1
    assert len({tuple(balances_at_head(each, top)) for each in four.members}) == 1
    four.until(
        lambda: wiped.block("finalized")["number"] == wiped.block("latest")["number"], "its head is final"
    )
    assert_old_blocks_are_answered_as_clients_expect(wiped, others[0], base)

    back = max(each.height() for each in four.members)
    four.until_height(back + HEIGHTS_AFTER)
    four.stop()
    assert_it_votes(four, wiped, back)
    check_database(wiped)


def assert_old_blocks_are_answered_as_clients_expect(member: Member, other: Member, base: int) -> None:
    assert member.block(0) == other.block(0)
    assert member.block(base)["hash"] == other.block(base)["hash"]
    assert member.rpc("eth_getBlockByNumber", hex(base - 1), False) is None
    assert member.rpc("eth_getBlockByHash", other.block(base - 1)["hash"], False) is None
    assert refused(member, "eth_getLogs", {"fromBlock": "0x1", "toBlock": hex(base)}).code == PRUNED
    assert member.rpc("eth_getLogs", {"fromBlock": hex(base), "toBlock": "latest"}) == []
    account = RoamingWriter(0, seed=0).sender.address
    assert refused(member, "eth_getBalance", account, hex(base - 1)).code == PRUNED
    history = member.rpc("eth_feeHistory", "0x4", "latest", [])
    assert len(history["baseFeePerGas"]) == 5


def assert_it_votes(four: Network, member: Member, since: int) -> None:
    """It signs again, contradicts nothing, and nobody took it for a liar."""
    ledger = ledgers_of(four, [each for each in four.members if each is not member])[0]
    verify(ledger)
    assert any(member.id in ledger.voters(height) for height in range(since + 1, ledger.head))
    assert offences([ledger]) == []
    assert_nobody_is_accused(four.members)


def test_a_folder_with_a_chain_goes_on_with_it_whatever_sync_says(four: Network) -> None:
    before = len(told_of_snapshot(four[3]))
    four.start(options=SNAPSHOT)
    four.until_height(max(each.height() for each in four.members) + 1)
    assert len(told_of_snapshot(four[3])) == before
    assert all(told_of_snapshot(each) == [] for each in four.members[:3])


def test_a_node_that_is_told_a_checkpoint_begins_there(four: Network) -> None:  # SYNC-17
    told, newcomer = four[0].block("finalized"), four[2]
    newcomer.kill()
    wipe(newcomer)
    four.initialise([newcomer])
    checkpoint = f"{int(told['number'], 16)}:{told['hash']}"
    four.start(newcomer, options=("--checkpoint", checkpoint))
    (ended,) = [each for each in told_of_snapshot(newcomer) if "ended" in each]
    assert ended["block"] > int(told["number"], 16)
    top = max(each.height() for each in four.members)
    four.until_height(top + HEIGHTS_AFTER)
    same_block(four.members, top)
    assert refused(newcomer, "eth_getLogs", {"fromBlock": "0x1", "toBlock": told["number"]}).code == PRUNED


def test_a_checkpoint_that_certificates_contradict_is_refused(four: Network) -> None:  # SYNC-18
    height, liar = int(four[0].block("finalized")["number"], 16), four[1]
    liar.kill()
    wipe(liar)
    four.initialise([liar])
    four.launch(liar, options=("--checkpoint", f"{height}:0x{'ab' * 32}"))
    assert liar.running.process.wait(STATE_SECONDS_MAX) == 1
    assert b"the checkpoint is not of this chain" in liar.log.read_bytes()
    four.start(liar)  # the folder is as it was: it catches up by blocks
    four.until_height(height, liar)
