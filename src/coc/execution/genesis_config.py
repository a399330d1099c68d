"""The `config` of a genesis file of ours by itself: its hash is in block 0, so the rest is not needed."""

from __future__ import annotations

from coc.execution.genesis import CocRules, coc_rules
from coc.execution.genesis_fields import GenesisInvalid
from coc.primitives.limits import GENESIS_FILE_BYTES_MAX
from coc.primitives.strict_json import Json, JsonInvalid, decode_json


def rules_in_config(config: bytes, gas_limit: int) -> CocRules:
    """The `coc` section of a `config`; `gas_limit` is that of block 0.

    Raises:
        GenesisInvalid: it cannot be read, or is not of a chain of ours.
    """
    return coc_rules(_object(config), gas_limit)


def _object(text: bytes) -> dict[str, Json]:
    try:
        root = decode_json(text, name="genesis", bytes_max=GENESIS_FILE_BYTES_MAX)
    except JsonInvalid as error:
        raise GenesisInvalid(error.what, why=error.why, cure=error.cure) from error
    if not isinstance(root, dict):
        raise GenesisInvalid("the genesis is not a JSON object")
    return root
