"""A node of a BFT chain on a data folder, composed, never started: whose key it has, and what it lets go."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path

from coc.adapters.chain_port import closing, open_chain
from coc.adapters.telemetry import Telemetry
from coc.adapters.validator.service import NetworkChoices, ValidatorService
from coc.execution.dev_network import dev_validators
from coc.execution.genesis import read_genesis
from coc.primitives.mnemonic import DEV_MNEMONIC
from coc.primitives.secp256k1 import address_of
from tests.adapters.validator.test_signer_socket import serving
from tests.execution.dev_networks import dev_genesis_file

OWN = dev_validators(DEV_MNEMONIC, 1)[0]


def test_a_signer_process_makes_it_a_validator_and_is_let_go_with_it(tmp_path: Path) -> None:
    made = read_genesis(dev_genesis_file(1))

    async def compose(signer: Path) -> ValidatorService:
        choices = NetworkChoices("127.0.0.1", 0, OWN.network, signer=signer)
        with closing(open_chain(made.text, tmp_path / "data", {})) as chain:
            service = ValidatorService(made, tmp_path / "data", choices, (chain, Telemetry()))
            await service.finish()
            service.close()
            return service

    (tmp_path / "data").mkdir()
    with serving(tmp_path, secret=OWN.consensus) as path:
        service = asyncio.run(compose(path))
        assert service.status.coinbase() == address_of(OWN.consensus)
        del service
        gc.collect()  # a connection that is left open is told as an error here
