"""Seconds from the start of `coc up` to its first answer, for genesis files of several sizes.

    bench/starts.py [--accounts 10,1000000] [--runs 5]

Each size gets a data folder of its own. The first start checks every account and makes block 0; the others
find what it noted. Between two starts the node stops in good order.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nodes

from coc.execution.dev_genesis import DevGenesis, dev_genesis
from coc.primitives.mnemonic import DEV_MNEMONIC, dev_secrets
from coc.primitives.secp256k1 import address_of, public_key_of
from coc.primitives.types import Address
from coc.primitives.validators import Validator

ADDRESS_BYTES = 20


def genesis_text(accounts: int) -> bytes:
    """A development chain with that many funded accounts."""
    (secret,) = dev_secrets(DEV_MNEMONIC, 1)
    key, owner = public_key_of(secret), address_of(secret)
    numbers = range(accounts - 1)
    others = [Address(hashlib.sha256(b"%d" % number).digest()[:ADDRESS_BYTES]) for number in numbers]
    return dev_genesis(DevGenesis([owner, *others], Validator(owner, key, key, 1, owner)))


def start_s(genesis: Path, data: Path) -> float:
    """One start, stopped again."""
    port = nodes.free_port()
    where = ("--data", str(data), "--genesis", str(genesis), "--port", str(port), "--accounts", "1")
    with nodes.started("coc", (str(nodes.COC), "up", "--json", *where), port) as node:
        return node.first_answer_s


def row(accounts: int, runs: int) -> str:
    """The line of one size."""
    with tempfile.TemporaryDirectory(prefix="coc-bench-") as folder:
        genesis, data = Path(folder) / "genesis.json", Path(folder) / "data"
        genesis.write_bytes(genesis_text(accounts))
        print(f"starts: {accounts:,} accounts", file=sys.stderr)
        first = start_s(genesis, data)
        again = [start_s(genesis, data) for _ in range(runs)]
        mib = genesis.stat().st_size / nodes.KIB_PER_MIB / nodes.KIB_PER_MIB
    return f"| {accounts:,} | {mib:.1f} | {first:.2f} | {statistics.median(again):.2f} | {max(again):.2f} |"


def table(sizes: Sequence[int], runs: int) -> str:
    """A Markdown table, one line a size."""
    heads = "| accounts in genesis | file, MiB | first start, s | again, s | slowest, s |"
    lines = ["### Start to first answer", "", f"{nodes.machine()}; medians of {runs}.", "", heads]
    return "\n".join([*lines, "| --: | --: | --: | --: | --: |", *(row(size, runs) for size in sizes)])


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--accounts", default="10,1000000", help="sizes, with commas")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    try:
        print(table([int(size) for size in options.accounts.split(",")], options.runs))
    except nodes.BenchFailed as failure:
        print(f"starts: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
