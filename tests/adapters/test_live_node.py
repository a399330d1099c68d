"""A whole node on a real socket and a real folder: what it answers, what survives it, how it ends."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from coc._native import Chain
from coc.adapters.chain_port import ChainFailed
from coc.adapters.live_node import HttpChoices, ListenFailed, NodeChoices, SealingChoices, serve
from coc.adapters.telemetry import Telemetry
from coc.consensus.rotation.engine import Sealing
from coc.execution.genesis import Genesis, read_genesis
from coc.primitives.limits_rpc import RPC_MINE_BLOCKS_MAX
from coc.primitives.secp256k1 import address_of
from tests.adapters.http.fakes import post
from tests.adapters.http.test_sockets import answer_of
from tests.adapters.sealed_chain import STRANGER, VALIDATOR, SealedChain, genesis

WAIT_SECONDS_MAX = 30.0
FIRST, SECOND = (f"0x{address_of(secret).hex()}" for secret in (VALIDATOR, STRANGER))
TRANSFER = {"from": FIRST, "to": SECOND, "value": "0x1"}


class Client:
    """One connection to a node."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, chain: Chain) -> None:
        self._reader, self._writer = reader, writer
        self.chain = chain

    def ask(self, method: str, *params: Any) -> None:
        """Send a call; its answer is read by `answer`."""
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        self._writer.write(post(json.dumps(call).encode()))

    async def answer(self) -> Any:
        decoded = json.loads(await answer_of(self._reader))
        return decoded["result"] if "result" in decoded else decoded["error"]

    async def rpc(self, method: str, *params: Any) -> Any:
        self.ask(method, *params)
        return await self.answer()

    async def page(self, path: str) -> str:
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        return (await answer_of(self._reader)).decode()

    async def ended(self) -> bytes:
        """What comes until the node closes the connection."""
        rest = await self._reader.read()
        await self.close()
        return rest

    async def another(self) -> Client:
        """A second connection to the same node."""
        host, port = self._writer.get_extra_info("peername")
        return Client(*await asyncio.open_connection(host, port), self.chain)

    @property
    def port(self) -> int:
        """Where the node listens."""
        port: int = self._writer.get_extra_info("peername")[1]
        return port

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        await self._writer.wait_closed()


def choices(
    folder: Path | None = None,
    made: Genesis | None = None,
    sealing: Sealing | None = Sealing.MANUAL,
    port: int = 0,
) -> NodeChoices:
    made = made or genesis(interval_s=1)
    seals = (
        None if sealing is None or made.coc is None else SealingChoices(VALIDATOR, made.coc, sealing, 1_000)
    )
    return NodeChoices(
        genesis=made,
        folder=folder,
        http=HttpChoices("127.0.0.1", port),
        sealing=seals,
        accounts=(VALIDATOR, STRANGER) if seals else (),
    )


def served(chosen: NodeChoices, use: Callable[[Client], Awaitable[None]]) -> bytes:
    """Run a node while `use` talks to it, stop it; what the last connection still received."""

    async def run() -> bytes:
        stop = asyncio.Event()
        ready: asyncio.Future[tuple[Chain, int]] = asyncio.get_running_loop().create_future()
        node = asyncio.ensure_future(
            serve(chosen, Telemetry(), lambda chain, port: ready.set_result((chain, port)), stop)
        )
        both: list[asyncio.Future[Any]] = [node, ready]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if node.done():
            await node
        chain, port = ready.result()
        client = Client(*await asyncio.open_connection("127.0.0.1", port), chain)
        try:
            await use(client)
        finally:
            stop.set()
        rest = await client.ended()
        await node
        return rest

    rest = asyncio.run(asyncio.wait_for(run(), WAIT_SECONDS_MAX))
    gc.collect()  # a chain lets go of its folder with its last reference, as a process does with its end
    return rest


def test_a_transaction_of_an_unlocked_account_is_mined_and_its_receipt_answered() -> None:
    async def use(client: Client) -> None:
        hash_ = await client.rpc("eth_sendTransaction", TRANSFER)
        assert await client.rpc("eth_getTransactionReceipt", hash_) is None
        assert await client.rpc("evm_mine") == "0x0"
        receipt = await client.rpc("eth_getTransactionReceipt", hash_)
        assert (receipt["status"], receipt["blockNumber"]) == ("0x1", "0x1")
        assert await client.page("/readyz") == "ready\n"
        assert await client.page("/livez") == "live\n"
        assert "coc_head_height 1.0" in await client.page("/metrics")

    served(choices(), use)


def test_head_seals_and_waiting_transactions_survive_a_restart(tmp_path: Path) -> None:
    heads: list[bytes] = []

    async def before(client: Client) -> None:
        await client.rpc("eth_sendTransaction", TRANSFER)
        await client.rpc("evm_mine")
        heads.append(client.chain.head.hash)
        await client.rpc("eth_sendTransaction", TRANSFER)

    async def after(client: Client) -> None:
        assert client.chain.head.hash == heads[0]
        assert await client.rpc("txpool_status") == {"pending": "0x1", "queued": "0x0"}
        await client.rpc("evm_mine")
        assert client.chain.head.parent_hash == heads[0]
        assert client.chain.head.transaction_count == 1

    made = genesis(interval_s=1)
    served(choices(tmp_path / "data", made), before)
    served(choices(tmp_path / "data", made), after)


def test_a_stop_answers_what_is_under_way_and_then_closes_the_connection() -> None:
    async def use(client: Client) -> None:
        client.ask("evm_mine", {"blocks": RPC_MINE_BLOCKS_MAX})
        other = await client.another()
        while await other.rpc("eth_blockNumber") == "0x0":
            pass
        await other.close()

    assert b'"jsonrpc"' in served(choices(), use)


def test_an_ethereum_chain_is_served_takes_transactions_and_makes_no_blocks(tmp_path: Path) -> None:
    config = {"chainId": 7, "terminalTotalDifficulty": 0, "shanghaiTime": 0, "cancunTime": 0}
    config |= {f"{name}Block": 0 for name in ("homestead", "eip150", "eip155", "eip158", "byzantium")}
    config |= {f"{name}Block": 0 for name in ("constantinople", "petersburg", "istanbul", "berlin", "london")}
    alloc = {FIRST: {"balance": hex(10**21)}}
    text = {"config": config, "alloc": alloc, "gasLimit": hex(30_000_000), "difficulty": "0x0"}
    made = read_genesis(json.dumps(text).encode())
    ours = SealedChain()

    async def use(client: Client) -> None:
        raw = ours.transfer(0, chainId="0x7")
        assert len(await client.rpc("eth_sendRawTransaction", f"0x{raw.hex()}")) == 66
        assert await client.rpc("txpool_status") == {"pending": "0x1", "queued": "0x0"}
        assert (await client.rpc("evm_mine"))["code"] == -32601
        assert await client.rpc("eth_accounts") == []
        assert await client.rpc("eth_blockNumber") == "0x0"

    served(choices(tmp_path / "eth", made), use)


def test_a_port_in_use_is_told_before_a_folder_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "data"

    async def use(client: Client) -> None:
        port = client.port
        with pytest.raises(ListenFailed) as caught:
            await serve(choices(folder, port=port), Telemetry(), lambda *_: None, asyncio.Event())
        assert f"--port {port + 1}" in caught.value.cure

    served(choices(), use)
    assert not folder.exists()


def test_a_folder_in_use_names_the_process_and_the_cure(tmp_path: Path) -> None:
    made = genesis(interval_s=1)

    async def use(client: Client) -> None:
        with pytest.raises(ChainFailed, match="--data"):
            await serve(choices(tmp_path / "data", made), Telemetry(), lambda *_: None, asyncio.Event())
        assert await client.rpc("eth_blockNumber") == "0x0"

    served(choices(tmp_path / "data", made), use)


def test_a_node_that_could_not_start_lets_go_of_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    made = genesis(interval_s=1)
    folder.mkdir()
    (folder / "mempool.journal").mkdir()

    async def use(client: Client) -> None:
        raise AssertionError("it must not start")

    with pytest.raises(Exception, match="journal"):
        served(choices(folder, made), use)
    (folder / "mempool.journal").rmdir()
    gc.collect()

    async def asks(client: Client) -> None:
        assert await client.rpc("eth_blockNumber") == "0x0"

    served(choices(folder, made), asks)
