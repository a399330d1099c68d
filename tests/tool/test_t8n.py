"""What `coc evm t8n` makes of blocks in which one rule matters."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from coc.cli.evm import command
from coc.cli.evm_t8n import FORKS
from coc.primitives import rlp
from coc.primitives.keccak import keccak256
from tests.tool.scenarios import (
    BENEFICIARY,
    CANCUN,
    CONTRACT,
    LOG,
    MERGED,
    OTHER,
    RICH,
    SCENARIOS,
    SECRET,
    SENDER,
    STORE,
    SYSTEM_CONTRACTS,
    Scenario,
    dynamic,
    env,
    transfer,
)
from tests.tool.transition import Transition, transition

ETHER = 10**18


def play(name: str) -> Transition:
    scenario = SCENARIOS[name]
    return transition(
        scenario.accounts, scenario.env, scenario.txs, scenario.fork, "--state.reward", str(scenario.reward)
    )


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS.keys())
def test_the_root_is_the_specification_s(scenario: Scenario) -> None:
    reward = str(scenario.reward)
    after = transition(scenario.accounts, scenario.env, scenario.txs, scenario.fork, "--state.reward", reward)
    assert after.result["stateRoot"] == scenario.root
    # What comes out is the whole state: without transactions it has the root it was given with.
    again = transition(after.alloc, scenario.env, [], scenario.fork, "--state-test")
    assert again.result["stateRoot"] == scenario.root


def test_a_block_pays_its_beneficiary_and_its_ommers() -> None:
    ommers = [{"delta": "0x2", "address": OTHER}, {"delta": "0x1", "address": CONTRACT}]
    block = env(currentNumber="0x3", currentDifficulty="0x20000", ommers=ommers)
    after = transition({}, block, [], "Frontier", "--state.reward", str(5 * ETHER))
    paid = {address: int(account["balance"], 16) for address, account in after.alloc.items()}
    assert paid == {
        BENEFICIARY: 5 * ETHER + 2 * 5 * ETHER // 32,
        OTHER: 5 * ETHER * 6 // 8,
        CONTRACT: 5 * ETHER * 7 // 8,
    }


def test_a_reward_of_nothing_makes_an_empty_beneficiary_before_spurious_dragon_and_removes_one_after() -> (
    None
):
    block = env(currentDifficulty="0x20000")
    empty = {BENEFICIARY: {"balance": "0x0"}}
    assert transition({}, block, [], "Homestead").alloc == empty
    assert transition({}, block, [], "Homestead", "--state.reward", "-1").alloc == {}
    assert transition(empty, block, [], "EIP158").alloc == {}
    assert transition(empty, block, [], "EIP158", "--state.reward", "-1").alloc == empty


def test_a_difficulty_is_computed_where_none_is_given() -> None:
    assert play("a difficulty computed from the parent").result["currentDifficulty"] == "0x200400"


def test_a_base_fee_is_computed_where_none_is_given() -> None:
    assert play("a base fee computed from the parent").result["currentBaseFee"] == "0x12"


def test_refused_transactions_are_named_by_their_place_and_left_out_of_the_body() -> None:
    after = play("a base fee computed from the parent")
    assert list(after.rejected) == [1, 2]
    assert "nonce too high" in after.rejected[1]
    assert "max fee per gas less than block base fee" in after.rejected[2]
    assert "NONCE_MISMATCH_TOO_HIGH" in after.rejected[1]
    assert len(rlp.decode_list(bytes.fromhex(after.body[2:]))) == len(after.result["receipts"]) == 2
    assert [receipt["transactionIndex"] for receipt in after.result["receipts"]] == ["0x0", "0x1"]


def test_blob_gas_is_counted_and_its_excess_computed() -> None:
    after = play("blobs, and an excess computed from the parent")
    assert (after.result["blobGasUsed"], after.result["currentExcessBlobGas"]) == ("0xc0000", "0xe0000")
    assert "exceed maximum allowance" in after.rejected[1]
    receipt = after.result["receipts"][0]
    assert (receipt["type"], receipt["blobGasUsed"], receipt["blobGasPrice"]) == ("0x3", "0x80000", "0x1")


def test_withdrawals_are_paid_in_gwei_and_have_a_root() -> None:
    after = play("withdrawals")
    assert int(after.alloc[OTHER]["balance"], 16) == ETHER
    assert after.result["withdrawalsRoot"] != SCENARIOS["withdrawals"].root
    log = after.result["receipts"][0]["logs"][0]
    assert (log["address"], log["data"], log["topics"]) == (CONTRACT, "0x" + f"{42:064x}", [])
    encoded = rlp.encode([[bytes.fromhex(CONTRACT[2:]), [], bytes.fromhex(log["data"][2:])]])
    assert after.result["logsHash"] == "0x" + keccak256(encoded).hex()


def test_an_account_runs_the_code_it_was_set_to() -> None:
    after = play("an account set to code of another")
    assert after.alloc[SENDER]["code"] == "0xef0100" + CONTRACT[2:]
    assert after.alloc[SENDER]["storage"] == {f"0x{0:064x}": f"0x{1:064x}"}
    assert after.result["requests"] == []


def test_a_block_without_the_contracts_it_needs_is_reported_and_not_refused() -> None:
    block = env(**CANCUN, currentExcessBlobGas="0x0")
    after = transition({SENDER: {"balance": RICH}}, block, [dynamic()], "Prague")
    assert "SYSTEM_CONTRACT_EMPTY" in after.result["blockException"]
    assert int(after.alloc[OTHER]["balance"], 16) == 1


def test_the_root_of_the_beacon_chain_and_the_hash_of_the_parent_are_stored() -> None:
    beacon, history = (
        "0x000f3df6d732807ef1319fb7b8bb8522d0beac02",
        "0x0000f90827f1c53a10cb7a02335b175320002935",
    )
    keeper = {
        "balance": "0x0",
        "nonce": "0x1",
        "code": "0x60003560005500",
    }  # stores what it is given in slot 0
    after = transition(
        {beacon: keeper, history: keeper, **SYSTEM_CONTRACTS},
        env(**CANCUN, currentExcessBlobGas="0x0"),
        [],
        "Prague",
    )
    slot = f"0x{0:064x}"
    assert after.alloc[beacon]["storage"] == {slot: "0x" + "22" * 32}
    assert after.alloc[history]["storage"] == {slot: "0x" + "11" * 32}


def test_an_unprotected_key_signs_without_the_chain_id() -> None:
    def signed_v(**more: bool) -> int:
        block = env(currentDifficulty="0x20000")
        accounts = {SENDER: {"balance": RICH}}
        after = transition(accounts, block, [transfer(**more)], "Berlin", "--state.chainid", "5")
        (fields,) = rlp.decode_list(bytes.fromhex(after.body[2:]))
        assert isinstance(fields, list)
        return rlp.uint(fields[6])

    assert signed_v(protected=False) in (27, 28)
    assert signed_v(protected=True) in (45, 46)
    assert signed_v() in (45, 46)


def test_what_was_signed_once_runs_again_from_its_body() -> None:
    accounts = {SENDER: {"balance": RICH}}
    block = env(currentDifficulty="0x20000")
    txs = [transfer(), transfer(nonce="0x1", type="0x1", chainId="0x1", accessList=[])]
    first = transition(accounts, block, txs, "Berlin")
    again = transition(accounts, block, first.body, "Berlin")
    assert again == first


def test_a_transaction_of_another_chain_or_without_a_signature_is_refused() -> None:
    accounts = {SENDER: {"balance": RICH}}
    unsigned = {name: value for name, value in transfer().items() if name != "secretKey"}
    after = transition(accounts, env(**MERGED), [dynamic(chainId="0x2"), unsigned], "Paris")
    assert ["invalid chain id" in after.rejected[0], "v, r, s" in after.rejected[1]] == [True, True]


def test_a_contract_that_destroys_itself_leaves_nothing() -> None:
    accounts = {
        SENDER: {"balance": RICH},
        CONTRACT: {
            "balance": "0x5",
            "code": "0x6001600055" + "73" + OTHER[2:] + "ff",
            "storage": {"0x7": "0x1"},
        },
    }
    after = transition(accounts, env(currentDifficulty="0x20000"), [transfer(to=CONTRACT)], "Berlin")
    assert CONTRACT not in after.alloc
    assert int(after.alloc[OTHER]["balance"], 16) == 6


def test_code_that_only_begins_like_a_delegation_is_code() -> None:
    accounts = {SENDER: {"balance": RICH}, CONTRACT: {"balance": "0x0", "code": "0xef0100"}}
    after = transition(accounts, env(currentDifficulty="0x20000"), [transfer(to=CONTRACT)], "Berlin")
    assert after.result["receipts"][0]["status"] == "0x0"
    assert after.alloc[CONTRACT]["code"] == "0xef0100"


@pytest.mark.parametrize(
    "fork", [*FORKS, "SpuriousDragon", "TangerineWhistle", "Petersburg", "BerlinToLondonAt5"]
)
def test_every_named_fork_is_known(fork: str) -> None:
    merged = FORKS.index(fork) >= FORKS.index("Merge") if fork in FORKS else False
    block = env(**CANCUN) if merged else env(currentDifficulty="0x20000", currentBaseFee="0x7")
    if fork in ("Merge", "Paris"):
        del block["withdrawals"]
    after = transition({OTHER: {"balance": "0x1"}}, block, [], fork, "--state-test")
    assert after.alloc == {OTHER: {"balance": "0x1"}}


def test_files_go_in_and_out_as_test_generators_pass_them(tmp_path: Path) -> None:
    scenario = SCENARIOS["withdrawals"]
    inputs = {"alloc": scenario.accounts, "env": scenario.env, "txs": scenario.txs}
    for name, value in inputs.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(value))
    arguments = [f"--input.{name}={tmp_path / name}.json" for name in inputs]
    outcome = CliRunner().invoke(
        command,
        [
            "t8n",
            *arguments,
            f"--output.basedir={tmp_path / 'deep' / 'er'}",
            "--output.result=out.json",
            "--output.alloc=accounts.json",
            "--output.body=txs.rlp",
            "--state.fork=Shanghai",
            "--trace",
        ],
    )
    assert (outcome.exit_code, outcome.stdout) == (0, "")
    folder = tmp_path / "deep" / "er"
    result = json.loads((folder / "out.json").read_text())
    assert result["stateRoot"] == scenario.root
    assert SENDER in json.loads((folder / "accounts.json").read_text())
    again = CliRunner().invoke(
        command,
        [
            *("t8n", *arguments[:2], f"--input.txs={folder / 'txs.rlp'}", "--state.fork=Shanghai"),
            *("--output.alloc=", "--output.result=stderr"),
        ],
    )
    assert json.loads(again.stderr)["result"] == result
    trace = folder / f"trace-0-{result['receipts'][0]['transactionHash']}.jsonl"
    lines = [json.loads(line) for line in trace.read_text().splitlines()]
    assert [line["opName"] for line in lines[:-1]] == [
        "PUSH1",
        "PUSH1",
        "MSTORE",
        "PUSH1",
        "PUSH1",
        "LOG0",
        "STOP",
    ]
    assert lines[5]["stack"] == ["0x20", "0x0"]
    assert lines[-1]["gasUsed"] == hex(sum(int(line["gasCost"], 16) for line in lines[:-1]))


def test_the_tool_runs_as_a_process_of_its_own() -> None:
    text = json.dumps(
        {"alloc": {CONTRACT: {"balance": "0x0", "code": STORE + LOG[2:]}}, "env": env(**MERGED), "txs": []}
    )
    stdin = ["--input.alloc=stdin", "--input.env=stdin", "--input.txs=stdin"]
    stdout = ["--output.alloc=stdout", "--output.result=stdout", "--state.fork=Merge"]
    coc = Path(sys.executable).parent / "coc"
    done = subprocess.run(
        [coc, "evm", "t8n", *stdin, *stdout], input=text, capture_output=True, text=True, check=True
    )
    assert set(json.loads(done.stdout)) == {"alloc", "result"}


def test_the_version_reads_as_that_of_the_tool_test_generators_know() -> None:
    assert CliRunner().invoke(command, ["-v"]).stdout.startswith("evm version coc/")


def test_a_key_of_another_account_changes_who_pays() -> None:
    other_key = "0x" + f"{int(SECRET, 16) + 1:064x}"
    after = transition({SENDER: {"balance": RICH}}, env(**MERGED), [dynamic(secretKey=other_key)], "Paris")
    assert "insufficient funds for gas * price + value" in after.rejected[0]
    assert after.alloc == {SENDER: {"balance": RICH}}
