"""Command line: ``python -m tests.differential [run] | vectors | replay | reasons``; see ``--help``."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import tempfile
from pathlib import Path

from .assembly import BuiltChain
from .campaign import Case, on_deep_stack, run_campaign
from .client import Client
from .fixtures import blocktest_json, write
from .large import large_chains
from .networks import NETWORKS
from .reasons import reasons
from .replay import replay_blocktest
from .vectors import write_vectors

_DEFAULT_COMMAND = ".venv/bin/coc"
_SEED_RANGE = 10**6
_STATES_PER_CHAIN = 40


def main(arguments: list[str]) -> int:
    """Run a command; 0 if the client and the specification agree, 1 if not."""
    if not arguments or arguments[0].startswith("--"):
        arguments = ["run", *arguments]
    options = _parser().parse_args(arguments)
    match options.command:
        case "run":
            return _run(options)
        case "vectors":
            write_vectors(options.out, options.jobs, print)
            return 0
        case "reasons":
            return _reasons(options)
        case _:
            return _replay(options.paths)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="compare random cases with a client (this is the default)")
    run.add_argument("--count", type=int, default=1, help="chains of each network (default 1)")
    run.add_argument("--states", type=int, help="state tests (default 40 a chain)")
    run.add_argument("--seed", type=int, help="first seed; drawn and printed if not given")
    run.add_argument("--network", action="append", choices=sorted(NETWORKS), help="only these networks")
    run.add_argument(
        "--coc", default=_DEFAULT_COMMAND, help=f"the client's program (default {_DEFAULT_COMMAND})"
    )
    run.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    run.add_argument(
        "--large", action="store_true", help="also blocks at the size limit and long chains (40 MB)"
    )
    run.add_argument(
        "--out", type=Path, help="folder for findings (default: a new one under the temporary folder)"
    )
    vectors = commands.add_parser("vectors", help="write the committed set of tests again")
    vectors.add_argument("--out", type=Path, default=Path("tests/vectors"))
    vectors.add_argument("--jobs", type=int, default=2)
    replay = commands.add_parser("replay", help="let the specification judge blockchain tests in files")
    replay.add_argument("paths", type=Path, nargs="+")
    why = commands.add_parser("reasons", help="show for which reasons a client refuses the blocks in files")
    why.add_argument("paths", type=Path, nargs="+")
    why.add_argument("--coc", default=_DEFAULT_COMMAND)
    return parser


def _run(options: argparse.Namespace) -> int:
    seed: int = options.seed if options.seed is not None else secrets.randbelow(_SEED_RANGE)
    networks: list[str] = options.network or list(NETWORKS)
    folder = options.out or Path(tempfile.mkdtemp(prefix="differential-"))
    states: int = options.states if options.states is not None else _STATES_PER_CHAIN * options.count
    print(
        f"seed {seed}: {options.count} chains on {len(networks)} networks, {states} state tests", flush=True
    )
    client = Client((options.coc,), options.jobs)
    failures = _large(client, folder) if options.large else 0
    cases = [Case(network, seed + turn) for turn in range(options.count) for network in networks]
    cases += [Case("", seed + turn) for turn in range(states)]
    tally = run_campaign(cases, client, folder, lambda text: print(text, flush=True))
    for text in tally.undefined:
        print(f"not judged: {text}")
    for finding in tally.findings:
        print(f"{finding.case.name}: {finding.failure.error}\n  smallest case: {finding.fixture}")
    print(f"seed {seed}: {tally.cases} cases, {len(tally.findings)} disagreements")
    return 1 if tally.findings or failures else 0


def _large(client: Client, folder: Path) -> int:
    path = folder / "large.json"
    chains: tuple[BuiltChain, ...] = on_deep_stack(large_chains)
    write(path, {chain.plan.name: blocktest_json(chain, whole_state=True) for chain in chains})
    failures = client.blocktests([path])
    path.unlink()
    for failure in failures:
        print(f"DISAGREE {failure.name}: {failure.error}")
    print(f"{len(chains)} large cases, {len(failures)} disagreements", flush=True)
    return len(failures)


def _reasons(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as folder:
        table = reasons(options.paths, Client((options.coc,), 1), Path(folder))
    for (expected, found, fault), count in table.most_common():
        print(f"{count:5} {'=' if expected == found else '!'} {expected:45} {found:45} {fault}")
    return 0


def _replay(paths: list[Path]) -> int:
    def run() -> int:
        wrong = 0
        for path in paths:
            for name, test in json.loads(path.read_text(encoding="ascii")).items():
                complaint = replay_blocktest(test)
                wrong += bool(complaint)
                print(f"{name}: {complaint or 'agrees'}")
        return 1 if wrong else 0

    status: int = on_deep_stack(run)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
