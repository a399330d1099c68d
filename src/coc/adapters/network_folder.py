"""The folder of a development network: one genesis, and a data folder a node.

    DIR/network-genesis.json    the genesis of all; written first, and the rest is made of it
    DIR/node-1/                 a data folder with keys/ and genesis.json; the node makes the rest of it
    DIR/node-1.log              what the node wrote to standard error since the network was started

What a node needs and has lost, its keys or the genesis, is put back at the next start; the rest it gets from
the others. Whoever wipes a node leaves its `keys/`, in which it remembers what it has signed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Final

from coc.adapters.data_folder import GENESIS_FILE
from coc.adapters.kept_genesis import noted_genesis
from coc.adapters.validator_file import PublicValidator
from coc.adapters.validator_keys import keep_known_keys
from coc.execution.dev_network import DevValidator
from coc.execution.genesis import Genesis, read_genesis
from coc.primitives.errors import AdapterError
from coc.primitives.secp256k1 import public_key_of

NETWORK_GENESIS: Final = "network-genesis.json"


class NetworkFolderUnfit(AdapterError):
    """A folder that holds another network, something else, or cannot be written."""

    id: ClassVar[str] = "COC-NETWORK-FOLDER"


class NetworkFolder:
    """A network's folder, complete up to what the nodes make themselves."""

    def __init__(self, root: Path, validators: Sequence[DevValidator], make: Callable[[], bytes]) -> None:
        """Open the network that is there, or make one of the genesis text that `make` gives.

        Raises:
            NetworkFolderUnfit: the folder holds something else, or cannot be written.
            GenesisInvalid: its genesis file cannot be read as one.
        """
        self.root = root
        try:
            kept = _kept_genesis(root)
            self.is_new = kept is None
            self.genesis = self._read(make, kept)
            _refuse_other_validators(root, self.genesis, validators)
            if kept is None:
                _write_whole(root / NETWORK_GENESIS, self.genesis.text)
            for number, validator in enumerate(validators, 1):
                self._make_node(number, validator)
        except OSError as error:
            raise NetworkFolderUnfit(
                f"{root} cannot be used for a network",
                why=error.strerror or str(error),
                cure="choose another folder with --data, or give this user the right to it",
            ) from error

    def node(self, number: int) -> Path:
        """The data folder of a node, counted from 1."""
        return self.root / f"node-{number}"

    def log(self, number: int) -> Path:
        """What a node has written."""
        return self.root / f"node-{number}.log"

    def _read(self, make: Callable[[], bytes], kept: bytes | None) -> Genesis:
        """The genesis of all is that of each node, and the first may have a note of it."""
        return read_genesis(make()) if kept is None else noted_genesis(kept, self.node(1))

    def _make_node(self, number: int, validator: DevValidator) -> None:
        folder = self.node(number)
        public = PublicValidator(
            public_key_of(validator.consensus),
            public_key_of(validator.network),
            validator.account,
            validator.account,
        )
        keep_known_keys(folder, validator.network, validator.consensus, public)
        if not (folder / GENESIS_FILE).exists():
            _write_whole(folder / GENESIS_FILE, self.genesis.text)


def _kept_genesis(root: Path) -> bytes | None:
    """The genesis of the network in a folder; None where one may be made there."""
    try:
        return (root / NETWORK_GENESIS).read_bytes()
    except FileNotFoundError:
        pass
    root.mkdir(parents=True, exist_ok=True)
    strangers = sorted({path.name for path in root.iterdir()} - {_new(root / NETWORK_GENESIS).name})
    if strangers:
        raise NetworkFolderUnfit(
            f"{root} holds something that is no network",
            why=f"`{strangers[0]}` is in it, and no {NETWORK_GENESIS}",
            cure="choose a new or empty folder with --data",
        )
    return None


def _refuse_other_validators(root: Path, genesis: Genesis, validators: Sequence[DevValidator]) -> None:
    there = () if genesis.coc is None else genesis.coc.validators.validators
    asked = [public_key_of(each.consensus) for each in validators]
    if [each.consensus_key for each in there] == asked:
        return
    if len(there) != len(asked):
        why, cure = f"it has {len(there)} validators", f"start it with --nodes {len(there)}"
    else:
        why, cure = "its keys come from another mnemonic", "start it with the --mnemonic it was made with"
    raise NetworkFolderUnfit(
        f"{root} holds another network", why=why, cure=f"{cure}, or choose another --data folder"
    )


def _write_whole(path: Path, text: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    new = _new(path)
    with new.open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _new(path: Path) -> Path:
    """What a file is called until it is whole."""
    return path.with_name(f"{path.name}.new")
