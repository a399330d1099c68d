"""Runs one web3.py scenario against `NODE_URL` and prints what it saw as JSON: `python -m web3py deploy`."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module

from .session import Session


def main() -> None:
    """Runs the scenario named on the command line."""
    scenario = import_module(f"web3py.{sys.argv[1]}").scenario
    json.dump(scenario(Session.open(os.environ["NODE_URL"])), sys.stdout)


if __name__ == "__main__":
    main()
