"""The chain of a data folder, for commands that work on it while no node runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from coc.adapters.chain_port import OpenChain, closing, open_chain
from coc.adapters.kept_genesis import noted_genesis, required_kept_genesis
from coc.consensus.rotation.slots import RotationRules
from coc.execution.genesis import Genesis, read_genesis
from coc.primitives.errors import CliError
from coc.primitives.frozen import frozen
from coc.primitives.types import Hash32

if TYPE_CHECKING:
    from coc.node.validator.chain_door import ChainDoor


@frozen
class FolderChain:
    """An open chain with the rules that its genesis gives it: None for an Ethereum chain."""

    chain: OpenChain
    genesis: Genesis
    rules: RotationRules | ChainDoor | None


@contextmanager
def chain_in(folder: Path) -> Iterator[FolderChain]:
    """The chain in a data folder, flushed and let go of at the end.

    Raises:
        FolderUnfit, GenesisInvalid, ChainFailed: there is none, or it cannot be opened.
    """
    genesis = required_kept_genesis(folder)
    with closing(open_chain(genesis.text, folder, {})) as chain:
        yield FolderChain(chain, genesis, rules_of_chain(chain, genesis))


def rules_of_chain(chain: OpenChain, genesis: Genesis) -> RotationRules | ChainDoor | None:
    """What blocks of this chain are held to beside Ethereum's rules.

    Raises:
        GenesisContradictsItself: genesis lists other validators than its registry holds.
    """
    if genesis.coc is not None and genesis.coc.engine == "bft":
        from coc.adapters.validator.door import door_to

        return door_to(chain, genesis)
    return rotation_rules(genesis, chain.genesis_hash)


def rotation_rules(genesis: Genesis, genesis_hash: bytes) -> RotationRules | None:
    """What genesis says about a rotation chain; None for an Ethereum chain."""
    if genesis.coc is None:
        return None
    return RotationRules(
        Hash32(genesis_hash), genesis.timestamp, genesis.coc.block_interval_s, genesis.coc.validators
    )


def read_genesis_file(path: Path, folder: Path | None = None) -> Genesis:
    """A genesis file, checked; in little time where `folder` holds the chain that was made of it.

    Raises:
        CliError: the file cannot be read.
        GenesisInvalid: it describes no chain.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise CliError(
            f"{path} cannot be read", why=error.strerror or str(error), cure="check path and permissions"
        ) from error
    return read_genesis(text) if folder is None else noted_genesis(text, folder)
