"""The recorded exchanges of execution-apis: each chain is imported, each `.io` file is asked again.

The rules of comparison are those of the test data: equal as JSON; where both sides have an error, its code
and data count and the words do not; a `speconly` exchange must only be of the same kind. The exchanges of one
generation run in the order of their files on one fresh node.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from coc.primitives import rlp
from tests.adapters.http.fakes import post
from tests.conformance.imported_node import ImportedNode

FOLDER = os.environ.get("CONFORMANCE_DIR")
GENERATIONS = ("2023-03-17", "2023-07-19", "2023-10-18")
COUNTS = [("2023-03-17", 44), ("2023-07-19", 59), ("2023-10-18", 76)]
HEADS = {"2023-03-17": 3, "2023-07-19": 9, "2023-10-18": 9}

pytestmark = pytest.mark.skipif(FOLDER is None, reason="CONFORMANCE_DIR is not set")

CONTRADICTED = {
    "2023-03-17/eth_getProof/get-account-proof-with-storage": "names slot 0x01 as 0x01, the later two as 0x1",
    "2023-07-19/eth_createAccessList/create-al-multiple-reads": "lists slots 3, 1; the other two 1, 3",
}
"""Exchanges whose own later or earlier generation answers the same question otherwise; we answer as the
majority.
"""

REMAINING: dict[str, str] = {}
"""Exchanges of methods we serve that are not answered as recorded; a fixed one must leave this list."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One exchange of a file."""

    name: str
    request: bytes
    response: Any
    speconly: bool


@cache
def recorded(generation: str) -> list[Recorded]:
    """All exchanges of a generation in the order of their files."""
    assert FOLDER is not None
    tests = Path(FOLDER) / f"execution-apis-{generation}" / "tests"
    found: list[Recorded] = []
    for place in sorted(tests.glob("*/*.io")):
        name = f"{generation}/{place.parent.name}/{place.stem}"
        found += exchanges_in(name, place.read_text(encoding="utf-8"))
    return found


def exchanges_in(name: str, text: str) -> Iterator[Recorded]:
    """The exchanges of one file: `>>` asks, `<<` answers, `//` comments."""
    speconly = any(line.startswith("//") and "speconly" in line for line in text.splitlines())
    request = b""
    for line in text.splitlines():
        if line.startswith(">>"):
            request = line[2:].strip().encode()
        elif line.startswith("<<"):
            yield Recorded(name, request, msgspec.json.decode(line[2:].strip()), speconly)


@cache
def imported(generation: str) -> ImportedNode:
    """A node in memory that has imported the generation's chain."""
    assert FOLDER is not None
    tests = Path(FOLDER) / f"execution-apis-{generation}" / "tests"
    node = ImportedNode((tests / "genesis.json").read_bytes())
    for block in blocks_in((tests / "chain.rlp").read_bytes()):
        node.import_block(block)
    return node


def blocks_in(exported: bytes) -> Iterator[bytes]:
    """The blocks of an exported chain, which stand one after the other."""
    place = 0
    while place < len(exported):
        end = place + rlp.encoded_length(exported[place : place + 9])
        yield exported[place:end]
        place = end


def matches(ours: Any, theirs: Any, speconly: bool) -> bool:
    """Whether an answer is the recorded one, by the rules of the test data."""
    if ("error" in ours) != ("error" in theirs):
        return False
    if "error" in theirs:
        mine, other = ours["error"], theirs["error"]
        return (mine["code"], mine.get("data")) == (other["code"], other.get("data"))
    if speconly:
        return type(ours["result"]) is type(theirs["result"])
    return bool(ours == theirs)


def cases() -> Sequence[Any]:
    if FOLDER is None:
        return []
    return [
        pytest.param(generation, entry, id=entry.name)
        for generation in GENERATIONS
        for entry in recorded(generation)
    ]


@pytest.mark.parametrize(("generation", "entry"), cases())
def test_the_recorded_answer_is_given(generation: str, entry: Recorded) -> None:
    ours = msgspec.json.decode(imported(generation).ask(entry.request))

    if entry.name in REMAINING:
        assert not matches(ours, entry.response, entry.speconly)
    elif entry.name in CONTRADICTED:
        assert without_order_and_padding(ours) == without_order_and_padding(entry.response)
    else:
        assert matches(ours, entry.response, entry.speconly), (ours, entry.response)


def without_order_and_padding(answer: Any) -> Any:
    """An answer with slots sorted and their names as numbers: what the contradictions are about."""
    if isinstance(answer, list):
        return [without_order_and_padding(entry) for entry in answer]
    if isinstance(answer, dict):
        same = {name: without_order_and_padding(value) for name, value in answer.items()}
        if "storageKeys" in same:
            same["storageKeys"] = sorted(same["storageKeys"])
        if "key" in same:
            same["key"] = int(same["key"], 16)
        return same
    return answer


@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_chain_imports_to_its_known_head(generation: str) -> None:
    chain = imported(generation).chain

    assert chain.head.number == HEADS[generation]
    assert chain.safe.hash == chain.finalized.hash == chain.head.hash


@pytest.mark.parametrize(("generation", "count"), COUNTS)
def test_every_answer_is_equal_except_those_that_are_listed(generation: str, count: int) -> None:
    node = ImportedNode.like(imported(generation))

    different = [
        entry.name
        for entry in recorded(generation)
        if not matches(msgspec.json.decode(node.ask(entry.request)), entry.response, entry.speconly)
    ]

    assert len(recorded(generation)) == count
    assert different == [name for name in CONTRADICTED | REMAINING if name.startswith(generation)]


def test_the_answers_are_the_same_over_http() -> None:
    generation = GENERATIONS[-1]
    node = ImportedNode.like(imported(generation))

    async def ask_all() -> list[bytes]:
        with ThreadPoolExecutor(2) as executor:
            server = node.server(asyncio.get_running_loop(), executor)
            port = await server.listen("127.0.0.1", 0)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            answers = []
            for entry in recorded(generation):
                writer.write(post(entry.request))
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                answers.append(await reader.readexactly(length))
            writer.close()
            await writer.wait_closed()
            server.stop()
            return answers

    for entry, answer in zip(recorded(generation), asyncio.run(ask_all()), strict=True):
        equal = matches(msgspec.json.decode(answer), entry.response, entry.speconly)
        assert equal != (entry.name in REMAINING), entry.name
