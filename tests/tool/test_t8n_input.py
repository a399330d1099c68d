"""What `coc evm t8n` says to input that does not read: one sentence, exit code 1, never a traceback."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from coc.cli.evm import command
from tests.tool.scenarios import CANCUN, CONTRACT, MERGED, OTHER, dynamic, env, transfer
from tests.tool.transition import STREAMS

BLOCK = env(currentDifficulty="0x20000")


def refusal(text: str, fork: str = "Berlin", *arguments: str) -> str:
    """The one line that refuses the input."""
    outcome = CliRunner().invoke(command, ["t8n", *STREAMS, "--state.fork", fork, *arguments], input=text)
    assert outcome.exit_code == 1, outcome.output
    assert outcome.exception is None or isinstance(outcome.exception, SystemExit)
    assert outcome.stdout == ""
    assert outcome.stderr.count("\n") == 1
    return outcome.stderr


def without(block: dict[str, Any], name: str) -> dict[str, Any]:
    return {field: value for field, value in block.items() if field != name}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("garbage", "does not read as a JSON object"),
        ("", "does not read as a JSON object"),
        ("[]", "does not read as a JSON object"),
        ("{}", "has no alloc"),
        ('{"alloc":{},"env":{}}', "has no txs"),
        ("[" * 100_000, "does not read as a JSON object"),
        ('{"alloc":' + "[" * 200 + "]" * 200 + ',"env":{},"txs":[]}', "alloc: is not JSON"),
        ('{"alloc":{},"env":{},"txs":[' + "[" * 50_000, "does not read as a JSON object"),
    ],
)
def test_text_that_is_not_the_object_is_refused(text: str, words: str) -> None:
    assert words in refusal(text)


@pytest.mark.parametrize(
    ("alloc", "words"),
    [
        ([], "alloc: is not an object"),
        ({"0x12": {}}, "not an address"),
        ({CONTRACT: {"balance": "-1"}}, f"alloc.{CONTRACT}.balance"),
        ({CONTRACT: {"balance": "0x" + "f" * 65}}, f"alloc.{CONTRACT}.balance"),
        ({CONTRACT: {"nonce": "0x10000000000000000"}}, f"alloc.{CONTRACT}.nonce"),
        ({CONTRACT: {"code": "0xzz"}}, f"alloc.{CONTRACT}.code"),
        ({CONTRACT: {"storage": []}}, f"alloc.{CONTRACT}.storage"),
        ({CONTRACT: {"storage": {"0x" + "f" * 66: "0x1"}}}, f"alloc.{CONTRACT}.storage"),
    ],
)
def test_accounts_that_do_not_read_are_named(alloc: Any, words: str) -> None:
    assert words in refusal(json.dumps({"alloc": alloc, "env": BLOCK, "txs": []}))


@pytest.mark.parametrize(
    ("block", "fork", "words"),
    [
        (without(BLOCK, "currentCoinbase"), "Berlin", "env.currentCoinbase: is missing"),
        (without(BLOCK, "currentNumber"), "Berlin", "env.currentNumber: is missing"),
        ({**BLOCK, "currentNumber": "one"}, "Berlin", "env.currentNumber"),
        (without(BLOCK, "currentDifficulty"), "Berlin", "parentDifficulty"),
        (env(parentDifficulty="0x20000", parentTimestamp="0x3e8"), "Berlin", "not after the parent"),
        (env(parentDifficulty="0x20000", currentNumber="0x0"), "Berlin", "block 0 has no parent"),
        (BLOCK, "London", "env.currentBaseFee: is missing"),
        ({**BLOCK, "parentBaseFee": "0x7"}, "London", "env.currentBaseFee: is missing"),
        ({**BLOCK, **MERGED}, "Paris", "env.currentDifficulty"),
        (without(env(**MERGED), "currentRandom"), "Paris", "env.currentRandom"),
        (env(**MERGED), "Shanghai", "env.withdrawals: is missing"),
        (env(**{**MERGED, "withdrawals": [{"index": "0x0"}]}), "Shanghai", "env.withdrawals.validatorIndex"),
        (env(**{**CANCUN, "withdrawals": [1]}), "Cancun", "env.withdrawals"),
        (
            {
                **BLOCK,
                "withdrawals": [{"index": "0x0", "validatorIndex": "0x0", "address": OTHER, "amount": "0x1"}],
            },
            "Berlin",
            "came with Shanghai",
        ),
        ({**BLOCK, "ommers": [{"delta": "0x8", "address": OTHER}]}, "Berlin", "env.ommers.delta"),
        ({**BLOCK, "ommers": [{"delta": "0x2", "address": OTHER}]}, "Berlin", "older than block 1"),
        ({**BLOCK, "blockHashes": []}, "Berlin", "env.blockHashes"),
        ({**BLOCK, "blockHashes": {"x": "0x00"}}, "Berlin", "env.blockHashes"),
        ([], "Berlin", "env.currentNumber"),
    ],
)
def test_a_block_that_does_not_read_is_named(block: Any, fork: str, words: str) -> None:
    assert words in refusal(json.dumps({"alloc": {}, "env": block, "txs": []}), fork)


@pytest.mark.parametrize(
    ("txs", "words"),
    [
        (7, "txs: is neither"),
        ([7], "txs[0]: is not an object"),
        ([{}], "txs[0].gas: is missing"),
        ([transfer(), transfer(to="0x12")], "txs[1].to"),
        ([transfer(input="0x1")], "txs[0].input"),
        ([transfer(secretKey="0x" + "0" * 64)], "txs[0].secretKey"),
        ([transfer(nonce="0x10000000000000000")], "txs[0].nonce"),
        ([dynamic(accessList=[{"storageKeys": []}])], "txs[0].accessList.address"),
        ([dynamic(type="0x4", authorizationList=[{"chainId": "0x1"}])], "txs[0].authorizationList.address"),
        ("zz", "txs: "),
        ("0xc2", "is not RLP"),
        ("0xc0c0", "is not the RLP of one list"),
        ("0xf8ff", "is not RLP"),
        ("0xc1ff", "is not RLP"),
    ],
)
def test_transactions_that_do_not_read_are_named(txs: Any, words: str) -> None:
    assert words in refusal(json.dumps({"alloc": {}, "env": BLOCK, "txs": txs}))


@pytest.mark.parametrize(
    ("transaction", "words"),
    [
        (transfer(type="0x5"), "transaction type not supported"),
        (dynamic(), "transaction type not supported"),
        (dynamic(type="0x3", to=None, blobVersionedHashes=[], maxFeePerBlobGas="0x1"), "type create"),
        (dynamic(type="0x4", to="", authorizationList=[]), "cannot be used to create contract"),
        (transfer(gasPrice="0x" + "f" * 64), "insufficient funds"),
        (transfer(v="0x5", r="0x1", s="0x1"), "v, r, s"),
        (transfer(v="0x1b", r="0x0", s="0x1"), "v, r, s"),
        (transfer(v="0x1b", r="0x" + "f" * 64, s="0x1"), "v, r, s"),
        (transfer(gas="0x5207"), "intrinsic gas too low"),
    ],
)
def test_what_reads_well_but_is_no_transaction_is_refused_and_the_block_goes_on(
    transaction: dict[str, Any], words: str
) -> None:
    text = json.dumps({"alloc": {}, "env": BLOCK, "txs": [transaction]})
    outcome = CliRunner().invoke(command, ["t8n", *STREAMS, "--state.fork", "Berlin"], input=text)
    assert outcome.exit_code == 0, outcome.stderr
    assert words in json.loads(outcome.stdout)["result"]["rejected"][0]["error"]


def test_a_damaged_item_in_the_body_is_refused_alone() -> None:
    text = json.dumps({"alloc": {}, "env": BLOCK, "txs": "0xc3c28080"})
    outcome = CliRunner().invoke(command, ["t8n", *STREAMS, "--state.fork", "Berlin"], input=text)
    assert [one["index"] for one in json.loads(outcome.stdout)["result"]["rejected"]] == [0]


def test_an_unknown_fork_is_named() -> None:
    assert "Nowhere is not known" in refusal('{"alloc":{},"env":{},"txs":[]}', "Nowhere")


def test_code_that_asks_for_a_hash_nobody_gave_ends_the_run() -> None:
    accounts = {"0xa94f5374fce5edbc8e2a8697c15331677e6ebf0b": {"balance": "0xffffffffffff"}}
    accounts[CONTRACT] = {"balance": "0x0", "code": "0x60024060005500"}
    block = env(currentNumber="0x4", currentDifficulty="0x20000")
    text = json.dumps({"alloc": accounts, "env": block, "txs": [transfer(to=CONTRACT)]})
    assert "the hash of block 2" in refusal(text)


def test_a_file_that_is_not_there_is_named(tmp_path: Any) -> None:
    outcome = CliRunner().invoke(command, ["t8n", "--input.alloc", str(tmp_path / "none.json")])
    assert (outcome.exit_code, "none.json cannot be read" in outcome.stderr) == (1, True)


def test_an_output_that_cannot_be_written_is_named(tmp_path: Any) -> None:
    text = json.dumps({"alloc": {}, "env": BLOCK, "txs": []})
    arguments = [*STREAMS[:6], "--state.fork", "Berlin", "--output.basedir", str(tmp_path)]
    outcome = CliRunner().invoke(command, ["t8n", *arguments, "--output.alloc", "no/such"], input=text)
    assert (outcome.exit_code, "cannot be written" in outcome.stderr) == (1, True)


@pytest.mark.parametrize(
    "arguments", [["--state.reward", "-2"], ["--state.reward", "x"], ["--nonsense"], ["extra"]]
)
def test_a_wrong_command_line_is_exit_code_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(command, ["t8n", *arguments]).exit_code == 2
