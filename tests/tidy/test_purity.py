"""No clock, disk, socket, thread, dice or log slips into what decides."""

import pytest

from tests.tidy.purity import handles_in, impure_calls, impure_imports, native_intruders
from tests.tidy.tree import ROOT, SourceFile, expect_none

STUB = "class Chain:\n    @staticmethod\n    def open() -> Chain: ...\nclass Header:\n    hash: bytes\n"


def test_the_pure_packages_import_only_what_computes(tree: tuple[SourceFile, ...]) -> None:
    expect_none(impure_imports(tree))


def test_the_pure_packages_call_neither_open_nor_print(tree: tuple[SourceFile, ...]) -> None:
    expect_none(impure_calls(tree))


def test_the_rust_core_is_reached_through_its_doors(tree: tuple[SourceFile, ...]) -> None:
    stub = ROOT / "src/coc/_native.pyi"
    handles = handles_in(stub.read_text(encoding="utf-8")) if stub.is_file() else frozenset[str]()

    expect_none(native_intruders(tree, handles))


@pytest.mark.parametrize(
    "line", ["import time", "from os import environ", "import urllib.request", "import aiohttp"]
)
def test_an_import_that_touches_the_world_is_found_in_a_pure_package(line: str) -> None:
    assert len(impure_imports([SourceFile.sample("src/coc/consensus/round.py", line)])) == 1


def test_the_same_import_is_welcome_in_an_adapter() -> None:
    assert impure_imports([SourceFile.sample("src/coc/adapters/clock.py", "import time")]) == []


def test_opening_a_file_is_found_in_a_pure_package() -> None:
    found = impure_calls([SourceFile.sample("src/coc/node/config.py", "def f():\n    return open('x')\n")])

    assert found == ["src/coc/node/config.py:2: node calls `open`; return an effect instead"]


@pytest.mark.parametrize(
    "line",
    [
        "from coc._native import keccak256",
        "from coc import _native",
        "import coc._native",
        "from .. import _native",
    ],
)
def test_a_layer_that_imports_the_rust_core_itself_is_found(line: str) -> None:
    assert len(native_intruders([SourceFile.sample("src/coc/execution/evm.py", line)], handles_in(STUB))) == 1


def test_primitives_may_take_functions_but_not_handles() -> None:
    pure = SourceFile.sample("src/coc/primitives/keccak.py", "from coc._native import Header, keccak256")
    owner = SourceFile.sample("src/coc/primitives/chain.py", "from coc._native import Chain")

    assert native_intruders([pure], handles_in(STUB)) == []
    assert len(native_intruders([owner], handles_in(STUB))) == 1
