"""Commands run in one process, and what they are run on."""

from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from coc.cli.main import main
from coc.execution.dev_genesis import DevGenesis, dev_genesis
from coc.primitives.secp256k1 import address_of
from tests.adapters.sealed_chain import VALIDATOR, validator_of

ETHEREUM_GENESIS = {
    "config": {
        "chainId": 7,
        "terminalTotalDifficulty": 0,
        "shanghaiTime": 0,
        "cancunTime": 0,
    }
    | {
        f"{name}Block": 0
        for name in (
            "homestead",
            "eip150",
            "eip155",
            "eip158",
            "byzantium",
            "constantinople",
            "petersburg",
            "istanbul",
            "berlin",
            "london",
        )
    },
    "alloc": {f"0x{address_of(VALIDATOR).hex()}": {"balance": hex(10**21)}},
    "gasLimit": hex(30_000_000),
    "difficulty": "0x0",
}


def coc(*arguments: object, stdin: str | None = None) -> Result:
    """Run a command; a traceback is a failure of the test."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    # The traceback of an exit holds the chain, and the chain its folder, as no process does that has ended.
    result.exception = result.exc_info = None
    gc.collect()
    return result


def facts(result: Result) -> Any:
    """What a command said in JSON."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refusal(result: Result) -> str:
    """What a command said when it refused: one sentence and the cure, and nothing like a traceback."""
    assert result.exit_code == 1, result.output
    lines = result.stderr.strip().splitlines()
    assert lines[0].startswith("Error: ")
    assert len(lines) <= 2
    return result.stderr


def ethereum_genesis(folder: Path) -> Path:
    """A genesis file of an Ethereum chain."""
    path = folder / "ethereum.json"
    path.write_text(json.dumps(ETHEREUM_GENESIS))
    return path


def own_genesis(folder: Path, chain_id: int = 31_337) -> Path:
    """A genesis file of a chain of ours."""
    path = folder / f"ours-{chain_id}.json"
    chosen = DevGenesis(
        accounts=[address_of(VALIDATOR)], validator=validator_of(VALIDATOR), chain_id=chain_id
    )
    path.write_bytes(dev_genesis(chosen))
    return path
