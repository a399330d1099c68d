"""`coc evm run`: code on its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from coc.cli.evm import command
from tests.tool.scenarios import CONTRACT, OTHER

ADD = "600160020160005260206000f3"
"""1 + 2, returned as a word: eight instructions, 24 gas."""
RETURN_WORD = "60005260206000f3"
"""Returns the word on the stack."""
LOOP = "6103e85b600190038060035700"
"""Counts down from a thousand."""


def run(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(command, ["run", *arguments], input=stdin)


def word(number: int) -> str:
    return f"0x{number:064x}\n"


def test_the_returned_data_and_the_gas_are_printed_apart() -> None:
    done = run(ADD)
    assert (done.exit_code, done.stdout, done.stderr) == (0, word(3), "gas used: 24\n")


def test_code_comes_from_the_argument_the_option_a_file_or_standard_input(tmp_path: Path) -> None:
    file = tmp_path / "code.hex"
    file.write_text(f"0x{ADD[:8]}\n  {ADD[8:]}\n")
    outcomes = [
        run("--code", "0x" + ADD),
        run("--codefile", str(file)),
        run("--codefile", "-", stdin=ADD + "\n"),
    ]
    assert [done.stdout for done in outcomes] == [word(3)] * 3


def test_the_code_sees_its_input_value_sender_and_receiver() -> None:
    assert run("600035" + RETURN_WORD, "--input", word(7).strip()).stdout == word(7)
    assert run("34" + RETURN_WORD, "--value", "1000000").stdout == word(1_000_000)
    assert run("33" + RETURN_WORD, "--sender", OTHER).stdout == word(int(OTHER, 16))
    assert run("30" + RETURN_WORD, "--receiver", OTHER).stdout == word(int(OTHER, 16))
    assert run("33" + RETURN_WORD).stdout == word(int.from_bytes(b"sender"))
    assert run("30" + RETURN_WORD).stdout == word(int.from_bytes(b"receiver"))


def test_a_creation_gives_the_code_it_deploys() -> None:
    done = run("--create", "6002600c60003960026000f3", "--input", "5b00")
    assert (done.exit_code, done.stdout) == (0, "0x5b00\n")


def test_refunds_do_not_lower_the_gas(tmp_path: Path) -> None:
    genesis = {"config": {"chainId": 1}, "alloc": {CONTRACT: {"balance": "0x0", "storage": {"0x00": "0x01"}}}}
    file = tmp_path / "genesis.json"
    file.write_text(json.dumps(genesis))
    here = ("--prestate", str(file), "--receiver", CONTRACT, "--state.fork", "Istanbul")
    assert run("600060005500", *here).stderr == "gas used: 5006\n"


def test_a_genesis_gives_accounts_block_and_rules(tmp_path: Path) -> None:
    genesis = {
        "config": {"chainId": 77, "homesteadBlock": 0},
        "alloc": {CONTRACT: {"balance": "0x5", "code": "0x47" + RETURN_WORD}},
        "timestamp": "0x9",
        "coinbase": OTHER,
    }
    file = tmp_path / "genesis.json"
    file.write_text(json.dumps(genesis))
    here = ("--prestate", str(file), "--receiver", CONTRACT)
    # SELFBALANCE came with Istanbul, so the genesis' own rules do not know it.
    assert run(*here).exit_code == 1
    assert run(*here, "--state.fork", "Istanbul").stdout == word(5)
    assert run("42" + RETURN_WORD, *here).stdout == word(9)
    assert run("41" + RETURN_WORD, *here).stdout == word(int(OTHER, 16))
    assert run("46" + RETURN_WORD, *here, "--state.fork", "London").stdout == word(77)


@pytest.mark.parametrize(
    ("code", "reason", "gas"),
    [
        ("fe", "invalid opcode", 1000),
        ("5b600056", "out of gas", 1000),
        ("600456", "invalid jump destination", 1000),
        ("50", "stack underflow", 1000),
        ("60006000fd", "execution reverted", 6),
    ],
)
def test_code_that_fails_ends_with_the_reason_and_exit_code_1(code: str, reason: str, gas: int) -> None:
    done = run(code, "--gas", "1000")
    assert (done.exit_code, done.stderr) == (1, f"gas used: {gas}\nError: {reason}\n")


def test_what_a_revert_says_is_printed() -> None:
    assert run("602a60005260206000fd").stdout == word(42)


def test_precompiles_are_warm() -> None:
    # CALL to the identity precompile (address 4): 100 for the warm account, 15 for the precompile.
    done = run("600060006000600060006004611000f1" + "00")
    assert done.stderr == f"gas used: {7 * 3 + 100 + 15}\n"


def test_a_benchmark_names_gas_time_and_rate() -> None:
    done = run(LOOP, "--bench")
    assert done.exit_code == 0
    assert re.search(r"^gas used: \d+\n\d+ ns/op \(median of \d+ runs\), [\d.]+ Mgas/s\n$", done.stderr)


def test_code_that_fails_is_not_timed() -> None:
    assert run("fe", "--gas", "9", "--bench").stderr == "gas used: 9\nError: invalid opcode\n"


def test_a_trace_has_a_line_a_step_and_one_with_the_result() -> None:
    coc = Path(sys.executable).parent / "coc"
    done = subprocess.run([coc, "evm", "run", "--json", ADD], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["pc"] for line in lines[:-1]] == [0, 2, 4, 5, 7, 8, 10, 12]
    assert lines[2] == {
        "pc": 4,
        "op": 1,
        "gas": hex(10**10 - 6),
        "gasCost": "0x3",
        "memSize": 0,
        "stack": ["0x1", "0x2"],
        "depth": 1,
        "refund": 0,
        "opName": "ADD",
    }
    assert lines[-1] == {"output": word(3)[2:].strip(), "gasUsed": "0x18"}


def test_a_trace_that_cannot_be_written_is_one_sentence() -> None:
    coc = Path(sys.executable).parent / "coc"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [coc, "evm", "run", "--json", ADD], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "the trace could not be written" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["zz"], "code: "),
        (["0x6"], "code: odd number of digits"),
        (["00", "--input", "0xé"], "input: "),
        (["00", "--sender", "0x12"], "sender: "),
        (["00", "--receiver", "nobody"], "receiver: "),
        (["00", "--value", "-1"], "value: "),
        (["00", "--state.fork", "Nowhere"], "fork: Nowhere is not known"),
        (["--codefile", "/no/such/file"], "cannot be read as --codefile"),
        (["00", "--prestate", "/dev/null"], "genesis: "),
    ],
)
def test_what_does_not_read_is_one_sentence(arguments: list[str], words: str) -> None:
    done = run(*arguments)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert words in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--create"],
        ["00", "--code", "00"],
        ["00", "--codefile", "x"],
        ["00", "--gas", "-1"],
        ["--nonsense"],
    ],
)
def test_a_wrong_command_line_is_exit_code_2(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_a_delegation_s_first_bytes_are_no_delegation() -> None:
    done = run("0xef0100", "--gas", "9")
    assert (done.exit_code, "invalid opcode" in done.stderr) == (1, True)
